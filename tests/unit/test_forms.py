"""Compiled code knows no numbers of a case: another number compiles nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import ufl
from ufl.algorithms import compute_form_data

from nmcsim import runtime
from nmcsim.case import load
from nmcsim.forms import compiled, without_numbers
from nmcsim.mesh import build
from nmcsim.models import MODELS
from nmcsim.run import simulate
from nmcsim.runtime import MPI, dolfinx
from tests.crystals import AGED, crystal
from tests.electrodes import CUT, PAIR, electrode


@pytest.fixture
def square() -> Any:
    return dolfinx.mesh.create_unit_square(MPI.COMM_SELF, 3, 2)


def form(domain: Any, a: float, b: float, power: float = 3) -> Any:
    """Some numbers, twice the same, of UFL's own, in an exponent and on two kinds of cells."""
    x = ufl.SpatialCoordinate(domain)
    inside = a * x[0] ** power - ufl.sinh(x[1] / b) + ufl.max_value(b * x[1], -0.25) / a
    return (2 * inside + a) * ufl.dx + b * x[1] * ufl.ds


def test_the_value_stays(square: Any) -> None:
    literal = dolfinx.fem.assemble_scalar(dolfinx.fem.form(form(square, 0.3, 0.7)))
    assert dolfinx.fem.assemble_scalar(compiled(form(square, 0.3, 0.7))) == pytest.approx(
        literal, rel=1e-14  # round-off
    )  # fmt: skip


def test_other_numbers_are_the_same_code(square: Any) -> None:
    codes = {
        without_numbers(form(square, a, b)).signature()
        for a, b in ((0.3, 0.7), (12.5, 1e-9), (1e20, -3.0))
    }
    assert len(codes) == 1


def test_exponents_and_the_degree_of_quadrature_stay(square: Any) -> None:
    def degree(form: Any) -> int:
        data = compute_form_data(form, do_estimate_degrees=True)
        return max(
            i.metadata()["estimated_polynomial_degree"] for i in data.preprocessed_form.integrals()
        )

    for power in (2, 5, 0.5, 3.0):
        given = form(square, 0.3, 0.7, power)
        assert degree(without_numbers(given)) == degree(given)
    assert (
        without_numbers(form(square, 0.3, 0.7, 2)).signature()
        != without_numbers(form(square, 0.3, 0.7, 3)).signature()
    )


def test_equal_numbers_share_a_constant(square: Any) -> None:
    x = ufl.SpatialCoordinate(square)
    both = without_numbers((ufl.sin(0.3 * x[0]) + ufl.cos(0.3 * x[0])) * ufl.dx)
    assert [float(c.value) for c in both.constants()] == [0.3]


def test_orders_of_bessel_functions_stay(square: Any) -> None:
    x = ufl.SpatialCoordinate(square)
    value = dolfinx.fem.assemble_scalar(compiled(ufl.bessel_J(2, 5.0 * x[0]) * ufl.dx(degree=8)))
    # J_2 integrated from 0 to 5 over 5: scipy.integrate.quad gives 0.3065
    assert value == pytest.approx(0.2 * np.trapezoid(_bessel(2, GRID), GRID), rel=1e-3)  # mesh


GRID = np.linspace(0.0, 5.0, 2001)


def _bessel(order: int, x: np.ndarray) -> np.ndarray:
    from scipy.special import jv

    return np.asarray(jv(order, x))


# -- of whole cases ---------------------------------------------------------------------------

CHANGED = (
    "physics.rock_salt.coverage = 0.41",
    "physics.rock_salt.flux_ratio = 0.07",
    "geometry.diameter = \"2.1 um\"",
    "geometry.height = \"0.8 um\"",
    "physics.temperature = \"311 K\"",
    "material.site_density = \"48 kmol/m3\"",
    "protocol.steps = [\"Charge at 1.3C for 20 s\"]",
)  # fmt: skip
FIRST = ("physics.rock_salt.flux_ratio = 0.02", 'protocol.steps = ["Charge at 1C for 20 s"]')


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The codes that this process asks the cache for, or a compiler: those it does not have."""
    found: list[str] = []
    look = runtime.jit.get_cached_module

    def noted(name: str, *more: Any) -> Any:
        found.append(name)
        return look(name, *more)

    monkeypatch.setattr(runtime.jit, "get_cached_module", noted)
    return found


@pytest.mark.parametrize("surface", ["flux", "butler_volmer"])
def test_another_crystal_compiles_nothing(surface: str, tmp_path: Path, asked: list[str]) -> None:
    mode = f'physics.surface = "{surface}"'
    simulate(crystal(*FIRST, mode).coarse(), out=tmp_path / "first", mesh_cache=tmp_path)
    asked.clear()
    simulate(crystal(*CHANGED, mode).coarse(), out=tmp_path / "second", mesh_cache=tmp_path)
    assert asked == []


def test_another_outline_compiles_nothing(tmp_path: Path, asked: list[str]) -> None:
    """The code knows cells, and places by their names: it does not know the shape."""
    for name in (AGED.name, "crystal_hexagon.toml"):
        asked.clear()
        case = load(AGED.with_name(name)).coarse()
        MODELS[case.model](case, build(case.geometry, case.patches, MPI.COMM_SELF, tmp_path))
    assert asked == []


def test_another_electrode_compiles_nothing(tmp_path: Path, asked: list[str]) -> None:
    steps = {"initial": 0.95, "steps": ["Charge at 1C for 5 s"], "capacity": "180 mAh/g"}
    first = electrode(geometry=PAIR, protocol=steps, contact={"conductivity": "0.3 S/m"})
    simulate(first, out=tmp_path / "first", mesh_cache=tmp_path)
    asked.clear()
    more = {
        "geometry": {**PAIR, "rows": CUT[:2] + PAIR["rows"][2:], "depth": "2 mm"},
        "material": {"K": "0.7 + 0.1*theta [S/m]", "site_density": "48 kmol/m3"},
        "electrolyte": {"concentration": "1100 mol/m3"},
        "contact": {"conductivity": "0.2 S/m"},
        "binder": {"conductivity": "77 S/m", "porosity": 0.4, "bruggeman": 1.7},
        "physics": {"temperature": "311 K", "alpha_a": 0.4, "alpha_c": 0.6},
        "protocol": {**steps, "steps": ["Charge at 2C for 5 s"]},
    }
    simulate(electrode(**more), out=tmp_path / "second", mesh_cache=tmp_path)
    assert asked == []


def test_more_particles_compile_nothing(tmp_path: Path, asked: list[str]) -> None:
    rows = [["liquid" if name == "1" else name for name in row] for row in PAIR["rows"]]
    one = {**PAIR, "rows": rows}
    for geometry in (PAIR, one):
        asked.clear()
        case = electrode(geometry=geometry)
        MODELS[case.model](case, build(case.geometry, case.patches, MPI.COMM_SELF, tmp_path))
    assert asked == []
