"""Figures show what the result holds: right numbers, right places, gaps where nothing is known."""

from __future__ import annotations

import csv
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure

from nmcsim.errors import InputError
from nmcsim.figures import (
    FIGURES,
    asymmetry,
    drawable,
    kymograph,
    overview,
    save,
    theta_maps,
    voltage,
    voltages,
    write_all,
)
from nmcsim.figures.curves import asymmetry_data
from nmcsim.figures.kymograph import PIXELS, blocked_intervals, coordinate, resampled
from nmcsim.figures.maps import chains, colour_limits, moments
from nmcsim.figures.style import ROCK_SALT, label, shown
from nmcsim.present import largest_distance
from nmcsim.results import Result, Series, SurfaceTheta, WriteFailure
from tests.synthetic import SWING, THETA_0, synthetic_result


@pytest.fixture(scope="module")
def aged(tmp_path_factory: pytest.TempPathFactory) -> Result:
    return Result.load(synthetic_result(tmp_path_factory.mktemp("a") / "aged"))


@pytest.fixture(scope="module")
def cycle(tmp_path_factory: pytest.TempPathFactory) -> Result:
    return Result.load(synthetic_result(tmp_path_factory.mktemp("c") / "cycle", cycle=True))


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Result:
    return Result.load(synthetic_result(tmp_path_factory.mktemp("f") / "fresh", blocked=False))


def inches(figure: Figure) -> float:
    return float(figure.get_size_inches()[0])


@pytest.fixture(scope="module")
def written(aged: Result) -> list[Path]:
    return write_all(aged)


def test_every_figure_comes_as_png_pdf_and_csv(written: list[Path]) -> None:
    assert [path.stem for path in written] == [
        "overview", "theta_maps", "voltage", "asymmetry", "kymograph"
    ]  # fmt: skip
    assert len({kind.name for kind in FIGURES}) == len(FIGURES)
    for path in written:
        assert path.read_bytes().startswith(b"\x89PNG")
        assert path.with_suffix(".pdf").read_bytes().startswith(b"%PDF")
        assert path.with_suffix(".csv").is_file() == (path.stem != "overview")


def test_the_same_result_gives_the_same_pdf(aged: Result, tmp_path: Path) -> None:
    for name in ("a", "b"):
        save(voltage(aged), tmp_path / name)
    assert (tmp_path / "a.pdf").read_bytes() == (tmp_path / "b.pdf").read_bytes()


def test_widths_are_journal_columns(aged: Result) -> None:
    assert inches(voltage(aged)) == pytest.approx(85 / 25.4)
    assert inches(theta_maps(aged)) == pytest.approx(178 / 25.4)


def test_maps_share_one_colour_scale_and_bar(aged: Result) -> None:
    figure = theta_maps(aged, soc=(0.2, 0.5, 0.8))
    maps = [axes for axes in figure.axes if axes.get_title()]
    assert [axes.get_title() for axes in maps] == ["20 % SOC", "50 % SOC", "80 % SOC"]
    assert len({axes.images[0].get_clim() for axes in maps}) == 1
    assert len(figure.axes) == 4, "three maps and one colour bar"
    assert maps[0].get_xlabel() == "x / µm"


def test_maps_mark_rock_salt_where_it_is(aged: Result, fresh: Result) -> None:
    def marked(figure: Figure) -> list[np.ndarray]:
        lines = figure.axes[0].lines
        return [line.get_xdata() for line in lines if line.get_color() == ROCK_SALT]

    (arc,) = marked(theta_maps(aged, soc=(0.5,)))
    assert arc.max() <= 1e-6, "the left half, x <= 0, in one line without seams"
    assert arc.min() == pytest.approx(-1.25, rel=1e-3)
    assert marked(theta_maps(fresh, soc=(0.5,))) == []


def test_moments_are_where_the_state_of_charge_is_reached(aged: Result) -> None:
    (half,) = moments(aged, (0.5,))
    assert half.time == pytest.approx(1800.0), "half an hour at 1C"
    with pytest.raises(
        InputError, match=r"soc = 0.95 is not reached in .*; it went from 0 to 0.88"
    ):
        theta_maps(aged, soc=(0.95,))


