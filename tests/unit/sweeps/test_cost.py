"""The estimate of a case's unknowns against those of its mesh."""

from __future__ import annotations

import pytest

from nmcsim.case.loading import load
from nmcsim.sweeps.cost import cost, unknowns
from tests.unit.sweeps.sweeping import CASE, ROOT, plan

# unknowns of the meshes that gmsh 4.15 makes of cases/, as `nmcsim run` prints them
MESHED = {
    "crystal_aged_1C": (9254, 1938),
    "crystal_aged_2C": (11038, 2614),
    "crystal_cylinder": (20526, 5166),
    "crystal_hexagon": (9404, 2010),
    "crystal_patches": (9466, 2130),
    "electrode_paper": (10294, 3812),
    "electrode_cracked": (None, 5138),
    "electrode_packing": (None, 9676),
    "electrode_packing_3d": (None, 10226),
    "electrode_particle_3d": (3229, 537),
}


@pytest.mark.parametrize("name", MESHED)
def test_unknowns_are_estimated_to_a_factor_of_two(name: str):
    case = load(ROOT / "cases" / f"{name}.toml")
    for meshed, made in zip(MESHED[name], (case, case.coarse()), strict=True):
        if meshed is not None:
            assert 0.5 < unknowns(made) / meshed < 2.0


def test_the_ratios_of_one_crystal_are_nearer():
    case = load(CASE)
    # meshed: 9254 and 1938; the size of the crystal alone changes nothing, as its cells grow along
    assert unknowns(case) / unknowns(case.coarse()) == pytest.approx(9254 / 1938, rel=0.15)
    assert unknowns(case.replace("geometry.diameter", "5 um")) == pytest.approx(unknowns(case))
    # P1 has the vertices alone, a quarter of the nodes
    assert unknowns(case.replace("numerics.degree", 1)) == pytest.approx(unknowns(case) / 4.0)


def test_a_prism_is_as_many_sections_as_its_layers_have_nodes():
    flat = load(ROOT / "cases" / "crystal_hexagon.toml").replace("geometry.cell_size", "0.1 um")
    prism = flat.replace("geometry.form", "prism")
    # two layers of second order: five planes of nodes
    assert unknowns(prism) == pytest.approx(5.0 * unknowns(flat))


def test_the_cost_grows_with_the_steps_of_all_cycles():
    once = load(CASE)
    steps = [{"repeat": 3, "steps": ["Charge at 1C until 4.3 V", "Rest for 1 hour"]}]
    assert cost(once.replace("protocol.steps", steps)) == pytest.approx(6.0 * cost(once))


def test_a_plan_knows_what_its_cases_cost():
    found = plan('[sweep.grid]\ngeometry.cell_size = ["0.05 um", "0.1 um"]')
    assert [p.cost for p in found.cases] == [cost(found.case(p)) for p in found.cases]
    assert found.cases[0].cost > 3.0 * found.cases[1].cost
