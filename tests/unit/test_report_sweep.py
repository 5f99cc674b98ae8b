"""The parts of a sweep's page without a browser: columns, packing, tables, links, size."""

from __future__ import annotations

import base64
import json
import math
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nmcsim import __version__
from nmcsim.errors import InputError
from nmcsim.report.sweep import write_sweep_report
from nmcsim.report.sweep_data import (
    BUDGET,
    FEW,
    LEAST,
    ROWS,
    Column,
    columns_of,
    first_shown,
    pack_curves,
    rows_for,
    shown_in,
)
from nmcsim.report.sweep_tables import cards, failures, varied, versions
from nmcsim.sweeps.plan import Parameter
from nmcsim.sweeps.record import Curve, Observable, Record
from tests.synthetic_sweep import COVERAGE, RATE, synthetic_plan, synthetic_sweep


def record(**fields: Any) -> Record:
    return Record(**({"hash": "0a", "status": "finished", "version": "1"} | fields))


def curve(*values: float, unit: str = "V") -> Curve:
    return Curve(tuple(values), unit, "V", "voltage")


def column(values: list[float], *, parameter: bool = True) -> Column:
    return Column("x", "x", "", values, parameter)


def page_of(directory: Path) -> tuple[str, dict[str, Any]]:
    """The page and the data in it."""
    text = write_sweep_report(directory).read_text(encoding="utf-8")
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', text, re.DOTALL)
    assert found is not None
    return text, json.loads(found[1])


def unpacked(packed: dict[str, Any], number: int, case: int) -> list[float]:
    values = np.frombuffer(base64.b64decode(packed["quantities"][number]["data"]), "<f4")
    return list(values[packed["begins"][case] : packed["begins"][case + 1]])


# -- columns ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([1.0, 2.0, 5.0, 10.0, 20.0], True),
        ([1e-9, 1e-8, 1e-7, math.nan], True),
        ([0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0], False),
        ([0.0, 1.0, 10.0, 100.0], False),
        ([-1.0, 10.0, 100.0], False),
        ([1.0, 2.0, 4.0], False),
        ([2.0], False),
        ([math.nan], False),
    ],
)
def test_an_axis_is_logarithmic_where_values_are_spaced_so(
    values: list[float], expected: bool
) -> None:
    assert column(values).logarithmic is expected


def test_an_observable_needs_two_decades_for_a_logarithmic_axis() -> None:
    values = [1.0, 2.0, 5.0, 10.0, 20.0]
    assert not column(values, parameter=False).logarithmic
    assert column([1e-3 * v**3 for v in values], parameter=False).logarithmic


def test_rounding_is_no_difference() -> None:
    assert not column([0.3, 0.3 + 1e-15, math.nan]).differs
    assert column([0.3, 0.31]).differs


def test_parameters_are_read_in_their_unit_and_texts_in_their_order() -> None:
    plan = synthetic_plan(12)
    named = (Parameter(COVERAGE, "um", True), *plan.parameters[1:])
    coverage, ratio, rate = columns_of(replace(plan, parameters=named), [None] * 12)
    assert (coverage.label, coverage.unit) == ("coverage", "µm")
    assert (ratio.label, ratio.unit) == ("flux ratio", "")
    assert rate.levels == ("C/3", "1C", "5C") and rate.values[:3] == [0, 1, 2]
    assert coverage.values[0] == 0.0 and not rate.numeric and rate.span is None


def test_parameters_of_one_name_keep_what_tells_them_apart() -> None:
    plan = synthetic_plan(12)
    keys = ("a.seed", "b.seed")
    cases = tuple(replace(c, values=dict.fromkeys(keys, 1)) for c in plan.cases)
    named = tuple(Parameter(key, "1", True) for key in keys)
    found = columns_of(replace(plan, parameters=named, cases=cases), [None] * 12)
    assert [c.label for c in found] == ["a.seed", "b.seed"]


