"""What a fit found: values with errors, what the data do not tell, and how it got there."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from nmcsim.errors import InputError, Mistake
from nmcsim.fitting.varied import Varied
from nmcsim.results import write_json

__all__ = ["FILE", "Fit", "Look", "aligned", "quoted"]

FILE = "fit.json"
FORMAT = "nmcsim fit"
VERSION = 1


@dataclass(frozen=True)
class Look:
    """One point that the search looked at.

    Parameters
    ----------
    values : tuple of float
        Of the keys, in their units.
    chi2 : float
        Sum of squares of the residuals; NaN where the point has no sound result.
    cases : int
        Cases of the fit by then.
    best : bool
        Whether it was better than all before.
    """

    values: tuple[float, ...]
    chi2: float
    cases: int
    best: bool


@dataclass(frozen=True)
class Fit:
    """The keys of a case that agree best with measurements.

    Parameters
    ----------
    title : str
        Of the case.
    varied : tuple of Varied
    best, standard_errors : tuple of float
        In the units of the keys; an error is infinite where the data say nothing, NaN where it
        cannot be known (as many keys as numbers, none with an uncertainty).
    correlation : (n, n) float array
    chi2 : float
        Sum of squares of the residuals, in units of the measured uncertainties; of the scale of
        each measurement where there are none.
    count : int
        Residuals.
    weighted : bool
        Whether the measurements have uncertainties. If not, the errors are scaled by the reduced
        chi2.
    single, singular : tuple of float
        By how many uncertainties the data would change over the interval of each key, and over
        each direction in them.
    directions : (n, n) float array
        Of the singular values, in rows.
    warnings : tuple of str
    converged : bool
    reason : str
        Why the search ended.
    left : tuple of float
        The step to the minimum that is left, in standard errors.
    looks : tuple of Look
    used : tuple of str
        Names of the measurements that count.
    unpaired : mapping of str to str
        Measurements without a counterpart, and why.
    failed : tuple of (mapping, str)
        Points without a sound result and their causes.
    cases : int
        Cases of the fit.
    directory : Path
    result : str
        Directory of the best case's result, in that of the fit.
    measured : str
        Title of the measurements, or their file.
    """

    title: str
    varied: tuple[Varied, ...]
    best: tuple[float, ...]
    standard_errors: tuple[float, ...]
    correlation: NDArray[np.float64]
    chi2: float
    count: int
    weighted: bool
    single: tuple[float, ...]
    singular: tuple[float, ...]
    directions: NDArray[np.float64]
    warnings: tuple[str, ...]
    converged: bool
    reason: str
    left: tuple[float, ...]
    looks: tuple[Look, ...]
    used: tuple[str, ...]
    unpaired: Mapping[str, str]
    failed: tuple[tuple[Mapping[str, float], str], ...]
    cases: int
    directory: Path
    result: str = ""
    measured: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(v.key for v in self.varied)

    @property
    def values(self) -> dict[str, float]:
        """Best values by key, in `units`."""
        return dict(zip(self.names, self.best, strict=True))

    @property
    def errors(self) -> dict[str, float]:
        """Standard errors by key, in `units`."""
        return dict(zip(self.names, self.standard_errors, strict=True))

    @property
    def units(self) -> dict[str, str]:
        """The unit of each key; "1" for plain numbers."""
        return {v.key: v.unit for v in self.varied}

    @property
    def dof(self) -> int:
        """Degrees of freedom: numbers less keys."""
        return self.count - len(self.varied)

    @property
    def reduced_chi2(self) -> float:
        return self.chi2 / self.dof if self.dof > 0 else math.nan

    def interval(self, key: str) -> tuple[float, float]:
        """Best value less and plus a standard error, in the scale in which the key was fitted.

        Of a logarithmic key the two are a factor apart; they may lie outside of its interval.
        """
        i = self.names.index(key)
        v, best, error = self.varied[i], self.best[i], self.standard_errors[i]
        if not v.log:
            return best - error, best + error
        factor = math.exp(min(error / best, 700.0))
        return best / factor, best * factor

    def table(self) -> str:
        """Values, errors, correlations and warnings, as ``nmcsim fit`` prints them."""
        rows = [("key", "best", "+-", "start", "interval")]
        for v, best, error in zip(self.varied, self.best, self.standard_errors, strict=True):
            shown, spread = quoted(best, error)
            unit = "" if v.unit == "1" else f" {v.unit}"
            between = f"{v.low:g} to {v.high:g}{unit}{', log' if v.log else ''}"
            rows.append((v.key, f"{shown}{unit}", spread, f"{v.start:g}{unit}", between))
        lines = [*aligned(rows), ""]
        if len(self.varied) > 1:
            short = _short(self.names)
            lines.append("  correlation")
            body = [("", *short)] + [
                (short[i], *(_fixed(self.correlation[i, j]) for j in range(i + 1)))
                for i in range(len(short))
            ]
            lines += [*aligned(body, right=True), ""]
        lines += [f"  {line}" for line in self.quality()]
        lines += [f"  warning: {sentence}" for sentence in self.warnings]
        return "\n".join(lines)

    def quality(self) -> list[str]:
        """How good the fit is, in sentences."""
        of = f"{self.count} numbers, {len(self.varied)} keys: {self.dof} degrees of freedom"
        if self.weighted:
            said = f"chi2 {self.chi2:.5g} ({of}), reduced {self.reduced_chi2:.3g}"
            return [said if self.dof > 0 else f"chi2 {self.chi2:.5g} ({of})"]
        rms = math.sqrt(self.chi2 / self.count)
        said = (
            f"root mean square of the residuals {100.0 * rms:.3g} % of the measured ranges ({of})"
        )
        if self.dof <= 0:
            return [said, "no standard errors: no uncertainty is given, and nothing is left over"]
        about = "the standard errors rest on the scatter of the residuals: no measurement has one"
        return [said, about]

    def write(self) -> Path:
        """Write ``fit.json``; what is not finite becomes null."""
        content = {
            "format": FORMAT,
            "version": VERSION,
            "title": self.title,
            "measured": self.measured,
            "keys": {
                v.key: {
                    "value": best, "error": error, "unit": v.unit,
                    "interval": list(self.interval(v.key)),
                    "start": v.start, "low": v.low, "high": v.high,
                    "scale": "log" if v.log else "linear",
                    "uncertainties_over_interval": single,
                }
                for v, best, error, single in zip(
                    self.varied, self.best, self.standard_errors, self.single, strict=True
                )
            },
            "correlation": self.correlation.tolist(),
            "identifiability": {
                "singular_values": list(self.singular),
                "directions": self.directions.tolist(),
            },
            "chi2": self.chi2,
            "count": self.count,
            "dof": self.dof,
            "reduced_chi2": self.reduced_chi2,
            "weighted": self.weighted,
            "warnings": list(self.warnings),
            "converged": self.converged,
            "reason": self.reason,
            "steps_left": list(self.left),
            "used": list(self.used),
            "unpaired": dict(self.unpaired),
            "failed": [[dict(values), cause] for values, cause in self.failed],
            "cases": self.cases,
            "result": self.result,
            "settings": dict(self.settings),
            "looks": [[list(k.values), k.chi2, k.cases, k.best] for k in self.looks],
        }  # fmt: skip
        path = self.directory / FILE
        write_json(path, content)
        return path

    @classmethod
    def load(cls, directory: str | Path) -> Self:
        """Read the fit in a directory.

        Raises
        ------
        InputError
            There is none, or it has another layout.
        """
        path = Path(directory) / FILE
        try:
            c = json.loads(path.read_text(encoding="utf-8"))
            if c["format"] != FORMAT or c["version"] != VERSION:
                raise KeyError(c["format"])
            keys = c["keys"]
            return cls(
                c["title"],
                tuple(
                    Varied(k, o["unit"], o["low"], o["high"], o["start"], o["scale"] == "log")
                    for k, o in keys.items()
                ),
                tuple(o["value"] for o in keys.values()),
                tuple(_number(o["error"], math.inf) for o in keys.values()),
                np.array([[_number(v) for v in row] for row in c["correlation"]]),
                c["chi2"], c["count"], c["weighted"],
                tuple(_number(o["uncertainties_over_interval"]) for o in keys.values()),
                tuple(_number(v) for v in c["identifiability"]["singular_values"]),
                np.array(c["identifiability"]["directions"]),
                tuple(c["warnings"]), c["converged"], c["reason"],
                tuple(_number(v) for v in c["steps_left"]),
                tuple(Look(tuple(v), _number(s), n, b) for v, s, n, b in c["looks"]),
                tuple(c["used"]), c["unpaired"], tuple((v, s) for v, s in c["failed"]),
                c["cases"], Path(directory), c["result"], c["measured"], c["settings"],
            )  # fmt: skip
        except FileNotFoundError:
            message = "is not the directory of a fit that has ended; there is no fit.json in it"
            raise InputError(Mistake("", message), str(directory)) from None
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            raise InputError(Mistake("", "is not one that this version reads"), str(path)) from None


def _number(value: float | None, absent: float = math.nan) -> float:
    return absent if value is None else float(value)


def quoted(value: float, error: float) -> tuple[str, str]:
    """A value to the second digit of its error, and the error: ("0.5031", "0.0042")."""
    if not math.isfinite(error) or error <= 0.0:
        return f"{value:.6g}", "unknown" if math.isnan(
            error
        ) else "none" if error == 0 else "unbounded"
    last = math.floor(math.log10(error)) - 1
    size = math.floor(math.log10(abs(value))) if value else last
    digits = min(max(size - last + 1, 2), 12)
    if -4 <= size < 6 and last < 0:
        return f"{value:.{min(-last, 12)}f}", f"{error:.{min(-last, 12)}f}"
    return f"{value:.{digits}g}", f"{error:.2g}"


def _fixed(value: float) -> str:
    return "-" if not math.isfinite(value) else f"{value:.3f}"


def _short(names: Sequence[str]) -> list[str]:
    from nmcsim.sweeps.axes import short_names

    found = short_names(list(names))
    return [found[name] for name in names]


def aligned(rows: Sequence[Sequence[str]], *, right: bool = False) -> list[str]:
    """Rows of a table as lines of text, indented; numbers to the right where asked."""
    widths = [max(len(row[i]) for row in rows if i < len(row)) for i in range(max(map(len, rows)))]
    lines = []
    for row in rows:
        cells = [
            cell.rjust(width) if right and i else cell.ljust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=False))
        ]
        lines.append(("  " + "  ".join(cells)).rstrip())
    return lines
