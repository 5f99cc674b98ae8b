"""A law on arrays and in UFL, its curve, and its derived chemical diffusivity."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest

from nmcsim.constants import F, R
from nmcsim.curve import Curve
from nmcsim.expression import Expression
from nmcsim.materials import Law, LawError, Material, material
from nmcsim.materials.law import Constant, Formula, Tabulated

T = 295.15
THETA = np.linspace(0.25, 0.95, 29)


def formula(text: str, symbol: str = "U", unit: str = "V", **fields: object) -> Law:
    return Law(symbol=symbol, unit=unit, fn=Formula(Expression(text)), **fields)  # type: ignore[arg-type]


def made(U: Law, D: Law, i0: Law | None = None) -> Material:
    base = material("nmc88")
    return base.with_laws(U=U, D=D, i0=i0 or base.i0)


def test_values_have_the_shape_of_the_argument() -> None:
    for law in (
        formula("4 - theta"),
        formula("3"),
        Law(symbol="i0", unit="A/m2", fn=Constant(2.0)),
    ):
        assert law.evaluate(0.5).shape == ()
        assert law.evaluate(np.full((2, 3), 0.5)).shape == (2, 3)
        assert law.derivative(np.full((2, 3), 0.5)).shape == (2, 3)
    assert formula("3").derivative(0.5) == 0.0


def test_derivative_is_exact() -> None:
    law = formula("sin(3*theta) - theta**4")
    expected = 3 * np.cos(3 * THETA) - 4 * THETA**3
    np.testing.assert_allclose(law.derivative(THETA), expected, rtol=1e-13)


def test_a_positive_curve_levels_off_with_a_continuous_slope() -> None:
    # 0.2 .. 0.4 on a line that reaches zero at 0.1: its tangent would make D negative
    law = formula("theta - 0.1", "D_ab", "m2/s", valid=(0.2, 0.4), positive=True)
    curve = law.curve()
    below = np.linspace(-3, 0.2, 10_001)
    value, slope = curve.both(below)
    assert np.all(value > 0.1 * 0.1)  # within a decade of D(0.2) = 0.1
    assert curve(0.2) == pytest.approx(0.1)
    assert curve.derivative(0.2 - 1e-9) == pytest.approx(1.0, rel=1e-6)
    assert np.abs(np.diff(slope)).max() < 0.05
    assert slope[0] == pytest.approx(0.0, abs=1e-9)
    np.testing.assert_allclose(curve(np.array([0.25, 0.4])), [0.15, 0.3], rtol=1e-12)


def test_a_curve_of_an_ocv_goes_on_along_its_tangents() -> None:
    curve = formula("4 - theta**2", valid=(0.2, 0.8)).curve()
    assert curve(0.0) == pytest.approx(3.96 + 0.4 * 0.2)
    assert curve(1.0) == pytest.approx(3.36 - 1.6 * 0.2)


def test_table_in_the_logarithm() -> None:
    x = np.linspace(0.1, 0.9, 9)
    law = Law(
        symbol="D_ab",
        unit="m2/s",
        fn=Tabulated(Curve.table(x, np.log(10.0 ** (-12 - 3 * x))), logarithmic=True),
        valid=(0.1, 0.9),
        positive=True,
    )
    theta = np.linspace(0.1, 0.9, 333)
    np.testing.assert_allclose(law.evaluate(theta), 10.0 ** (-12 - 3 * theta), rtol=1e-10)
    expected = -3 * np.log(10) * 10.0 ** (-12 - 3 * theta)
    np.testing.assert_allclose(law.derivative(theta), expected, rtol=1e-8)
    np.testing.assert_allclose(law.curve()(theta), law.evaluate(theta), rtol=1e-8)
    assert not law.closed_form


def test_chemical_diffusivity_of_a_constant_and_a_line() -> None:
    # D theta |U'| F/RT with D = 2e-16, U' = -1.5
    crystal = made(
        formula("4.4 - 1.5*theta", valid=(0.1, 1.0)),
        Law(symbol="D_ab", unit="m2/s", fn=Constant(2e-16), kind="self", positive=True),
    )
    chemical = crystal.chemical_diffusivity(T)
    expected = 2e-16 * 1.5 * F / (R * T)
    np.testing.assert_allclose(chemical.evaluate(THETA), expected * THETA, rtol=1e-14)
    np.testing.assert_allclose(chemical.derivative(THETA), expected, rtol=1e-12)
    assert chemical.valid == (0.1, 1.0)


def test_chemical_diffusivity_has_the_right_slope() -> None:
    chemical = material("nmc88").chemical_diffusivity(T)
    h = 1e-5
    quotient = (chemical.evaluate(THETA + h) - chemical.evaluate(THETA - h)) / (2 * h)
    slope = chemical.derivative(THETA)
    # both are difference quotients of step 1e-5 over features of width 0.01
    np.testing.assert_allclose(slope, quotient, rtol=0, atol=1e-5 * np.abs(slope).max())


def test_a_chemical_diffusivity_is_returned_as_it_is() -> None:
    crystal = material("nmc811")
    assert crystal.chemical_diffusivity(T) is crystal.D


def test_laws_in_ufl() -> None:
    ufl = pytest.importorskip("ufl")
    from ufl.algorithms import expand_derivatives

    crystal = material("nmc88")
    for law in (crystal.U, crystal.D, crystal.i0, crystal.chemical_diffusivity(T)):
        for theta in (0.24, 0.5, 0.93):
            form = law(ufl.variable(ufl.as_ufl(theta)))
            assert float(expand_derivatives(form)) == pytest.approx(float(law(theta)), rel=1e-12)
    assert Law(symbol="i0", unit="A/m2", fn=Constant(2.0))(ufl.as_ufl(0.5)) == 2.0


def test_a_table_has_no_closed_form() -> None:
    ufl = pytest.importorskip("ufl")
    law = Law(symbol="U", unit="V", fn=Tabulated(Curve([0, 1], [4, 3])))
    assert law(0.5) == 3.5
    with pytest.raises(LawError, match='has no closed form; write numerics.laws = "nodal"'):
        law(ufl.as_ufl(0.5))
    mixed = material("nmc88").with_laws(U=law).chemical_diffusivity(T)
    assert not mixed.closed_form
    with pytest.raises(LawError, match="has no closed form"):
        mixed(ufl.as_ufl(0.5))


def test_a_rising_ocv_is_refused_where_it_happens() -> None:
    # U' = 0.3 - theta turns positive below 0.3
    crystal = made(formula("4 + 0.3*theta - theta**2/2", valid=(0.1, 0.9)), material("nmc88").D)
    for refuse in (crystal.check_well_posed, lambda: crystal.chemical_diffusivity(T)):
        with pytest.raises(LawError) as caught:
            refuse()
        (mistake,) = caught.value.mistakes
        assert mistake.place == "U"
        assert "does not fall at theta = 0.1 (dU/dtheta = 0.2 V)" in mistake.message
        assert "valid = [0.1, 0.9] now" in mistake.message


def test_a_flat_ocv_is_refused() -> None:
    crystal = made(formula("4 + 0*theta"), material("nmc88").D)
    with pytest.raises(LawError, match="does not fall at theta = 0 "):
        crystal.check_well_posed()


def test_all_ill_posed_laws_are_named_at_once() -> None:
    crystal = made(
        formula("4 + theta"),
        formula("1e-16*(0.5 - theta)", "D_ab", "m2/s", kind="self", positive=True),
        formula("theta - 0.25", "i0", "A/m2", positive=True),
    )
    with pytest.raises(LawError) as caught:
        crystal.check_well_posed()
    assert [m.place for m in caught.value.mistakes] == ["U", "D", "i0"]
    assert "at theta = 0.5; it must be positive" in caught.value.mistakes[1].message
    assert "is -0.25 A/m2 at theta = 0;" in caught.value.mistakes[2].message


def test_valid_ranges_meet() -> None:
    crystal = made(formula("4 - theta", valid=(0.3, 0.9)), material("nmc88").D)
    assert crystal.valid_range() == (0.3, 0.9)
    assert crystal.valid_range("D") == (0.01, 0.995)
    apart = crystal.with_laws(i0=crystal.i0.with_(valid=(0.95, 1.0)))
    with pytest.raises(LawError, match=r"do not overlap: U 0.3 .. 0.9, D .*, i0 0.95 .. 1"):
        apart.valid_range()


def test_with_laws_says_who_set_what() -> None:
    base = material("nmc88")
    other = base.with_laws(by="aged.toml", U=formula("4 - theta"), density=4700.0)
    assert other.provenance["U"] == "aged.toml"
    assert other.provenance["density"] == "aged.toml"
    assert other.provenance["D"] == "library nmc88"
    assert base.provenance["U"] == "library nmc88"
    assert other.density == 4700.0
    assert other.D is base.D


def test_covers_and_finite() -> None:
    law = formula("4 - theta", valid=(0.3, 0.9))
    law.check_covers(0.3, 0.9)
    with pytest.raises(LawError, match=r"covers theta 0.3 .. 0.9 only, and 0.2 .. 0.9 is needed"):
        law.check_covers(0.2, 0.9)
    with pytest.raises(LawError, match=r"covers theta .* and 0.3 .. 0.95 is needed"):
        law.check_covers(0.3, 0.95)
    with pytest.raises(LawError, match="is not finite, or its slope is not, at theta = 0;"):
        formula("sqrt(theta)").check_finite()
    with pytest.raises(LawError, match="at theta = 0.5;"):
        formula("1/(theta - 0.5)").check_finite()


def test_materials_are_values() -> None:
    crystal = material("nmc88")
    assert crystal == pickle.loads(pickle.dumps(crystal))
    assert crystal == copy.deepcopy(crystal)
    assert hash(crystal) == hash(copy.deepcopy(crystal))
    chemical = crystal.chemical_diffusivity(T)
    np.testing.assert_array_equal(
        pickle.loads(pickle.dumps(chemical)).evaluate(THETA), chemical.evaluate(THETA)
    )
    with pytest.raises(AttributeError):
        crystal.density = 1.0  # type: ignore[misc]


@pytest.mark.parametrize(
    ("text", "decades"),
    [
        ("10**(-6*logistic((theta - 0.93)/0.015))", 6.0),
        ("1e3*10**(-9*logistic((theta - 0.93)/0.015))", 9.0),
        ("10**(-14 - 5*logistic((theta - 0.88)/0.03))", 5.0),
        ("10**(-9*logistic((theta - 0.5)/0.002))", 9.0),  # steeper than a grid of 4096 cells shows
    ],
)
def test_a_curve_follows_a_law_over_many_decades(text: str, decades: float) -> None:
    law = formula(text, symbol="K", unit="S/m", positive=True)
    curve = law.curve()
    theta = np.linspace(0.0, 1.0, 200_003)  # no node of the curve but the ends
    value, slope = curve.both(theta)
    exact = law.evaluate(theta)
    assert np.log10(exact.max() / exact.min()) == pytest.approx(decades, rel=0.02)
    # cubic cells in which ln(law) changes by 1/8 at most: (1/8)**4 / 384 = 6e-7
    np.testing.assert_allclose(value, exact, rtol=1e-6)
    # their slope: (1/8)**3 / 72 sqrt(3) = 1.6e-5 of the steepest change
    rate = np.abs(law.derivative(theta) / exact).max()
    assert np.abs((slope - law.derivative(theta)) / exact).max() < 2e-5 * rate
    beyond = curve(np.array([-5.0, -0.1, 1.1, 5.0]))
    # levelled off: within a decade of the value at the end, so positive
    assert np.all(np.abs(np.log10(beyond / law.evaluate([0.0, 0.0, 1.0, 1.0]))) < 1.0)


def test_an_ordinary_curve_keeps_its_number_of_cells() -> None:
    crystal = material("nmc88")
    # 4096 in the valid range and a quarter of that on each side
    assert "6144 cells" in repr(crystal.D.curve())
    assert "6144 cells" in repr(material("nmc532_pristine").K.curve())  # type: ignore[union-attr]


def test_the_logistic_overflows_nowhere() -> None:
    law = formula("10**(-6*logistic((theta - 0.5)/1e-5))", symbol="K", unit="S/m")
    np.testing.assert_allclose(law.evaluate([0.0, 0.5, 1.0]), [1.0, 1e-3, 1e-6], rtol=1e-12)
    np.testing.assert_allclose(law.derivative([0.0, 1.0]), 0.0, atol=1e-300)


def test_a_conductivity_that_is_not_positive_is_refused() -> None:
    K = formula("1 - theta", symbol="K", unit="S/m")
    with pytest.raises(LawError) as caught:
        material("nmc88").with_laws(K=K).check_well_posed()
    (mistake,) = caught.value.mistakes
    assert (mistake.place, mistake.message[:22]) == ("K", "is 0 S/m at theta = 1;")
