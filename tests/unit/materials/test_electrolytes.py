"""The shipped electrolytes against tabulated values of their sources, and their physics."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from nmcsim.materials import LawError, electrolyte, electrolyte_names, parse_law
from nmcsim.materials.law import CONCENTRATION
from nmcsim.materials.library import laws, library_law

C = np.array([500.0, 1000.0, 1500.0, 2000.0])

# 298.15 K; kappa [S/m], D [1e-10 m2/s], t_plus, 1 + dln f/dln c at 0.5, 1, 1.5 and 2 mol/l, each to
# its last digit
TABLE = {
    "nyman2008": (
        [0.793, 0.949, 0.820, 0.596],
        [3.10, 1.77, 0.88, 0.44],
        [0.2594] * 4,
        [1.0] * 4,
    ),
    "landesfeind2019_ec_emc": (
        [0.756, 0.913, 0.810, 0.594],
        [3.95, 2.89, 2.12, 1.55],
        [0.305, 0.221, 0.150, 0.106],
        [1.37, 2.18, 2.94, 3.85],
    ),
    "landesfeind2019_ec_dmc": (
        [1.023, 1.182, 1.000, 0.731],
        [3.84, 2.91, 2.20, 1.66],
        [0.420, 0.325, 0.249, 0.193],
        [1.65, 2.20, 2.96, 4.01],
    ),
    "valoen2005": (
        [0.950, 1.194, 1.068, 0.796],
        [4.46, 3.22, 2.31, 1.65],
        [0.38] * 4,
        [1.24, 2.13, 3.34, 4.81],
    ),
}


@pytest.mark.parametrize("name", electrolyte_names())
def test_the_laws_have_the_values_of_their_sources(name: str) -> None:
    kappa, D, t_plus, factor = (law.evaluate(C) for law in electrolyte(name).laws.values())
    np.testing.assert_allclose(kappa, TABLE[name][0], rtol=0, atol=6e-4)
    # 2.905 of EC:DMC at 1 mol/l stands between 2.90 and 2.91
    np.testing.assert_allclose(D * 1e10, TABLE[name][1], rtol=0, atol=6e-3)
    np.testing.assert_allclose(t_plus, TABLE[name][2], rtol=0, atol=6e-4)
    np.testing.assert_allclose(factor, TABLE[name][3], rtol=0, atol=6e-3)


@pytest.mark.parametrize("name", electrolyte_names())
@pytest.mark.parametrize("T", [273.15, 288.15, 298.15, 313.15])
def test_an_electrolyte_is_well_posed_whatever_the_solver_tries(name: str, T: float) -> None:
    one = electrolyte(name, T)
    one.check_well_posed()
    tried = np.linspace(-2000.0, 20_000.0, 5001)  # beyond depletion and precipitation
    for law in one.laws.values():
        assert law.argument is CONCENTRATION
        assert law.source
        value, slope = law.curve().both(tried)
        assert np.all(value > 0.0)
        assert np.all(np.isfinite(slope))
        # levelled: within a decade of the value at the nearer end
        ends = law.evaluate(np.clip(tried, *law.valid))
        assert np.all(np.abs(np.log10(value / ends)) <= 1.0)
    assert one.t_plus is not None
    assert one.t_plus.curve()(tried).max() < 1.0


def test_conductivity_depends_on_temperature_where_the_source_says_so() -> None:
    for name in electrolyte_names():
        warm, cold = (electrolyte(name, T).kappa for T in (298.15, 288.15))
        assert warm is not None
        assert cold is not None
        ratio = warm.evaluate(1000.0) / cold.evaluate(1000.0)
        # about 15 to 30 % per 10 K in these solvents; the fit of Nyman 2008 knows none
        assert ratio == 1.0 if name == "nyman2008" else 1.1 < ratio < 1.4
    hot = electrolyte("nyman2008", 320.0).kappa
    assert hot is not None
    assert "used at 320 K" in hot.note


def test_single_laws_are_known_by_the_name_of_their_electrolyte() -> None:
    assert laws("kappa") == electrolyte_names()
    law = library_law("D_l", "nyman2008")
    assert law is not None
    assert law.evaluate(1000.0) == pytest.approx(1.7694e-10)
    assert library_law("D_l", "nmc532") is None


def test_an_unknown_electrolyte_names_the_nearest() -> None:
    with pytest.raises(LawError, match='is no electrolyte of the library; did you mean "valoen'):
        electrolyte("valoen2015")
    with pytest.raises(LawError, match="there are nyman2008, landesfeind2019_ec_emc"):
        electrolyte("water")


def test_laws_that_no_solution_has_are_refused() -> None:
    base = electrolyte("nyman2008")
    backwards = parse_law("0.5 + c/2000 [1]", "t_plus", "1", Path())
    with pytest.raises(LawError) as caught:
        replace(base, t_plus=backwards).check_well_posed()
    (mistake,) = caught.value.mistakes
    # 1 at 1000 mol/m3, first met on a grid of 2400/4096 mol/m3
    assert mistake.place == "t_plus"
    assert "at c = 1000 mol/m3; a transference number lies between 0 and 1" in mistake.message
    falling = parse_law("1 - c/2000 [S/m]", "kappa", "S/m", Path())
    with pytest.raises(LawError, match=r"at c = 2000 mol/m3; it must be positive.*100, 2500"):
        replace(base, kappa=falling).check_well_posed()


def test_a_transference_number_is_valid_where_its_fit_is_one() -> None:
    # the fit of EC:EMC is 0.05 at 1.3 mol/l at 15 degC, and below zero from 1.66 to 2.5 mol/l
    law = electrolyte("landesfeind2019_ec_emc", 288.15).t_plus
    assert law is not None
    lo, hi = law.valid
    assert law.evaluate(hi) == pytest.approx(0.05, abs=1e-3)
    assert law.fn(1800.0) < 0.0
    assert law.curve()(1800.0) > 0.005
    at_room = electrolyte("landesfeind2019_ec_emc").t_plus
    assert at_room is not None
    assert (lo, at_room.valid) == (100.0, (100.0, 2500.0))


def test_a_library_law_is_taken_at_the_temperature_of_the_case() -> None:
    # EC:DMC at 295.15 K and 1 mol/l: 1.118 S/m
    law = parse_law("landesfeind2019_ec_dmc", "kappa", "S/m", Path(), T=295.15)
    assert law.evaluate(1000.0) == pytest.approx(1.118, abs=6e-4)


def test_a_table_of_concentrations_needs_their_unit(tmp_path: Path) -> None:
    def refused(text: str, **spec: str) -> str:
        (tmp_path / "k.csv").write_text(text)
        with pytest.raises(LawError) as caught:
            parse_law({"table": "k.csv", **spec}, "kappa", "S/m", tmp_path)
        return caught.value.mistakes[0].message

    rows = "0.1,0.2\n0.5,0.7\n1,0.9\n2,0.6\n"
    no_unit = refused("c,kappa [S/m]\n" + rows)
    assert no_unit.endswith('does not state the unit of column 1; write x_unit = "mol/m3"')
    assert 'has x_unit = "K", which' in refused("c,kappa [S/m]\n" + rows, x_unit="K")
    assert "below 0" in refused("c [mol/L],kappa [S/m]\n-0.1,1\n" + rows)
    assert 'write x = "c"' in refused("m [mol/L],kappa [S/m]\n" + rows)
    assert 'write x = "c"' in refused("c [mol/L],kappa [S/m]\n" + rows, x="theta")
    assert "c = 500 after 1000" in refused("c [mol/L],kappa [S/m]\n0.1,1\n1,2\n0.5,1\n2,1\n")
    falling = refused("c [mol/L],kappa [S/m]\n0.1,1\n1,2\n1.5,-1\n2,1\n")
    assert "has kappa = -1 at c = 1500 in line 4; it must be positive" in falling
