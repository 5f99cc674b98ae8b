"""``compare.json`` beside a result: what each file of measurements gave, by its name."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

from nmcsim.compare.pairs import WITHIN, Comparison, Pair, Unpaired
from nmcsim.results import write_json

__all__ = ["FILE", "as_table", "keep"]

FILE = "compare.json"
FORMAT = 1


def as_table(comparison: Comparison) -> dict[str, Any]:
    """A comparison as JSON holds it; what is missing is null."""
    return {
        "title": comparison.title,
        "source": comparison.source,
        "of": comparison.of,
        "limit": WITHIN,
        "pairs": [_pair(pair) for pair in comparison.pairs],
        "unpaired": [_unpaired(item) for item in comparison.unpaired],
        "settings": {name: dict(table) for name, table in comparison.settings.items()},
        "notes": list(comparison.notes),
    }


def keep(directory: Path, name: str, comparison: Comparison) -> Path:
    """Write a comparison into ``compare.json`` of a result, in place of an earlier one of its name.

    Returns
    -------
    Path
        The file.
    """
    path = directory / FILE
    content: dict[str, Any] = {"format": FORMAT, "comparisons": {}}
    try:
        old = json.loads(path.read_text(encoding="utf-8"))
        if old.get("format") == FORMAT:
            content["comparisons"] = dict(old["comparisons"])
    except (OSError, ValueError, AttributeError, KeyError, TypeError):
        pass  # there is none yet, or none that can be kept
    content["comparisons"][name] = as_table(comparison)
    write_json(path, content)
    return path


def _pair(pair: Pair) -> dict[str, Any]:
    found: dict[str, Any] = {
        "name": pair.name, "unit": pair.unit, "bound": pair.bound, "origin": pair.origin,
        "measured": _plain(pair.measured), "uncertainty": _plain(pair.uncertainty),
        "simulated": _plain(pair.simulated), "difference": _plain(pair.difference),
        "z": _plain(pair.z), "rmse": _plain(pair.rmse), "chi2": _plain(pair.chi2),
        "within": pair.within, "points": pair.points, "without": pair.without, "note": pair.note,
        **_entry(pair),
    }  # fmt: skip
    if (curve := pair.curve) is not None:
        found["curve"] = {
            "x_name": curve.x_name, "x_unit": curve.x_unit,
            **{
                key: [_plain(value) for value in getattr(curve, key).tolist()]
                for key in ("x", "measured", "uncertainty", "simulated", "line_x", "line")
            },
        }  # fmt: skip
    return found


def _unpaired(item: Unpaired) -> dict[str, Any]:
    return {"name": item.name, "reason": item.reason, "missing": item.missing, **_entry(item)}


def _entry(of: Pair | Unpaired) -> dict[str, Any]:
    entry = of.entry
    return {
        "method": entry.method, "source": entry.source, "about": entry.note,
        "conditions": {key: str(value) for key, value in entry.conditions.items()},
    }  # fmt: skip


def _plain(value: float | None) -> float | None:
    return None if value is None or not math.isfinite(value) else float(value)
