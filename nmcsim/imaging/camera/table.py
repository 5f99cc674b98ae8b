"""The table ``[camera]``: read with all its mistakes at once, and written."""

from __future__ import annotations

import csv
import difflib
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

from nmcsim.errors import InputError, Mistake
from nmcsim.imaging.camera import Camera, Spot
from nmcsim.imaging.camera.law import Law, Linear, Table
from nmcsim.imaging.camera.shake import Drift, Steady, Walk
from nmcsim.imaging.camera.shake import Path as Track
from nmcsim.imaging.camera.view import DIRECTIONS
from nmcsim.units import convert, display, parse

__all__ = ["KEYS", "read", "written"]

KEYS = {
    "pixel": 'edge of a pixel, such as "34.7 nm"',
    "resolution": 'full width at half maximum of the blur, such as "265 nm"; "0 nm" for none',
    "depth": 'probing depth, such as "200 nm"',
    "view": '"c", "x", "y" or a direction [x, y, z]',
    "signal": "dI/I1 per lithium that has left, such as 0.5",
    "law": "instead of signal: { theta = [0, 1], intensity = [1.5, 1.0] }",
    "interval": 'between frames, such as "8 s"; "recorded" takes the recorded ones',
    "binning": "exposures averaged to a frame, such as 20",
    "exposure": 'length of one, such as "3 ms"',
    "drift": '{ velocity = ["1 nm/s", "0 nm/s"] }, { walk = "5 nm" } or { table = "drift.csv" }',
    "noise": "electrons that a full pixel holds, such as 10000; 0 for none",
    "read_noise": "electrons per exposure, such as 5",
    "background": "intensity beside the particle, such as 0.2",
    "spot": 'true, false or { position = ["2 um", "1 um"], brightness = 1.2 }',
    "margin": 'around the particle, such as "1 um"',
    "seed": "of noise and random drift, such as 1",
}
"""Keys of the table, and what they take."""


