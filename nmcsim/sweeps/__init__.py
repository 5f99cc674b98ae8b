"""Sweeps: what is asked, and what there is. Nothing here needs DOLFINx or MPI."""

from nmcsim.sweeps.plan import Parameter, Plan, Planned, make_plan, read_sweep
from nmcsim.sweeps.record import Curve, Observable, Record
from nmcsim.sweeps.records import Records

__all__ = [
    "Curve", "Observable", "Parameter", "Plan", "Planned", "Record", "Records", "make_plan",
    "read_sweep",
]  # fmt: skip