def test_without_a_wish_the_maps_are_recorded_frames(cycle: Result, tmp_path: Path) -> None:
    assert cycle.map is not None
    chosen = moments(cycle)
    assert len(chosen) == 4
    assert {moment.time for moment in chosen} <= set(cycle.map.time)
    # 12, 38, 63 and 88 % of twice 88 %: 21 and 67 % up, 65 and 21 % on the way down
    words = [moment.label.split()[0] for moment in chosen]
    assert words == ["charge", "charge", "discharge", "discharge"]
    values = [float(moment.label.split()[1]) for moment in chosen]
    assert values == pytest.approx([21, 67, 65, 21], abs=2), "frames are 2.6 % apart"
    assert all(re.fullmatch(r"(dis)?charge \d\d %", moment.label) for moment in chosen)
    rest, back = cycle.steps[1]["t_start"], cycle.steps[2]["t_start"]
    assert not any(rest < moment.time < back for moment in chosen), "nothing happens in a rest"
    few = Result.load(synthetic_result(tmp_path / "few", frames=2))
    assert len(moments(few)) == 2, "no frame twice"


def test_moments_are_times_where_there_is_no_state_of_charge(aged: Result) -> None:
    history = {k: v for k, v in aged.history.items() if k != "soc"}
    assert moments(replace(aged, history=history))[0].label.endswith(" min")


def test_one_theta_has_one_colour_in_every_panel(aged: Result) -> None:
    panels = [axes for axes in overview(aged).axes if axes.images]
    assert len(panels) == 5, "four maps and the surface"
    low, high = panels[0].images[0].get_clim()
    assert {axes.images[0].get_clim() for axes in panels} == {(low, high)}
    assert aged.map is not None and aged.surface is not None
    for theta in (aged.map.theta, aged.surface.theta):
        assert low <= theta.min() + 1e-3 and theta.max() - 1e-3 <= high
    assert kymograph(aged).axes[0].images[0].get_clim() == (low, high)


def test_map_data_is_the_map(written: list[Path]) -> None:
    text = (written[0].parent / "theta_maps.csv").read_text(encoding="utf-8")
    rows = list(csv.reader(text.splitlines()))
    # 12 % of 88 % is 10.6 %; the frames lie 1.47 % apart, and the seventh is at 10.3 %
    assert rows[0][:3] == ["x [um]", "y [um]", "theta at 10 % SOC (369.6 s) [1]"]
    values = np.array(rows[1:], dtype=float)
    assert np.hypot(values[:, 0], values[:, 1]).max() == pytest.approx(1.25)
    # the lag has mean zero over the area, so the middle of the range is near the mean theta
    assert values[:, 2].mean() == pytest.approx(THETA_0 - SWING * 0.103, abs=0.01)


def test_voltage_is_over_capacity_in_readable_units(aged: Result) -> None:
    axes = voltage(aged).axes[0]
    assert axes.get_xlabel() == "Capacity / mAh/g"
    assert axes.get_ylabel() == "Voltage / V"
    assert axes.lines[0].get_xdata()[-1] == pytest.approx(0.88 * 200)


def test_voltage_breaks_at_the_steps_of_a_cycle(cycle: Result) -> None:
    axes = voltage(cycle).axes[0]
    assert len(axes.lines) == 3
    legend = axes.get_legend()
    assert legend is not None
    assert [text.get_text() for text in legend.get_texts()] == ["charge", "rest", "discharge"]


