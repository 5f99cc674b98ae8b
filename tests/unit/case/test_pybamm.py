"""Sentences mean what PyBaMM makes of them (its currents are positive on discharge)."""

from __future__ import annotations

import warnings

import pytest

from nmcsim.case.grammar import parse_step
from nmcsim.case.steps import Current

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # PyBaMM's own, on import
    pybamm = pytest.importorskip("pybamm", reason="PyBaMM is not installed (extra: bench)")

SENTENCES = [
    "Charge at 1C until 4.3 V",
    "Discharge at C/5 for 2 hours or until 3.0 V",
    "Discharge at 1C for 0.5 hours or until 3.3 V",
    "Charge at 200 mA for 45 minutes or until 4.1 V",
    "Charge at 0.5 A for 10 seconds",
    "Hold at 4.3 V until C/50",
    "Hold at 4.1 V for 20 seconds",
    "Hold at 4.2V for 30 minutes or until 50 mA",
    "Rest for 1 hour",
    "Rest for 90 minutes",
    "Charge at 2.5C for 1 h",
]


@pytest.mark.parametrize("sentence", SENTENCES)
def test_a_sentence_means_the_same_to_pybamm(sentence: str):
    theirs = pybamm.step.string(sentence)
    ours = parse_step(sentence)
    kind = type(theirs).__name__
    if isinstance(ours.value, Current):
        named = "Rest" if ours.kind == "rest" else "Current"
        assert kind == ("CRate" if ours.value.of_capacity else named)
        assert theirs.value == pytest.approx(-ours.value.amount)
    else:
        assert (kind, theirs.value) == ("Voltage", pytest.approx(ours.value))
    times = [end.value for end in ours.until if end.quantity == "time"]
    if times:
        assert theirs.duration == pytest.approx(times[0])
    ends = {type(end).__name__.removesuffix("Termination"): end.value for end in theirs.termination}
    for end in ours.until:
        if end.quantity == "voltage":
            assert ends.pop("Voltage") == pytest.approx(end.value)
        elif end.quantity == "current":
            assert ends.pop("CRate" if end.value.of_capacity else "Current") == pytest.approx(
                end.value.amount
            )
    assert not ends
