"""Quantities with units: what is read, what is refused and how, and what comes back."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nmcsim.errors import InputError
from nmcsim.units import UnitError, convert, display, parse


@pytest.mark.parametrize(
    ("text", "unit", "value"),
    [
        ("2.5 um", "m", 2.5e-6),
        ("2.5um", "m", 2.5e-6),
        ("2.5 µm", "m", 2.5e-6),
        ("2.5 μm", "m", 2.5e-6),
        ("34.7 nm", "m", 34.7e-9),
        ("200 mAh/g", "A s/kg", 7.2e5),  # 0.2 A 3600 s / 1e-3 kg
        ("2.41 A/m2", "A/m2", 2.41),
        ("1e-12 m2/s", "m2/s", 1e-12),
        ("1e-12 cm2/s", "m2/s", 1e-16),
        ("1e-12 cm^2/s", "m2/s", 1e-16),
        ("1e-12 cm**2/s", "m2/s", 1e-16),
        ("1e-12 cm²/s", "m2/s", 1e-16),
        ("1e-12 cm2 s-1", "m2/s", 1e-16),
        ("49046 mol/m3", "mol/m3", 49046.0),
        ("4.78 g/cm3", "kg/m3", 4780.0),
        ("97.46 g/mol", "kg/mol", 0.09746),
        ("295.15 K", "K", 295.15),
        ("22 degC", "K", 295.15),
        ("22 °C", "K", 295.15),
        ("-5 degC", "K", 268.15),
        ("3 mA", "A", 3e-3),
        ("3 uA", "A", 3e-6),
        ("3 nA", "A", 3e-9),
        ("3 pA", "A", 3e-12),
        ("-3 pA", "A", -3e-12),
        ("1 1/h", "1/s", 1 / 3600),
        ("1/h", "1/s", 1 / 3600),
        ("0.5 h-1", "1/s", 0.5 / 3600),
        ("2 hours", "s", 7200.0),
        ("4.3 V", "V", 4.3),
        ("50 %", "1", 0.5),
        ("0.95", "1", 0.95),
        (0.95, "1", 0.95),
        (1, "1", 1.0),
    ],
)
def test_reads_what_people_write(text: str | float, unit: str, value: float) -> None:
    assert parse(text, unit) == value  # exact: conversions are fractions


@pytest.mark.parametrize(
    ("text", "unit", "sentence"),
    [
        ("2.5", "m", 'has no unit; write "2.5 um"'),
        (2.5, "m", 'has no unit; write "2.5 um"'),
        ("1.2e-15", "m2/s", 'has no unit; write "1.2e-15 m2/s"'),
        (200, "A s/kg", 'has no unit; write "200 mAh/g"'),
        ("2.5 s", "m", 'is a time, and a length is needed; write "2.5 um"'),
        ("5 um2", "m", 'is an area, and a length is needed; write "5 um"'),
        ("0.5 V", "1", 'is a voltage, and a plain number is needed; write "0.5"'),
        ("3 m/s2", "m", 'is in "m/s2", and a length is needed; write "3 um"'),
        ("3 V", "m/s2", 'is a voltage, and a quantity in m/s2 is needed; write "3 m/s2"'),
        ("2.5 umm", "m", 'has the unknown unit "umm"; did you mean "um"?'),
        ("2.5 UM", "m", 'has the unknown unit "UM"; did you mean "um"?'),
        ("200 mAhg", "A s/kg", 'has the unknown unit "mAhg"; did you mean "mAh/g"?'),
        ("3 zzzzqq", "m", 'has the unknown unit "zzzzqq"; write "3 um"'),
        ("3 __import__", "m", 'has the unknown unit "__import__"; write "3 um"'),
        ("2.5 um//", "m", 'has the unreadable unit "um//"; write "2.5 um"'),
        ("um", "m", 'has no number; write "2.5 um"'),
        ("wide", "m", 'is not a number with a unit; write "2.5 um"'),
        ("", "m", 'is not a number with a unit; write "2.5 um"'),
        ("nan um", "m", 'is not a number with a unit; write "2.5 um"'),
        ("2.5.3 um", "m", 'is not a number with a unit; write "2.5 um"'),
        ("2,5 um", "m", 'has a decimal comma; write "2.5 um"'),
        (True, "m", 'is not a number with a unit; write "2.5 um"'),
        ("25 C", "K", 'is a charge, and a temperature is needed; write "25 degC" or "298.15 K"'),
        ("25 Celsius", "K", 'has the unknown unit "Celsius"; write "25 degC" or "298.15 K"'),
        ("1e999 m", "m", 'is too large a number; write "2.5 um"'),
    ],
)
def test_refuses_by_sentence(text: str | float, unit: str, sentence: str) -> None:
    with pytest.raises(UnitError) as caught:
        parse(text, unit)
    assert str(caught.value) == sentence
    assert isinstance(caught.value, InputError)
    assert isinstance(caught.value, ValueError)  # so it may be raised in a pydantic validator


def test_what_is_no_text_and_no_number_is_refused() -> None:
    with pytest.raises(UnitError, match="is not a number with a unit"):
        parse([2.5], "m")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "text", ["2 m**999999999", "2 m" + "*m" * 500, "2 (((((((((m", "2 m**m**m"]
)
def test_hostile_units_are_refused_at_once(text: str) -> None:
    with pytest.raises(UnitError):
        parse(text, "m")


def test_convert() -> None:
    assert convert(1.0, "cm2/s", "m2/s") == 1e-4
    assert convert(22.0, "degC", "K") == 295.15
    with pytest.raises(UnitError, match='is a length, and a voltage is needed; write "V"'):
        convert(1.0, "m", "V")


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (2.5e-6, "m", "2.5 um"),
        (1e-3, "m", "1 mm"),
        (34.7e-9, "m", "34.7 nm"),
        (9.9999999e-7, "m", "1 um"),
        (0.0, "m", "0 um"),
        (1e-12, "m", "0.001 nm"),
        (295.15, "K", "295.15 K"),
        (7.2e5, "A s/kg", "200 mAh/g"),
        (4780.0, "kg/m3", "4.78 g/cm3"),
        (1.8e-8, "A s", "5 pAh"),
        (-3e-9, "A", "-3 nA"),
        (1e-15, "m2/s", "1e-15 m2/s"),
        (0.95, "1", "0.95"),
        (0.0, "1", "0"),
        (3600.0, "s", "3600 s"),
        (1 / 3, "V", "0.333333 V"),
        (math.nan, "V", "nan V"),
        (math.inf, "1", "inf"),
        (3.0, "m/s", "3 m/s"),
    ],
)
def test_displays_as_people_write(value: float, unit: str, text: str) -> None:
    assert display(value, unit) == text


UNITS = ["m", "m2", "m3", "A", "A s", "A s/kg", "m2/s", "kg/m3", "kg/mol", "K", "V", "Pa", "1", "s"]


@settings(deadline=None)  # the first use builds pint's registry
@given(
    value=st.floats(allow_nan=False, allow_infinity=False, min_value=-1e30, max_value=1e30).filter(
        lambda v: v == 0 or abs(v) > 1e-30
    ),
    unit=st.sampled_from(UNITS),
)
def test_exact_display_reads_back_to_the_same_float(value: float, unit: str) -> None:
    assert parse(display(value, unit, exact=True), unit) == value


def test_exact_display_stays_readable() -> None:
    assert display(2.5e-6, "m", exact=True) == "2.5 um"
    assert display(7.2e5, "A s/kg", exact=True) == "200 mAh/g"
    assert display(0.1 + 0.2, "V", exact=True) == "0.30000000000000004 V"


def test_minutes_written_as_metres_are_minutes():
    with pytest.raises(UnitError, match='write "10 min"'):
        parse("10 m", "s")
