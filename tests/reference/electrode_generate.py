"""Write the stored references of the electrode: ``python -m tests.reference.electrode_generate``.

Names of cases may follow; PyBaMM is needed (the `bench` extra). Seven cases take half a minute.
"""

from __future__ import annotations

import json
import platform
import sys
from collections.abc import Mapping
from dataclasses import asdict
from importlib import metadata
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .electrode_laws import C_REF, SITE_DENSITY, TEMPERATURE
from .electrode_stored import CASES, CELLS, DATA, RTOL, compute

Array = NDArray[np.float64]


def gaps(a: Mapping[str, Array], b: Mapping[str, Array]) -> dict[str, float]:
    """Largest difference of each series, at the times that both have."""
    rows = min(a["t"].size, b["t"].size)
    pairs = {k: (a[k], b[k]) if a[k].ndim == 0 else (a[k][:rows], b[k][:rows]) for k in a}
    return {k: float(np.abs(x - y).max()) for k, (x, y) in pairs.items() if k not in ("t", "rho")}


def write(name: str) -> None:
    """Compute and store one case."""
    best, half = compute(name), compute(name, CELLS // 2)
    loose, tight = compute(name, 200), compute(name, 200, 1e-10)
    error = {key: _digits(gap, 2) for key, gap in gaps(best, half).items()}
    error["time"] = _digits(gaps(loose, tight)["t_end"], 2)
    constants = {"site_density": SITE_DENSITY, "temperature": TEMPERATURE, "c_ref": C_REF}
    packages = ("pybamm", "pybammsolvers", "casadi", "numpy", "scipy")
    content = {
        "case": asdict(CASES[name][0]) | constants,
        "provenance": {
            "method": "PyBaMM finite volumes, IDAKLU; tests/reference/pybamm_electrode.py",
            "cells": CELLS,
            "rtol": RTOL,
            "python": platform.python_version(),
            **{package: metadata.version(package) for package in packages},
        },
        "error": error,
        "values": {key: _digits(value, 9) for key, value in best.items()},
    }
    path = DATA / f"electrode_{name}.json"
    path.write_text(_one_line_per_list(json.dumps(content, indent=1)) + "\n")


def _digits(value: Any, digits: int) -> Any:
    """Python numbers of so many significant digits."""
    if np.ndim(value):
        return [_digits(v, digits) for v in value]
    return float(f"{float(value):.{digits}g}")


def _one_line_per_list(text: str) -> str:
    """Lists of numbers on one line."""
    lines: list[str] = []
    inside = False
    for line in text.splitlines():
        bare = line.strip()
        number = bare.rstrip(",").replace(".", "").replace("e", "").replace("-", "").isdigit()
        if inside and (number or bare.startswith("]")):
            lines[-1] += (" " if number and not lines[-1].endswith("[") else "") + bare
            inside = number
        else:
            lines.append(line)
            inside = line.endswith("[")
    return "\n".join(lines)


if __name__ == "__main__":
    for chosen in sys.argv[1:] or CASES:
        write(chosen)
