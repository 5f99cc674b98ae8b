"""A result beside measurements: pairs, units, interpolation, judgement; numbers by hand."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from nmcsim.compare import compare
from nmcsim.compare.pairs import PairCurve, pair_of_series, pair_of_value
from nmcsim.compare.record import as_table, keep
from nmcsim.compare.table import comparison_text
from nmcsim.errors import InputError
from nmcsim.measured import Measured, MeasuredSeries, Measurement
from nmcsim.results import Result
from nmcsim.units import beside
from tests.synthetic import synthetic_result


@pytest.fixture(scope="module")
def result(tmp_path_factory) -> Result:
    return Result.load(synthetic_result(tmp_path_factory.mktemp("compare") / "aged"))


def measured(*entries: Measurement, **more) -> Measured:
    return Measured("T", "S", entries, **more)


def series(x, values, u=np.nan, name="time", unit="s") -> MeasuredSeries:
    x, values = np.asarray(x, float), np.asarray(values, float)
    return MeasuredSeries(x, values, np.full(len(x), u) if np.isscalar(u) else u, name, unit)


# -- one number -----------------------------------------------------------------------------------


def test_a_value_with_its_uncertainty():
    pair = pair_of_value(Measurement("d", "um", 0.50, 0.02), 0.53, "observable")
    # 0.03 / 0.02
    assert pair.difference == pytest.approx(0.03)
    assert pair.z == pytest.approx(1.5)
    assert pair.within is True
    np.testing.assert_allclose(pair.residuals, [1.5])
    assert pair_of_value(Measurement("d", "um", 0.50, 0.02), 0.541, "").within is False


def test_a_value_without_uncertainty_is_not_judged():
    pair = pair_of_value(Measurement("d", "um", 0.50), 0.53, "observable")
    assert (pair.z, pair.within, pair.residuals.size) == (None, None, 0)
    np.testing.assert_allclose(pair.differences, [0.03])


@pytest.mark.parametrize(
    ("bound", "u", "simulated", "within", "residuals"),
    [
        ("at most", None, 13.0, True, [0.0]),
        ("at most", None, 15.0, False, []),
        ("at most", 2.0, 15.0, True, [0.5]),  # 1 beyond the limit of 14, half a deviation
        ("at most", 2.0, 20.0, False, [3.0]),
        ("at least", 2.0, 20.0, True, [0.0]),
        ("at least", None, 13.0, False, []),
    ],
)
def test_a_limit(bound, u, simulated, within, residuals):
    pair = pair_of_value(Measurement("t", "min", 14.0, u, bound=bound), simulated, "")
    assert (pair.within, pair.z) == (within, None)
    np.testing.assert_allclose(pair.residuals, residuals)


def test_a_series_where_both_have_a_value():
    u = np.array([0.1, 0.2, np.nan, 0.1])
    curve = PairCurve(
        x=np.arange(4.0), measured=np.array([1.0, 2.0, 3.0, 4.0]), uncertainty=u,
        simulated=np.array([1.1, 1.8, 3.3, np.nan]), x_name="time", x_unit="s",
        line_x=np.arange(2.0), line=np.arange(2.0),
    )  # fmt: skip
    pair = pair_of_series(Measurement("d", "um"), curve, "history")
    assert (pair.points, pair.without) == (3, 1)
    np.testing.assert_allclose(pair.differences, [0.1, -0.2, 0.3])
    np.testing.assert_allclose(pair.residuals, [1.0, -1.0])
    assert pair.rmse == pytest.approx(np.sqrt((0.01 + 0.04 + 0.09) / 3))
    assert pair.chi2 == pytest.approx(1.0)
    assert pair.within is True


# -- a result -------------------------------------------------------------------------------------


def test_an_observable_in_the_unit_of_the_measurement(result):
    end = result["time"].values[-1]
    pair = compare(result, measured(Measurement("time_end", "min", 60.0, 1.0)))["time_end"]
    assert pair.simulated == pytest.approx(end / 60.0)
    assert pair.origin == "observable"
    of = compare(result, measured(Measurement("t", "h", 1.0, observable="time_end")))["t"]
    assert of.simulated == pytest.approx(end / 3600.0)


def test_a_column_of_the_history_along_any_axis(result):
    soc, voltage = result["soc"].values, result["voltage"].values
    at = np.array([0.1, 0.4, 0.8])
    wanted = np.interp(at, soc, voltage)
    entry = Measurement("voltage", "mV", series=series(100 * at, 1e3 * wanted + 5, 10, "soc", "%"))
    pair = compare(result, measured(entry))["voltage"]
    np.testing.assert_allclose(pair.differences, -5.0, rtol=1e-9)
    assert pair.chi2 == pytest.approx(0.25)
    assert (pair.points, pair.origin, pair.within) == (3, "history", True)


def test_points_outside_the_run_are_counted(result):
    end = result["time"].values[-1]
    entry = Measurement("voltage", "V", series=series([0, end / 2, end + 1, end + 2], [4.0] * 4))
    pair = compare(result, measured(entry))["voltage"]
    assert (pair.points, pair.without) == (2, 2)
    assert pair.within is None
    assert "2 points lie where the simulation has no value" in comparison_text(
        compare(result, measured(entry))
    )


def test_a_run_that_turns_back_counts_up_to_there(tmp_path):
    cycle = Result.load(synthetic_result(tmp_path / "cycle", cycle=True))
    entry = Measurement("voltage", "V", series=series([0.2, 0.5], [4.0, 4.0], name="soc", unit="1"))
    pair = compare(cycle, measured(entry))["voltage"]
    first = cycle["step"].values == 1
    wanted = np.interp([0.2, 0.5], cycle["soc"].values[first], cycle["voltage"].values[first])
    np.testing.assert_allclose(pair.differences, wanted - 4.0)
    assert "does not turn" in pair.note
    # or the step that is meant
    later = Measurement("voltage", "V", series=entry.series, conditions={"step": 3})
    last = cycle["step"].values == 3
    x, y = cycle["soc"].values[last][::-1], cycle["voltage"].values[last][::-1]
    pair = compare(cycle, measured(later))["voltage"]
    np.testing.assert_allclose(pair.differences, np.interp([0.2, 0.5], x, y) - 4.0, atol=2e-3)
    absent = Measurement("voltage", "V", series=entry.series, conditions={"step": 9})
    assert compare(cycle, measured(absent)).unpaired[0].reason == "voltage has no row in step 9"


def test_a_sliver_has_no_distance(result):
    share, x = result["unreacted_share"].values, result["time"].values
    gone = x[share < 0.01]
    assert gone.size
    entry = Measurement("com_distance", "um", series=series([x[5], gone[0]], [0.1, 0.1]))
    pair = compare(result, measured(entry))["com_distance"]
    assert (pair.points, pair.without) == (1, 1)


def test_a_number_of_the_summary(result):
    entry = Measurement("lithium", "1", 0.0, observable="balance.lithium")
    pair = compare(result, measured(entry))["lithium"]
    assert (pair.simulated, pair.origin) == (result.summary["balance"]["lithium"], "summary")
    second = Measurement("total", "ms", 0.0, observable="timing.total")
    assert compare(result, measured(second))["total"].simulated == pytest.approx(1310.0)


def test_an_input_beside_its_source(result):
    entries = (
        Measurement("q", "Ah/kg", 200.0, observable="case.protocol.capacity"),
        Measurement("t0", "1", 0.9, 0.1, observable="case.protocol.initial"),
    )
    found = compare(result, measured(*entries))
    assert found["q"].difference == 0.0
    assert found["t0"].z == pytest.approx(0.5)
    assert found["q"].origin == "case"


UNPAIRED = [
    (Measurement("com_distence_max", "um", 1.0), "nearest: com_distance_max"),
    (Measurement("porosity", "%", 1.0), 'nothing simulated is called "porosity"'),
    (
        Measurement("time_end", "um", 1.0),
        "the simulated time_end is a time, and a length stands in the file; mend its unit",
    ),
    (
        Measurement("voltage", "V", 1.0),
        "voltage is a curve on the simulated side, and one number here; nearest: voltage_end",
    ),
    (Measurement("q", "V", series=series([0], [1])), 'nothing simulated is called "q"'),
    (Measurement("voltage", "V", series=series([-5], [1])), "no point of the series lies where"),
    (Measurement("voltage", "V", series=series([0], [1], name="cycle")), 'not along "cycle"'),
    (Measurement("capacity_discharge_1", "mAh/g", 1.0), "nothing simulated"),
    (Measurement("d", "um", missing="Fig. S4"), "Fig. S4"),
]


@pytest.mark.parametrize(("entry", "reason"), UNPAIRED, ids=[e.name for e, _ in UNPAIRED])
def test_what_cannot_be_compared_is_listed(result, entry, reason):
    found = compare(result, measured(entry))
    assert found.pairs == ()
    assert reason in found.unpaired[0].reason
    assert found.unpaired[0].missing == bool(entry.missing)
    assert found.within


def test_measurements_beside_measurements():
    one = measured(
        Measurement("a", "nm", 500.0, 10.0),
        Measurement("b", "V", series=series([0, 60], [1.0, 2.0])),
        Measurement("c", "V", series=series([0, 60], [1.0, 2.0])),
    )
    other = measured(
        Measurement("a", "um", 0.6, 0.05),
        Measurement("b", "V", series=series([0.5], [1.5], 0.1, unit="min")),
        Measurement("c", "V", series=series([0.5], [1.5], name="soc", unit="1")),
    )
    found = compare(one, other)
    assert found["a"].z == pytest.approx(-0.1 / math.hypot(0.05, 0.01))
    np.testing.assert_allclose(found["b"].differences, 0.0, atol=1e-15)
    assert found["b"].origin == "measurement"
    assert found.unpaired[0].reason == "c lies along time there, not along soc"


# -- what is written -----------------------------------------------------------------------------


def everything(result: Result) -> Measured:
    t = result["time"].values
    return measured(
        Measurement("voltage_end", "V", 4.2, 0.1, method="m <b>", source="Fig. 1"),
        Measurement("time_end", "min", 14.0, bound="at most"),
        Measurement("com_distance_max", "um", 0.2),
        Measurement("voltage", "V", series=series(t[::10], result["voltage"].values[::10], 0.01)),
        Measurement("a_name_that_is_much_too_long_for_one_line_of_a_terminal", "um", 1.0),
        Measurement("d", missing="only in Fig. S4, which was not read"),
    )


def test_the_table_fits_a_terminal(result):
    text = comparison_text(compare(result, everything(result)))
    assert max(map(len, text.splitlines())) <= 100
    assert "4.2 +- 0.1 V" in text
    assert "at most 14 min" in text
    assert "no uncertainty" in text
    assert "2 of 3 within 2 standard deviations or their limit, 1 without uncertainty" in text
    assert "without a counterpart\n  a_name_that" in text
    assert "not measured, or not read\n  d: only in Fig. S4, which was not read" in text


def test_compare_json_keeps_several_by_name(result, tmp_path):
    found = compare(result, everything(result))
    (tmp_path / "compare.json").write_text("{ broken", encoding="utf-8")
    for name in ("one", "two", "one"):
        path = keep(tmp_path, name, found)
    content = json.loads(path.read_text(encoding="utf-8"))
    assert list(content["comparisons"]) == ["one", "two"]
    pairs = {pair["name"]: pair for pair in content["comparisons"]["one"]["pairs"]}
    assert pairs["time_end"]["within"] is False
    assert pairs["com_distance_max"]["within"] is None
    assert pairs["voltage"]["rmse"] == pytest.approx(0.0, abs=1e-12)
    assert len(pairs["voltage"]["curve"]["x"]) == len(result["time"].values[::10])
    # nothing that JSON does not know
    json.dumps(as_table(found), allow_nan=False)


def test_the_report_shows_it(result, tmp_path):
    from nmcsim.report.comparison import comparison_parts

    assert comparison_parts(tmp_path) == []
    keep(tmp_path, "a <i>name</i>", compare(result, everything(result)))
    [(title, body)] = comparison_parts(tmp_path)
    assert title == "Beside a <i>name</i>"  # escaped by the page
    assert "m &lt;b&gt;" in body
    assert "at most 14" in body
    assert body.count("data:image/png;base64") == 1
    assert "only in Fig. S4" in body
    (tmp_path / "compare.json").write_text("[]", encoding="utf-8")
    assert "cannot be read" in comparison_parts(tmp_path)[0][1]


def test_the_plot_shows_points_with_errors_and_the_curve(result):
    from nmcsim.report.comparison import draw_pair

    table = as_table(compare(result, everything(result)))
    pair = next(p for p in table["pairs"] if "curve" in p)
    axes = draw_pair(pair).axes[0]
    found = {a.get_label(): a for a in axes.lines}
    points, line = found["measured"], found["simulated"]
    np.testing.assert_allclose(points.get_ydata(), result["voltage"].values[::10])
    np.testing.assert_allclose(line.get_ydata(), result["voltage"].values)
    assert axes.get_ylabel() == "Voltage / V"
    assert axes.get_xlabel() == "Time / s"
    assert len(axes.containers) == 1  # error bars


CAMERA = {"camera": {"pixel": "50 nm", "resolution": "200 nm"}, "optical": {"drift": "none"}}


def test_through_the_camera(result):
    soc, d = result["soc"].values, result["com_distance"].values
    at = np.array([0.05, 0.08])
    curve = Measurement("com_distance", "um", series=series(at, np.interp(at, soc, 1e6 * d), 0.1,
                                                            "soc", "1"))  # fmt: skip
    entries = (curve, Measurement("time_end", "min", 60.0))
    found = compare(result, measured(*entries, operators=CAMERA))
    pair = found["com_distance"]
    assert pair.origin == "frames"
    # blur and pixels shift the distance by less than one resolution element
    assert np.abs(pair.differences).max() < 0.2
    assert np.abs(pair.differences).max() > 1e-6  # it is not the history
    assert found["time_end"].origin == "observable"
    assert found.settings == CAMERA
    assert "61 simulated frames, 52.8 s apart" in found.notes[0]


def test_reduced_frames_beside_what_no_camera_saw_are_named(result):
    reduced = Measurement("com_distance_max", "um", 1.0, uncertainty=0.1)
    alone = {"optical": {"drift": "none"}}
    found = compare(result, measured(reduced, operators=alone))
    assert found["com_distance_max"].origin == "observable"
    assert "with a table [camera] in the file the run is filmed" in found.notes[0]
    others = compare(result, measured(Measurement("time_end", "min", 60.0), operators=alone))
    assert others.notes == compare(result, measured(reduced)).notes == ()


def test_files_of_the_camera_stand_beside_the_measurements(result, tmp_path):
    camera = CAMERA["camera"] | {"drift": {"table": "drift.csv"}}
    entry = Measurement("com_distance_max", "um", 0.4)
    kept = replace(
        measured(entry, operators=CAMERA | {"camera": camera}), path=tmp_path / "measured.toml"
    )
    with pytest.raises(InputError, match=r'measured.toml: camera.drift.table = "drift.csv" cannot'):
        compare(result, kept)
    (tmp_path / "drift.csv").write_text("time [s],x [nm],y [nm]\n0,0,0\n4000,0,0\n")
    moved = compare(result, kept)["com_distance_max"]
    still = compare(result, measured(entry, operators=CAMERA))["com_distance_max"]
    assert moved.origin == "frames"
    assert moved.simulated == pytest.approx(still.simulated, rel=1e-9)


def test_nothing_is_filmed_that_no_frame_shows(result):
    found = compare(result, measured(Measurement("time_end", "min", 60.0), operators=CAMERA))
    assert found.notes == ()
    assert found.settings == {}


def test_operators_that_are_wrong(result):
    from nmcsim.errors import InputError

    with pytest.raises(InputError):
        compare(
            result,
            measured(
                Measurement("com_distance_max", value=1.0), operators={"camera": {"pixle": 1}}
            ),
        )


def test_a_path_is_no_part_of_what_is_kept(result, tmp_path: Path):
    text = keep(tmp_path, "one", compare(result, everything(result))).read_text()
    assert str(tmp_path) not in text


@pytest.mark.parametrize(
    ("value", "error", "expected"),
    [
        (1.19812, 0.0103, ("1.198", "0.010")),
        (4.2, 0.1, ("4.2", "0.1")),
        (2.87495, 3e-5, ("2.87495", "0.00003")),
        (1.0, 0.0996, ("1.0", "0.1")),
        (200.0, 5.0, ("200", "5")),
        (3.27e-16, 4.1e-18, ("3.270e-16", "0.041e-16")),
        (1.234e7, 2e4, ("1.234e+07", "0.002e+07")),
        (0.0, 0.02, ("0.00", "0.02")),
        (12.0, None, ("12", "")),
        (12.0, math.nan, ("12", "")),
    ],
)
def test_a_number_and_its_uncertainty_have_the_same_decimals(
    value: float, error: float | None, expected: tuple[str, str]
) -> None:
    assert beside(value, error) == expected


def test_of_two_measurements_both_uncertainties_count():
    one = measured(Measurement("q", "um", 2.0, uncertainty=0.3))
    other = measured(Measurement("q", "nm", 2500.0, uncertainty=400.0))
    pair = compare(other, one)["q"]
    assert pair.z == pytest.approx(0.5 / 0.5)
    assert pair.uncertainty == 0.3 and pair.error == pytest.approx(0.4)
    alone = compare(other, measured(Measurement("q", "um", 2.0)))["q"]
    assert alone.z == pytest.approx(0.5 / 0.4)
    curve = MeasuredSeries(
        np.array([0.0, 1.0]), np.array([1.0, 1.0]), np.array([0.3, np.nan]), "soc", "1"
    )
    shifted = MeasuredSeries(
        np.array([0.0, 1.0]), np.array([1.5, 2.0]), np.array([0.4, 0.5]), "soc", "1"
    )
    pair = compare(
        measured(Measurement("d", "um", series=shifted)),
        measured(Measurement("d", "um", series=curve)),
    )["d"]
    assert pair.residuals == pytest.approx([1.0, 2.0])
