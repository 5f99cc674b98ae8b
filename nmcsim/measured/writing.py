"""``measured.toml``, written: what is read again is equal."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from nmcsim.measured.file import TEXTS
from nmcsim.measured.measurement import Measured, MeasuredSeries, Measurement
from nmcsim.measured.series_file import write_columns

__all__ = ["write_measured"]


def write_measured(measured: Measured, path: Path) -> None:
    """Write the file and, beside it, a CSV for each axis of its series; see `Measured.write`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    files = _write_series(measured, path)
    lines = [
        f"{key} = {_value(text)}"
        for key, text in (("title", measured.title), ("source", measured.source))
        if text
    ]
    for entry in measured.entries:
        lines += ["", f"[{_key(entry.name)}]", *_keys(entry, files.get(entry.name))]
    for name, table in measured.operators.items():
        lines += ["", *_table(name, table)]
    aside = path.with_name(f".{path.name}.tmp")
    aside.write_text("\n".join(lines).lstrip("\n") + "\n", encoding="utf-8")
    aside.replace(path)


def _write_series(measured: Measured, path: Path) -> dict[str, tuple[str, str]]:
    """Write the series, those along one axis together; each entry's file and uncertainty column."""
    groups: list[tuple[MeasuredSeries, list[Measurement]]] = []
    for entry in measured.entries:
        if (series := entry.series) is None:
            continue
        same = (g for first, g in groups if _axis(first) == _axis(series))
        if (group := next(same, None)) is None:
            groups.append((series, [entry]))
        else:
            group.append(entry)
    found, taken = {}, set[str]()
    for first, group in groups:
        stem = f"{path.stem}_{re.sub(r'[^A-Za-z0-9]+', '_', first.x_name)}"
        file = next(f for f in _numbered(stem) if f not in taken)
        taken.add(file)
        columns = [(first.x_name, first.x_unit, first.x)]
        for entry in group:
            assert entry.series is not None
            column = entry.name if entry.name != first.x_name else f"{entry.name} measured"
            columns.append((column, entry.unit, entry.series.values))
            spread = ""
            if not np.isnan(entry.series.uncertainty).all():
                spread = f"{column} uncertainty"
                columns.append((spread, entry.unit, entry.series.uncertainty))
            found[entry.name] = (file, column, spread)
        write_columns(path.parent / file, columns)
    return found  # type: ignore[return-value]


def _axis(series: MeasuredSeries) -> tuple[str, str, bytes]:
    return series.x_name, series.x_unit, np.ascontiguousarray(series.x, float).tobytes()


def _numbered(stem: str) -> Iterator[str]:
    yield f"{stem}.csv"
    for number in range(2, 1000):
        yield f"{stem}_{number}.csv"


def _keys(entry: Measurement, file: Any) -> Iterator[str]:
    if entry.series is not None:
        name, column, spread = file
        yield f"series = {_value(name)}"
        yield f"x = {_value(entry.series.x_name)}"
        yield f"column = {_value(column)}"
        if spread:
            yield f"uncertainty = {_value(spread)}"
    if entry.value is not None:
        yield f"value = {_value(float(entry.value))}"
        if entry.uncertainty is not None:
            yield f"uncertainty = {_value(float(entry.uncertainty))}"
    if not entry.missing or entry.unit != "1":
        yield f"unit = {_value(entry.unit)}"
    for key in (k for k in TEXTS if k != "unit"):
        if text := getattr(entry, key):
            yield f"{key} = {_value(text)}"
    if entry.conditions:
        yield f"conditions = {_value(dict(entry.conditions))}"


def _table(name: str, table: Mapping[str, Any]) -> Iterator[str]:
    yield f"[{name}]"
    for key, value in table.items():
        yield f"{_key(key)} = {_value(value)}"


def _value(value: Any) -> str:
    """A value on one line of TOML."""
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        # JSON's escapes are TOML's, but for DEL
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, Mapping):
        return f"{{ {', '.join(f'{_key(k)} = {_value(v)}' for k, v in value.items())} }}"
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_value, value))}]"
    return json.dumps(str(value), ensure_ascii=False)


def _key(key: str) -> str:
    return key if re.fullmatch(r"[A-Za-z0-9_-]+", key) else json.dumps(key, ensure_ascii=False)
