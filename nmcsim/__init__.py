"""Open simulator for NMC battery cathodes, on DOLFINx and PETSc.

    case = nmcsim.load("cases/crystal_aged_1C.toml")
    case = case.replace("physics.rock_salt.coverage", 0.25)
    result = nmcsim.simulate(case, out="results/quarter")
    later = nmcsim.Result.load("results/quarter")

    table = nmcsim.sweep(case, grid={"physics.rock_salt.coverage": [0.25, 0.5]}, out="results/two")
    later = nmcsim.Table.load("results/two")        # pandas DataFrames

Only `simulate` and `sweep` need DOLFINx.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nmcsim.case import Case, load
    from nmcsim.fitting import fit
    from nmcsim.launch import sweep
    from nmcsim.results import Result
    from nmcsim.run import simulate
    from nmcsim.sweeps.table import Table

__version__ = "0.1.0"

__all__ = ["Case", "Result", "Table", "__version__", "fit", "load", "simulate", "sweep"]

_HOMES = {
    "Case": "nmcsim.case",
    "fit": "nmcsim.fitting",
    "load": "nmcsim.case",
    "Result": "nmcsim.results",
    "simulate": "nmcsim.run",
    "sweep": "nmcsim.launch",
    "Table": "nmcsim.sweeps.table",
}


def __getattr__(name: str) -> Any:
    # on demand: checking a case imports neither matplotlib nor DOLFINx
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