class _Reader:
    """Reads values and collects mistakes."""

    def __init__(self, place: str, folder: Path) -> None:
        self.place, self.folder = place, folder
        self.mistakes: list[Mistake] = []

    def said(self, key: str, value: Any) -> str:
        shown = f'"{value}"' if isinstance(value, str) else str(value).lower()
        whole = f"{self.place}.{key}" if self.place else key
        return f"{whole} = {shown}" if len(shown) <= 40 else whole

    def wrong(self, key: str, value: Any, message: str) -> None:
        self.mistakes.append(Mistake(self.said(key, value), message))

    def quantity(self, key: str, value: Any, unit: str, low: float, open_: bool) -> float | None:
        """A number in SI at or above `low`."""
        try:
            found = parse(value, unit)
        except InputError as error:
            self.wrong(key, value, error.mistakes[0].message)
            return None
        if not math.isfinite(found) or found < low or (open_ and found <= low):
            self.wrong(key, value, f"must be {'above' if open_ else 'at least'} {low:g}")
            return None
        return found

    def whole(self, key: str, value: Any, low: int) -> int | None:
        if isinstance(value, bool) or not isinstance(value, int) or value < low:
            self.wrong(key, value, f"must be a whole number of at least {low}")
            return None
        return value

    def pair(self, key: str, value: Any, unit: str) -> tuple[float, float] | None:
        if not isinstance(value, Sequence) or isinstance(value, str) or len(value) != 2:
            self.wrong(key, value, "must be two quantities: to the right and upwards")
            return None
        found = [self.quantity(key, part, unit, -math.inf, False) for part in value]
        return None if None in found else (found[0], found[1])  # type: ignore[return-value]

    def keys(self, key: str, value: Mapping[str, Any], known: Sequence[str]) -> bool:
        strange = [name for name in value if name not in known]
        for name in strange:
            close = difflib.get_close_matches(name, known, 1)
            mend = f'did you mean "{close[0]}"?' if close else f"there are {', '.join(known)}"
            place = ".".join(part for part in (self.place, key, name) if part)
            self.mistakes.append(Mistake(place, f"is not a key here; {mend}"))
        return not strange

    def view(self, key: str, value: Any) -> Any:
        if isinstance(value, str) and value in DIRECTIONS:
            return value
        numbers = isinstance(value, Sequence) and not isinstance(value, str) and len(value) == 3
        if numbers and all(isinstance(n, int | float) for n in value) and any(value):
            return tuple(float(n) for n in value)
        self.wrong(key, value, 'must be "c", "x", "y" or a direction such as [1, 1, 0]')
        return None

    def law(self, key: str, value: Any) -> Law | None:
        columns = ("theta", "intensity")
        if not isinstance(value, Mapping):
            self.wrong(key, value, f"must be {KEYS['law'].split(': ', 1)[1]}")
            return None
        if not self.keys(key, value, columns):
            return None
        lists: list[Any] = [value.get(name) for name in columns]
        if not all(isinstance(c, list | tuple) and len(c) >= 2 for c in lists):
            self.wrong(key, value, "must have two lists, theta and intensity, of two or more")
            return None
        theta, intensity = lists
        if not all(isinstance(n, int | float) and math.isfinite(n) for c in lists for n in c):
            self.wrong(key, value, "must have numbers in its lists")
        elif len(theta) != len(intensity):
            self.wrong(key, value, f"has {len(theta)} theta and {len(intensity)} intensity")
        elif any(b <= a for a, b in pairwise(theta)):
            self.wrong(key, value, "has a theta that does not rise")
        else:
            return Table(tuple(map(float, theta)), tuple(map(float, intensity)))
        return None

    def drift(self, key: str, value: Any) -> Drift | None:
        if not isinstance(value, Mapping) or len(value) != 1:
            self.wrong(key, value, f"must be {KEYS['drift']}")
            return None
        kinds: dict[str, Callable[[str, Any], Drift | None]] = {
            "velocity": self._steady, "walk": self._walk, "table": self._track,
        }  # fmt: skip
        if not self.keys(key, value, tuple(kinds)):
            return None
        ((kind, of),) = value.items()
        return kinds[kind](f"{key}.{kind}", of)

    def _steady(self, key: str, value: Any) -> Drift | None:
        found = self.pair(key, value, "m/s")
        return None if found is None else Steady(found)

    def _walk(self, key: str, value: Any) -> Drift | None:
        found = self.quantity(key, value, "m", 0.0, False)
        return None if found is None else Walk(found)

    def _track(self, key: str, value: Any) -> Drift | None:
        """A CSV file with columns ``time [s]``, ``x [nm]``, ``y [nm]``; or three such lists."""
        try:
            if isinstance(value, Mapping):
                columns = {name: [parse(v, _UNITS[name]) for v in value[name]] for name in _UNITS}
            else:
                columns = _csv(self.folder / str(value))
        except InputError as error:
            self.wrong(key, value, error.mistakes[0].message)
        except KeyError as error:
            self.wrong(key, value, f"lacks the column {error.args[0]}; it has time, x and y")
        except (OSError, ValueError, csv.Error) as error:
            text = getattr(error, "strerror", None) or error
            self.wrong(
                key, value, f'cannot be read ({text}); its columns are "time [s],x [nm],y [nm]"'
            )
        else:
            t = columns["time"]
            if len(t) < 2 or any(b <= a for a, b in pairwise(t)):
                self.wrong(key, value, "has fewer than two times, or times that do not rise")
            elif len({len(c) for c in columns.values()}) > 1:
                self.wrong(key, value, "has columns of different lengths")
            else:
                return Track(*(tuple(columns[name]) for name in _UNITS))
        return None

    def spot(self, key: str, value: Any) -> Spot | None:
        if isinstance(value, bool):
            return Spot() if value else None
        if not isinstance(value, Mapping):
            self.wrong(key, value, f"must be {KEYS['spot']}")
            return None
        self.keys(key, value, ("position", "brightness"))
        at, bright = value.get("position"), value.get("brightness", Spot.brightness)
        position = None if at is None else self.pair(f"{key}.position", at, "m")
        brightness = self.quantity(f"{key}.brightness", bright, "1", 0.0, True)
        return Spot(position, brightness or Spot.brightness)


_UNITS = {"time": "s", "x": "m", "y": "m"}


def _csv(path: Path) -> dict[str, list[float]]:
    with path.open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.reader(file) if row]
    heads = [re.fullmatch(r"\s*(\w+)\s*\[(.+)\]\s*", head) for head in (rows or [[]])[0]]
    named = {head[1]: (i, head[2]) for i, head in enumerate(heads) if head}
    return {
        name: [convert(float(row[named[name][0]]), named[name][1], unit) for row in rows[1:]]
        for name, unit in _UNITS.items()
    }


