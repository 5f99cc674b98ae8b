"""What ``--vary`` says: intervals, units, scales, starts, and every mistake in one sentence."""

from __future__ import annotations

import math

import pytest

from nmcsim.errors import InputError
from nmcsim.fitting.varied import Varied, asked, varied


def one(text: str, given: object = None) -> Varied:
    (found,) = asked(text)
    return varied(found, given)


@pytest.mark.parametrize(
    ("text", "given", "expected"),
    [
        ("a.b=0.1:0.9", 0.5, ("1", 0.1, 0.9, 0.5, False)),
        # the unit once is enough, as one word for a shell
        ("a.b=2:3um", "2500 nm", ("um", 2.0, 3.0, 2.5, False)),
        ("a.b=2 um:3000 nm", "2.5 um", ("um", 2.0, 3.0, 2.5, False)),
        ("a.b=2um:3", "2.5 um", ("um", 2.0, 3.0, 2.5, False)),
        # two decades and more are logarithmic, unless said otherwise
        ("a.b=1e-16:1e-14 m2/s", "1e-15 m2/s", ("m2/s", 1e-16, 1e-14, 1e-15, True)),
        ("a.b=1e-16:1e-14 m2/s:linear", "1e-15 m2/s", ("m2/s", 1e-16, 1e-14, 1e-15, False)),
        ("a.b=1:10:log", 2, ("1", 1.0, 10.0, 2.0, True)),
        ("a.b=-1:100", 0, ("1", -1.0, 100.0, 0.0, False)),
        ("k=0.1:10@1", None, ("1", 0.1, 10.0, 1.0, True)),
        ("a.b=2:3um:log@2.1", "99 um", ("um", 2.0, 3.0, 2.1, True)),
        ("n=C/5:2C", "1C", ("C", 0.2, 2.0, 1.0, False)),
    ],
)
def test_an_interval(text: str, given: object, expected: tuple[object, ...]):
    found = one(text, given)
    assert (found.unit, found.low, found.high, found.start, found.log) == expected


@pytest.mark.parametrize("log", [False, True])
def test_shares_and_values_are_inverse(log: bool):
    v = Varied("k", "um", 0.5, 80.0, 2.0, log)
    assert v.value(0.0) == 0.5 and v.value(1.0) == 80.0
    for share in (0.0, 0.2, 0.77, 1.0):
        assert v.share(v.value(share)) == pytest.approx(share, abs=1e-11)
    # dp/du = (80 - 0.5) or p ln(160)
    assert v.slope(2.0) == pytest.approx(2.0 * math.log(160.0) if log else 79.5)
    assert v.written(2.5) == "2.5 um" and Varied("k", "1", 0, 1, 0).written(0.25) == 0.25


def test_a_mapping_says_the_same():
    pair, text = asked({"a.b": (0.1, 0.9), "c.d": "1:2 um@1.5"})
    assert (pair.key, pair.low, pair.high) == ("a.b", 0.1, 0.9)
    assert (text.low, text.high, text.start) == ("1 um", "2 um", "1.5 um")
    (bare,) = asked({"a.b": ("2 um", "3 um")})
    assert varied(bare, "2.5 um").unit == "um"


@pytest.mark.parametrize(
    ("text", "given", "sentence"),
    [
        ("a.b", 1, "--vary a.b has no interval; write KEY=LO:HI"),
        ("=1:2", 1, "has no interval"),
        ("a.b=1", 1, "--vary a.b=1 is no interval; write KEY=LO:HI"),
        ("a.b=1:2:3", 1, "is no interval"),
        ("a.b=1:2@", 1, "is no interval"),
        ("a.b=0.9:0.1", 0.5, "has ends that are reversed; write --vary a.b=0.1:0.9"),
        ("a.b=3:2um", "2.5 um", "are reversed; write --vary a.b=2um:3um"),
        ("a.b=3 um:2 um", "2.5 um", "are reversed; write --vary 'a.b=2 um:3 um'"),
        ("a.b=1:1", 1, "has ends that are equal; write two different ones"),
        ("a.b=0.6:0.9", 0.5, "does not hold the start 0.5 of the case; widen it, or add @START"),
        ("a.b=2:3um@4um", "2.5 um", "does not hold the start 4 um; widen it"),
        ("a.b=0:1:log", 0.5, "needs a lower end above 0 for a logarithmic scale"),
        ("a.b=2:3", "2.5 um", "has no unit; write it once, as in --vary a.b=LO:HIum"),
        ("a.b=2:3 s", "2.5 um", "mixes s and um"),
        ("a.b=red:blue", 0.5, "has red, which is no number, with or without a unit"),
        ("a.b=0:1", "arc", 'is a text in the case ("arc"); a fit varies numbers'),
        ("a.b=1:2 m2/s", "2e-15*theta [m2/s]", "is a formula in the case"),
        ("a.b=0:1", [1, 2], "is a list in the case; a fit varies numbers"),
        ("a.b=0:1", True, "is no number in the case; a fit varies numbers"),
        ("a.b=0.1:1", None, "has no value in the case to start from; write one after the interval"),
    ],
)
def test_mistakes(text: str, given: object, sentence: str):
    with pytest.raises(InputError) as caught:
        one(text, given)
    assert sentence in str(caught.value) and "\n" not in str(caught.value)


def test_all_mistakes_of_a_mapping_are_said_at_once():
    with pytest.raises(InputError) as caught:
        asked({"a": 3, "b": "1"})
    assert len(caught.value.mistakes) == 2
