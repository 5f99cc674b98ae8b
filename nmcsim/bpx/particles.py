"""The particles of a positive electrode in a BPX file as ``[material]``."""

from __future__ import annotations

import difflib
import math
from typing import Any, Final

from nmcsim.bpx.account import Account, Item
from nmcsim.bpx.laws import arrhenius, falling, positive
from nmcsim.bpx.quantity import Quantity, read_quantity
from nmcsim.bpx.reading import OCP, POSITIVE, Document
from nmcsim.bpx.wrong import place
from nmcsim.constants import F
from nmcsim.errors import InputError, Mistake

BASE: Final = "nmc532"
"""The material of the library that gives what BPX does not have: a density."""
BRANCHES: Final = {
    "mean": ("ocp", OCP),
    "delithiation": ("ocp_delith", "OCP (delithiation) [V]"),
    "lithiation": ("ocp_lith", "OCP (lithiation) [V]"),
}
DIFFUSIVITY: Final = "Diffusivity [m2.s-1]"
CONDUCTIVITY: Final = "Conductivity [S.m-1]"
RATE: Final = "Reaction rate constant [mol.m-2.s-1]"
MOST: Final = "Maximum concentration [mol.m-3]"
ENTROPY: Final = "Entropic change coefficient [V.K-1]"
AWAY: Final = 1e-3  # from the ends of theta, where i0 vanishes and its slope has no bound


def choose(document: Document, particle: str) -> tuple[str, Any, Any]:
    """Where the particles stand, the electrode, and its particles.

    Raises
    ------
    InputError
        A blended electrode without `particle`, an unknown one, or one where there is no choice.
    """
    electrode = document.model.parameterisation.positive_electrode
    blend = getattr(electrode, "particle", None)
    if not blend:
        if particle:
            message = "chooses from a blended electrode, and this one has particles of one kind"
            raise InputError(Mistake(f"--particle {particle}", f"{message}; leave it out"))
        return POSITIVE, electrode, electrode
    names = ", ".join(f'"{name}"' for name in blend)
    if not particle:
        message = f"blends {len(blend)} kinds of particles, {names}; choose one with --particle"
        raise InputError(Mistake(POSITIVE, f"{message} {next(iter(blend))!r}".replace("'", '"')))
    if particle not in blend:
        close = difflib.get_close_matches(particle, blend, n=1)
        hint = f'did you mean "{close[0]}"?' if close else f"it has {names}"
        message = f"is not among the particles of the blended electrode; {hint}"
        raise InputError(Mistake(f'--particle "{particle}"', message))
    return place(POSITIVE, "Particle", particle), electrode, blend[particle]


def check_numbers(where: str, chosen: Any, limits: tuple[float, float] | None) -> None:
    """Refuse what the schema lets through and no particle has.

    Raises
    ------
    InputError
        A size, concentration or rate that is not positive, limits that are none.
    """
    mistakes = [
        Mistake(place(where, alias), f"is {value:g} {unit}; it must be positive")
        for alias, value, unit in (
            (MOST, chosen.maximum_concentration, "mol/m3"),
            ("Particle radius [m]", chosen.particle_radius, "m"),
            (RATE, chosen.reaction_rate_constant, "mol/m2/s"),
        )
        if not (math.isfinite(value) and value > 0)
    ]
    lo, hi = chosen.minimum_stoichiometry, chosen.maximum_stoichiometry
    if limits is None and not 0.0 <= lo < hi <= 1.0:
        message = f"and maximum are {lo:g} and {hi:g}; they must rise and lie between 0 and 1"
        mistakes.append(Mistake(place(where, "Minimum stoichiometry"), message))
    if mistakes:
        raise InputError(mistakes)


def material_table(
    account: Account,
    where: str,
    chosen: Any,
    branch: str,
    limits: tuple[float, float],
    density: float,
) -> tuple[dict[str, Any], Quantity | None, tuple[float, float]]:
    """``[material]``, the open-circuit potential, and the range of both laws.

    The exchange current belongs to it too: `exchange_current`.
    """
    lo, hi = limits
    span: list[tuple[float, float]] = [(AWAY, 1.0 - AWAY)]
    made: dict[str, Any] = {"name": BASE, "title": f"positive electrode, {account.source}"}
    _, alias = BRANCHES[branch]
    ocp, OCV = place(where, alias), None
    found = account.law(
        "material.U", "V", ocp,
        lambda: falling(_potential(account, where, chosen, branch, limits), lo, hi, ocp),
    )  # fmt: skip
    if found is not None:
        made["U"], OCV, valid = found
        span.append(valid)
    at = place(where, DIFFUSIVITY)
    found = account.law(
        "material.D_chem", "m2/s", at,
        lambda: positive(_diffusivity(account, chosen, at), lo, hi, "m2/s", at),
    )  # fmt: skip
    if found is not None:
        made["D_chem"], _, valid = found
        span.append(valid)
    covered = max(lo, *(v[0] for v in span)), min(hi, *(v[1] for v in span))
    if covered != limits and not account.mistakes:
        account.remarks.append(
            f"the laws cover theta {covered[0]:g} .. {covered[1]:g} of {lo:g} .. {hi:g}"
        )
    for key, value, alias, about in (
        ("site_density", f"{float(chosen.maximum_concentration):.12g} mol/m3", MOST, ""),
        ("theta_discharged", covered[1], "Maximum stoichiometry",
         ", and the end of the range of the laws"),
    ):  # fmt: skip
        made[key] = value
        account.mapped.append(Item(place(where, alias), f"material.{key} = {value}{about}"))
    minimum = place(where, "Minimum stoichiometry")
    account.mapped.append(
        Item(minimum, f"theta = {covered[0]:g}, the other end of the range of the laws")
    )
    made["density"] = f"{density:.12g} kg/m3"
    return made, OCV, covered


