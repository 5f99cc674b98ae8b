"""The shipped laws against values of their sources, and their physics."""

from __future__ import annotations

import numpy as np
import pytest

from nmcsim.materials import Law, LawError, material, names
from nmcsim.materials.library import laws, library_law

THETA = np.array([0.223, 0.25, 0.30, 0.40, 0.50, 0.60, 0.70, 0.80, 0.85, 0.90, 0.95, 0.99])
TENTHS = np.array([0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99])


def law(symbol: str, name: str) -> Law:
    found = library_law(symbol, name)
    assert found is not None
    return found


# values tabulated when the forms were chosen, to the digits given; half a digit and rounding
V_OC = [4.277, 4.216, 4.181, 4.061, 3.945, 3.819, 3.742, 3.670, 3.627, 3.590, 3.562, 3.537]
LOG_A = [-12.44, -12.22, -11.92, -11.81, -11.80, -11.80, -11.80, -11.90, -12.23, -12.86, -13.26]
CHEM_A = [9.9, 8.1, 7.2, 35, 40, 38, 28, 33, 16, 3.3, 0.97, 2.2]
CHEM_B = [63, 61, 67, 344, 401, 382, 273, 256, 67, 6.5, 1.6, 3.5]


def test_nmc88_has_the_values_of_its_tables() -> None:
    crystal = material("nmc88")
    np.testing.assert_allclose(crystal.U.evaluate(THETA), V_OC, rtol=0, atol=1e-3)
    log_cm2 = np.log10(crystal.D.evaluate(THETA[:-1])) + 4
    np.testing.assert_allclose(log_cm2, LOG_A, rtol=0, atol=1e-2)
    for name, table in (("nmc88", CHEM_A), ("nmc88_fast", CHEM_B)):
        chemical = material(name).chemical_diffusivity(295.15)
        np.testing.assert_allclose(chemical.evaluate(THETA) * 1e16, table, rtol=0.02)
        assert chemical.kind == "chemical"
        assert chemical.choice


def test_nmc88_reaches_4_3_V_where_sturm_2019_does() -> None:
    # 4.30 V at 0.2157, the span that makes 202 mAh/g from 0.95
    assert material("nmc88").U.evaluate(0.2157) == pytest.approx(4.30, abs=1.5e-3)


@pytest.mark.parametrize(
    ("symbol", "name", "theta", "values", "tolerance"),
    [
        # voltages to the printed millivolt
        (
            "U",
            "nmc811_chen2020",
            TENTHS,
            [4.469, 4.205, 4.105, 3.972, 3.825, 3.730, 3.649, 3.568, 3.528, 3.495],
            1e-3,
        ),
        (
            "U",
            "nmc532_mohtat2020",
            TENTHS,
            [4.068, 3.963, 3.878, 3.815, 3.771, 3.740, 3.708, 3.650, 3.598, 3.308],
            1e-3,
        ),
        (
            "U",
            "nmc532_colclasure2020",
            TENTHS[1:],
            [4.380, 4.171, 3.993, 3.845, 3.757, 3.718, 3.664, 3.626, 3.438],
            1e-3,
        ),
        ("U", "nmc532_colclasure2020", [0.336, 0.385], [4.3, 4.2], 5e-3),
        ("U", "nmc811_chen2020", [0.305, 0.261], [4.2, 4.3], 5e-3),
        (
            "D",
            "nmc811_oregan2022",
            [0.2, 0.5, 0.8, 1.0],
            [2.8e-14, 7.3e-15, 3.0e-15, 6.0e-15],
            2e-16,
        ),
        ("D", "nmc811_sturm2019", [0.3, 0.5, 0.9], [1e-14] * 3, 0),
        ("D", "nmc811_chen2020", [0.3, 0.5, 0.9], [4e-15] * 3, 0),
        ("D", "nmc532_xu2019", [0.3, 0.5, 0.9], [1e-14] * 3, 0),
        ("D", "nmc532_mohtat2020", [0.3, 0.5, 0.9], [8e-15] * 3, 0),
        # F k sqrt(1000) c_max / 2, and sqrt(0.84) and 0.6 of it at 0.3 and 0.9
        ("i0", "nmc811_sturm2019", [0.5, 0.3, 0.9], [2.4087, 2.2076, 1.4453], 1e-3),
        ("i0", "nmc532_xu2019", [0.5, 0.3, 0.9], [4.3580, 3.9942, 2.6149], 1e-3),
        ("i0", "nmc88", [0.5, 0.3, 0.9], [2.3943, 2.1944, 1.4367], 1e-3),
    ],
)
def test_single_laws(
    symbol: str, name: str, theta: list[float], values: list[float], tolerance: float
) -> None:
    np.testing.assert_allclose(law(symbol, name).evaluate(theta), values, rtol=0, atol=tolerance)


ALL = [(s, n) for s in ("U", "D", "i0") for n in laws(s)]


@pytest.mark.parametrize(("symbol", "name"), ALL)
def test_every_law_is_stated_in_full(symbol: str, name: str) -> None:
    one = law(symbol, name)
    assert one.source
    assert one.text
    assert one.unit == {"U": "V", "D": "m2/s", "i0": "A/m2"}[symbol]
    assert 0 <= one.valid[0] < one.valid[1] <= 1
    assert one.closed_form
    assert one.positive == (symbol != "U")
    if symbol == "D":
        assert one.symbol == {"self": "D_ab", "chemical": "D_chem"}[one.kind]


