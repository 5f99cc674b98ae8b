"""Protocol sentences: PyBaMM's meaning, carets at the word, no crash on any text."""

from __future__ import annotations

import math

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from nmcsim.case.grammar import c_rate_column, capacity_basis, parse_ends, parse_step
from nmcsim.case.steps import Charge, Current, Step, Until
from nmcsim.errors import InputError, Mistake

FINE = [
    (
        "Charge at 1C until 4.3 V",
        ("charge", "current", Current(1.0, True), (Until("voltage", 4.3),)),
    ),
    (
        "Discharge at C/5 for 2 hours or until 3.0 V",
        (
            "discharge",
            "current",
            Current(-0.2, True),
            (Until("time", 7200.0), Until("voltage", 3.0)),
        ),
    ),
    (
        "Hold at 4.3 V until C/50",
        ("hold", "voltage", 4.3, (Until("current", Current(0.02, True)),)),
    ),
    (
        "hold at 4200 mV for 30 minutes or until 50 mA",
        (
            "hold",
            "voltage",
            4.2,
            (Until("time", 1800.0), Until("current", Current(0.05))),
        ),
    ),
    ("Rest for 1 hour", ("rest", "current", Current(0.0), (Until("time", 3600.0),))),
    ("CHARGE AT 0.5nA FOR 10min", ("charge", "current", Current(5e-10), (Until("time", 600.0),))),
    (
        "charge at C/2.5 until 120 mAh/g",
        # 120 mAh/g = 120e-3 * 3600 A s / 1e-3 kg
        ("charge", "current", Current(0.4, True), (Until("capacity", Charge(432000.0, True)),)),
    ),
    (
        "Charge at 2.5 C until 4.1 V or for 3 h",
        ("charge", "current", Current(2.5, True), (Until("voltage", 4.1), Until("time", 10800.0))),
    ),
    (
        "Discharge at 2 µA until 3 V",
        ("discharge", "current", Current(-2e-6), (Until("voltage", 3.0),)),
    ),
]


@pytest.mark.parametrize(("text", "meaning"), FINE)
def test_a_sentence_has_its_meaning(text, meaning):
    step = parse_step(text)
    kind, control, value, until = meaning
    assert (step.text, step.kind, step.control) == (text, kind, control)
    assert step.value == pytest.approx(value) if isinstance(value, float) else step.value == value
    assert _close(step.until, until)


def _close(a: tuple[Until, ...], b: tuple[Until, ...]) -> bool:
    """Equal up to the rounding of one product."""
    return [end.quantity for end in a] == [end.quantity for end in b] and all(
        math.isclose(_number(x.value), _number(y.value), rel_tol=1e-14)
        for x, y in zip(a, b, strict=True)
    )


def _number(value: object) -> float:
    return value.amount if isinstance(value, Current | Charge) else value


@pytest.mark.parametrize(
    ("text", "column", "message"),
    [
        ("Charge at 1C untill 4.3 V", 13, 'expected "until" or "for"'),
        ("Chrge at 1C until 4 V", 0, 'did you mean "charge"?'),
        ("", 0, 'expected "charge", "discharge", "hold" or "rest"'),
        ("Charge 1C until 4 V", 7, 'expected "at"'),
        ("Charge at 1C", 12, 'expected "until" or "for"'),
        ("Charge at 1 W until 4 V", 10, "constant power is not supported"),
        ("Discharge at 5 ohm until 3 V", 13, "constant resistance is not supported"),
        ("Charge at 4.3 V for 1 h", 10, 'write "Hold at 4.3 V"'),
        ("Hold at 1C for 1 h", 8, "a hold needs a voltage"),
        ("Hold at 4.3 V until 4.2 V", 20, "a hold keeps its voltage"),
        ("Charge at 1C until C/50", 19, "a charge step has a fixed current"),
        ("Rest until 5 mAh/g", 11, "no charge passes at rest"),
        ("Charge at -1C until 4 V", 10, "a number has no sign here"),
        ("Charge at 1,5C until 4 V", 11, "a decimal point is written with a point"),
        ("Charge at 1C until 4.3", 22, "expected a unit"),
        ("Charge at 1C until 4.3 X", 23, "is not a unit here"),
        ("Charge at 1C for 2 days", 19, "expected a unit of time"),
        ("Charge at C5 until 4 V", 10, "expected a C-rate"),
        ("Charge at C/0 until 4 V", 12, "must be above 0"),
        ("Charge at 1e999 A until 4 V", 10, "must be above 0 and finite"),
        ("Charge at 1C until 4 V and rest", 23, 'expected "or" or the end of the step'),
        ("Charge at 1C until 4 V; rest", 22, "is not a character of a step"),
    ],
)
def test_a_mistake_points_at_the_word(text, column, message):
    with pytest.raises(InputError) as caught:
        parse_step(text)
    (mistake,) = caught.value.mistakes
    assert message in mistake.message
    assert mistake.column == column


