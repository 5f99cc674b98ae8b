"""Formulas: what they mean, where a mistake is pointed at, and that none can hang or break out."""

from __future__ import annotations

import math
import pickle
import time

import numpy as np
import pytest

from nmcsim import expression as ex
from nmcsim.errors import InputError
from nmcsim.expression import Expression, ExpressionError

THETA = np.array([0.1, 0.3, 0.8])


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1 + 2*3", 7.0),
        ("2**3**2", 512.0),  # right-associative, as in Python
        ("-2**2", -4.0),
        ("+3 - -2", 5.0),
        ("7/2", 3.5),
        ("pi", math.pi),
        ("log(e)", 1.0),
        ("log10(1000)", 3.0),
        ("sqrt(2)", math.sqrt(2)),
        ("tanh(0.5)", math.tanh(0.5)),
        ("sinh(1) - cosh(1)", math.sinh(1) - math.cosh(1)),
        ("tan(1) - sin(1)/cos(1)", 0.0),
        ("atan(1)", math.pi / 4),
        ("abs(-3)", 3.0),
        ("min(3, 1, 2)", 1.0),
        ("max(3, 1, 2)", 3.0),
        ("1e-12", 1e-12),
        ("\n  1 +\t1 ", 2.0),
    ],
)
def test_numbers(text: str, value: float) -> None:
    assert Expression(text)() == pytest.approx(value, rel=1e-15, abs=1e-15)
    assert Expression(text).names == frozenset()


def law(t: np.ndarray) -> np.ndarray:
    return 10 ** (-11.8 - 1.6 / (1 + np.exp(-(t - 0.88) / 0.03))) + np.sqrt(t) * np.tanh(t / 0.1)


LAW = "10**(-11.8 - 1.6/(1+exp(-(theta-0.88)/0.03))) + sqrt(theta)*tanh(theta/0.1)"


def test_arrays_real_and_complex() -> None:
    e = Expression(LAW)
    np.testing.assert_allclose(e(theta=THETA), law(THETA), rtol=1e-14)
    np.testing.assert_allclose(e(theta=THETA + 0.1j), law(THETA + 0.1j), rtol=1e-14)
    assert e(theta=0.3) == pytest.approx(float(law(np.array(0.3))))


def test_derivative_by_the_complex_step() -> None:
    h = 1e-6
    slope = Expression(LAW).derivative("theta")(theta=THETA)
    np.testing.assert_allclose(slope, (law(THETA + h) - law(THETA - h)) / (2 * h), rtol=1e-8)


def test_derivative_of_integer_powers_of_negative_numbers() -> None:
    # 3 x**2 + 4 x**-3 at -1.5: 6.75 - 1.185...
    slope = Expression("x**3 - 2*x**-2", ("x",)).derivative("x")(x=np.array([-1.5]))
    assert slope[0] == pytest.approx(6.75 - 4 / 3.375, rel=1e-14)


def test_derivative_of_abs_min_max() -> None:
    e = Expression("abs(theta) + min(theta, 0.2) + max(theta, 0)")
    slope = e.derivative("theta")(theta=np.array([-1.5, 0.15, 2.0]))
    assert slope.tolist() == [0.0, 3.0, 2.0]  # -1+1+0, 1+1+1, 1+0+1


def test_several_variables() -> None:
    e = Expression("x - 2*y", ("x", "y", "z"))
    assert e(x=3.0, y=1.0) == 1.0
    assert e(x=3.0, y=1.0, z=9.0) == 1.0
    assert e.names == {"x", "y"}
    np.testing.assert_allclose(e.derivative("y")(x=1.0, y=THETA), -2.0)
    with pytest.raises(TypeError, match="needs a value for y"):
        e(x=3.0)
    with pytest.raises(TypeError, match="'w' is none of the variables x, y, z"):
        e.derivative("w")


def test_ufl_means_the_same_as_numpy() -> None:
    ufl = pytest.importorskip("ufl")
    text = (
        LAW + " + abs(theta - 0.5) + min(theta, 0.2) + max(theta, 0.4) + log(theta) + log10(theta)"
        " + sinh(theta) + cosh(theta) + tan(theta) + sin(theta) + cos(theta) + atan(theta)"
        " + 2**theta + theta**2 + theta**1.5 - 1/theta"
    )
    e = Expression(text)
    for t in THETA:
        form = e(theta=ufl.variable(ufl.as_ufl(float(t))))
        assert ex.is_ufl(form)
        assert float(form) == pytest.approx(float(e(theta=t)), rel=1e-13)


def test_is_a_value() -> None:
    e = Expression(LAW)
    assert e == Expression(LAW)
    assert hash(e) == hash(Expression(LAW))
    assert e != Expression("theta")
    assert str(e) == LAW
    again = pickle.loads(pickle.dumps(e))
    assert again == e
    assert again(theta=0.3) == e(theta=0.3)
    with pytest.raises(AttributeError):
        e.text = "theta"  # type: ignore[misc]