@pytest.mark.parametrize(("symbol", "name"), ALL)
def test_every_curve_follows_its_law(symbol: str, name: str) -> None:
    one = law(symbol, name)
    curve = one.curve()
    theta = np.linspace(*one.valid, 20_011)
    value, slope = curve.both(theta)
    # 5e-6: the exchange current within a cell of theta = 0 and 1; elsewhere below 1e-9
    np.testing.assert_allclose(value, one.evaluate(theta), rtol=5e-6)
    scale = np.abs(one.derivative(theta)).max()
    np.testing.assert_allclose(slope, one.derivative(theta), rtol=0, atol=2e-4 * scale)
    if one.positive:
        assert np.all(curve(np.linspace(-30, 30, 6001)) > 0)


@pytest.mark.parametrize("symbol_name", [p for p in ALL if p[0] == "U"], ids=lambda p: p[1])
def test_every_ocv_falls_in_its_range(symbol_name: tuple[str, str]) -> None:
    one = law(*symbol_name)
    theta = np.linspace(*one.valid, 50_001)
    assert np.all(one.derivative(theta) < 0)


@pytest.mark.parametrize("name", names())
def test_every_material_is_well_posed_and_says_who_set_what(name: str) -> None:
    one = material(name)
    one.check_well_posed()
    lo, hi = one.valid_range()
    assert lo < 0.35
    assert hi > one.theta_discharged
    assert set(one.provenance) == {
        *(*one.laws, "site_density", "density", "theta_discharged", "molar_mass")
    }
    assert one.molar_mass is not None
    # density and molar mass give the sites, within rounding of the density
    assert one.density / one.molar_mass == pytest.approx(one.site_density, rel=2e-4)
    assert all(origin.startswith(f"library {name}") for origin in one.provenance.values())


def test_the_exchange_current_stays_smooth_where_the_surface_starves() -> None:
    i0 = material("nmc88").i0
    theta = np.linspace(-0.5, 1.5, 40_001)
    value = i0.evaluate(theta)
    assert np.all(value > 0)
    assert np.all(np.isfinite(i0.derivative(theta)))
    exact = 4.78867 * np.sqrt(np.clip(theta * (1 - theta), 0, None))  # F k sqrt(c_e) N_L
    inside = (theta > 0.01) & (theta < 0.99)
    np.testing.assert_allclose(value[inside], exact[inside], rtol=3e-3)
    assert i0.evaluate(0.5) == pytest.approx(2.3943, rel=1e-4)


def test_an_unknown_material_names_the_nearest() -> None:
    with pytest.raises(LawError, match=r'"nmc88x" is no material .*; did you mean "nmc88"\?'):
        material("nmc88x")
    with pytest.raises(LawError, match="there are nmc88, nmc88_fast, nmc811, nmc532"):
        material("zinc")


def test_laws_are_listed_by_what_they_are() -> None:
    assert "nmc811_oregan2022" in laws("D_chem")
    assert "nmc811_oregan2022" not in laws("D_ab")
    assert laws("D_ab") == ("nmc88_set_a", "nmc88_set_b", "nmc88", "nmc88_fast")
    assert library_law("U", "nmc88") is material("nmc88").U
    assert library_law("colour", "nmc88") is None


def test_pristine_nmc532_is_flat_where_it_is_full_and_drops_at_the_end() -> None:
    U = material("nmc532_pristine").U
    theta = np.linspace(0.3, 0.999, 200_001)
    assert np.all(U.derivative(theta) < -0.09)  # 0.1 V per theta at least, falling everywhere
    # below the plateau it is the published curve; its own droop is 1 mV there
    low = np.linspace(0.3, 0.85, 56)
    published = law("U", "nmc532_colclasure2020").evaluate(low)
    np.testing.assert_allclose(U.evaluate(low), published, rtol=0, atol=1.5e-3)
    assert U.evaluate(0.336) == pytest.approx(4.300, abs=1e-3)
    # flat: 10 mV from 0.9 on, and the first 14 mV of the drop at 0.99
    at_90, at_98, at_99 = U.evaluate([0.9, 0.98, 0.99])
    assert 0.005 < at_90 - at_98 < 0.015
    assert 0.010 < at_98 - at_99 < 0.020
    assert U.evaluate(0.998) == pytest.approx(2.5, abs=0.01)
    # its curve, grid of 1.7e-4 beside a width of 1.8e-3: (0.095)**4 / 384 of 2 V
    np.testing.assert_allclose(U.curve()(theta), U.evaluate(theta), rtol=0, atol=1e-6)


def test_pristine_nmc532_hardly_conducts_where_it_is_full() -> None:
    one = material("nmc532_pristine")
    assert one.K is not None
    assert one.K.choice
    assert one.D.choice
    # 6 decades at the centre: half of them; s(4) = 0.982 at 0.99
    np.testing.assert_allclose(
        np.log10(one.K.evaluate([0.5, 0.93, 0.99])), [0.0, -3.0, -6 * 0.98201], atol=1e-4
    )
    np.testing.assert_allclose(
        np.log10(one.D.evaluate([0.5, 0.88, 0.99])), [-14.0, -15.0, -14 - 2 * 0.97507], atol=1e-4
    )
    # F k N_L / 2 = 96485.33 * 5e-11 * 49599 / 2
    assert one.i0.evaluate(0.5) == pytest.approx(0.11964, rel=1e-4)
    park = law("i0", "nmc532_park2021")
    factor = park.evaluate([0.5, 0.7, 0.8, 0.9]) / one.i0.evaluate([0.5, 0.7, 0.8, 0.9])
    np.testing.assert_allclose(factor, [0.92, 0.076, 6.7e-3, 5.5e-4], rtol=0.01)
