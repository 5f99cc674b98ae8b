"""What a user may write for a law, and every way to get it wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nmcsim.errors import InputError
from nmcsim.materials import Law, LawError, material, parse_law

UNIT = {"U": "V", "D": "m2/s", "D_ab": "m2/s", "D_chem": "m2/s", "i0": "A/m2"}
HERE = Path()


def parsed(symbol: str, spec: object, base: Path = HERE, **more: Any) -> Law:
    return parse_law(spec, symbol, UNIT[symbol], base, **more)


def refused(symbol: str, spec: object, base: Path = HERE, **more: Any) -> list[str]:
    with pytest.raises(LawError) as caught:
        parsed(symbol, spec, base, **more)
    assert isinstance(caught.value, InputError)
    assert all(m.place == "" for m in caught.value.mistakes)
    return [m.message for m in caught.value.mistakes]


def test_a_library_name() -> None:
    assert parsed("U", "nmc811_sturm2019").valid == (0.2157, 0.995)
    assert parsed("D", "nmc88") is material("nmc88").D
    assert parsed("D_chem", "nmc811_oregan2022").kind == "chemical"
    assert parsed("U", {"law": "nmc811_chen2020"}).evaluate(0.5) == pytest.approx(3.972, abs=1e-3)


def test_a_constant() -> None:
    law = parsed("D_ab", "1e-12 cm2/s")
    assert law.evaluate([0.1, 0.9]).tolist() == [1e-16, 1e-16]
    assert law.kind == "self"
    assert law.symbol == "D_ab"
    assert law.text == "1e-16 m2/s"
    assert law.source == "stated in the case"
    assert law.positive
    assert parsed("i0", {"constant": "2.4 A/m2"}).evaluate(0.5) == 2.4


SET_A = "10**(-11.8 - 1.6/(1+exp(-(theta-0.88)/0.03)) - 1.0/(1+exp((theta-0.24)/0.03)))"


@pytest.mark.parametrize(
    "spec", [f"{SET_A} [cm2/s]", {"expression": SET_A, "unit": "cm2/s", "kind": "self"}]
)
def test_a_formula(spec: object) -> None:
    law = parsed("D_ab", spec)
    theta = np.linspace(0.1, 0.99, 50)
    expected = material("nmc88").D
    np.testing.assert_allclose(law.evaluate(theta), expected.evaluate(theta), rtol=1e-13)
    np.testing.assert_allclose(law.derivative(theta), expected.derivative(theta), rtol=1e-11)
    assert law.text == f"{SET_A} cm2/s"
    assert law.valid == (0.0, 1.0)
    assert law.closed_form


def test_a_formula_with_range_kind_source_and_note() -> None:
    spec = {
        "expression": "1e-12*theta",
        "unit": "cm2/s",
        "valid": [0.2, 1],
        "kind": "chemical",
        "source": "our GITT",
        "note": "25 degC",
    }
    law = parsed("D", spec)
    assert (law.symbol, law.kind, law.valid) == ("D_chem", "chemical", (0.2, 1.0))
    assert (law.source, law.note) == ("our GITT", "25 degC")


def test_an_exchange_current_stays_off_the_poles_of_its_slope() -> None:
    assert parsed("i0", "5*sqrt(theta*(1-theta)) [A/m2]").valid == (0.001, 0.999)
    (sentence,) = refused(
        "i0", {"expression": "5*sqrt(theta*(1-theta))", "unit": "A/m2", "valid": [0, 1]}
    )
    assert sentence.startswith("is not finite, or its slope is not, at theta = 0;")


def test_a_table(tmp_path: Path) -> None:
    rows = "\n".join(f"{x:.3f},{3.4 + x:.4f}" for x in np.linspace(0, 0.9, 10))
    (tmp_path / "ocv.csv").write_text(f"extracted,U [V]\n{rows}\n")
    law = parsed("U", {"table": "ocv.csv"}, tmp_path)
    assert law.valid == pytest.approx((0.1, 1.0))
    assert law.evaluate(0.3) == pytest.approx(3.4 + 0.7)
    assert law.path == tmp_path / "ocv.csv"
    assert law.source == "ocv.csv"
    narrowed = parsed("U", {"table": "ocv.csv", "valid": [0.2, 0.9]}, tmp_path)
    assert narrowed.valid == (0.2, 0.9)
    (sentence,) = refused("U", {"table": "ocv.csv", "valid": [0.05, 0.9]}, tmp_path)
    assert sentence == "has valid = [0.05, 0.9], but its table covers theta 0.1 .. 1 only"
    (sentence,) = refused("U", {"table": "ocv.csv"}, tmp_path, needs=(0.05, 0.95))
    assert sentence.startswith("covers theta 0.1 .. 1 only, and 0.05 .. 0.95 is needed")


@pytest.mark.parametrize(
    ("symbol", "spec", "sentence"),
    [
        ("U", "nmc811_sturm", "is no law of U in the library; did you mean"),
        ("U", "zinc", "is no law of U in the library; it has nmc811_sturm2019"),
        ("D_ab", "nmc811_oregan2022", "is a chemical diffusivity; write D_chem = "),
        ("D_ab", "1e-15", 'has no unit; write "1e-15 m2/s"'),
        ("D_ab", 1e-15, 'has no unit; write "1e-15 m2/s"'),
        ("D_ab", "1e-15 m", "is a length, and a diffusivity is needed"),
        ("D_ab", "-1e-15 m2/s", "is -1e-15 m2/s; it must be positive"),
        ("i0", "0 A/m2", "is 0 A/m2; it must be positive"),
        ("U", "3.9 V", "is a constant; an OCV must fall with theta"),
        ("U", "2 + 1 [V]", "is a constant; an OCV must fall with theta"),
        ("D_ab", "1e-15*theta", 'is a formula without a unit; write "1e-15*theta [m2/s]"'),
        ("D_ab", "10**(-12)", 'is a formula without a unit; write "10**(-12) [m2/s]"'),
        ("D_ab", "theta [m]", 'has unit = "m", which is a length, and a diffusivity is needed'),
        ("D_ab", "theta []", 'has no unit; add unit = "m2/s"'),
        ("D_ab", {"expression": "theta"}, 'has no unit; add unit = "m2/s"'),
        ("U", "ocv.csv", 'is a file; write { table = "ocv.csv", x = "theta", unit = "V" }'),
        ("U", {}, "has no law; write exactly one of law, constant, expression, table"),
        ("U", {"unit": "V"}, "has no law; write exactly one of"),
        ("U", {"table": "a", "expression": "b"}, "has expression and table; write exactly one"),
        ("i0", {"constant": "1 A/m2", "kind": "self"}, "has a kind, which only a diffusivity"),
        ("D", "1e-15 m2/s", 'does not say which diffusivity it is; write kind = "chemical"'),
        ("D", {"constant": "1e-15 m2/s", "kind": "fast"}, 'has kind = "fast"; write kind ='),
        (
            "D_ab",
            {"constant": "1e-15 m2/s", "kind": "chemical"},
            'has kind = "chemical", but D_ab is "self"',
        ),
        ("D_ab", {"constant": "1e-15 m2/s", "valid": [0.9, 0.2]}, "has valid = [0.9, 0.2]; write"),
        ("D_ab", {"constant": "1e-15 m2/s", "valid": "all"}, "has valid = 'all'; write two"),
        ("D_ab", {"constant": "1e-15 m2/s", "valid": [0, True]}, "has valid = [0, True]; write"),
        ("U", {"law": 3}, "has law = 3, which must be a text"),
        ("U", {"table": "a.csv", "x_column": 1.5}, "has x_column = 1.5, which must be a name"),
        ("D_ab", "1/theta [m2/s]", "is not finite, or its slope is not, at theta = 0;"),
    ],
)
def test_refuses_by_sentence(symbol: str, spec: object, sentence: str) -> None:
    (message,) = refused(symbol, spec)
    assert sentence in message


def test_all_mistakes_at_once() -> None:
    messages = refused("D", {"constant": "1e-15 m2/s", "valdi": [0, 1], "note": 3})
    assert messages[0] == 'has the unknown key "valdi"; did you mean "valid"?'
    assert messages[1] == "has note = 3, which must be a text"
    messages = refused("D", {"constant": "1e-15 m2/s", "valid": [2, 3]})
    assert len(messages) == 2
    (message,) = refused("D", {"constant": "1 m2/s", "zzz": 1})
    assert message.endswith("it takes constant, valid, kind, source, note")


def test_a_mistake_in_a_formula_keeps_its_column() -> None:
    with pytest.raises(LawError) as caught:
        parsed("D_ab", "1e-12*thetaa [cm2/s]")
    (mistake,) = caught.value.mistakes
    assert (mistake.text, mistake.column) == ("1e-12*thetaa", 6)
    assert mistake.message == 'unknown name "thetaa"; did you mean "theta"?'
