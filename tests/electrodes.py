"""Small electrodes for tests: structured shapes, and laws that are formulas."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

import nmcsim.case.loading  # noqa: F401 - registers the models
from nmcsim.case.model import from_data
from tests.reference.electrode_laws import SYMMETRIC, TEMPERATURE, UNITS

SHAPES = Path(__file__).parent / "shapes"
DENSITY = 4800.0  # kg/m3, any: capacities are stated per mass
AREA = 1e-9  # m2 of a slab: 1 um wide, 1 mm deep

SLAB: Mapping[str, Any] = {
    "file": "blocks.py",
    "depth": "1 mm",
    "widths": ["1 um"],
    "across": [1],
    "heights": ["5 um", "20 um"],
    "up": [8, 8],
    "rows": [["0"], ["liquid"]],
}
"""NMC below liquid."""

PAIR: Mapping[str, Any] = {
    "file": "blocks.py",
    "depth": "1 mm",
    "widths": ["2 um", "0.5 um", "2 um"],
    "across": [4, 1, 4],
    "heights": ["1 um", "2 um", "1 um", "8 um"],
    "up": [2, 4, 2, 4],
    "rows": [
        ["binder", "liquid", "liquid"],
        ["0", "liquid", "1"],
        ["0", "contact", "1"],
        ["liquid", "liquid", "liquid"],
    ],
}
"""A particle on binder, and another that hangs on it by a neck."""
CUT = [row if "contact" not in row else ["0", "liquid", "1"] for row in PAIR["rows"]]
"""The rows of a pair without the neck."""


def electrode(laws: Mapping[str, str] = SYMMETRIC, **tables: Mapping[str, Any]) -> Any:
    """A case of tables that are merged into these defaults.

    Parameters
    ----------
    laws : mapping of str to str
        As in ``tests.reference.electrode_laws``.
    tables : mapping
        ``geometry`` replaces the slab as a whole, keys of other tables are added; ``file`` names
        one of tests/shapes.
    """
    return from_data(data(laws, **tables), SHAPES)


def data(laws: Mapping[str, str] = SYMMETRIC, **tables: Mapping[str, Any]) -> dict[str, Any]:
    """The content of its case file; parameters as for `electrode`."""
    text = {name: f"{formula} [{UNITS[name] or '1'}]" for name, formula in laws.items()}
    found: dict[str, Any] = {
        "title": "A test",
        "model": "electrode",
        "geometry": dict(SLAB),
        "material": {
            "name": "nmc532",
            "U": text["U"], "D_chem": text["D"], "K": text["K"], "i0": text["i0"],
            "site_density": "49600 mol/m3",
            "density": f"{DENSITY} kg/m3",
            "theta_discharged": 0.95,
        },
        "electrolyte": {
            "kappa": text["kappa"], "D": text["D_l"], "t_plus": text["t_plus"],
            "thermodynamic_factor": text["tdf"],
            "concentration": "1000 mol/m3",
        },
        "physics": {"temperature": f"{TEMPERATURE} K", "extrapolate": True},
        "lithium": {"exchange_current": "20 A/m2"},
        "protocol": {"initial": 0.95, "steps": ["Rest for 1 s"]},
        "output": {"frames": 2},
    }  # fmt: skip
    for name, table in tables.items():
        found[name] = dict(table) if name == "geometry" else found.get(name, {}) | dict(table)
    return found


def meshed(case: Any) -> Any:
    """The mesh of a case on one rank."""
    from nmcsim.mesh import build
    from nmcsim.runtime import MPI

    return build(case.geometry, case.patches, MPI.COMM_SELF)


def at_times(case: Any, times: Sequence[float]) -> Any:
    """The case with rows and maps at these times [s]."""
    return case.replace("output.times", [f"{float(t)!r} s" for t in times if t > 0.0])


def rows_at(time: np.ndarray, times: Sequence[float]) -> np.ndarray:
    """The row of each time [s]: the last one, where a step ends and another begins."""
    found = [int(np.flatnonzero(np.abs(time - t) < 1e-6)[-1]) for t in times]
    return np.array(found)


def lines(content: Mapping[str, Any]) -> str:
    """A case file, for programs on several ranks: tables one level deep."""
    import json

    said = [f"{key} = {json.dumps(v)}" for key, v in content.items() if not isinstance(v, dict)]
    for name, table in content.items():
        if isinstance(table, dict):
            said += [f"[{name}]", *(f"{key} = {json.dumps(v)}" for key, v in table.items())]
    return "\n".join(said)