def read(table: Mapping[str, Any], place: str, folder: Path, base: Camera) -> Camera:
    """See `Camera.from_table`."""
    r = _Reader(place, folder)
    r.keys("", table, tuple(KEYS))
    if "signal" in table and "law" in table:
        r.wrong("law", table["law"], "and signal exclude each other; leave one out")
    lengths = {"pixel": True, "resolution": False, "depth": True, "margin": False}
    changes: dict[str, Any] = {}
    for key, value in table.items():
        found: Any = None
        if key in lengths:
            found = r.quantity(key, value, "m", 0.0, lengths[key])
        elif key == "interval" and value == "recorded":
            changes[key] = None
        elif key in ("interval", "exposure"):
            found = r.quantity(key, value, "s", 0.0, True)
        elif key in ("read_noise", "background"):
            found = r.quantity(key, value, "1", 0.0, False)
        elif key == "noise":
            found = r.quantity(key, value, "1", 0.0, False)
            changes[key] = None  # 0 electrons stand for no noise
            found = found or None
        elif key == "signal":
            slope = r.quantity(key, value, "1", -math.inf, False)
            key, found = "law", None if slope is None else Linear(slope)
        elif key in ("binning", "seed"):
            found = r.whole(key, value, 1 if key == "binning" else 0)
        elif key == "spot":
            changes[key] = r.spot(key, value)
        elif key in ("view", "law", "drift"):
            found = getattr(r, key)(key, value)
        if found is not None:
            changes[key] = found
    camera = replace(base, **changes)
    _check(r, camera, table)
    if r.mistakes:
        raise InputError(r.mistakes)
    return camera


def _check(r: _Reader, camera: Camera, table: Mapping[str, Any]) -> None:
    """What several keys say together."""
    if camera.interval is None and (camera.binning > 1 or camera.exposure is not None):
        key = "binning" if camera.binning > 1 else "exposure"
        r.wrong(key, table.get(key), 'needs an interval between frames, such as "8 s"')
    elif camera.exposure is not None and camera.interval is not None:
        longest = camera.interval / camera.binning
        if camera.exposure > longest * (1.0 + 1e-9):
            r.wrong(
                "exposure", table.get("exposure"),
                f"is longer than interval / binning, which is {display(longest, 's')}",
            )  # fmt: skip
    if camera.read_noise > 0.0 and camera.noise is None:
        r.wrong("read_noise", table.get("read_noise"), "needs noise, the electrons of a full pixel")
    if camera.background >= 1.0:
        r.wrong(
            "background", table.get("background"),
            "is as bright as the particle, which is 1; take a smaller one",
        )  # fmt: skip


def written(camera: Camera) -> dict[str, Any]:
    """See `Camera.table`."""

    def said(value: float, unit: str) -> str:
        return display(value, unit, exact=True)

    table: dict[str, Any] = {
        "pixel": said(camera.pixel, "m"),
        "resolution": said(camera.resolution, "m"),
        "depth": said(camera.depth, "m"),
        "view": camera.view if isinstance(camera.view, str) else list(camera.view),
    }
    if isinstance(camera.law, Linear):
        table["signal"] = camera.law.signal
    elif isinstance(camera.law, Table):
        table["law"] = {
            "theta": list(camera.law.theta), "intensity": list(camera.law.intensity),
        }  # fmt: skip
    table["interval"] = "recorded" if camera.interval is None else said(camera.interval, "s")
    table["binning"] = camera.binning
    if camera.exposure is not None:
        table["exposure"] = said(camera.exposure, "s")
    drift = camera.drift
    if isinstance(drift, Steady):
        table["drift"] = {"velocity": [said(v, "m/s") for v in drift.velocity]}
    elif isinstance(drift, Walk):
        table["drift"] = {"walk": said(drift.step, "m")}
    elif isinstance(drift, Track):
        table["drift"] = {
            "table": {
                name: [said(v, unit) for v in getattr(drift, name)] for name, unit in _UNITS.items()
            }
        }
    table["noise"] = camera.noise or 0
    table["read_noise"] = camera.read_noise
    table["background"] = camera.background
    spot = camera.spot
    if spot is None:
        table["spot"] = False
    else:
        table["spot"] = {"brightness": spot.brightness}
        if spot.position is not None:
            table["spot"]["position"] = [said(v, "m") for v in spot.position]
    if camera.margin is not None:
        table["margin"] = said(camera.margin, "m")
    table["seed"] = camera.seed
    return table