def test_asymmetry_leaves_gaps_and_names_the_rates(aged: Result, tmp_path: Path) -> None:
    fast = Result.load(synthetic_result(tmp_path / "fast", rate=2.0))
    axes = asymmetry([aged, fast]).axes[0]
    assert axes.get_ylabel() == "Centre-of-mass distance / µm"
    legend = axes.get_legend()
    assert legend is not None
    assert [text.get_text() for text in legend.get_texts()] == ["1C", "2C"]
    assert np.isnan(axes.lines[0].get_ydata()).any(), "missing values are gaps, not zeros"
    styles = {(line.get_color(), str(line.get_linestyle())) for line in axes.lines}
    assert len({style for _, style in styles}) == 2, "told apart in grey"
    header, table = asymmetry_data([aged, fast])
    assert header == ["run [1]", "soc [%]", "com_distance [µm]"]
    assert set(table[:, 0]) == {1.0, 2.0}


def named(results: list[Result]) -> list[str]:
    legend = voltages(results).axes[0].get_legend()
    assert legend is not None
    return [text.get_text() for text in legend.get_texts()]


def test_results_of_one_title_are_told_apart(aged: Result, fresh: Result) -> None:
    def case(name: str, title: str = "Crystal", **rock_salt: object) -> Result:
        physics = {"rock_salt": aged.case_table["physics"]["rock_salt"] | rock_salt}
        table = aged.case_table | {"title": title, "physics": physics}
        return replace(aged, case_table=table, directory=Path("somewhere") / name)

    half, quarter = case("a"), case("b", coverage=0.25)
    assert named([half, quarter]) == ["coverage 0.5", "coverage 0.25"]
    turned = case("c", coverage=0.25, angle="90 deg")
    assert named([quarter, turned]) == ["angle default", "angle 90 deg"]
    other = replace(fresh, case_table=fresh.case_table | {"title": "Fresh"})
    assert named([half, quarter, other]) == [
        "Crystal (coverage 0.5)",
        "Crystal (coverage 0.25)",
        "Fresh",
    ]
    many = case("d", coverage=0.1, angle="90 deg", flux_ratio=0.2)
    assert named([half, many]) == ["a", "d"], "too much differs for a legend"
    assert named([half, case("e")]) == ["a", "e"], "nothing differs"
    again = replace(half, directory=Path("elsewhere") / "a")
    assert named([half, again]) == ["somewhere/a", "elsewhere/a"]


def test_titles_with_commas_are_no_rates(aged: Result) -> None:
    titles = ["thick, cold", "thick, warm", "thin, cold", "thin, warm"]
    several = [replace(aged, case_table=aged.case_table | {"title": title}) for title in titles]
    assert named(several) == titles


def test_a_sliver_that_no_microscope_resolves_is_not_drawn(aged: Result) -> None:
    share = aged["unreacted_share"].values.copy()
    row = int(np.nanargmax(aged["com_distance"].values))
    values = aged["com_distance"].values.copy()
    values[row], share[row] = 1.24e-6, 0.0099
    history = aged.history | {
        "com_distance": replace(aged["com_distance"], values=values),
        "unreacted_share": replace(aged["unreacted_share"], values=share),
    }
    sliver = replace(aged, history=history)
    drawn = asymmetry(sliver).axes[0].lines[0].get_ydata()
    assert np.isnan(drawn[row])
    assert "1.24 um" not in largest_distance(sliver)
    share[row] = 0.01
    assert asymmetry(sliver).axes[0].lines[0].get_ydata()[row] == pytest.approx(1.24)
    assert largest_distance(sliver).startswith("largest centre-of-mass distance 1.24 um at ")


def test_asymmetry_without_a_distance_is_refused(aged: Result) -> None:
    history = dict(aged.history)
    history["com_distance"] = replace(
        history["com_distance"], values=np.full(len(history["time"]), np.nan)
    )
    empty = replace(aged, history=history)
    with pytest.raises(InputError, match="has no centre-of-mass distance to draw"):
        asymmetry(empty)
    assert "asymmetry" not in [kind.name for kind in drawable(empty)], "no empty axes"


