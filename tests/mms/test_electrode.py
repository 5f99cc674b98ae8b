"""Observed rates of convergence of the coupled equations of an electrode.

The solution is that of ``tests/reference/manufactured_electrode.py``: NMC below liquid, all four
fields, Butler-Volmer kinetics between them and at the lithium, every property a function of theta
or c. What its sources give is added at the nodes, as the model's own masses and reactions are.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from nmcsim.constants import F
from nmcsim.models import electrode as page
from nmcsim.solve.drive import advance, restart
from nmcsim.solve.ndf import NDF
from tests.electrodes import electrode, meshed
from tests.reference.manufactured_electrode import LAWS, Manufactured
from tests.vv import claim

import ufl  # isort: skip
from dolfinx import fem  # isort: skip

EXACT = Manufactured()
DEPTH = 1e-3  # m
T_END = 300.0
PARTS = {"theta": "nmc", "phi_s": "solid", "c_l": "ionic", "phi_l": "ionic"}
FIELDS = {"theta": EXACT.theta, "phi_s": EXACT.phi_s, "c_l": EXACT.c, "phi_l": EXACT.phi_l}


class Solution:
    """The manufactured case on a mesh of `n` cells across each rectangle."""

    def __init__(self, n: int) -> None:
        self.t = 0.0
        case = electrode(
            LAWS,
            geometry={
                "file": "blocks.py",
                "depth": f"{DEPTH} m",
                "widths": [f"{EXACT.width} m"],
                "heights": [f"{EXACT.solid} m", f"{EXACT.height - EXACT.solid} m"],
                "across": [n],
                "up": [n, n],
                "rows": [["0"], ["liquid"]],
            },
            lithium={"exchange_current": f"{EXACT.i0_lithium} A/m2"},
        )
        self.mesh = meshed(case)
        self.t_0 = float(case.electrolyte.t_plus.evaluate(np.array(1000.0)))
        self.model = page.build(case, self.mesh, sources=self._sources())
        self.problem = self.model.problem
        self.problem.schedule = self._at

    def _at(self, t: float) -> dict[str, float]:
        self.t = t
        return {"current": DEPTH * EXACT.current(t)}

    def nodes(self, name: str) -> tuple[np.ndarray, np.ndarray]:
        """x, y of each node of a field [m]."""
        X = self.mesh.part(PARTS[name]).space.tabulate_dof_coordinates()
        return X[:, 0], X[:, 1]

    def exact(self, name: str, t: float) -> np.ndarray:
        return FIELDS[name](*self.nodes(name), t)

    def state(self, t: float) -> np.ndarray:
        """The solution at the nodes; potentials are found by the consistent start."""
        state = self.problem.state()
        for name in PARTS:
            state[self.problem.slice(name)] = self.exact(name, t)
        state[self.problem.slice("voltage")] = -EXACT.phi_lithium(t)
        return state

    def errors(self, state: np.ndarray) -> dict[str, float]:
        """Largest error of each field at the nodes at T_END, and that of the voltage."""
        found = {
            name: float(np.abs(state[self.problem.slice(name)] - self.exact(name, T_END)).max())
            for name in PARTS
        }
        V = self.problem.scalar(state, "voltage")
        return found | {"voltage": abs(V + EXACT.phi_lithium(T_END))}

    def run(self, rtol: float, h_max: float = 30.0) -> np.ndarray:
        """The state at T_END."""
        ndf = NDF(self.problem, rtol, max_order=3)
        self._at(0.0)
        restart(ndf, 0.0, self.state(0.0), h_max)
        return advance(ndf, T_END, [], h_max, lambda *_: None).u

    # -- sources ----------------------------------------------------------------------------

    def _sources(self) -> dict[str, Callable[[], np.ndarray]]:
        """What the balances lack, lumped at the nodes.

        The page's balance of salt is that of c_l minus t_0/F times that of charge, in which the
        carried current stands at the surfaces alone.
        """
        at_nmc = self.mesh.interface("nmc", "liquid")
        at_metal = self.mesh.exterior("lithium")

        def salt(of_salt: Any, of_charge: Any) -> Any:
            return lambda *a: of_salt(*a) - self.t_0 / F * of_charge(*a)

        # outward normals: +y of the solid, -y of the liquid at NMC, +y of it at the lithium
        theta = self._amounts("theta", EXACT.solid_lithium, [(at_nmc, EXACT.surface_lithium, -1.0)])
        phi_s = self._amounts(
            "phi_s", EXACT.solid_charge, [(at_nmc, EXACT.surface_electrons, -1.0)]
        )
        c_l = self._amounts(
            "c_l",
            salt(EXACT.liquid_salt, EXACT.liquid_charge),
            [
                (at_nmc, salt(EXACT.surface_salt, EXACT.surface_ions), 1.0),
                (at_metal, salt(EXACT.lithium_salt, EXACT.lithium_ions), -1.0),
            ],
        )
        phi_l = self._amounts(
            "phi_l",
            EXACT.liquid_charge,
            [(at_nmc, EXACT.surface_ions, 1.0), (at_metal, EXACT.lithium_ions, -1.0)],
        )
        return {"theta": theta, "phi_s": phi_s, "c_l": c_l, "phi_l": phi_l}

    def _amounts(
        self, name: str, density: Any, surfaces: list[tuple[Any, Any, float]]
    ) -> Callable[[], np.ndarray]:
        part, (x, y) = self.mesh.part(PARTS[name]), self.nodes(name)
        lumped = ufl.TestFunction(part.space) * self.mesh.dx(PARTS[name], 1, "vertex")
        form = fem.form(lumped, entity_maps=[part.entity_map])
        volume = np.array(fem.assemble_vector(form).array)

        def amounts() -> np.ndarray:
            found = volume * density(x, y, self.t)
            for side, per_area, sign in surfaces:
                dofs = part.dof_of[side.vertex]
                np.add.at(found, dofs, sign * side.area * per_area(x[dofs], self.t))
            return np.asarray(found)

        return amounts


@pytest.fixture(scope="module")
def solutions() -> dict[int, Solution]:
    return {n: Solution(n) for n in (8, 16)}


@pytest.fixture(scope="module")
def errors(solutions: dict[int, Solution]) -> dict[int, dict[str, float]]:
    return {n: made.errors(made.run(1e-7)) for n, made in solutions.items()}


@pytest.mark.parametrize("name", [*PARTS, "voltage"])
def test_every_field_converges_with_the_square_of_the_cells(
    name: str, errors: dict[int, dict[str, float]]
) -> None:
    rate = float(np.log2(errors[8][name] / errors[16][name]))
    claim("electrode_rates", "manufactured, P1", f"rate in space of {name}", rate, above=1.85)


def test_the_error_in_time_follows_the_tolerance(solutions: dict[int, Solution]) -> None:
    made = solutions[8]
    best = made.run(1e-8)
    where = {name: made.problem.slice(name) for name in ("theta", "c_l", "voltage")}
    scale = {u.name: u.scale for u in made.problem.unknowns}
    for rtol in (1e-4, 1e-6):
        gap = np.abs(made.run(rtol, h_max=T_END) - best)
        worst = max(float(gap[at].max()) / scale[name] for name, at in where.items())
        claim(
            "electrode_rates", f"manufactured, rtol {rtol:g}", "error / rtol", worst / rtol,
            above=0.01, below=10.0,
        )  # fmt: skip
