"""A case and a result in a few lines, for the terminal."""

from __future__ import annotations

import math
import textwrap
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from nmcsim import units
from nmcsim.case.model import Case
from nmcsim.case.rock_salt import coverage
from nmcsim.case.steps import Step
from nmcsim.materials import Law
from nmcsim.results import Result

_MOST_STEPS = 30
_WIDTH = 72
_SHARES = ("soc", "unreacted_share")
"""What is read in percent."""
_MINUTES = 120.0
"""From so many seconds on a time is read in minutes."""


def described(case: Case) -> str:
    """A case as it was understood; `check` prints it."""
    of_model = _electrode if case.model == "electrode" else _particle
    lines = [f"{case.title}  ({case.model})", *of_model(case), *_laws(case), *_steps(case)]
    return "\n".join([*lines, "no mistakes found"])


def _particle(case: Any) -> Iterator[str]:
    geometry, physics = case.geometry, case.physics
    inside, surface, end = (units.display(size, "m") for size in geometry.cell_sizes)
    yield (
        f"  geometry   {geometry.name}, {units.display(geometry.volume, 'm3')},"
        f" cells {inside} inside, {surface} at the surface, {end} at patch ends"
    )
    covered = coverage(case.patches)
    patches = f"{len(case.patches)} patch{'es' * (len(case.patches) != 1)}"
    share = (
        f"{100.0 * covered:.4g} % of the lateral surface in {patches}, flux ratio"
        f" {physics.rock_salt.flux_ratio:g}"
        if covered
        else "none"
    )
    yield f"  rock salt  {share}"
    beyond = ", laws extrapolated" if physics.extrapolate else ""
    temperature = units.display(physics.temperature, "K")
    yield f"  surface    {physics.surface} at {temperature}{beyond}"


def _electrode(case: Any) -> Iterator[str]:
    geometry, physics = case.geometry, case.physics
    sizes = sorted(set(geometry.cell_sizes), reverse=True)
    cells = ", ".join(units.display(size, "m") for size in sizes)
    yield (
        f"  geometry   {geometry.name}, {len(geometry.particles)} particles of"
        f" {units.display(geometry.volume, 'm3')} in all, cells {cells}"
    )
    yield from _paths(geometry.particles)
    binder, contact, lithium = case.binder, case.contact, case.lithium
    yield (
        f"  binder     {units.display(binder.conductivity, 'S/m')}, porosity"
        f" {binder.porosity:g}**{binder.bruggeman:g}, {100.0 * binder.wetted:g} % of its contact"
        f" with NMC reacts; necks {units.display(contact.conductivity, 'S/m')}"
    )
    metal = (
        "ideal"
        if lithium.kinetics == "ideal"
        else f"i0 {units.display(lithium.exchange_current, 'A/m2')}"
    )
    beyond = ", laws extrapolated" if physics.extrapolate else ""
    temperature = units.display(physics.temperature, "K")
    yield (
        f"  surface    butler_volmer at {temperature}, alpha {physics.alpha_a:g} and"
        f" {physics.alpha_c:g}; lithium {metal}{beyond}"
    )
    liquid = case.electrolyte
    yield (
        f"  liquid     {liquid.name}: {liquid.title}, {liquid.concentration:g} mol/m3,"
        f" {liquid.transport}"
    )
    yield from _law_lines(liquid.laws.values())


def _paths(particles: Sequence[Any]) -> Iterator[str]:
    """How electrons get to the particles, where the shape knows it."""
    known = {p.name: p.obstruction for p in particles if p.obstruction is not None}
    if not known:
        return
    counts = Counter(known.values())
    parts = ", ".join(
        f"{counts[k]} behind {k}" if k else f"{counts[k]} on it" for k in sorted(counts)
    )
    yield f"    electrons from the binder: {parts}"
    cut_off = [p.name for p in particles if p.obstruction is None]
    if cut_off:
        yield f"    without electronic contact, and so inactive: {', '.join(cut_off)}"


def _laws(case: Any) -> Iterator[str]:
    material = case.material
    yield f"  material   {material.name}: {material.title}"
    yield from _law_lines(material.laws.values())


def _law_lines(laws: Iterable[Law]) -> Iterator[str]:
    for law in laws:
        flag = "our choice: " if law.choice else ""
        source = textwrap.shorten(flag + (law.source or "source not stated"), _WIDTH)
        symbol = "1+dlnf/dlnc" if law.symbol == "thermodynamic_factor" else law.symbol
        yield f"    {symbol:<7}  {law.argument.span(*law.valid)}  {source}"


def _steps(case: Any) -> Iterator[str]:
    protocol, geometry = case.protocol, case.geometry
    mass = case.material.density * geometry.volume
    one_c = protocol.one_c(mass)
    basis = "no capacity is given" if one_c is None else f"1C is {units.display(one_c, 'A')}"
    initial = protocol.initial
    state = f"the last state of {initial}" if isinstance(initial, Path) else f"theta = {initial}"
    if isinstance(initial, Mapping):
        state = ", ".join(f"{name} = {theta:g}" for name, theta in initial.items())
    yield f"  protocol   from {state}; {basis}"
    for number, step in enumerate(protocol.steps[:_MOST_STEPS], 1):
        cycle = f" (cycle {step.cycle})" if protocol.steps[-1].cycle > 1 else ""
        yield f"    {number:>3}{cycle}  {step.text}  ->  {_understood(step, one_c)}"
    left = len(protocol.steps) - _MOST_STEPS
    if left > 0:
        yield f"    and {left} more"


def _understood(step: Step, one_c: float | None) -> str:
    amperes = getattr(step.value, "amperes", None)
    if amperes is None or step.kind == "rest":
        return step.sentence()
    return f"{units.display(amperes(one_c), 'A')}: {step.sentence()}"


def described_result(result: Result) -> str:
    """A result in a few lines; `show` prints it."""
    summary = result.summary
    lines = [f"{result.title}  ({result.status})", f"  {result.directory}"]
    for number, step in enumerate(result.steps, 1):
        lines.append(
            f"  step {number}  {step.get('sentence', '')}:"
            f" ended by {step.get('ended_by', '?')} at {_shown(step.get('t_end'), 's')}"
        )
    for name, entry in summary.get("observables", {}).items():
        lines.append(f"  {name:<22} {_shown(entry.get('value'), entry.get('unit', '1'), name)}")
    for name, column in result.columns.items():
        if name in result.history:
            continue
        lines.append(f"  {name:<22} {_shown(column.values[-1] if len(column) else None)}")
    drift = summary.get("balance", {}).get("lithium")
    counts = ", ".join(f"{value} {name}" for name, value in summary.get("counts", {}).items())
    lines.append(f"  lithium drift {_number(drift)}; {counts}")
    total = summary.get("timing", {}).get("total")
    lines.append(f"  wall time {_shown(total, 's')}")
    report = result.directory / "report.html"
    if report.is_file():
        lines.append(f"  report  {report}")
    return "\n".join(lines)


def _shown(value: Any, unit: str = "1", name: str = "") -> str:
    """A value in SI in the unit that people read it in."""
    if value is None or not math.isfinite(value):
        return "none"
    if name in _SHARES:
        return f"{100.0 * value:.6g} %"
    if unit == "s" and abs(value) >= _MINUTES:
        return f"{value / 60.0:.6g} min"
    if unit == "mol/m2/s":
        return f"{1e6 * value:.6g} umol/m2/s"
    return units.display(float(value), unit)


def _number(value: Any) -> str:
    missing = value is None or (isinstance(value, float) and math.isnan(value))
    return "none" if missing else f"{value:.6g}"
