"""From a case file to a `Case`."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from nmcsim.case import electrode, single_crystal  # noqa: F401 - each registers its model
from nmcsim.case.model import Case, from_data, with_value
from nmcsim.case.toml import parse_value, read_toml
from nmcsim.errors import InputError, Mistake


def load(path: str | Path, overrides: Iterable[str] = ()) -> Case:
    """Read a case file; a table ``[sweep]`` in it is another command's.

    Parameters
    ----------
    path : str or Path
        A TOML file.
    overrides : iterable of str
        Such as ``"physics.rock_salt.coverage=0.25"``; the value is TOML, or a text without quotes.

    Returns
    -------
    Case
        Checked, frozen.

    Raises
    ------
    InputError
        With all mistakes of the file, each with its dotted key and value.
    """
    file = Path(path)
    data = read_toml(file)
    if data.keys() == {"sweep"}:
        message = f"is a sweep; run it with: nmcsim sweep {path}"
        raise InputError(Mistake("", message), str(path))
    data.pop("sweep", None)
    try:
        for override in overrides:
            data = overridden(data, override)
        return from_data(data, file.parent, file)
    except InputError as error:
        raise error.located(str(path)) from None


def key_of(override: str) -> str:
    """The dotted key that ``"table.key=value"`` changes."""
    return override.partition("=")[0].strip()


def overridden(data: dict[str, Any], override: str) -> dict[str, Any]:
    """`data` with one key changed as ``--set`` says it: ``"table.key=value"``.

    Raises
    ------
    InputError
        There is no value, or a part of the key is not a table.
    """
    key, equals, value = override.partition("=")
    if not equals or not key.strip():
        raise InputError(Mistake(f"--set {override}", "has no value; write --set table.key=value"))
    return with_value(data, key.strip(), parse_value(value.strip()))
