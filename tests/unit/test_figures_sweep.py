"""Figures of a sweep: what is drawn where, what lies beside it, what cannot be drawn."""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection, PathCollection, QuadMesh
from matplotlib.colors import to_hex

from nmcsim.errors import InputError
from nmcsim.figures.style import COLOURS, ONE_COLUMN, TWO_COLUMNS
from nmcsim.figures.sweep import draw, write_plot, write_sweep_figures
from nmcsim.sweeps.plan import Plan
from nmcsim.sweeps.record import Record
from nmcsim.sweeps.table import Table, read_records
from tests.synthetic_sweep import BINDER, RATES, K, blocked, delay, synthetic_sweep


@dataclass(frozen=True)
class Sweep:
    directory: Path
    plan: Plan
    records: Mapping[str, Record]
    table: Table


def opened(directory: Path, cases: int, model: str, **options: Any) -> Sweep:
    plan = synthetic_sweep(directory, cases, model, **options)
    records = read_records(plan, directory)
    return Sweep(directory, plan, records, Table.of(plan, records, directory))


@pytest.fixture(scope="module")
def crystals(tmp_path_factory: pytest.TempPathFactory) -> Sweep:
    """4 coverages x 4 flux ratios x 3 rates; 3 failed, 1 ended early."""
    return opened(tmp_path_factory.mktemp("sweeps") / "crystals", 48, "crystal")


@pytest.fixture(scope="module")
def electrodes(tmp_path_factory: pytest.TempPathFactory) -> Sweep:
    """4 conductivities x 4 coverages, all finished."""
    return opened(tmp_path_factory.mktemp("sweeps") / "electrodes", 16, "electrode", failures=0)


def panels(figure: Any) -> list[Axes]:
    return [axes for axes in figure.axes if axes.get_label() != "<colorbar>"]


def bars(figure: Any) -> list[Axes]:
    return [axes for axes in figure.axes if axes.get_label() == "<colorbar>"]


# -- lines ------------------------------------------------------------------------------------


def test_points_are_joined_where_all_else_is_equal(crystals: Sweep) -> None:
    plot = draw(crystals.table, x="coverage", y="com_distance_max", colour="rate")
    (axes,) = panels(plot.figure)
    assert plot.figure.get_size_inches()[0] == pytest.approx(ONE_COLUMN)
    assert (axes.get_xlabel(), axes.get_ylabel()) == (
        "Coverage", "Largest centre-of-mass\ndistance / µm"
    )  # fmt: skip
    lines = axes.get_lines()
    assert len(lines) == 12  # 4 flux ratios x 3 rates
    for line in lines:
        x, y = np.array(line.get_xdata()), np.array(line.get_ydata())
        assert (np.diff(x) > 0).all()
        # 1 um b r^(1/3) is a straight line through the origin
        np.testing.assert_allclose(y, y[-1] / x[-1] * x, rtol=1e-3, atol=1e-12)
    legend = plot.figure.legends[0]
    assert [text.get_text() for text in legend.get_texts()] == ["C/3", "1C", "5C"]
    assert {to_hex(line.get_color()) for line in lines} == {c.lower() for c in COLOURS[:3]}
    markers = [c for c in axes.collections if isinstance(c, PathCollection)]
    assert len(markers) == 3  # in grey, rates differ by their markers
    assert sum(len(c.get_offsets()) for c in markers) == 45


def test_numbers_as_colour_get_a_bar(crystals: Sweep) -> None:
    plot = draw(
        crystals.table, x="coverage", y="com_distance_max", colour="flux_ratio", facet="rate"
    )
    assert [axes.get_title() for axes in panels(plot.figure)] == ["C/3", "1C", "5C"]
    assert plot.figure.get_size_inches()[0] == pytest.approx(TWO_COLUMNS)
    assert [axes.get_ylabel() for axes in bars(plot.figure)] == ["Flux ratio"]
    assert [axes.get_ylabel() for axes in panels(plot.figure)][1:] == ["", ""]
    assert not plot.figure.legends
    # few values are named themselves
    assert bars(plot.figure)[0].get_yticks().tolist() == [0.0, 0.2, 0.4, 0.6]


def test_only_parameters_choose_a_logarithm_for_their_colours(electrodes: Sweep) -> None:
    """An observable that is zero up to round-off spans decades, too."""
    table = electrodes.table.copy()
    table["tiny"] = np.geomspace(1e-12, 1.0, 16)
    scales = [
        bars(draw(table, x="wetted", y="wall", colour=key).figure)[0].get_yscale()
        for key in ("K", "tiny")
    ]
    assert scales == ["log", "linear"]


