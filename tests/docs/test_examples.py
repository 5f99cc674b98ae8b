"""Runs the examples of the README and of the documentation, page by page.

A fenced block takes part if its first line says how:

    ```toml file=small.toml      written to that file in the page's own empty folder
    ```python file=bar.py        likewise
    ```python test               executed; the blocks of a page share their names
    ```console test              each line after "$ " is run by the shell
    ```text output               what the block before must have printed; "..." stands for anything

Blocks run in order. In a console block the lines without "$ " are what the command must print.
The folder holds a link to `cases/`, so that a page may read as if typed in a clone.
"""

from __future__ import annotations

import contextlib
import doctest
import io
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
FENCE = re.compile(r"^(?P<mark>`{3,})(?P<info>[^`\n]*)\n(?P<body>.*?)^(?P=mark)\s*$", re.M | re.S)
MODES = re.compile(r"(test|output|file=\S+)")
OPTIONS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


@dataclass(frozen=True)
class Block:
    """One fenced block that takes part."""

    language: str
    mode: str
    body: str
    line: int


def blocks(text: str) -> Iterator[Block]:
    """The marked blocks of a page, in order.

    Raises
    ------
    ValueError
        A mark is misspelt; it would otherwise leave an example untested.
    """
    for found in FENCE.finditer(text):
        language, _, mode = found["info"].strip().partition(" ")
        if not mode or language.startswith("{"):
            continue
        line = text.count("\n", 0, found.start()) + 2
        if not MODES.fullmatch(mode):
            raise ValueError(f"line {line - 1}: unknown mark {mode!r}")
        yield Block(language, mode, found["body"], line)


def matches(wanted: str, printed: str) -> bool:
    """Whether the output is what the page shows."""
    return doctest.OutputChecker().check_output(wanted, printed, OPTIONS)


def shell(command: str, folder: Path) -> str:
    """Run one line of a console block; what it printed, or a failed test."""
    environment = os.environ | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    done = subprocess.run(
        command,
        shell=True,
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, f"$ {command}\nstatus {done.returncode}\n{done.stdout}"
    return done.stdout


def run_console(block: Block, folder: Path, place: str) -> str:
    """Run a console block, comparing the output of each command that shows one."""
    printed = ""
    for part in re.split(r"^\$ ", block.body, flags=re.M)[1:]:
        command, _, wanted = part.replace("\\\n", " ").partition("\n")
        printed = shell(command, folder)
        if wanted.strip():
            assert matches(wanted, printed), (
                f"{place}: $ {command}\nprinted\n{printed}\nnot\n{wanted}"
            )
    return printed


def run_page(page: Path, folder: Path) -> int:
    """Run all marked blocks of `page` in `folder`; how many there were."""
    names: dict[str, Any] = {"__name__": "__page__"}
    printed, count = "", 0
    for count, block in enumerate(blocks(page.read_text(encoding="utf-8")), 1):  # noqa: B007
        place = f"{page.name}:{block.line}"
        if block.mode.startswith("file="):
            target = folder / block.mode.removeprefix("file=")
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(block.body, encoding="utf-8")
        elif block.mode == "output":
            assert matches(block.body, printed), f"{place}: printed\n{printed}\nnot\n{block.body}"
        elif block.language == "console":
            printed = run_console(block, folder, place)
        else:
            with contextlib.redirect_stdout(io.StringIO()) as out:
                # blank lines first, so that a traceback gives the line of the page
                exec(compile("\n" * (block.line - 1) + block.body, str(page), "exec"), names)
            printed = out.getvalue()
    return count


PAGES = [
    ROOT / "README.md",
    ROOT / "docs" / "tutorial.md",
    *sorted(p for p in (ROOT / "docs").glob("how-to/*.md") if p.stem != "index"),
]


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.stem)
def test_a_page_does_what_it_says(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "cases").symlink_to(ROOT / "cases", target_is_directory=True)
    monkeypatch.chdir(tmp_path)
    assert run_page(page, tmp_path) > 0, "the page shows nothing that can be run"


def test_a_wrong_output_is_noticed(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("```python test\nprint(6 * 7)\n```\n\n```text output\n41\n```\n")
    with pytest.raises(AssertionError, match=r"page\.md:6"):
        run_page(page, tmp_path)


def test_a_failing_command_is_noticed(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("```console test\n$ exit 3\n```\n")
    with pytest.raises(AssertionError, match="status 3"):
        run_page(page, tmp_path)


def test_a_misspelt_mark_is_noticed() -> None:
    with pytest.raises(ValueError, match="line 1: unknown mark 'tset'"):
        list(blocks("```python tset\n1 / 0\n```\n"))


def test_blocks_share_names_and_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    page = tmp_path / "page.md"
    page.write_text(
        "```toml file=a.toml\nx = 1\n```\n```python test\nn = 40 + 2\n```\n"
        "```python test\nprint('n =', n)\n```\n```text output\nn = ...\n```\n"
        "```console test\n$ cat a.toml\nx = 1\n```\n"
    )
    assert run_page(page, tmp_path) == 5
