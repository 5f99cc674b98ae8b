"""What a protocol asks of a particle that it cannot do: charges it cannot hold, cut-offs passed."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable

import numpy as np

from nmcsim import units
from nmcsim.case.protocol import Protocol
from nmcsim.case.shape import Shape
from nmcsim.case.steps import Charge
from nmcsim.constants import F
from nmcsim.errors import Mistake
from nmcsim.materials import Material

MOST, LEAST = 1.2, 1e-3
"""A capacity lies between these shares of one lithium per site."""
NEAR = 5e-3
"""A cut-off this close to the open-circuit voltage at the start is not judged [V]."""


def capacity_mistakes(
    material: Material, geometry: Shape | None, protocol: Protocol
) -> Iterable[Mistake]:
    """The capacity is one that the lithium sites of the particle can hold.

    Parameters
    ----------
    geometry : Shape or None
        Needed for a capacity of the particle; one per mass is judged without.
    """
    capacity = protocol.capacity
    if capacity is None or (geometry is None and not capacity.per_mass):
        return
    per_mass = F * material.site_density / material.density
    if capacity.per_mass:
        unit, whose, all_sites = "A s/kg", material.name, per_mass
    else:
        assert geometry is not None
        unit = "A s"
        whose = f"this particle of {units.display(geometry.volume, 'm3')}"
        all_sites = F * material.site_density * geometry.volume
    if LEAST * all_sites <= capacity.amount <= MOST * all_sites:
        return
    given = units.display(capacity.amount, unit)
    side = "above" if capacity.amount > all_sites else "below"
    yield Mistake(
        f'protocol.capacity = "{given}"',
        f"lies {side} the {_short(all_sites, unit)} of all lithium sites in {whose};"
        f" write {_meant(capacity, given, per_mass)}",
    )


def _meant(capacity: Charge, given: str, per_mass: float) -> str:
    """The capacity that was probably meant: per mass, where that gives a sensible one."""
    text = f"{given}/g"
    if not capacity.per_mass:
        amount = units.parse(text, "A s/kg")
        if LEAST * per_mass <= amount <= MOST * per_mass:
            return f'"{text}"'
    usual = float(f"{0.7 * per_mass / 3600.0:.2g}")
    return f'such as "{usual:g} mAh/g"'


def _short(value: float, unit: str) -> str:
    number, _, name = units.display(value, unit).partition(" ")
    return f"{float(number):.3g} {name}"


def start_mistakes(material: Material, protocol: Protocol) -> Iterable[Mistake]:
    """The first step with a current has a cut-off that the initial state has not passed already."""
    theta = protocol.initial
    step = next((step for step in protocol.steps if step.kind != "rest"), None)
    lo, hi = material.U.valid
    if (
        step is None
        or step.kind not in ("charge", "discharge")
        or not isinstance(theta, float)
        or not lo <= theta <= hi
    ):
        return
    sign = 1.0 if step.kind == "charge" else -1.0
    start = float(material.U.evaluate(np.array([theta]))[0])
    for end in step.until:
        if end.quantity != "voltage" or not isinstance(end.value, float):
            continue
        if sign * (end.value - start) < -NEAR:
            where, other = ("below", "Discharge") if sign > 0.0 else ("above", "Charge")
            column = column_of(step.text, end.value)
            yield Mistake(
                step.place,
                f"{end.value:g} V lies {where} the {start:.3f} V of protocol.initial = {theta:g},"
                f" so that the step would end at once; write {other}, or a voltage"
                f" {'above' if sign > 0.0 else 'below'} {start:.3f} V",
                None if column is None else step.text,
                column,
            )


def column_of(text: str, volts: float) -> int | None:
    """Where in the sentence `text` a voltage stands."""
    for found in re.finditer(r"([\d.]+(?:e[-+]?\d+)?)\s*(m?)v\b", text, re.IGNORECASE):
        if math.isclose(float(found[1]) * (1e-3 if found[2] else 1.0), volts, rel_tol=1e-9):
            return found.start()
    return None
