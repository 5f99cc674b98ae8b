"""Lists, ranges and samples: which values they give, in which unit."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from nmcsim.errors import InputError
from nmcsim.sweeps.axes import Parameter, listed, ranged, short_names
from nmcsim.sweeps.plan import read_sweep
from tests.unit.sweeps.sweeping import CASE, ROOT, plan, sentence, sentences


def column(text: str, key: str) -> list[object]:
    return [planned.values[key] for planned in plan(text).cases]


def changed(text: str, key: str) -> list[object]:
    return [planned.changes[key] for planned in plan(text).cases]


# -- lists ----------------------------------------------------------------------------------------


def test_quantities_are_numbers_in_the_unit_of_the_first():
    text = '[sweep.grid]\ngeometry.diameter = ["1 um", "500 nm", "0.002 mm"]'
    assert column(text, "geometry.diameter") == [1.0, 0.5, 2.0]
    assert changed(text, "geometry.diameter") == ["1 um", "500 nm", "0.002 mm"]
    assert plan(text).parameters == (Parameter("geometry.diameter", "um", True),)


def test_c_rates_are_numbers_whichever_way_they_are_written():
    axis = listed("here", "rate", ["C/4", "1C", "2.5 C"])
    assert axis.values == (0.25, 1.0, 2.5)
    assert axis.parameter == Parameter("rate", "C", True)
    assert axis.given == ("C/4", "1C", "2.5 C")


@pytest.mark.parametrize(
    ("given", "values"),
    [
        (["flux", "butler_volmer"], ("flux", "butler_volmer")),
        ([True, False], ("true", "false")),
        ([["Rest for 1 h"], ["Rest for 2 h"]], ('["Rest for 1 h"]', '["Rest for 2 h"]')),
        ([0.95, "0.95 - 0.1 * x"], ("0.95", "0.95 - 0.1 * x")),
        (["1 um", "2 s"], ("1 um", "2 s")),  # of two kinds: the case says which is wrong
        (["1 um", "2 cats"], ("1 um", "2 cats")),
        (["1e999 um", "1 um"], ("1e999 um", "1 um")),
        ([{"from": "a"}, {"from": "b"}], ('{ from = "a" }', '{ from = "b" }')),
    ],
)  # fmt: skip
def test_what_is_no_number_is_a_text(given, values):
    axis = listed("here", "key", given)
    assert axis.values == values
    assert axis.parameter == Parameter("key", "", False)
    assert axis.given == tuple(given)


def test_numbers_stay_what_they_are():
    assert listed("here", "key", [1, 2.5]).values == (1, 2.5)
    assert isinstance(listed("here", "key", [1, 2.5]).values[0], int)


def test_an_empty_list_is_refused():
    assert sentence("[sweep.grid]\nnumerics.rtol = []").startswith(
        "sweep.grid.numerics.rtol is an empty list"
    )


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ("[0.1, nan]", "rtol[1] = nan must be a finite number"),
        ("[2026-01-01]", "rtol[0] holds a date or a time of day, which no key takes"),
    ],
)
def test_a_list_holds_what_a_key_may_take(values, message):
    assert message in sentence(f"[sweep.grid]\nnumerics.rtol = {values}")


# -- ranges ---------------------------------------------------------------------------------------


def test_a_linear_range_has_exact_ends_and_plain_values_between():
    text = "[sweep.grid]\nphysics.rock_salt.coverage = { from = 0.1, to = 0.9, count = 9 }"
    wanted = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9]
    assert column(text, "physics.rock_salt.coverage") == wanted
    assert changed(text, "physics.rock_salt.coverage") == wanted


def test_a_range_may_fall_and_mix_units():
    table = {"from": "4 um", "to": "1000 nm", "count": 4}
    axis = ranged("here", "key", table, integer=False)
    assert axis.values == (4.0, 3.0, 2.0, 1.0)
    assert axis.given == ("4 um", "3 um", "2 um", "1000 nm")


def test_a_log_range_has_equal_ratios():
    table = {"from": "1 um", "to": "4 um", "count": 5, "scale": "log"}
    axis = ranged("here", "key", table, integer=False)
    ratios = [b / a for a, b in zip(axis.values, axis.values[1:], strict=False)]
    assert ratios == pytest.approx([math.sqrt(2.0)] * 4, rel=1e-11)
    assert (axis.values[0], axis.values[-1]) == (1.0, 4.0)
    assert axis.given[1] == "1.41421356237 um"
    negative = {"from": -1.0, "to": -100.0, "count": 3, "scale": "log"}
    assert ranged("here", "key", negative, integer=False).values == (-1.0, -10.0, -100.0)


def test_a_range_of_c_rates_is_written_as_the_grammar_reads_it():
    text = """
    [sweep.set]
    protocol.steps = ["Charge at {rate} until 4.3 V"]
    [sweep.grid]
    rate = { from = "C/2", to = "2C", count = 3, scale = "log" }
    """
    assert column(text, "rate") == [0.5, 1.0, 2.0]
    assert [steps[0].split()[2] for steps in changed(text, "protocol.steps")] == ["C/2", "1C", "2C"]


def test_a_range_over_a_whole_number_gives_whole_numbers():
    text = """
    [sweep.set]
    physics.rock_salt.arrangement = "patches"
    [sweep.grid]
    physics.rock_salt.patches = { from = 1, to = 32, count = 6, scale = "log" }
    """
    found = changed(text, "physics.rock_salt.patches")
    assert found == [1, 2, 4, 8, 16, 32]
    assert all(isinstance(value, int) for value in found)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ('from = "1 um", to = 4, count = 3', "X.to = 4 must have a unit where the other end has"),
        ('from = "1 um", to = "4 s", count = 3', 'X.to = "4 s" cannot be expressed in um, the'),
        ('from = "a", to = "4 um", count = 3', 'X.from = "a" is no number, with or without a'),
        ("from = true, to = 4, count = 3", "X.from = true is no number"),
        ("from = inf, to = 4, count = 3", "X.from = inf is no number"),
        (f"from = 1, to = 1{400 * '0'}, count = 3", "X.to is no number"),
        ("from = 1, to = 1, count = 3", "X begins where it ends"),
        ("from = 1, to = 2, count = 1", "X.count = 1 is out of range; it must be at least 2"),
        ("from = 1, to = 2, count = 1000000", "X.count = 1000000 is out of range"),
        ("from = 1, to = 2", "X.count is missing; write count = 5"),
        ("from = 1, too = 2, count = 2", 'X.too is not a key here; did you mean "to"?'),
        ('from = 0, to = 1, count = 3, scale = "log"', "needs two ends of one sign, not 0 and 1"),
        ('from = -1, to = 1, count = 3, scale = "log"', "needs two ends of one sign, not -1 and 1"),
        ('from = 1, to = 2, count = 3, scale = "ln"', 'X.scale = "ln" must be "linear" or "log"'),
    ],
)  # fmt: skip
def test_a_wrong_range_is_refused(table, message):
    found = sentences(f"[sweep.grid]\nnumerics.rtol = {{ {table} }}")
    assert any(message.replace("X", "sweep.grid.numerics.rtol") in said for said in found), found


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("from = 1, to = 4, count = 3", "meets 2.5, and the key takes whole numbers; take another"),
        ("from = 1.5, to = 4, count = 3", "patches.from = 1.5 must be a whole number"),
        ('from = 1, to = 4, count = 6, scale = "log"', "meets 1 more than once; take a smaller"),
    ],
)  # fmt: skip
def test_a_range_that_misses_whole_numbers_is_refused(table, message):
    setting = '[sweep.set]\nphysics.rock_salt.arrangement = "patches"\n'
    assert message in sentence(f"{setting}[sweep.grid]\nphysics.rock_salt.patches = {{ {table} }}")


def test_a_shape_of_ones_own_says_which_keys_take_whole_numbers(tmp_path: Path):
    own = (ROOT / "meshes" / "disk.py").read_text()
    (tmp_path / "own.py").write_text(
        own.replace("    diameter:", "    turns: int = 1\n    diameter:")
    )
    case = CASE.read_text().replace('shape = "disk"', 'file = "own.py"')
    text = "[sweep.grid]\ngeometry.turns = { from = 1, to = N, count = 3 }"
    (tmp_path / "case.toml").write_text(case + text.replace("N", "3"))
    found = [p.changes["geometry.turns"] for p in read_sweep(tmp_path / "case.toml").cases]
    assert found == [1, 2, 3]
    (tmp_path / "case.toml").write_text(case + text.replace("N", "4"))
    with pytest.raises(InputError, match=r"geometry\.turns meets 2\.5, and the key takes whole"):
        read_sweep(tmp_path / "case.toml")


@pytest.mark.parametrize("value", ["0.5", '"flux"', "{ count = 3 }"])
def test_an_axis_is_a_list_or_a_range(value):
    (found, *_) = sentences(f"[sweep.grid]\nnumerics.rtol = {value}")
    assert "must be a list of values, or a range such as" in found


# -- samples --------------------------------------------------------------------------------------

SAMPLE = """
[sweep.set]
physics.rock_salt.arrangement = "random"
[sweep.sample]
method = "{method}"
count = {count}
seed = {seed}
[sweep.sample.over]
geometry.diameter = {{ from = "1 um", to = "4 um", scale = "log" }}
physics.rock_salt.coverage = {{ from = 0.1, to = 0.9 }}
physics.rock_salt.patches = {{ from = 1, to = 4 }}
"""


@pytest.mark.parametrize("method", ["latin_hypercube", "sobol"])
def test_samples_fill_each_range_evenly(method):
    text = SAMPLE.format(method=method, count=16, seed=1)
    # of 16 points one lies in each sixteenth of a range, for both methods
    shares = sorted((c - 0.1) / 0.8 for c in column(text, "physics.rock_salt.coverage"))
    assert [math.floor(16 * share) for share in shares] == list(range(16))
    shares = sorted(math.log(d, 4.0) for d in column(text, "geometry.diameter"))
    assert [math.floor(16 * share) for share in shares] == list(range(16))
    patches = column(text, "physics.rock_salt.patches")
    assert sorted(patches) == 4 * [1] + 4 * [2] + 4 * [3] + 4 * [4]
    assert all(isinstance(n, int) for n in patches)
    first = plan(text).cases[0]
    assert first.changes["geometry.diameter"] == f"{first.values['geometry.diameter']} um"


def test_a_seed_gives_the_same_points_every_time():
    one, again = (plan(SAMPLE.format(method="sobol", count=8, seed=1)) for _ in range(2))
    assert one.cases == again.cases
    assert one.hash != plan(SAMPLE.format(method="sobol", count=8, seed=2)).hash


def test_a_log_sample_of_whole_numbers_stays_between_its_ends():
    text = """
    [sweep.set]
    physics.rock_salt.arrangement = "patches"
    [sweep.sample]
    count = 30
    [sweep.sample.over]
    physics.rock_salt.patches = { from = 1, to = 20, scale = "log" }
    """
    found = column(text, "physics.rock_salt.patches")
    assert (min(found), max(found)) == (1, 20)


def test_sobol_points_are_powers_of_two():
    found = sentence(SAMPLE.format(method="sobol", count=100, seed=1))
    assert found.startswith("sweep.sample.count = 100 unbalances Sobol's points")
    assert "64 or 128" in found


def test_all_wrong_ranges_of_a_sample_are_said():
    found = sentences(
        """
        [sweep.sample]
        count = 4
        [sweep.sample.over]
        physics.rock_salt.coverage = { from = 0.1, to = 0.9, count = 3 }
        physics.rock_salt.flux_ratio = { from = 0.1, to = 0.1 }
        """
    )
    places = [said.split()[0].removeprefix("sweep.sample.over.") for said in found]
    assert places == ["physics.rock_salt.coverage.count", "physics.rock_salt.flux_ratio"]


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("count = 4", "sweep.sample.over is missing"),
        ("count = 4\nover = {}", "sweep.sample.over has too few entries"),
        ('count = 4\nmethod = "random"\nover."numerics.rtol" = { from = 1e-4, to = 1e-3 }',
         'sweep.sample.method = "random" must be "latin_hypercube" or "sobol"'),
        ("count = 0\nover.numerics.rtol = { from = 1e-4, to = 1e-3 }", "sweep.sample.count = 0"),
    ],
)  # fmt: skip
def test_a_wrong_sample_is_refused(table, message):
    assert any(message in said for said in sentences(f"[sweep.sample]\n{table}"))


# -- names ----------------------------------------------------------------------------------------


def test_short_names_tell_keys_apart():
    keys = ["binder.conductivity", "contact.conductivity", "geometry.seed", "rate"]
    assert short_names(keys) == {
        "binder.conductivity": "binder.conductivity",
        "contact.conductivity": "contact.conductivity",
        "geometry.seed": "seed",
        "rate": "rate",
    }


def test_a_wrong_range_says_where_it_stands():
    with pytest.raises(InputError, match=r"^there\.count = 0 is out of range"):
        ranged("there", "key", {"from": 1, "to": 2, "count": 0}, integer=False)