def test_the_caret_stands_below_the_word():
    with pytest.raises(InputError) as caught:
        parse_step("Charge at 1C untill 4.3 V")
    *_, quoted, caret = str(caught.value).splitlines()
    assert quoted[caret.index("^") :].startswith("untill")


@settings(deadline=None, max_examples=300)
@given(st.text(max_size=60))
@example("Charge at " + "9" * 50 + "C until 4 V")
@example("Ⅷ at ² C")
def test_any_text_is_a_step_or_a_mistake(text):
    mistake = _mistake_in(text)
    assert mistake is None or 0 <= mistake.column <= len(text)


def _mistake_in(text: str) -> Mistake | None:
    try:
        parse_step(text)
    except InputError as error:
        return error.mistakes[0]
    return None


WORDS = ["charge", "discharge", "hold", "rest", "at", "for", "until", "or", "1", "4.3", "2e-3"]
WORDS += ["c", "/", "v", "mV", "A", "nA", "mAh", "g", "kg", "h", "min", "W", "-", "."]


@settings(deadline=None, max_examples=300)
@given(st.lists(st.sampled_from(WORDS), max_size=14), st.sampled_from(["", " "]))
def test_any_words_of_the_grammar_are_a_step_or_a_mistake(words, blank):
    mistake = _mistake_in(blank.join(words))
    assert mistake is None or mistake.column is not None


amounts = st.floats(min_value=1e-12, max_value=1e6)
currents = st.builds(Current, amounts, st.booleans())
charges = st.builds(Charge, amounts, st.booleans())
times = st.builds(Until, st.just("time"), amounts)
volts = st.builds(Until, st.just("voltage"), amounts)
capacities = st.builds(Until, st.just("capacity"), charges)
decays = st.builds(Until, st.just("current"), currents)


def _several(*ends):
    return st.lists(st.one_of(*ends), min_size=1, max_size=3).map(tuple)


def _steps(kind, control, value, ends):
    return st.builds(Step, st.just(""), st.just(kind), st.just(control), value, ends)


@settings(deadline=None)
@given(
    st.one_of(
        _steps("charge", "current", currents, _several(times, volts, capacities)),
        _steps(
            "discharge",
            "current",
            currents.map(lambda c: Current(-c.amount, c.of_capacity)),
            _several(times, volts, capacities),
        ),
        _steps("hold", "voltage", amounts, _several(times, decays, capacities)),
        _steps("rest", "current", st.just(Current(0.0)), _several(times, volts)),
    )
)
def test_what_is_understood_is_said_in_a_sentence_that_means_the_same(step):
    again = parse_step(step.sentence())
    assert (again.kind, again.control, again.value) == (step.kind, step.control, step.value)
    assert _close(again.until, step.until)


def test_ends_alone_may_begin_without_a_word():
    assert parse_ends("4.2 V or for 2 h") == parse_ends("until 4.2 V or for 2 h")


def test_the_first_c_rate_of_a_sentence_is_found():
    assert c_rate_column("Hold at 4.3 V until C/50") == 20
    assert c_rate_column("Rest for 1 h") is None


def test_a_capacity_is_per_mass_or_of_the_particle():
    assert capacity_basis("200 mAh/g").coulombs(1e-3) == pytest.approx(720.0)  # 0.2 A * 3600 s
    assert capacity_basis("0.3 nAh").coulombs(1.0) == pytest.approx(1.08e-6)  # 0.3e-9 * 3600
    with pytest.raises(InputError, match="must be a capacity"):
        capacity_basis("4 V")
    with pytest.raises(InputError, match="must be a capacity"):
        capacity_basis("200 mAh/g or so")


def test_a_step_is_expected_to_last_as_long_as_its_current_or_its_time():
    # 1C of 1 A: half the capacity at C/2 takes as long as all of it at 1C
    assert parse_step("Charge at C/2 until 4.3 V").expected_duration(1.0) == pytest.approx(7200.0)
    assert parse_step("Charge at C/2 for 60 s").expected_duration(1.0) == 60.0
    assert parse_step("Charge at 2 A until 1 mAh").expected_duration(None) == pytest.approx(1.8)
    assert parse_step("Hold at 4.3 V until C/50").expected_duration(1.0) == 3600.0


def test_a_c_rate_needs_the_current_of_one_c():
    assert Current(2.0, True).amperes(3.0) == 6.0
    with pytest.raises(ValueError, match="needs the current of 1C"):
        Current(2.0, True).amperes(None)
