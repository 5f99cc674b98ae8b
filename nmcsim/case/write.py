"""A resolved case on disk: ``case.toml`` and the files it names beside it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nmcsim.case.toml import dump_toml

STATE = ("checkpoint.h5", "mesh.msh", "case.toml", "summary.json")
"""What of a result directory another case can start from."""


def write_case(data: Mapping[str, Any], files: Mapping[str, Path], directory: Path) -> Path:
    """Write a case and copy its files.

    Parameters
    ----------
    data : mapping
        Content of the case file.
    files : mapping of str to Path
        The files and result directories that texts in `data` name.
    directory : Path
        Where ``case.toml`` and ``inputs/`` come to stand.

    Returns
    -------
    Path
        The case file.
    """
    directory.mkdir(parents=True, exist_ok=True)
    names: dict[str, str] = {}
    taken: dict[str, Path] = {}
    # first those that stand in an inputs/ already: they keep their names
    for text, path in sorted(files.items(), key=lambda item: item[0] != f"inputs/{item[1].name}"):
        name = _free(path, taken)
        taken[name] = path
        names[text] = f"inputs/{name}"
        _copy(path, directory / "inputs" / name)
    # last and at once: where there is a case.toml, it and its files are whole
    target, aside = directory / "case.toml", directory / ".case.toml.tmp"
    aside.write_text(dump_toml(_renamed(data, names)), encoding="utf-8")
    os.replace(aside, target)
    return target


def _free(path: Path, taken: Mapping[str, Path]) -> str:
    """A name for `path` that no other file has."""
    name, count = path.name, 1
    while name in taken and taken[name].resolve() != path.resolve():
        count += 1
        name = f"{path.stem}_{count}{path.suffix}"
    return name


def _copy(source: Path, target: Path) -> None:
    if source.is_dir():
        target.mkdir(parents=True, exist_ok=True)
        for name in STATE:
            if (source / name).is_file():
                _copy(source / name, target / name)
    elif source.resolve() != target.resolve():
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)


def _renamed(value: Any, names: Mapping[str, str], *, top: bool = True) -> Any:
    """`value` with the texts that are names of files replaced; the title is none."""
    if isinstance(value, Mapping):
        return {
            key: item if top and isinstance(item, str) else _renamed(item, names, top=False)
            for key, item in value.items()
        }
    if isinstance(value, list | tuple):
        return [_renamed(item, names, top=False) for item in value]
    return names.get(value, value) if isinstance(value, str) else value