def test_what_ended_early_is_hollow(crystals: Sweep) -> None:
    plot = draw(crystals.table, x="coverage", y="com_distance_max")
    (points,) = panels(plot.figure)[0].collections
    faces = [to_hex(c) for c in points.get_facecolor()]
    assert faces.count("#ffffff") == 1 and len(faces) == 45


def test_several_observables_lie_below_each_other(crystals: Sweep) -> None:
    plot = draw(
        crystals.table, x="rate", y=["com_distance_max", "capacity_charge_1"], colour="coverage"
    )
    upper, lower = panels(plot.figure)
    assert [text.get_text() for text in lower.get_xticklabels()] == ["C/3", "1C", "5C"]
    assert (upper.get_xlabel(), lower.get_xlabel()) == ("", "Rate")
    assert "mAh/g" in lower.get_ylabel()


def test_over_an_observable_points_are_not_joined(crystals: Sweep) -> None:
    plot = draw(crystals.table, x="capacity_charge_1", y="com_distance_max")
    assert not panels(plot.figure)[0].get_lines()


def test_coloured_by_an_observable_the_line_is_grey(crystals: Sweep) -> None:
    plot = draw(crystals.table, x="coverage", y="com_distance_max", colour="capacity_charge_1")
    assert {line.get_color() for line in panels(plot.figure)[0].get_lines()} == {"#9aa3ad"}


def test_texts_may_be_drawn(crystals: Sweep) -> None:
    plot = draw(crystals.table, x="rate", y="status", where="case > 0")
    (axes,) = panels(plot.figure)
    texts = [text.get_text() for text in axes.get_yticklabels()]
    assert texts == ["finished", "failed", "ended early"]
    assert not axes.get_lines()


def test_where_chooses_rows_by_the_ends_of_keys(crystals: Sweep) -> None:
    plot = draw(
        crystals.table,
        x="coverage",
        y="com_distance_max",
        where="flux_ratio < 0.1 and rate == '1C'",
    )
    numbers = [row[0] for row in plot.rows]
    chosen = [
        planned.number
        for planned in crystals.plan.cases
        if planned.values["physics.rock_salt.flux_ratio"] == 0 and planned.values["rate"] == "1C"
    ]
    assert numbers == chosen


def test_logarithms_and_times_in_hours(electrodes: Sweep) -> None:
    plot = draw(electrodes.table, x="K", y="time_end", colour="wetted", log="x")
    (axes,) = panels(plot.figure)
    assert axes.get_xscale() == "log" and axes.get_xlabel() == "K / S/m"
    # 4 x 20 h
    assert {row[-2] for row in plot.rows} == {80.0} and "time_end [h]" in plot.head


# -- maps -------------------------------------------------------------------------------------


def test_a_map_shows_each_value_in_its_cell(electrodes: Sweep) -> None:
    plot = draw(electrodes.table, x="K", y="wetted", z="asynchrony_charge_1", log="x")
    (axes,) = panels(plot.figure)
    (mesh,) = axes.collections
    assert isinstance(mesh, QuadMesh)
    expected = {
        (planned.values[BINDER], planned.values[K]): 4 * delay(planned.values)
        for planned in electrodes.plan.cases
    }
    cells = np.ma.filled(mesh.get_array(), np.nan)
    np.testing.assert_allclose(
        cells.ravel(), [expected[key] for key in sorted(expected)], atol=1e-9
    )
    # each cell holds its value, and borders on the next half-way between the two on the axis
    edges = mesh.get_coordinates()[0, :, 0]
    values = sorted({key[1] for key in expected})
    np.testing.assert_allclose(edges[1:-1], np.sqrt(np.multiply(values[1:], values[:-1])))
    assert bars(plot.figure)[0].get_ylabel() == "Asynchrony of charge 1"


def test_a_failed_case_leaves_a_gap_and_facets_share_their_colours(crystals: Sweep) -> None:
    plot = draw(crystals.table, x="coverage", y="flux_ratio", z="com_distance_max", facet="rate")
    meshes = [axes.collections[0] for axes in panels(plot.figure)]
    gaps = [int(np.isnan(np.ma.filled(mesh.get_array(), np.nan)).sum()) for mesh in meshes]
    assert sum(gaps) == 3
    assert len({mesh.norm for mesh in meshes}) == 1 and len(bars(plot.figure)) == 1


