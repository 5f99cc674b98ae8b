"""A slab, a cylinder and a sphere of NMC against the same equations in PyBaMM, by stored numbers.

See ``tests/reference/pybamm_electrode.py`` for the equations, ``electrode_laws.py`` for the laws.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import nmcsim
from tests.electrodes import AREA, DENSITY, SLAB, at_times, electrode, rows_at
from tests.reference.electrode_stored import Reference, load
from tests.vv import claim

FINE = {"rtol": 1e-5}
HIGH = "1e6 S/m"  # no potential falls in the particle: the references have none


def compared(case: Any, reference: Reference, tag: str) -> Any:
    """Run to the cut-off; the voltage at all stored times and the time of the cut-off."""
    result = nmcsim.simulate(at_times(case, reference.values["t"]))
    assert result.summary["status"] == "finished"
    rows = rows_at(result["time"].values, reference.values["t"])
    gap = 1e3 * float(np.abs(result["voltage"].values[rows] - reference.values["V"]).max())
    late = 100.0 * abs(float(result["time"].values[-1]) / reference.t_end - 1.0)
    claim("electrode_exact", tag, "voltage, PyBaMM", gap, below=1.0, unit="mV")
    claim("electrode_exact", tag, "time of the cut-off, PyBaMM", late, below=0.1, unit="%")
    return result


def ended(reference: Reference, current: str) -> list[str]:
    kind = "Charge" if reference.case["current"] > 0.0 else "Discharge"
    return [f"{kind} at {current} until {reference.case['cutoff']} V"]


# -- slab -------------------------------------------------------------------------------------

SAID = {
    "slab_slow": "slab, 2 A/m2",
    "slab_fast": "slab, 8 A/m2",
    "slab_discharge": "slab, discharge at 4 A/m2, alpha 0.4 and 0.6, t_plus of c",
}
PLACES = {
    # what is stored: field, height [m], bound and unit
    "theta_collector": ("theta", 0.0, 1e-3, ""),
    "theta_surface": ("theta", 5e-6, 5e-4, ""),
    "c_surface": ("c_l", 5e-6, 0.2, "mol/m3"),
    "c_lithium": ("c_l", 1.005e-3, 0.2, "mol/m3"),
    "phi_s_surface": ("phi_s", 5e-6, 1e-3, "V"),
    "phi_l_surface": ("phi_l", 5e-6, 1e-3, "V"),
}


@pytest.mark.parametrize("name", SAID)
def test_slab(name: str) -> None:
    """Errors come from the mesh: halving it takes them to a quarter."""
    reference = load(name)
    kinetics, current = reference.case["kinetics"], abs(reference.case["current"])
    lithium = {"kinetics": "ideal"}
    if kinetics["i0_lithium"] is not None:
        lithium = {"exchange_current": f"{kinetics['i0_lithium']} A/m2"}
    case = electrode(
        reference.case["laws"],
        # a front moves through the solid: at 8 A/m2 over 10 mV a cell of 1/80
        geometry=SLAB | {
            "heights": ["5 um", "1 mm"],
            "up": [100 if current > 4.0 else 60, 40],
            "growth": [0.2, 1.0],
        },
        lithium=lithium,
        physics={"alpha_a": kinetics["alpha_a"], "alpha_c": kinetics["alpha_c"]},
        protocol={
            "initial": reference.case["theta_start"],
            "steps": ended(reference, f"{current * AREA!r} A"),
        },
        numerics=FINE,
    )  # fmt: skip
    result = compared(case, reference, SAID[name])
    frames = [int(np.argmin(np.abs(result.frame_times - t))) for t in reference.values["t"]]
    for key, (field, y, bound, unit) in PLACES.items():
        there = np.abs(result.maps[field].nodes[:, 1] - y) < 1e-10
        found = result.maps[field].values[frames][:, there].mean(axis=1)
        gap = float(np.abs(found - reference.values[key]).max())
        claim("electrode_exact", SAID[name], f"{key}, PyBaMM", gap, below=bound, unit=unit)
    assert max(result.summary["balance"].values()) < 1e-8


# -- particles --------------------------------------------------------------------------------


def particle(reference: Reference, geometry: dict[str, Any], times: float) -> Any:
    """A particle whose current per surface is that of the reference.

    As a rate of a capacity per mass, so that what the mesh lacks of the volume changes no time:
    i S / V = `times` i / R, `times` 2 for a cylinder and 3 for a sphere.
    """
    given = reference.case
    per_mass = times * abs(given["current"]) / (given["radius"] * DENSITY)  # A/kg
    case = electrode(
        dict(given["laws"]) | {"K": HIGH.removesuffix(" S/m")},
        geometry=geometry,
        electrolyte={"transport": "equipotential"},
        lithium={"kinetics": "ideal"},
        protocol={
            "capacity": f"{per_mass!r} Ah/kg",
            "initial": given["theta_start"],
            "steps": ended(reference, "1C"),
        },
        numerics=FINE,
    )
    return case


@pytest.mark.parametrize("name", ["cylinder_slow", "cylinder_fast"])
def test_cylinder(name: str) -> None:
    reference = load(name)
    geometry = {
        "file": "sector.py", "height": "1 mm", "radius": "5 um", "angle": "1 deg",
        "cells": 80, "growth": 0.2,
    }  # fmt: skip
    tag = f"cylinder, {reference.case['current']:g} A/m2"
    result = compared(particle(reference, geometry, 2.0), reference, tag)
    rows = rows_at(result["time"].values, reference.values["t"])
    gap = np.abs(result.particles.theta_surface[rows, 0] - reference.values["theta_surface"])
    claim("electrode_exact", tag, "theta at the surface, PyBaMM", float(gap.max()), below=1e-3)
    frames = [int(np.argmin(np.abs(result.frame_times - t))) for t in reference.values["t"]]
    nodes = result.maps["theta"].nodes
    side = np.flatnonzero(nodes[:, 1] > 0.0)  # one of the two straight sides
    side = side[np.argsort(nodes[side, 0])]
    rho = np.hypot(nodes[side, 0], nodes[side, 1]) / 5e-6
    found = np.array(
        [np.interp(reference.values["rho"], rho, result.maps["theta"].values[k][side])
         for k in frames]
    )  # fmt: skip
    gap = np.abs(found - reference.values["theta"])
    claim("electrode_exact", tag, "theta at 8 radii, PyBaMM", float(gap.max()), below=4e-3)


def sphere(name: str, inside: str, at_surface: str, rtol: float) -> None:
    """Against PyBaMM's own half-cell SPM; the cap of binder is porous, so that all of it reacts."""
    reference = load(name)
    geometry = {
        "shape": "capped", "radius": "5 um", "coverage": 0.2, "cap_thickness": "0.5 um",
        "cell_size": inside, "interface_cell_size": at_surface,
    }  # fmt: skip
    tag = f"3D sphere, {reference.case['current']:g} A/m2"
    case = particle(reference, geometry, 3.0).replace("numerics.rtol", rtol)
    result = compared(case, reference, tag)
    rows = rows_at(result["time"].values, reference.values["t"])
    gap = np.abs(result.particles.theta_surface[rows, 0] - reference.values["theta_surface"])
    claim("electrode_exact", tag, "theta at the surface, PyBaMM", float(gap.max()), below=2e-3)


def test_sphere() -> None:
    sphere("sphere_slow", "1.5 um", "0.6 um", 1e-4)


@pytest.mark.slow
def test_sphere_with_a_steep_front() -> None:
    """At 2 A/m2 the first front is as thin as the cells: smaller ones than for 0.5 A/m2."""
    sphere("sphere_fast", "1.2 um", "0.45 um", 1e-5)