@pytest.mark.parametrize(
    ("text", "column", "sentence"),
    [
        ("1 + thetaa", 4, 'unknown name "thetaa"; did you mean "theta"?'),
        ("1 + foo", 4, 'unknown name "foo"; the formula may use theta'),
        ("2*xp(theta)", 2, 'unknown function "xp"; did you mean "exp"?'),
        ("é + foo", 0, 'unknown name "é"'),
        ("theta +\n foo", 9, 'unknown name "foo"'),
        ("2*θ", 2, 'unknown name "θ"'),
        ("exp + 1", 0, '"exp" is a function; write exp(...)'),
        ("theta(2)", 0, '"theta" is not a function; write theta*(...)'),
        ("exp(1, 2)", 0, "exp takes one argument"),
        ("exp()", 0, "exp takes one argument"),
        ("max(1)", 0, "max takes two arguments or more"),
        ("exp(x=1)", 0, "exp takes one argument"),
        ("theta^2", 5, 'the operator "^" (write "**" for a power) is not allowed'),
        ("theta % 2", 6, 'the operator "%" is not allowed'),
        ("theta // 2", 6, 'the operator "//" is not allowed'),
        ("theta @ 2", 6, 'the operator "@" is not allowed'),
        ("~theta", 0, 'the operator "~" is not allowed'),
        ("(theta) < 1", 8, "a comparison is not allowed"),
        ("theta.__class__", 5, "an attribute is not allowed"),
        ("().__class__.__bases__", 12, "an attribute is not allowed"),
        ("theta[0]", 5, "an index is not allowed"),
        ("(lambda: 1)()", 1, "a lambda is not allowed"),
        ("exp(1)(2)", 0, "only a function can be called"),
        ("__import__('os')", 0, 'unknown function "__import__"'),
        ("eval('1')", 0, 'unknown function "eval"'),
        ("'a'*9", 0, "'a' is not allowed in a formula, only numbers"),
        ("f'{theta}'", 0, "a string is not allowed"),
        ("True", 0, "True is not allowed in a formula, only numbers"),
        ("1j*theta", 0, "an imaginary number is not allowed"),
        ("1 if theta else 2", 0, "a condition is not allowed"),
        ("theta and 1", 0, "a logical operator is not allowed"),
        ("not theta", 0, "a logical operator is not allowed"),
        ("(y := 1)", 1, "an assignment is not allowed"),
        ("[theta]", 0, "a list is not allowed"),
        ("{theta}", 0, "a set is not allowed"),
        ("{}", 0, "a dictionary is not allowed"),
        ("1,2", 0, "a comma is not allowed"),
        ("[x for x in theta]", 0, "a comprehension is not allowed"),
        ("exp(*theta)", 4, "a starred argument is not allowed"),
        ("2 theta", 2, "not a formula: invalid syntax"),
        ("exp(theta", 3, "not a formula: '(' was never closed"),
        ("theta = 1", 6, "not a formula: invalid syntax"),
        ("import os", 0, "not a formula: invalid syntax"),
        ("a\0b", 0, "not a formula"),
        ("", 0, "a formula is missing"),
        ("1 + 1/0", 4, "this divides by zero"),
        ("theta + log(-1)", 8, "this is not a real number"),
        ("(-1)**0.5", 0, "this is not a real number"),
        ("1e999", 0, "this is not a finite number"),
    ],
)
def test_a_mistake_is_pointed_at(text: str, column: int, sentence: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        Expression(text)
    (mistake,) = caught.value.mistakes
    assert sentence in mistake.message
    assert mistake.column == column
    assert mistake.place == ""
    assert isinstance(caught.value, InputError)
    assert isinstance(caught.value, ValueError)


def test_a_name_is_looked_for_among_the_variables() -> None:
    with pytest.raises(ExpressionError) as caught:
        Expression("foo", ())
    assert "known are pi, e, exp" in caught.value.mistakes[0].message


@pytest.mark.parametrize(
    "text",
    [
        "9**9**9**9",
        "9" * 1500,
        "-" * 1900 + "1",
        "(" * 500 + "theta" + ")" * 500,
        "exp(" * 150 + "theta" + ")" * 150,
        "1+" * 900 + "theta",
        "theta" + "+theta" * 250,
        "x" * 100_000,
        "exp(exp(exp(exp(9))))",
    ],
)
def test_nothing_hangs_or_overflows_the_stack(text: str) -> None:
    start = time.perf_counter()
    with pytest.raises(ExpressionError) as caught:
        Expression(text)
    assert time.perf_counter() - start < 1.0
    assert len(caught.value.mistakes[0].text or "") <= ex.MAX_LENGTH


def test_the_deepest_formula_that_is_allowed_also_evaluates() -> None:
    e = Expression("theta" + "+theta" * 99)
    assert e(theta=1.0) == 100.0