def test_observables_are_those_of_any_record_in_units_that_people_read() -> None:
    plan = replace(synthetic_plan(12), parameters=())
    full = {
        "com_distance_max": Observable(3e-7, "m", "largest centre-of-mass distance"),
        "time_end": Observable(7200.0, "s", "time at the end"),
        "soc_end": Observable(0.5, "1", "state of charge at the end"),
        "nothing": Observable(math.nan, "1", "nowhere a number"),
    }
    late = {"time_end": full["time_end"], "own": Observable(2.0, "1", "")}
    records = [record(observables=late), None, record(observables=full, wall=3.0, ranks=2)]
    found = {c.name: c for c in columns_of(plan, records)}
    assert list(found) == ["com_distance_max", "time_end", "soc_end", "own", "cpu"]
    distance = found["com_distance_max"]
    assert (distance.label, distance.unit) == ("Largest centre-of-mass distance", "µm")
    np.testing.assert_allclose(distance.values, [math.nan, math.nan, 0.3])
    np.testing.assert_allclose(found["time_end"].values, [2.0, math.nan, 2.0])
    assert found["time_end"].unit == "h" and found["soc_end"].unit == "%"
    assert found["own"].label == "Own" and found["cpu"].values[2] == 6.0
    assert distance.packed()["values"] == [None, None, 0.3]


def test_short_times_are_read_in_minutes_and_a_variance_is_no_percentage() -> None:
    assert shown_in("time_end", "s", 7199.0) == ("min", pytest.approx(1 / 60))
    assert shown_in("soc_variance_max", "1", 0.1) == ("", 1.0)
    assert shown_in("soc", "1", 1.0) == ("%", 100.0)


def test_what_is_shown_first_differs_between_cases() -> None:
    def named(name: str, *values: float) -> Column:
        return Column(name, name, "", values, False)

    columns = [
        column([1.0, 2.0]), named("steps", 1.0, 2.0), named("com_distance_max", 1.0, 1.0),
        named("voltage_end", 1.0, 3.0), named("cpu", 1.0, 2.0),
    ]  # fmt: skip
    assert first_shown(columns, 2) == ["voltage_end", "steps"]
    assert first_shown(columns[2:3], 3) == ["com_distance_max"]
    assert first_shown([columns[0], columns[-1]], 3) == []


# -- curves -----------------------------------------------------------------------------------


def test_curves_keep_their_cases_apart() -> None:
    records = [
        record(curves={"voltage": curve(3.6, 4.2), "step": curve(1, 2)}),
        None,
        record(curves={"voltage": curve(3.5, 3.9, 4.3), "soc": curve(0, 0.5, 1, unit="1")}),
        record(curves={"voltage": curve(math.nan)}),
    ]
    packed = pack_curves(records)
    assert packed["begins"] == [0, 2, 2, 5, 6]
    names = [q["name"] for q in packed["quantities"]]
    assert sorted(names) == ["soc", "voltage"], "steps are no curve"
    at = names.index("voltage")
    assert unpacked(packed, at, 0) == pytest.approx([3.6, 4.2], rel=1e-7)
    assert unpacked(packed, at, 2) == pytest.approx([3.5, 3.9, 4.3], rel=1e-7)
    assert math.isnan(unpacked(packed, at, 3)[0])
    assert np.isnan(unpacked(packed, 1 - at, 0)).all(), "a curve that the case has not"
    assert unpacked(packed, 1 - at, 2) == [0.0, 50.0, 100.0]


def test_a_quantity_without_a_number_is_no_curve() -> None:
    assert pack_curves([record(curves={"voltage": curve(math.nan)}), None])["quantities"] == []
    assert pack_curves([]) == {"begins": [0], "quantities": []}


def test_many_cases_keep_fewer_rows_and_both_ends() -> None:
    many = [record(curves={"voltage": curve(*np.linspace(3, 4, 100))}) for _ in range(FEW + 1)]
    packed = pack_curves(many)
    first = unpacked(packed, 0, 0)
    assert len(first) == ROWS and (first[0], first[-1]) == (3.0, 4.0)
    assert len(unpacked(pack_curves(many[:-1]), 0, 0)) == 100


