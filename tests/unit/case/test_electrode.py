"""Cases of ``model = "electrode"``: what they hold, and every mistake with place, value and fix."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nmcsim.case import load
from nmcsim.case.model import from_data
from nmcsim.constants import F
from nmcsim.errors import InputError
from tests.unit.case.electrodes import SHAPE, electrode_case, electrode_data

Make = Callable[..., Any]

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    return lambda changes=None, shape=SHAPE: electrode_case(tmp_path, changes, shape)


@pytest.fixture
def complaint(make: Make) -> Callable[..., str]:
    """What is said of the good case with some keys spoilt."""

    def said(changes: dict[str, Any], shape: str = SHAPE) -> str:
        with pytest.raises(InputError) as caught:
            make(changes, shape)
        return " ".join(str(caught.value).split())

    return said


def test_defaults_are_those_of_their_sources(make: Make) -> None:
    case = make()
    assert case.binder.conductivity == 1e4  # Sharma et al. 2022
    assert (case.binder.porosity, case.binder.bruggeman, case.binder.wetted) == (0.5, 1.5, 1.0)
    assert case.contact.conductivity == 1.0
    assert (case.lithium.kinetics, case.lithium.exchange_current) == ("butler_volmer", 70.0)
    assert (case.physics.alpha_a, case.physics.alpha_c, case.physics.extrapolate) == (
        0.5,
        0.5,
        False,
    )
    assert (case.numerics.rtol, case.numerics.max_order) == (5e-4, 3)
    assert (case.numerics.steps_per_phase, case.numerics.linear_solver) == (50, "auto")
    assert case.electrolyte.concentration == 1000.0
    assert case.electrolyte.transport == "resolved"
    assert case.patches == ()


def test_one_c_is_of_all_nmc(make: Make) -> None:
    case = make()
    # 180 mAh/g over 4789 kg/m3 times 12 um3: 648e3 A s/kg * 5.7468e-14 kg / 3600 s
    mass = case.material.density * case.geometry.volume
    assert case.protocol.one_c(mass) == pytest.approx(648e3 * 4789.0 * 12e-18 / 3600.0, rel=1e-12)


def test_laws_of_the_electrolyte_are_taken_at_the_temperature_of_the_case(make: Make) -> None:
    name = {"electrolyte.name": "landesfeind2019_ec_dmc"}
    cold = make(name | {"physics.temperature": "295.15 K"}).electrolyte
    # 295.15 K, 1 mol/l: 1.118 S/m, 2.69e-10 m2/s, 0.297, 2.13, each to its last digit
    values = [law.evaluate(1000.0) for law in cold.laws.values()]
    np.testing.assert_allclose(values, [1.118, 2.69e-10, 0.297, 2.13], rtol=3e-3)


def test_a_law_of_the_case_stands_in_place_of_that_of_the_library(
    make: Make, tmp_path: Path
) -> None:
    (tmp_path / "kappa.csv").write_text("c [mol/L],kappa [mS/cm]\n0.2,4\n0.6,8\n1,9\n2,6\n")
    case = make(
        {
            "electrolyte.kappa": {"table": "kappa.csv"},
            "electrolyte.D": "3e-10*exp(-c/2000) [m2/s]",
            "electrolyte.t_plus": 0.3,
            "electrolyte.thermodynamic_factor": {
                "expression": "1 + c/1000", "unit": "1", "valid": [50, 3000],
            },
        }
    )  # fmt: skip
    liquid = case.electrolyte
    assert liquid.kappa.evaluate(1000.0) == pytest.approx(0.9)
    assert liquid.kappa.valid == (200.0, 2000.0)
    assert liquid.D.evaluate(1000.0) == pytest.approx(3e-10 * np.exp(-0.5))
    assert liquid.t_plus.evaluate(1234.0) == 0.3
    assert liquid.thermodynamic_factor.valid == (50.0, 3000.0)
    assert liquid.valid_range() == (200.0, 2000.0)
    assert "kappa.csv" in case.files
    assert make({"electrolyte.t_plus": 0.31}).hash != make({"electrolyte.t_plus": 0.3}).hash


def test_an_equipotential_electrolyte_needs_no_laws(make: Make) -> None:
    case = make({"electrolyte": {"transport": "equipotential"}})
    assert case.electrolyte.laws == {}
    assert case.electrolyte.valid_range() == (0.0, np.inf)
    assert case.electrolyte.concentration == 1000.0


def test_a_resistance_gives_a_conductivity_over_the_gap(make: Make) -> None:
    # 0.004 ohm cm2 = 4e-7 ohm m2 over 0.2 um
    case = make({"contact.resistance": "0.004 ohm cm2"})
    assert case.contact.conductivity == pytest.approx(0.2e-6 / 4e-7)


def test_each_particle_may_start_from_its_own_state(make: Make) -> None:
    each = make({"protocol.initial": {"particles": {"particle[1]": 0.4, "rest": 0.99}}}).protocol
    assert each.initial == {"particle[1]": 0.4, "rest": 0.99}
    assert (each.initial_of("particle[0]"), each.initial_of("particle[1]")) == (0.99, 0.4)
    assert make().protocol.initial_of("particle[0]") == 0.99
    assert make({"protocol.initial": "0.9 - 0.01*x"}).protocol.initial_of("particle[0]") is None
    with pytest.raises(TypeError, match="see initial_of"):
        each.initial_at(np.zeros((2, 1)))


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"contact.resistance": "0.004 ohm cm2"},
        {"electrolyte.concentration": "1.2 mol/L", "electrolyte.kappa": "1 S/m"},
        {"electrolyte": {"transport": "equipotential"}},
        {"protocol.initial": {"particles": {"particle[1]": 0.4, "rest": 0.99}}},
        {"material.K": "10**(-9*logistic((theta - 0.9)/0.01)) [S/m]"},
    ],
    ids=lambda changes: next(iter(changes), "as it is"),
)
def test_a_written_case_is_the_same_case(
    make: Make, tmp_path: Path, changes: dict[str, Any]
) -> None:
    case = make(changes)
    again = load(case.write(tmp_path / "out"))
    assert again.hash == case.hash
    assert again.resolved() == load(again.write(tmp_path / "more")).resolved()
    assert pickle.loads(pickle.dumps(case)).hash == case.hash


def test_coarse_and_coarser_change_cells_and_tolerances_alone(make: Make) -> None:
    case = make()
    coarse = case.coarse()
    assert coarse.geometry.cell_sizes == pytest.approx((2.5e-6,))
    assert (coarse.numerics.rtol, coarse.numerics.steps_per_phase) == (5e-4, 25)
    assert coarse.output.frames == 8
    coarser = case.coarser(1.5, 10.0)
    assert coarser.geometry.cell_sizes == pytest.approx((1.5e-6,))
    assert coarser.numerics.rtol == pytest.approx(5e-3)
    assert coarser.output.frames == case.output.frames


def test_the_paper_s_case_has_its_obstructions_and_its_capacity() -> None:
    case = load(ROOT / "cases" / "electrode_paper.toml")
    above = [p.obstruction for p in case.geometry.particles if p.observed]
    assert above == [0, 1, 2, 3, 4]
    assert [step.kind for step in case.protocol.steps] == [
        "charge",
        "hold",
        "discharge",
        "hold",
    ] * 2
    # from 0.99 to where U = 4.3 V (0.3358): F N_L / rho times the span, in A s/kg
    theta = np.linspace(0.33, 0.34, 10_001)
    end = theta[np.argmin(np.abs(case.material.U.evaluate(theta) - 4.3))]
    span = F * case.material.site_density / case.material.density * (0.99 - end)
    assert case.protocol.capacity.amount == pytest.approx(span, rel=0.01)


IN_ONE_VALUE = [
    # tables and keys
    ("electrolyte", None, "electrolyte is missing; write a table [electrolyte]"),
    ("physics", None, "physics is missing; write a table [physics]"),
    ("bindr", {}, "bindr is not a key here"),
    ("binder.porosty", 0.4, 'binder.porosty is not a key here; did you mean "porosity"?'),
    ("numerics.degree", 1, "numerics.degree is not a key here"),
    ("physics.surface", "flux", "physics.surface is not a key here"),
    (
        "electrolyte.kapa",
        "1 S/m",
        'is not a key here; did you mean "kappa"?',
    ),
    ("electrolyte", "nyman2008", "must be a table; write [electrolyte]"),
    # names
    ("electrolyte.name", "nyman208", 'electrolyte.name = "nyman208" is no electrolyte of the lib'),
    ("electrolyte.name", "nyman208", 'did you mean "nyman2008"?'),
    ("electrolyte.kappa", "nyman208", 'electrolyte.kappa = "nyman208" is no law of kappa'),
    ("material.name", "nyman2008", "it is an electrolyte, whose place is [electrolyte]"),
    ("geometry", {"shape": "disk"}, 'belongs to model = "single_crystal"; this model takes'),
    ("geometry", {"shape": "columnes"}, 'did you mean "columns"?'),
    # ranges and units
    ("binder.wetted", 1.2, "binder.wetted = 1.2 is out of range; it must be at most 1"),
    ("binder.wetted", -0.1, "binder.wetted = -0.1 is out of range; it must be at least 0"),
    ("binder.porosity", 1.0, "binder.porosity = 1.0 is out of range; it must be below 1"),
    ("binder.bruggeman", 0.0, "it must be at least 1"),
    ("binder.conductivity", "0 S/m", "it must be above 0 S/m"),
    ("binder.conductivity", 1e4, 'has no unit; write "10000.0 S/m"'),
    ("contact.conductivity", "1 ohm", "and a conductivity is needed"),
    ("contact.resistance", "1 ohm", "and a resistance times area is needed"),
    ("lithium.exchange_current", "0 A/m2", "it must be above 0 A/m2"),
    ("lithium.kinetics", "fast", 'must be "butler_volmer" or "ideal"'),
    ("physics.alpha_a", 1.0, "physics.alpha_a = 1.0 is out of range; it must be below 1"),
    ("electrolyte.concentration", "-1 mol/L", "it must be above 0 mol/m3"),
    ("electrolyte.transport", "ideal", 'must be "resolved" or "equipotential"'),
    # laws
    ("material.name", "nmc532", "material.K is missing, and nmc532 of the library has none"),
    ("material.name", "nmc88", "material.D_chem is missing: the diffusivity of nmc88 is a self"),
    ("material.K", "0 S/m", 'material.K = "0 S/m" is 0 S/m; it must be positive'),
    (
        "material.K",
        "1 - theta [S/m]",
        'theta [S/m]" is 0 S/m at theta = 1; it must be',
    ),
    ("material.K", "1e-3", "has no unit"),
    ("material.U", "3 + theta [V]", "does not fall at theta = 0"),
    ("material.D_chem", "1e-14*(theta - 0.5) [m2/s]", "it must be positive"),
    (
        "electrolyte.t_plus",
        1.2,
        "is 1.2 at c = 0 mol/m3; a transference number lies",
    ),
    ("electrolyte.t_plus", 0.0, "it must be positive"),
    ("electrolyte.t_plus", "0.4 - c/1000 [1]", "is 0 at c = 400 mol/m3; it must be positive"),
    ("electrolyte.kappa", "1 - theta [S/m]", 'unknown name "theta"; the formula may use c'),
    ("electrolyte.kappa", "c/1000", "is a formula without a unit; write"),
    (
        "electrolyte.kappa",
        {"expression": "c/1e3", "unit": "S/m", "valid": [-1, 5]},
        "write two concentrations in mol/m3 such as [100, 2500]",
    ),
    # between tables
    ("electrolyte", {"concentration": "1 mol/L"}, 'name is missing; write name = "nyman2008", or'),
    ("electrolyte", {"kappa": "1 S/m"}, 'electrolyte.D is missing; write D = "nyman2008"'),
    ("electrolyte.concentration", "2.5 mol/L", "is outside the range of kappa of nyman2008, c 100"),
    ("protocol.initial", 0.2, "is outside the range of U of nmc532_pristine, theta 0.3 .. 0.999"),
    ("protocol.initial", 0.32, "4.3 V lies below the 4.335 V of protocol.initial = 0.32"),
    ("protocol.steps", ["Hold at 1.5 V until C/50"], "1.5 V is outside the open-circuit range of"),
    ("protocol.steps", ["Charge at C/20 until 6 V"], "6 V is outside the open-circuit range of"),
    ("protocol.capacity", "5 mAh", "all lithium sites in this electrode of 12 um3"),
    ("output.points", {"a": ["1 um", "1 um", "0 um"]}, "has 3 coordinates, but the shape has 2"),
    # states of particles
    (
        "protocol.initial",
        {"particles": {"partikel[1]": 0.4, "rest": 0.9}},
        "protocol.initial.particles.partikel[1] is no particle of the shape pair; did you mean",
    ),
    (
        "protocol.initial",
        {"particles": {"particle[7]": 0.4, "rest": 0.9}},
        "protocol.initial.particles.particle[7] is no particle of the shape pair; did you mean",
    ),
    (
        "protocol.initial",
        {"particles": {"particle[1]": 0.4}},
        "protocol.initial.particles says nothing of particle[0]; add rest = 0.99",
    ),
    ("protocol.initial", {"particles": {}}, "protocol.initial.particles names no particle"),
    (
        "protocol.initial",
        {"particles": {"rest": 1.4}},
        "protocol.initial.particles.rest = 1.4 is out of range; lithium per site lies between",
    ),
    (
        "protocol.initial",
        {"particles": {"rest": "full"}},
        "protocol.initial.particles.rest must be a number",
    ),
    (
        "protocol.initial",
        {"particles": {"particle[1]": 0.2, "rest": 0.9}},
        "protocol.initial.particles.particle[1] = 0.2 is outside the range of U",
    ),
    ("protocol.initial", {"particles": 3}, "protocol.initial.particles = 3"),
]


@pytest.mark.parametrize(("key", "value", "sentence"), IN_ONE_VALUE)
def test_a_wrong_value_is_said_with_its_place(
    complaint: Callable[..., str], key: str, value: Any, sentence: str
) -> None:
    assert sentence in complaint({key: value})


def test_a_shape_of_the_other_model_is_refused_by_a_crystal(tmp_path: Path) -> None:
    data = electrode_data({"model": "single_crystal", "geometry": {"shape": "columns"}})
    with pytest.raises(InputError, match=r'geometry.shape = "columns" +belongs to model = "elec'):
        from_data(data, tmp_path)


def test_a_crystal_has_no_particles_to_name() -> None:
    path = ROOT / "cases" / "crystal_aged_1C.toml"
    with pytest.raises(InputError, match=r"protocol.initial names particles, and a crystal is one"):
        load(path, ["protocol.initial={ particles = { rest = 0.9 } }"])


def test_what_lies_beyond_a_law_is_allowed_where_the_case_says_so(make: Make) -> None:
    wide = {"physics.extrapolate": True}
    assert (
        make({"electrolyte.concentration": "2.5 mol/L", **wide}).electrolyte.concentration == 2500
    )
    assert make({"protocol.initial": 0.2, "protocol.steps": ["Rest for 1 h"], **wide})


def test_a_point_outside_all_particles_is_refused() -> None:
    path = ROOT / "cases" / "electrode_paper.toml"
    # the first particle's centre is 1 + 1.5 + 5 um to the right, and 1 + 5 um up
    with pytest.raises(InputError, match=r"output.points.b +lies in no particle: \(1, 20\) um"):
        load(
            path,
            ['output.points={ a = ["7.5 um", "6 um"], b = ["1 um", "20 um"] }'],
        )


def test_all_mistakes_are_said_at_once(complaint: Callable[..., str]) -> None:
    said = complaint(
        {
            "binder.wetted": 2.0,
            "electrolyte.concentration": "3 mol/L",
            "material.K": "0 S/m",
            "protocol.initial": {"particles": {"particle[9]": 0.4}},
        }
    )
    for part in ("binder.wetted", "electrolyte.concentration", "material.K", "particle[9]"):
        assert part in said


NAME = '    name: ClassVar[str] = "pair"\n'
WITHOUT = "    has_liquid: ClassVar[bool] = False\n"


@pytest.mark.parametrize(
    ("added", "changes", "sentence"),
    [
        (
            WITHOUT,
            {},
            'electrolyte.transport = "resolved" needs liquid, and the shape pair has none; write',
        ),
        (
            WITHOUT,
            {"electrolyte.transport": "equipotential", "binder.wetted": 0.0},
            "binder.wetted = 0.0 leaves no surface where NMC of the shape pair reacts",
        ),
        (
            WITHOUT,
            {"electrolyte.transport": "equipotential", "binder.porosity": 0.0},
            "binder.porosity = 0.0 leaves no surface where NMC of the shape pair reacts",
        ),
        (
            '    surfaces: ClassVar[Any] = {"collector": "below"}\n',
            {},
            'needs a surface lithium, and pair has none; write transport = "equipotential"',
        ),
        (
            '    surfaces: ClassVar[Any] = {"lithium": "above"}\n',
            {},
            "geometry has no surface collector, through which electrons leave",
        ),
        (
            '    surfaces: ClassVar[Any] = {"collector": "", "lithium": "", "wall": "left"}\n',
            {},
            "geometry has the surface wall, of which no condition is known; name it collector",
        ),
        (
            "    @property\n    def regions(self):\n"
            '        return super().regions | {"coating": "around the particles"}\n',
            {},
            "geometry has the region coating, which has no material; name it contact, binder or",
        ),
        (
            "    @property\n    def regions(self):\n        return 1 / 0\n",
            {},
            'geometry.file = "pair.py" has an outline that fails: ZeroDivisionError',
        ),
    ],
)
def test_a_shape_that_the_model_cannot_take_is_refused(
    complaint: Callable[..., str], added: str, changes: dict[str, Any], sentence: str
) -> None:
    shape = SHAPE.replace(NAME, NAME + added)
    assert sentence in complaint(changes, shape)


def test_a_resistance_needs_a_gap_and_no_conductivity(complaint: Callable[..., str]) -> None:
    resistance = {"contact.resistance": "0.004 ohm cm2"}
    both = complaint(resistance | {"contact.conductivity": "1 S/m"})
    assert 'contact.resistance = "0.004 ohm cm2" cannot stand beside conductivity' in both
    no_gap = SHAPE.replace("contact_gap:", "other_gap:")
    assert "needs a gap, and the shape pair has no contact_gap" in complaint(resistance, no_gap)


def test_a_shape_without_liquid_is_fine_where_the_binder_wets_it(make: Make) -> None:
    shape = SHAPE.replace(NAME, NAME + WITHOUT)
    case = make({"electrolyte": {"transport": "equipotential"}}, shape)
    assert not case.geometry.has_liquid