def test_a_map_of_several_values_says_that_it_is_a_mean(crystals: Sweep) -> None:
    plot = draw(
        crystals.table, x="coverage", y="rate", z="com_distance_max", where="status == 'finished'"
    )
    label = bars(plot.figure)[0].get_ylabel().replace("\n", " ")
    assert label.endswith("mean over flux ratio")
    (axes,) = panels(plot.figure)
    cells = np.ma.filled(axes.collections[0].get_array(), np.nan)
    of = {
        number: 1e6 * row["com_distance_max"]
        for number, row in crystals.table.set_index("case").iterrows()
        if row["status"] == "finished"
    }
    one = [
        of[planned.number]
        for planned in crystals.plan.cases
        if planned.number in of
        and planned.values["physics.rock_salt.coverage"] == 0.75
        and planned.values["rate"] == "5C"
    ]
    assert cells[-1, -1] == pytest.approx(np.mean(one))


def test_a_map_of_one_column_has_a_width(electrodes: Sweep) -> None:
    for where in ("wetted == 0", "wetted > 0.7"):
        plot = draw(electrodes.table, x="K", y="wetted", z="voltage_end", log="x", where=where)
        edges = panels(plot.figure)[0].collections[0].get_coordinates()[:, 0, 1]
        assert edges[1] > edges[0]


# -- curves -----------------------------------------------------------------------------------


def test_a_family_of_curves_is_coloured_by_a_parameter(crystals: Sweep) -> None:
    plot = draw(
        crystals.table, crystals.records, x="capacity", y="voltage", curves=True, colour="rate"
    )
    (axes,) = panels(plot.figure)
    (lines,) = axes.collections
    assert isinstance(lines, LineCollection)
    segments = lines.get_segments()
    assert len(segments) == 2 * 45  # a charge and a discharge each
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("Capacity / mAh/g", "Voltage / V")
    assert [text.get_text() for text in plot.figure.legends[0].get_texts()] == ["C/3", "1C", "5C"]
    first = crystals.records[crystals.plan.cases[0].hash].curves
    np.testing.assert_allclose(segments[0][-1, 1], np.max(first["voltage"].values))


def test_a_curve_that_some_cases_lack_is_drawn_of_the_others(crystals: Sweep) -> None:
    hash = crystals.plan.cases[1].hash
    record = crystals.records[hash]
    fewer = {name: c for name, c in record.curves.items() if name != "com_distance"}
    records = {**crystals.records, hash: Record(hash, "finished", curves=fewer)}
    plot = draw(crystals.table, records, x="soc", y="com_distance", curves=True)
    numbers = {row[0] for row in plot.rows}
    assert 1 in numbers and 2 not in numbers


def test_curves_of_all_cases_have_one_unit(crystals: Sweep) -> None:
    """C/3 lasts hours, 5C a few minutes."""
    plot = draw(crystals.table, crystals.records, x="time", y="voltage", curves=True)
    assert panels(plot.figure)[0].get_xlabel() == "Time / h"
    fast = next(planned.number for planned in crystals.plan.cases if planned.values["rate"] == "5C")
    longest = max(row[2] for row in plot.rows if row[0] == fast)
    # without a blocked share: 0.9 h / 5 each for charge and discharge
    assert longest == pytest.approx(2 * 0.9 / RATES["5C"], rel=1e-5)  # 6 digits in a record


# -- files ------------------------------------------------------------------------------------


