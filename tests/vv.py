"""The numbers of the V&V book: tests state them, ``python -m tests.vv`` writes them into docs/vv.

A test that measures something says so with `claim`, which fails the test if the bound is not met.
Where the environment names a file in ``NMCSIM_VV``, the number is kept there too.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
BOOK = ROOT / "docs" / "vv"
MEASURED = BOOK / "measured.json"
SOURCES = ("tests/analytic", "tests/mms", "tests/mpi", "tests/oracle", "tests/unit/solve",
           "tests/unit/imaging", "tests/unit/observe")  # fmt: skip


def claim(
    page: str,
    case: str,
    compared: str,
    measured: float,
    *,
    below: float | None = None,
    above: float | None = None,
    unit: str = "",
) -> None:
    """Keep a measured number for the V&V book, and insist on its bound.

    Parameters
    ----------
    page : str
        The page of docs/vv and the table in it, e.g. ``"exact"``.
    case, compared : str
        What was run, and what of it was compared with what.
    measured : float
        In `unit`.
    below, above : float, optional
        The bounds, in `unit`; exclusive.
    """
    entry = {
        "page": page,
        "case": case,
        "compared": compared,
        "unit": unit,
        "measured": float(measured),
        "below": below,
        "above": above,
        "test": os.environ.get("PYTEST_CURRENT_TEST", "").split(" ")[0],
    }
    path = os.environ.get("NMCSIM_VV")
    if path:
        with open(path, "a", encoding="utf-8") as file:
            file.write(json.dumps(entry) + "\n")
    said = f"{case}: {compared} = {measured:.3g} {unit}"
    assert below is None or measured < below, f"{said}, not below {below:g}"
    assert above is None or measured > above, f"{said}, not above {above:g}"


def main() -> int:
    """Run the tests that measure, and bring the tables of the book up to date."""
    raw = BOOK / ".measured.jsonl"
    raw.unlink(missing_ok=True)
    command = [sys.executable, "-m", "pytest", "-q", *SOURCES, *sys.argv[1:]]
    status = subprocess.run(
        command, cwd=ROOT, env=os.environ | {"NMCSIM_VV": str(raw)}, check=False
    ).returncode
    lines = raw.read_text(encoding="utf-8").splitlines() if raw.exists() else []
    raw.unlink(missing_ok=True)
    measured = _merged([json.loads(line) for line in lines])
    content = {"date": datetime.now(UTC).date().isoformat(), "versions": versions()}
    MEASURED.write_text(
        json.dumps(content | {"measured": measured}, indent=1) + "\n", encoding="utf-8"
    )
    write_book(content | {"measured": measured})
    return status


def versions() -> dict[str, str]:
    """What computed the numbers."""
    from nmcsim import runtime

    kept = ("nmcsim", "python", "dolfinx", "petsc", "gmsh")
    found = {key.lower(): str(value) for key, value in runtime.versions().items()}
    return {key: found[key] for key in kept if key in found}


def _merged(new: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The new numbers in the order of the tests; those that were not measured anew stay."""
    old = json.loads(MEASURED.read_text())["measured"] if MEASURED.exists() else []
    found = {(e["page"], e["case"], e["compared"]): dict(e) for e in old}
    found |= {(e["page"], e["case"], e["compared"]): dict(e) for e in new}
    return sorted(found.values(), key=lambda e: (e["page"], e["test"].split("[")[0]))


def write_book(content: Mapping[str, Any]) -> None:
    """Put the tables between ``<!-- measured: NAME -->`` and ``<!-- end -->`` of each page."""
    said = ", ".join(f"{name} {version}" for name, version in content["versions"].items())
    for page in sorted(BOOK.glob("*.md")):
        text = page.read_text(encoding="utf-8")

        def filled(found: re.Match[str]) -> str:
            rows = [e for e in content["measured"] if e["page"] == found[1]]
            stamp = f"Measured {content['date']} with {said}."
            return f"<!-- measured: {found[1]} -->\n{_table(rows)}\n\n{stamp}\n<!-- end -->"

        new = re.sub(r"<!-- measured: (\S+) -->\n.*?<!-- end -->", filled, text, flags=re.DOTALL)
        if new != text:
            page.write_text(new, encoding="utf-8")


def _table(rows: Sequence[Mapping[str, Any]]) -> str:
    lines = ["| case | compared | bound | measured | test |", "|---|---|---|---|---|"]
    for e in rows:
        limits = [f"{word} {e[word]:g}" for word in ("above", "below") if e[word] is not None]
        bound = ", ".join(limits) + f" {e['unit']}"
        test = e["test"].removeprefix("tests/").split("[")[0].replace("::", ": ")
        lines.append(
            f"| {e['case']} | {e['compared']} | {bound.strip()} |"
            f" {e['measured']:.3g} {e['unit']} | `{test}` |"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
