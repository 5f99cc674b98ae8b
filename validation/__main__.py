"""Runs all of ``validation/`` and keeps docs/vv in step: ``python -m validation [NAME ...]``.

Without options it runs the folders, compares each number with the one that is kept, and fills the
tables of docs/vv from what is kept. It ends with status 1 if a number moved by more than its
tolerance, or if a page was out of date; a sentence says which. ``--accept`` keeps the new numbers.
"""

from __future__ import annotations

import argparse
import logging
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from validation.book import filled, marks, moved, read_stored, write_stored
from validation.folders import HERE, folders, tables_of
from validation.tables import Table

PAGES = HERE.parent / "docs" / "vv"
WORK = HERE.parent / "results" / "validation"


def main(arguments: Sequence[str] | None = None, root: Path = HERE, pages: Path = PAGES) -> int:
    """The command; 0, or 1 where something moved."""
    parser = argparse.ArgumentParser(prog="python -m validation", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="folders of validation/ (all)")
    parser.add_argument("--accept", action="store_true", help="keep the new numbers")
    parser.add_argument(
        "--reuse", action="store_true", help="take finished runs of the same case as they are"
    )
    parser.add_argument("--work", type=Path, default=WORK, help="where runs are left")
    options = parser.parse_args(arguments)
    logging.getLogger("nmcsim").setLevel(logging.WARNING)
    sentences: list[str] = []
    for folder in folders(options.names, root):
        began = time.perf_counter()
        found = tables_of(folder, options.work / folder.name, _runner(options.reuse))
        sentences += _kept(folder, found, accept=options.accept)
        seconds = time.perf_counter() - began
        sys.stdout.write(f"{folder.name}: {len(found)} tables, {seconds:.0f} s\n")
        sys.stdout.flush()
    sentences += _pages(root, pages, accept=options.accept)
    for sentence in sentences:
        sys.stderr.write(f"{sentence}\n")
    if sentences:
        sys.stderr.write("look at it; python -m validation --accept keeps the new numbers\n")
    return 1 if sentences else 0


def _runner(reuse: bool) -> Any:
    def run(case: Any, out: Path) -> Any:
        import nmcsim

        if reuse and (out / "summary.json").is_file():
            result = nmcsim.Result.load(out)
            if result.provenance.get("case_hash") == case.hash:
                return result
        return nmcsim.simulate(case, out=out, overwrite=True, keep="history")

    return run


def _kept(folder: Path, found: Sequence[Table], *, accept: bool) -> list[str]:
    """Compare with what is kept, or keep it."""
    if accept:
        write_stored(folder, found)
        return []
    before = read_stored(folder)
    sentences = []
    for table in found:
        if table.name not in before:
            sentences.append(f"{folder.name}, table {table.name}: no numbers are kept of it")
        else:
            sentences += moved(folder.name, before[table.name], table)
    gone = before.keys() - {table.name for table in found}
    return sentences + [f"{folder.name}, table {name}: is kept and no longer made" for name in gone]


def kept_tables(root: Path = HERE) -> dict[str, Table]:
    """All tables that are kept, by name."""
    found: dict[str, Table] = {}
    for folder in folders(root=root):
        found |= read_stored(folder)
    return found


def _pages(root: Path, pages: Path, *, accept: bool) -> list[str]:
    """Fill the tables of the book from what is kept."""
    tables, sentences = kept_tables(root), []
    for page in sorted(pages.glob("*.md")):
        text = page.read_text(encoding="utf-8")
        sentences += [
            f"docs/vv/{page.name}: no numbers are kept of its table {name}"
            for name in marks(text)
            if name not in tables
        ]
        renewed = filled(text, tables)
        if renewed != text:
            page.write_text(renewed, encoding="utf-8")
            if not accept:
                sentences.append(f"docs/vv/{page.name}: was out of date, and is written again")
    return sentences


if __name__ == "__main__":
    sys.exit(main())
