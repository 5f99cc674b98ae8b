"""What a protocol asks that cannot be: charges no site can hold, voltages and states off range."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping

import numpy as np

from nmcsim import units
from nmcsim.case.protocol import Protocol
from nmcsim.case.steps import Charge, Replay, Step
from nmcsim.constants import F
from nmcsim.errors import InputError, Mistake
from nmcsim.materials import Law, Material

MOST, LEAST = 1.2, 1e-3
"""A capacity lies between these shares of one lithium per site."""
OVERPOTENTIAL = 1.0
"""How far beyond the open-circuit range kinetics may carry a cut-off voltage [V]."""
NEAR = 5e-3
"""A cut-off this close to the open-circuit voltage at the start is not judged [V]."""


def capacity_mistakes(
    material: Material, volume: float | None, protocol: Protocol, whole: str
) -> Iterable[Mistake]:
    """The capacity is one that the lithium sites can hold.

    Parameters
    ----------
    volume : float or None
        Of the material [m3]; needed for a capacity that is not per mass.
    whole : str
        What such a capacity is of: ``"particle"`` or ``"electrode"``.
    """
    capacity = protocol.capacity
    if capacity is None or (volume is None and not capacity.per_mass):
        return
    per_mass = F * material.site_density / material.density
    if capacity.per_mass:
        unit, whose, all_sites = "A s/kg", material.name, per_mass
    else:
        assert volume is not None
        unit = "A s"
        whose = f"this {whole} of {units.display(volume, 'm3')}"
        all_sites = F * material.site_density * volume
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


def voltage_mistakes(
    material: Material, steps: Iterable[Step], kinetic: float
) -> Iterable[Mistake]:
    """Each voltage asked for lies within the open-circuit range of the material.

    Parameters
    ----------
    kinetic : float
        How far beyond that range a cut-off may lie [V]: 0 where no overpotential is modelled.
    """
    low, high = _open_circuit_range(material)
    for step in steps:
        for volts, margin in _voltages_of(step, kinetic):
            if not low - margin <= volts <= high + margin:
                column = column_of(step.text, volts)
                replayed = isinstance(step.value, Replay) and column is None
                remedy = (
                    "check the column and its unit" if replayed else "write a voltage inside it"
                )
                yield Mistake(
                    step.place,
                    f"{'replays ' * replayed}{volts:g} V{', which' * replayed} is outside the"
                    f" open-circuit range of {material.name}, {low:.3f} .. {high:.3f} V; {remedy}",
                    None if column is None else step.text,
                    column,
                )


def _voltages_of(step: Step, kinetic: float) -> Iterable[tuple[float, float]]:
    """Voltages that a step asks for, with how far they may leave the open-circuit range."""
    if step.kind == "hold" and isinstance(step.value, float):
        yield step.value, 0.0
    if step.control == "voltage" and isinstance(step.value, Replay):
        for volts in sorted({float(step.value.values.min()), float(step.value.values.max())}):
            yield volts, kinetic
    for end in step.until:
        if end.quantity == "voltage" and isinstance(end.value, float):
            yield end.value, kinetic


def _open_circuit_range(material: Material) -> tuple[float, float]:
    ends = material.U.evaluate(np.array(material.U.valid))
    # half a millivolt: the fit of a curve to the voltage that its range was chosen by
    return float(ends.min()) - 5e-4, float(ends.max()) + 5e-4


def range_mistakes(
    material: Material, laws: Mapping[str, Law], protocol: Protocol
) -> Iterable[Mistake]:
    """Each law covers the stoichiometries between the initial state and the cut-off voltages.

    Parameters
    ----------
    laws : mapping
        Those that a run evaluates, by the names that sentences call them; ``"U"`` among them.
    """
    starts = _starts(protocol)
    outside = set()
    for place, theta in starts:
        for name, law in laws.items():
            lo, hi = law.valid
            if not lo <= theta <= hi:
                outside.add(name)
                yield Mistake(
                    f"{place} = {theta!r}",
                    f"is outside the range of {name} of {material.name}, theta {lo:g} .. {hi:g};"
                    " write a state inside it, or physics.extrapolate = true",
                )
    if "U" in outside or not starts:
        return
    grid = np.linspace(*material.U.valid, 2001)
    falling = material.U.evaluate(grid)
    cut_offs = [v for step in protocol.steps for v, _ in _voltages_of(step, 0.0)]
    inside = [v for v in cut_offs if falling[-1] <= v <= falling[0]]
    reached = [theta for _, theta in starts]
    reached += np.interp(inside, falling[::-1], grid[::-1]).tolist()
    for name, law in laws.items():
        if name not in outside and name != "U":
            try:
                law.check_covers(min(reached), max(reached))
            except InputError as error:
                yield Mistake(f"material.{name}", error.mistakes[0].message)


def _starts(protocol: Protocol) -> list[tuple[str, float]]:
    """Initial stoichiometries that the case states as numbers, with their keys."""
    initial = protocol.initial
    if isinstance(initial, float):
        return [("protocol.initial", initial)]
    if isinstance(initial, Mapping):
        return [(f"protocol.initial.particles.{name}", x) for name, x in initial.items()]
    return []


def unsaid(mistakes: Iterable[Mistake], said: Iterable[Mistake]) -> list[Mistake]:
    """Those of `mistakes` about something that nothing is said of yet."""
    known = {(m.place, m.column) for m in said}
    return [m for m in mistakes if (m.place, m.column) not in known]


def column_of(text: str, volts: float) -> int | None:
    """Where in the sentence `text` a voltage stands."""
    for found in re.finditer(r"([\d.]+(?:e[-+]?\d+)?)\s*(m?)v\b", text, re.IGNORECASE):
        if math.isclose(float(found[1]) * (1e-3 if found[2] else 1.0), volts, rel_tol=1e-9):
            return found.start()
    return None