def test_rows_keep_the_page_below_its_size() -> None:
    assert rows_for(1000, 12) == ROWS
    assert LEAST <= rows_for(10_000, 10) < ROWS
    assert 4 * 10_000 * 10 * rows_for(10_000, 10) <= BUDGET
    assert rows_for(10**6, 10) == LEAST


# -- tables -----------------------------------------------------------------------------------


def test_counts_and_time() -> None:
    text = cards([record(wall=3000.0, ranks=2), record(status="failed", wall=math.nan), None])
    shown = re.findall(r'data-count="([^"]*)"><b>([^<]*)', text)
    assert dict(shown) == {
        "cases": "3", "finished": "1", "ended early": "0", "failed": "1", "open": "1",
        "CPU time": "100 min",
    }  # fmt: skip
    assert "<b>–</b><span>CPU time" in cards([None])


def test_what_varies_is_told_with_range_and_texts() -> None:
    texts = tuple(f"text {n}" for n in range(20))
    many = Column("words", "words", "", list(range(20)), True, texts)
    text = varied([Column("D", "D", "m2/s", [1e-15, 1e-13, 1e-14], True), many])
    assert "1 × 10<sup>−15</sup> … 1 × 10<sup>−13</sup>" in text and "m2/s" in text
    assert "logarithmic" in text
    assert "text 11 …" in text and "text 12" not in text and "<td>20</td>" in text


def test_versions_that_differ_are_told_with_their_cases() -> None:
    def of(version: str) -> Record:
        return record(version=version, versions={"petsc": "3.25"})

    assert "Computed with nmcsim 1, petsc 3.25." in versions([of("1"), None])
    assert "nmcsim 1, petsc 3.25 (2 cases); nmcsim 2" in versions([of("1"), of("1"), of("2")])
    assert "No case has a record" in versions([None])


def test_failures_are_told_with_parameters_and_cause() -> None:
    columns = [
        Column("d", "d", "µm", [1.0, 2.0, 3.0], True),
        Column("rate", "rate", "", [0, 1, 0], True, ("C/3", "<b>")),
    ]
    bad = record(status="failed", kind="time limit", cause="longer than <10> min")
    early = record(status="ended early", cause="theta & so on")
    text = failures(columns, [1, 2, 3], [record(), bad, early])
    rows = re.findall(r'<tr data-case="(\d)">(.*?)</tr>', text)
    assert [n for n, _ in rows] == ["1", "2"]
    assert "d / µm" in text and "&lt;b&gt;" in rows[0][1] and "<b>" not in text
    assert "time limit" in rows[0][1] and "longer than &lt;10&gt; min" in rows[0][1]
    assert "theta &amp; so on" in rows[1][1]
    assert "None: no case failed" in failures(columns, [1], [record()])


# -- the page ---------------------------------------------------------------------------------


def test_the_page_is_whole_escaped_and_offline(tmp_path: Path) -> None:
    plan = synthetic_sweep(tmp_path, 12, failures=1)
    evil = "</script><script>alert(1)</script>"
    replace(plan, title=evil, base={"a": evil}).write(tmp_path)
    path = tmp_path / "records" / f"{plan.cases[3].hash}.json"
    replace(Record.read(path), status="failed", cause=evil, host=evil).write(path)
    text, data = page_of(tmp_path)
    assert evil not in text and "&lt;/script&gt;&lt;script&gt;alert(1)" in text
    assert data["cause"]["3"] == evil and data["host"][3] == evil
    assert not re.search(r"""(?:src|href)=["']?(?:https?:)?//""", text)
    assert text.endswith("</html>\n") and text.count("<section") == text.count("</section>")


