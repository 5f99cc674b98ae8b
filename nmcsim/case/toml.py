"""TOML: read with its mistakes said by line, written one key per line."""

from __future__ import annotations

import json
import math
import re
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from nmcsim.errors import InputError, Mistake

_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_WIDTH = 88
_LARGEST = 4 * 2**20  # bytes; a case is some kilobytes


def read_toml(path: Path) -> dict[str, Any]:
    """The content of a TOML file.

    Raises
    ------
    InputError
        If it cannot be read, is not text, or is not TOML (with the line).
    """
    try:
        content = path.read_bytes()[: _LARGEST + 1]
    except IsADirectoryError:
        raise InputError(Mistake("", "is a folder, not a case file"), str(path)) from None
    except FileNotFoundError:
        raise InputError(Mistake("", "does not exist"), str(path)) from None
    except OSError as error:
        message = f"cannot be read: {error.strerror or error}"
        raise InputError(Mistake("", message), str(path)) from None
    if b"\0" in content or len(content) > _LARGEST:
        raise InputError(Mistake("", "is not a text file; a case is a TOML file"), str(path))
    try:
        return tomllib.loads(content.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        message = f"is not text in UTF-8 (line {line}); save it in that encoding"
        raise InputError(Mistake("", message), str(path)) from None
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise InputError(Mistake("", f"is not valid TOML: {error}"), str(path)) from None


def parse_value(text: str) -> Any:
    """The value of ``--set key=value``: TOML, or a plain text without its quotes."""
    try:
        found = tomllib.loads(f"value = {text}")
    except tomllib.TOMLDecodeError:
        return text
    return found["value"] if len(found) == 1 else text


def toml_value(value: Any) -> str:
    """A value on one line of TOML.

    Raises
    ------
    TypeError
        For what TOML cannot hold.
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        # JSON's escapes are TOML's, but for DEL
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return repr(float(value)) if math.isfinite(value) else str(value)
    if isinstance(value, Mapping):
        items = ", ".join(f"{_key(k)} = {toml_value(v)}" for k, v in value.items())
        return f"{{ {items} }}" if items else "{}"
    if isinstance(value, Sequence):
        return f"[{', '.join(toml_value(item) for item in value)}]"
    raise TypeError(f"TOML holds no {type(value).__name__}")


def dump_toml(data: Mapping[str, Any]) -> str:
    """A document: keys first, then one ``[table]`` for each nested mapping."""
    return "\n".join(_table(data, ())).lstrip("\n") + "\n"


def _table(data: Mapping[str, Any], name: tuple[str, ...]) -> list[str]:
    lines = [f"\n[{'.'.join(map(_key, name))}]"] if name else []
    nested = {key: value for key, value in data.items() if isinstance(value, Mapping)}
    for key, value in data.items():
        if key not in nested:
            lines.append(f"{_key(key)} = {_folded(value, len(key) + 3)}")
    for key, value in nested.items():
        lines += _table(value, (*name, key))
    return lines


def _folded(value: Any, indent: int) -> str:
    text = toml_value(value)
    if not isinstance(value, list | tuple) or len(text) + indent <= _WIDTH:
        return text
    return "[\n" + "".join(f"  {toml_value(item)},\n" for item in value) + "]"


def _key(key: str) -> str:
    return key if _BARE_KEY.fullmatch(key) else toml_value(key)