def test_a_plot_is_written_with_its_numbers(crystals: Sweep, tmp_path: Path) -> None:
    plot = draw(crystals.table, x="coverage", y="com_distance_max", colour="rate")
    written = write_plot(plot, tmp_path / "new" / "plot.pdf")
    path = written[0]
    assert [p.name for p in written] == ["plot.png", "plot.pdf", "plot.csv"]
    assert sorted(p.name for p in path.parent.iterdir()) == ["plot.csv", "plot.pdf", "plot.png"]
    with path.with_suffix(".csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 45
    for row in rows:
        values = crystals.plan.cases[int(row["case"]) - 1].values
        expected = blocked(values) * RATES[row["rate"]] ** (1 / 3)
        # the largest of 120 rows
        assert float(row["com_distance_max [µm]"]) == pytest.approx(expected, rel=3e-4)
    with pytest.raises(InputError, match=r"plot.svg is to end in .png or .pdf"):
        write_plot(plot, tmp_path / "plot.svg")


@pytest.mark.parametrize("name", ["crystals", "electrodes"])
def test_the_default_figures(name: str, request: pytest.FixtureRequest) -> None:
    sweep: Sweep = request.getfixturevalue(name)
    written = [path.name for path in write_sweep_figures(sweep.directory)]
    told = "com_distance_max" if name == "crystals" else "asynchrony_charge_1"
    assert written[0] == f"{told}.png" and written[-1] == "voltage_curves.png"
    assert 3 <= len(written) <= 4


def rewritten(sweep: Sweep, directory: Path, *keys: str) -> Path:
    """The sweep with some of its parameters alone, in a directory of its own."""
    plan = sweep.plan
    kept = Plan(
        plan.title, None, plan.folder, plan.base,
        tuple(p for p in plan.parameters if p.key in keys), plan.cases,
    )  # fmt: skip
    kept.write(directory)
    (directory / "records").symlink_to(sweep.directory / "records")
    return directory


def test_without_a_grid_lines_are_drawn(electrodes: Sweep, tmp_path: Path) -> None:
    for folder, keys in (("one", [K]), ("none", [])):
        directory = tmp_path / folder
        directory.mkdir()
        written = write_sweep_figures(rewritten(electrodes, directory, *keys))
        assert written[0].name == "asynchrony_charge_1.png"
        with written[0].with_suffix(".csv").open(encoding="utf-8") as file:
            assert next(csv.reader(file))[:2] == ["case", "material.K [S/m]" if keys else
                                                  "asynchrony_charge_1 [1]"]  # fmt: skip


def test_of_nothing_finished_there_are_no_figures(tmp_path: Path) -> None:
    synthetic_sweep(tmp_path / "s", 12, failures=0, missing=12)
    assert write_sweep_figures(tmp_path / "s") == []


# -- what cannot be drawn ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"x": "coverge"}, "coverge is no column of the table; did you mean coverage?"),
        ({"y": "kind", "log": "y"}, "kind is a text, which has no logarithm; leave out log"),
        ({"log": "x"}, "coverage goes down to 0, which has no logarithm; leave out log"),
        ({"log": "z"}, 'log = "z" is not "x", "y" or "xy"'),
        ({"facet": "case"}, "case has 45 values; a figure has room for 12 panels"),
        ({"where": "coverage > 2"}, 'where = "coverage > 2" holds for none of 48 cases'),
        ({"where": "covrage > 2"}, "is no condition on the columns (name 'covrage' is not"),
        ({"where": "coverage >"}, "is no condition on the columns (invalid syntax"),
        ({"where": "coverage"}, "is no condition on the columns (it is a number or a text)"),
        ({"where": "1"}, "is no condition on the columns (it is 1)"),
        ({"y": "gone"}, "gone has no value in any of these cases"),
        ({"y": ["case", "wall"], "z": "case"}, "y of a map is one column, not case, wall"),
        ({"y": "flux_ratio", "z": "rate"}, "rate is a text; a map needs numbers"),
        ({"x": "case", "y": "wall", "z": "steps"}, "case and wall form no grid: 45 values in"),
        ({"x": "soc", "y": "voltge", "curves": True}, "voltge is no curve of the records; did you"),
        ({"x": "soc", "y": "xyz", "curves": True}, "xyz is no curve of the records; there are ti"),
    ],
)
def test_what_cannot_be_drawn(crystals: Sweep, asked: dict[str, Any], said: str) -> None:
    table = crystals.table.copy()
    table["gone"] = math.nan
    with pytest.raises(InputError) as caught:
        draw(table, crystals.records, **{"x": "coverage", "y": "com_distance_max"} | asked)
    assert said in str(caught.value)


def test_curves_need_records_with_values(crystals: Sweep) -> None:
    with pytest.raises(InputError, match="curves are in no record of these cases"):
        draw(crystals.table, x="soc", y="voltage", curves=True)
    records = {
        hash: Record(hash, "finished", curves={
            name: type(c)((math.nan,) * len(c.values), c.unit, c.symbol, c.description)
            for name, c in record.curves.items()
        })
        for hash, record in crystals.records.items()
    }  # fmt: skip
    with pytest.raises(InputError, match="soc has no value in any of these cases"):
        draw(crystals.table, records, x="soc", y="voltage", curves=True)


def test_nothing_has_finished_yet(tmp_path: Path) -> None:
    synthetic_sweep(tmp_path / "s", 12, failures=0, missing=12)
    with pytest.raises(InputError, match="^nothing has finished yet: 12 open$"):
        draw(Table.load(tmp_path / "s"), x="coverage", y="wall")