def test_equal_cases_share_a_record_and_links_follow_the_page(tmp_path: Path) -> None:
    folder = tmp_path / "a sweep"
    plan = synthetic_sweep(folder, 12, failures=0)
    twice = replace(plan, cases=(*plan.cases, replace(plan.cases[0], number=13)))
    twice.write(folder)
    for n, names in enumerate((("report.html", "history.h5"), ("history.h5",), ("case.toml",), ())):
        result = folder / "cases" / plan.cases[n].hash
        result.mkdir()
        for name in names:
            (result / name).touch()
    _, data = page_of(folder)
    assert data["kept"] == [3, 2, 1, 0] + 8 * [0] + [3]
    assert data["folder"] == "cases/"
    assert data["results"] == f"{folder.as_posix()}/cases/"
    assert data["columns"][3]["values"][0] == data["columns"][3]["values"][12]
    (tmp_path / "pages").mkdir()
    other = tmp_path / "pages" / "sweep.html"
    assert write_sweep_report(folder, other) == other
    assert '"folder":"../a%20sweep/cases/"' in other.read_text(encoding="utf-8")


def test_what_is_set_for_all_cases_is_told_apart_from_what_varies(tmp_path: Path) -> None:
    plan = synthetic_sweep(tmp_path, 12)
    cases = tuple(
        replace(
            c, changes=dict(c.changes) | {"numerics.rtol": 1e-5, "protocol.steps": [c.values[RATE]]}
        )
        for c in plan.cases
    )
    limits = {"time_limit": 600.0, "memory_limit": 2e9, "coarse": True, "path": Path("own.toml")}
    replace(plan, cases=cases, **limits).write(tmp_path)
    text, _ = page_of(tmp_path)
    shared = text.split("Set for all cases")[1].split("Content")[0]
    assert "numerics.rtol" in shared and "protocol.steps" not in shared
    for said in ("own.toml", "10 min", "2 GB", "each case is its coarse version"):
        assert said in text


@pytest.mark.parametrize("missing", [0, 12])
def test_a_sweep_in_which_nothing_was_solved_has_an_honest_page(
    tmp_path: Path, missing: int
) -> None:
    synthetic_sweep(tmp_path, 12, failures=0, missing=missing)
    for path in (tmp_path / "records").iterdir():
        bare = replace(Record.read(path), status="failed", observables={}, curves={}, wall=math.nan)
        bare.write(path)
    text, data = page_of(tmp_path)
    assert f">{'12 open' if missing else '12 failed'}</span>" in text
    assert data["first"] == "" and data["curves"]["quantities"] == []
    assert all(c["parameter"] for c in data["columns"])


def test_a_plan_without_parameters_or_cases_has_a_page(tmp_path: Path) -> None:
    plan = synthetic_sweep(tmp_path, 12)
    replace(plan, title="", parameters=(), cases=()).write(tmp_path)
    text, data = page_of(tmp_path)
    assert "<h1>Sweep</h1>" in text and "nothing varies" in text and data["number"] == []


def test_another_directory_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is not the directory of a sweep"):
        write_sweep_report(tmp_path)


def test_what_another_version_solved_is_shown(tmp_path: Path) -> None:
    synthetic_sweep(tmp_path, 12, failures=0)
    for path in (tmp_path / "records").iterdir():
        replace(Record.read(path), version="0.0.0").write(path)
    assert ">12 open</span>" not in page_of(tmp_path)[0]


def test_the_page_of_a_thousand_cases_is_small(tmp_path: Path) -> None:
    plan = synthetic_plan(12)
    cases = tuple(replace(plan.cases[n % 12], number=n + 1, hash=f"{n:016x}") for n in range(1000))
    replace(plan, cases=cases).write(tmp_path)
    noise = np.random.default_rng(1).random((12, 100))
    curves = {f"curve {k}": curve(*row) for k, row in enumerate(noise)}
    (tmp_path / "records").mkdir()
    path = tmp_path / "records" / "one.json"
    record(hash="HASH", version=__version__, curves=curves).write(path)
    content = path.read_text(encoding="utf-8")
    path.unlink()
    for case in cases:
        file = path.with_name(f"{case.hash}.json")
        file.write_text(content.replace("HASH", case.hash), encoding="utf-8")
    assert write_sweep_report(tmp_path).stat().st_size < 8e6