def test_kymograph_marks_the_intervals(aged: Result) -> None:
    axes = kymograph(aged).axes[0]
    assert axes.get_ylabel() == "Angle / °"
    marks = [tuple(line.get_ydata()) for line in axes.lines if line.get_color() == ROCK_SALT]
    assert marks == [pytest.approx((-180, -90)), pytest.approx((90, 180))]
    (named,) = kymograph(aged).legends
    assert [text.get_text() for text in named.get_texts()] == ["rock salt"]


def test_kymograph_closes_an_outline_that_names_its_seam_once(aged: Result) -> None:
    angle = np.radians([-135.0, -45.0, 45.0, 135.0])
    surface = SurfaceTheta(
        angle, 1e-6 * (angle + np.pi), angle > 0, np.array([0.0, 60.0]), np.full((2, 4), 0.5)
    )
    axes = kymograph(replace(aged, surface=surface)).axes[0]
    assert axes.get_ylim() == (-180.0, 180.0)


def test_kymograph_falls_back_to_the_position_along_a_star() -> None:
    angle = np.array([0.0, 0.5, 0.3, 1.0, 2.0])  # turns back: no function of the angle
    position = np.linspace(0, 4e-6, 5)
    surface = SurfaceTheta(angle, position, np.zeros(5, bool), np.zeros(1), np.zeros((1, 5)))
    place, name, _ = coordinate(surface)
    assert name == "Position along the outline / µm"
    np.testing.assert_allclose(place, [0, 1, 2, 3, 4])


def test_what_was_not_recorded_is_said(aged: Result) -> None:
    bare = replace(aged, map=None, surface=None)
    with pytest.raises(InputError, match="recorded no map; ask for frames"):
        theta_maps(bare)
    with pytest.raises(InputError, match="recorded nothing along the surface"):
        kymograph(bare)
    assert [kind.name for kind in drawable(bare)] == ["voltage", "asymmetry"]


def test_blocked_intervals() -> None:
    place = np.arange(6.0)
    flags = np.array([1, 1, 0, 1, 0, 1], dtype=bool)
    assert blocked_intervals(place, flags) == [(0, 1), (3, 3), (5, 5)]
    assert blocked_intervals(place, np.zeros(6, bool)) == []


def test_chains_join_edges_into_lines() -> None:
    closed = chains(np.array([[0, 1], [2, 0], [1, 2]]))
    assert len(closed) == 1 and closed[0][0] == closed[0][-1] and len(closed[0]) == 4
    two = chains(np.array([[5, 6], [1, 2], [3, 2]]))
    assert sorted(tuple(sorted(line.tolist())) for line in two) == [(1, 2, 3), (5, 6)]


def test_colour_limits_ignore_missing_values() -> None:
    assert colour_limits([np.array([0.31, np.nan]), np.array([0.62])]) == pytest.approx((0.3, 0.65))
    assert colour_limits([np.array([np.nan])]) == (0.0, 1.0)


def test_units_and_labels_come_from_the_metadata() -> None:
    stress = Series(
        "stress_max", np.array([1e6]), "Pa", "sigma", "largest stress, tension positive"
    )
    assert label(stress) == "Largest stress / Pa"
    assert shown(Series("a", np.array([2e-6]), "m"))[0] == pytest.approx([2.0])


def test_a_figure_folder_that_cannot_be_made(aged: Result, tmp_path: Path) -> None:
    (tmp_path / "figures").write_text("in the way")
    with pytest.raises(WriteFailure, match="figures: could not be written: File exists"):
        write_all(aged, tmp_path / "figures")


def test_resampling_is_linear_and_keeps_gaps() -> None:
    y, x = np.array([0.0, 1.0, 3.0]), np.array([0.0, 2.0, 2.0, 6.0])  # two rows of one time
    values = y[:, None] + 10.0 * x
    pixels = resampled(y, x, values)
    middle = (np.arange(PIXELS) + 0.5) / PIXELS
    np.testing.assert_allclose(pixels, 3 * middle[:, None] + 60 * middle, rtol=1e-12)
    values[2, 0] = np.nan
    gone = np.isnan(resampled(y, x, values))
    assert gone[-1, 0] and not gone[0].any() and not gone[:, -1].any()