def _potential(
    account: Account, where: str, chosen: Any, branch: str, limits: tuple[float, float]
) -> Quantity:
    """OCP + (T - T_ref) dU/dT."""
    name, alias = BRANCHES[branch]
    value = getattr(chosen, name, None)
    if value is None:
        have = [f'"{key}"' for key, (n, _) in BRANCHES.items() if getattr(chosen, n, None)]
        message = f"is not in the file; it has --ocp {' and '.join(have)}"
        raise InputError(Mistake(place(where, alias), message))
    U = read_quantity(value, "theta", place(where, alias))
    if U.number is not None:
        message = f"is a constant, {U.number:g} V; nmcsim needs an OCP that falls with theta"
        raise InputError(Mistake(place(where, alias), message))
    warmer = account.T - account.reference
    if warmer == 0.0 or chosen.dudt is None:
        if warmer != 0.0:
            message = f"the OCP is that of {account.reference:g} K: the file does not say dU/dT"
            account.missing.append(Item(place(where, ENTROPY), message))
        return U
    slope = read_quantity(chosen.dudt, "theta", place(where, ENTROPY))
    return U.plus(slope.times(warmer), *limits)


def _diffusivity(account: Account, chosen: Any, at: str) -> Quantity:
    law = read_quantity(chosen.diffusivity, "theta", at)
    energy = chosen.diffusivity_activation_energy
    return law.times(arrhenius(energy, account.T, account.reference))


def conductivity(account: Account, made: dict[str, Any], electrode: Any) -> None:
    """``material.K`` from the conductivity of the porous electrode, where there is one."""
    value = getattr(electrode, "conductivity", None)
    where = place(POSITIVE, CONDUCTIVITY)
    if value is None:
        message = "an electrode case needs material.K, the conductivity of NMC; a crystal does not"
        account.missing.append(Item(where, message))
        return
    if not (math.isfinite(value) and value > 0):
        account.mistakes.append(Mistake(where, f"is {value:g} S/m; it must be positive"))
        return
    note = "effective, of particles and carbon together"
    made["K"] = {
        "constant": f"{float(value):.12g} S/m",
        "source": f"BPX, {where}: {account.source}",
        "note": note,
    }
    account.mapped.append(Item(where, f"material.K: constant, {value:g} S/m ({note})"))
    account.remarks.append(
        f"{where}: BPX has the conductivity of the whole porous electrode; as that of NMC it is"
        " an upper bound, with which particles react together; write material.K if you know better"
    )


def exchange_current(
    account: Account, made: dict[str, Any], where: str, chosen: Any, salt: float
) -> tuple[str, ...]:
    """``material.i0``; how the rate constant was converted, in sentences.

    BPX: i = 2 i0 sinh(F eta / 2RT), i0 = F k sqrt((c_e/c_e0) theta (1 - theta)).

    Parameters
    ----------
    salt : float
        Concentration of the electrolyte at rest, c_e0 [mol/m3].
    """
    k, T, T_ref = float(chosen.reaction_rate_constant), account.T, account.reference
    factor = arrhenius(chosen.reaction_rate_constant_activation_energy, T, T_ref)
    scale = F * k * factor
    at = place(where, RATE)
    made["i0"] = {
        "expression": f"{scale:.12g}*sqrt(theta*(1 - theta))",
        "unit": "A/m2",
        "source": f"BPX, {at}: {account.source}",
        "note": f"in {salt:g} mol/m3 of salt",
    }
    account.mapped.append(
        Item(at, f"material.i0: {scale:.6g} A/m2 * sqrt(theta (1 - theta)),"
             f" {0.5 * scale:.6g} A/m2 at theta = 0.5")
    )  # fmt: skip
    warm = f" * {factor:.6g} (from {T_ref:g} to {T:g} K)" if factor != 1.0 else ""
    root = math.sqrt(salt)
    other = k * factor / (float(chosen.maximum_concentration) * root)
    return (
        f"BPX: i = 2 i0 sinh(F eta / 2RT), i0 = F k sqrt((c/c0) theta (1 - theta)), k = {k:g}"
        f" mol/m2/s{warm}, c0 = {salt:g} mol/m3",
        f"nmcsim has the same i; F k = {scale:.6g} A/m2 at {T:g} K; an electrode applies"
        " sqrt(c/c0) (alpha_a = 0.5), a single crystal stays at c0",
        f"as the k' of i0 = F k' sqrt(c c_s (c_max - c_s)) it is {other:.6g} m2.5 mol-0.5 s-1",
    )
