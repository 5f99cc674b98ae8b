"""Figures of an electrode: who activates when, where its lithium is, what its voltage is spent on.

The numbers are those of `tests.synthetic_electrode`.
"""

from __future__ import annotations

import csv
from dataclasses import replace

import numpy as np
import pytest
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from nmcsim.errors import InputError
from nmcsim.figures import (
    activation_curves,
    activation_histogram,
    cycles,
    drawable,
    electronic_path,
    half_cycle_maps,
    voltage_split,
    write_all,
)
from nmcsim.figures.cycles import cycles_data, losses_in_words
from nmcsim.figures.electrode_maps import (
    directions,
    edges,
    field,
    frames,
    ground,
    nice_below,
    path_time,
    position_heads,
    whole_box,
)
from nmcsim.figures.halfcycles import OTHERS, called, colours, followed, half_cycles, rows_of
from nmcsim.figures.sampler import Sampler, box_of
from nmcsim.results import FieldMap, Quantity, Result
from tests.synthetic import synthetic_result
from tests.synthetic_electrode import (
    BOX,
    CC,
    COLUMNS,
    HOLD,
    KINDS,
    RADIUS,
    synthetic_electrode,
    t25,
)


@pytest.fixture(scope="module")
def electrode(tmp_path_factory: pytest.TempPathFactory) -> Result:
    return Result.load(synthetic_electrode(tmp_path_factory.mktemp("e") / "five"))


@pytest.fixture(scope="module")
def crystal(tmp_path_factory: pytest.TempPathFactory) -> Result:
    return Result.load(synthetic_result(tmp_path_factory.mktemp("c") / "crystal", frames=3))


def inches(figure: Figure) -> float:
    return float(figure.get_size_inches()[0])


def test_an_electrode_gets_its_own_figures(electrode: Result, crystal: Result) -> None:
    names = [path.stem for path in write_all(electrode)]
    assert names == [
        "activation_curves", "maps", "activation_histogram", "cycles", "electronic_path",
        "voltage_split",
    ]  # fmt: skip
    folder = electrode.directory / "figures"
    for name in names:
        assert (folder / f"{name}.pdf").read_bytes().startswith(b"%PDF")
        rows = list(csv.reader((folder / f"{name}.csv").read_text("utf-8").splitlines()))
        assert all("[" in head for head in rows[0]) and len(rows) > 2
    assert not set(names) & {kind.name for kind in drawable(crystal)}


def test_what_was_not_recorded_is_not_drawn(electrode: Result) -> None:
    history = {k: v for k, v in electrode.history.items() if not k.startswith("V_")}
    bare = replace(electrode, maps={}, history=history, summary={"status": "failed"})
    assert [kind.name for kind in drawable(bare)] == ["activation_curves", "cycles"]
    for draw in (activation_curves, cycles):
        draw(bare)
    with pytest.raises(InputError, match=r"recorded no map of theta; ask for frames in \[output\]"):
        field(bare, "theta")


def test_a_crystal_has_no_particles(crystal: Result) -> None:
    with pytest.raises(InputError, match="has no particles; this figure is of a composite"):
        activation_curves(crystal)


# -- activation ------------------------------------------------------------------------------


def test_curves_are_the_observed_particles_in_the_order_of_obstruction(electrode: Result) -> None:
    figure = activation_curves(electrode)
    assert inches(figure) == pytest.approx(178 / 25.4)
    (axes,) = figure.axes
    (legend,) = figure.legends
    texts = [text.get_text() for text in legend.get_texts()]
    assert texts == [*(f"particle {5 + o} ({o})" for o in range(COLUMNS)), "voltage held"]
    colour = colours(electrode.particles)  # type: ignore[arg-type]
    lines = [line for line in axes.lines if line.get_color() == colour[9]]
    assert len(lines) == 2 * len(KINDS), "one for each step"
    # the most obstructed particle begins at s = 0.05 + 4 * 0.08 = 0.37 of 20 h
    x, y = lines[0].get_xdata(), lines[0].get_ydata()
    assert x[np.flatnonzero(np.asarray(y) < 0.98)[0]] == pytest.approx(0.37 * 20, abs=0.5)


def test_holds_are_shaded_and_half_cycles_named(electrode: Result) -> None:
    (axes,) = activation_curves(electrode).axes
    shaded = sorted((p.get_x(), p.get_width()) for p in axes.patches)
    assert shaded == [
        (pytest.approx((k * (CC + HOLD) + CC) / 3600), pytest.approx(1.0)) for k in range(4)
    ]
    names = [text.get_text() for text in axes.texts]
    assert names == ["Charge 1", "Discharge 1", "Charge 2", "Discharge 2"]


def test_observed_particles_have_colours_of_their_own(electrode: Result) -> None:
    of = electrode.particles
    assert of is not None
    mixed = replace(of, obstruction=np.array([0] * 5 + [3, 1, 4, -1, 2]))
    assert followed(mixed) == [8, 6, 9, 5, 7], "unknown first, then the least obstructed"
    found = colours(mixed)
    assert found[:5] == [OTHERS] * 5 and len(set(found[5:])) == 5
    assert called(mixed, 8) == "particle 8" and called(mixed, 5) == "particle 5 (3)"
    cracked = replace(of, fragment_of=np.where(np.arange(10) == 7, 2, -1))
    assert called(cracked, 7) == "particle 7, part of 2 (2)"


def test_where_none_is_observed_all_are_followed(electrode: Result) -> None:
    of = electrode.particles
    assert of is not None
    blind = replace(of, observed=np.zeros(10, bool), obstruction=np.full(10, -1))
    # by their place alone: the columns from left to right
    assert followed(blind) == [0, 5, 1, 6, 2, 7, 3, 8, 4, 9] and OTHERS not in colours(blind)
    (legend,) = activation_curves(replace(electrode, particles=blind)).legends
    assert legend.get_title().get_text() == "Particle"
    assert [text.get_text() for text in legend.get_texts()][:2] == ["particle 0", "particle 5"]


def test_the_histogram_counts_every_particle_once(electrode: Result) -> None:
    figure = activation_histogram(electrode)
    assert len(figure.axes) == len(KINDS)
    first = figure.axes[0]
    # t25 spreads from 0.05 + 0.5/3.8 to 0.32 later
    assert first.get_title() == "Charge 1\nasynchrony 0.320"
    blocks = [patch for patch in first.patches if isinstance(patch, Rectangle)]
    assert len(blocks) == 10
    colour = colours(electrode.particles)  # type: ignore[arg-type]
    for o in range(COLUMNS):
        (own,) = [b for b in blocks if to_hex(b.get_facecolor()) == colour[5 + o].lower()]
        assert own.get_x() <= t25(o, True) < own.get_x() + own.get_width()
    assert sum(to_hex(b.get_facecolor()) == OTHERS for b in blocks) == 5
    second = sorted((b.get_x(), b.get_y()) for b in figure.axes[1].patches)
    assert second == [(pytest.approx(0.2625), level) for level in range(10)], "1 / 3.8 = 0.263"


def test_the_steepest_slope_is_marked_where_it_is_known(electrode: Result) -> None:
    axes = activation_histogram(electrode).axes[0]
    marks = [float(line.get_xdata()[0]) for line in axes.lines]
    # steep from the onset on: half a window (1/50) behind it; the rows are 1/40 apart
    assert marks == pytest.approx([0.07 + 0.08 * o for o in range(COLUMNS)], abs=0.03)
    halves = [{**half, "slope_peak": [None] * 10} for half in electrode.summary["half_cycles"]]
    unknown = replace(electrode, summary={**electrode.summary, "half_cycles": halves})
    figure = activation_histogram(unknown)
    assert all(np.isnan(line.get_xdata()[0]) for line in figure.axes[0].lines)
    (legend,) = figure.legends
    assert "steepest slope" not in [text.get_text() for text in legend.get_texts()]


def test_the_step_in_which_a_run_failed_is_drawn(electrode: Result) -> None:
    failed = replace(electrode, steps=electrode.steps[:3])
    (axes,) = activation_curves(failed).axes
    assert max(float(np.max(line.get_xdata())) for line in axes.lines) == pytest.approx(84.0)


def test_half_cycles_own_the_rows_of_their_steps(electrode: Result) -> None:
    halves = half_cycles(electrode)
    assert [half.name for half in halves] == ["charge 1", "discharge 1", "charge 2", "discharge 2"]
    owned = np.array([rows_of(half, electrode) for half in halves])
    assert (owned.sum(axis=0) == 1).all(), "also the two rows where half-cycles meet"
    assert halves[1].share(np.array([CC + HOLD + 0.5 * CC])) == pytest.approx(0.5)


# -- voltage ---------------------------------------------------------------------------------


def test_the_loss_is_said_and_seen(electrode: Result) -> None:
    (axes,) = cycles(electrode).axes
    # (0.99 - 0.92) / (0.99 - 0.34) = 10.8 %
    assert axes.get_title(loc="left").splitlines() == [
        "Cycle 1: 10.8 % of the charge does not come back",
        "Cycle 2: 0.0 % of the charge does not come back",
    ]
    assert axes.get_xlabel() == "Net capacity / mAh/g"
    lines = {line.get_label(): line for line in axes.lines}
    back = lines["discharge 1"].get_xdata()
    # 5.5e5 A s/kg = 152.8 mAh/g, and 10.8 % of it
    assert (back[0], back[-1]) == (pytest.approx(152.8, abs=0.1), pytest.approx(16.5, abs=0.1))
    held = lines["voltage held"]
    assert set(held.get_ydata()) == {4.3}
    gain = replace(electrode, summary={**electrode.summary, "capacity_loss": [-0.012, None]})
    assert losses_in_words(gain) == ["Cycle 1: 1.2 % more comes back than was charged"]
    none = replace(electrode, summary={**electrode.summary, "capacity_loss": [-2e-10]})
    assert losses_in_words(none) == ["Cycle 1: 0.0 % of the charge does not come back"]
    header, table = cycles_data(electrode)
    assert header[0] == "half-cycle [1]" and set(table[:, 0]) == {1, 2, 3, 4}


def test_the_parts_of_the_voltage_keep_their_gaps(electrode: Result) -> None:
    above, below = voltage_split(electrode).axes
    assert (above.get_ylabel(), below.get_ylabel()) == ("Voltage / V", "Overpotential / mV")
    assert below.get_yscale() == "symlog", "they span decades, with either sign"
    rest = electrode["V_kinetic"].values.copy()
    rest[:41] = np.nan
    history = {**electrode.history, "V_kinetic": replace(electrode["V_kinetic"], values=rest)}
    drawn = voltage_split(replace(electrode, history=history)).axes[1]
    assert len(drawn.lines) == len(below.lines)
    hidden = [line for line in drawn.lines if np.isnan(line.get_ydata()).all()]
    assert len(hidden) == 1, "the first step of one part"
    # 12 mV at full current, in the fifth step again
    assert any(np.allclose(line.get_ydata(), 12.0) for line in drawn.lines)


# -- maps ------------------------------------------------------------------------------------


def test_maps_are_recorded_frames_of_each_half_cycle(electrode: Result) -> None:
    chosen = frames(electrode, (0.1, 0.5, 0.9))
    assert [frame.row for frame in chosen] == [0, 0, 0, 1, 1, 1, 2, 2, 2]
    times = field(electrode, "theta").time
    assert all(times[frame.number] == frame.time for frame in chosen)
    assert all(f.row * (CC + HOLD) <= f.time <= (f.row + 1) * (CC + HOLD) for f in chosen)
    # of 0, 1/4 .. 1 of 20 h the middle carries 47.5 % of the charge, the nearest to one half
    assert chosen[4].time == pytest.approx(CC + HOLD + 0.5 * CC)
    assert chosen[4].label == "58 % SOC", "1 - 0.475 (0.92 - 0.34) / 0.65"


def test_maps_share_one_scale_and_mark_the_observed(electrode: Result) -> None:
    figure = half_cycle_maps(electrode)
    assert inches(figure) == pytest.approx(178 / 25.4)
    panels = [axes for axes in figure.axes if axes.images]
    assert len(panels) == 12
    assert len([axes for axes in figure.axes if axes.get_ylabel() == "Lithium per site θ"]) == 1
    texts = [text.get_text() for axes in panels for text in axes.texts]
    assert [text for text in texts if "µm" not in text] == ["Charge 1", "Discharge 1", "Charge 2"]
    colour = colours(electrode.particles)  # type: ignore[arg-type]
    for o, middle in enumerate(8.5 + 11.0 * np.arange(COLUMNS)):
        (mark,) = [line for line in panels[0].lines if line.get_color() == colour[5 + o]]
        x, y = np.array(mark.get_xdata()), np.array(mark.get_ydata())
        # above two thirds of its height: y > 19.5 + 5 / 3
        assert y.min() > 19.5 + RADIUS / 3 - 1e-6 and y.max() == pytest.approx(24.5, abs=0.2)
        assert x.mean() == pytest.approx(middle, abs=0.3)
    assert [text for text in texts if "µm" in text] == ["10 µm"], "a quarter of 58 µm is 14.5"


def test_the_ground_names_every_region(electrode: Result) -> None:
    regions = ground(electrode, whole_box(electrode), 116)  # half a micrometre each
    assert regions.shape == (60, 116)
    assert regions[39, 17] == "nmc" and regions[2, 60] == "binder" and regions[57, 60] == "liquid"
    assert regions[39, 28] == "contact", "between the centres at 8.5 and 19.5 um"
    share = (regions == "nmc").mean()
    assert share == pytest.approx(10 * np.pi * RADIUS**2 / (BOX[0] * BOX[1]), rel=0.05)


def test_the_path_is_shown_when_particles_differ_most(electrode: Result) -> None:
    # all five are under way from s = 0.37 to 0.55: of the frames, s = 0.5
    assert path_time(electrode) == pytest.approx(0.5 * CC)
    figure = electronic_path(electrode)
    assert figure.axes[0].get_title() == "10 h, " + frames(electrode, (0.6,))[0].label
    assert figure.axes[1].get_ylabel() == "Potential of the solid φₛ / mV"
    chosen = electronic_path(electrode, 1.5 * 3600)
    assert chosen.axes[0].get_title().startswith("1.5 h, ")


def test_one_particle_alone_in_three_dimensions(electrode: Result) -> None:
    of = electrode.particles
    assert of is not None
    one = replace(
        of,
        names=of.names[9:],
        centre=np.array([[5e-6, 0.0, 5e-6]]),
        obstruction=of.obstruction[9:],
        observed=of.observed[9:],
        fragment_of=of.fragment_of[9:],
        series={name: values[:, 9:] for name, values in of.series.items()},
    )
    alone = replace(electrode, particles=one)
    assert "activation_histogram" not in [kind.name for kind in drawable(alone)]
    # the potential falls with the spread of the five that are in the maps: largest at s = 0.5
    assert path_time(alone) == pytest.approx(0.5 * CC)
    assert position_heads(alone) == ["x [um]", "z [um]"]


def test_arrows_point_down_the_potential(electrode: Result) -> None:
    where = square(2)
    # phi = 3 x - 4 y falls along (-3, 4) / 5
    phi = 1e6 * (3 * where.nodes[:, 0] - 4 * where.nodes[:, 1])
    at, along = directions(where, phi, box_of(where), across=4)
    assert len(at) == 16 and at[0] == pytest.approx([0.125, 0.125])
    np.testing.assert_allclose(along, [[-0.6, 0.8]] * 16, atol=1e-12)
    none, _ = directions(where, np.zeros(len(where.nodes)), box_of(where), across=4)
    assert len(none) == 0, "no direction without a gradient"


def square(n: int) -> FieldMap:
    """n x n squares of two triangles each on the unit square [um]."""
    x, y = np.meshgrid(np.linspace(0, 1, n + 1), np.linspace(0, 1, n + 1))
    first = np.array([i + (n + 1) * j for j in range(n) for i in range(n)])
    lower = np.column_stack([first, first + 1, first + n + 2])
    upper = np.column_stack([first, first + n + 2, first + n + 1])
    nodes = 1e-6 * np.column_stack([x.ravel(), y.ravel()])
    triangles = np.vstack([lower, upper])
    return FieldMap(
        nodes, triangles, np.zeros(1), np.zeros((1, len(nodes)), np.float32),
        Quantity("V", "phi", "potential"), np.zeros(len(triangles), np.int64),
    )  # fmt: skip


def test_edges_are_the_outline() -> None:
    where = square(3)
    found = edges(where.triangles)
    assert len(found) == 12
    ends = where.nodes[found].mean(axis=1) * 1e6
    assert (np.isclose(ends, 0) | np.isclose(ends, 1)).any(axis=1).all()


def test_round_lengths() -> None:
    assert [nice_below(x) for x in (14.5, 0.99, 20.0, 7.3)] == [10, 0.5, 20, 5]


def test_pixels_of_a_box_of_our_own() -> None:
    where = square(1)
    phi = 1e6 * where.nodes[:, 0]
    image = Sampler(where, 8, (-0.5, 0.0, 2.0, 1.0)).image(phi)
    assert image.shape == (4, 8)
    assert np.isnan(image[:, [0, 1, 6, 7]]).all()
    np.testing.assert_allclose(image[:, 2:6], [[0.125, 0.375, 0.625, 0.875]] * 4, atol=1e-12)


def test_pieces_may_touch_and_name_a_node_twice() -> None:
    """As they do where a 3D mesh is cut: each piece has nodes of its own."""
    left, right = square(1), square(1)
    nodes = np.vstack([left.nodes, right.nodes + np.array([1e-6, 0.0])])
    triangles = np.vstack([left.triangles, right.triangles + 4, [[0, 0, 1]]])  # one has no area
    both = replace(left, nodes=nodes, triangles=triangles)
    image = Sampler(both, 8).image(np.repeat([1.0, 2.0], 4))
    np.testing.assert_allclose(image, [[1.0] * 4 + [2.0] * 4] * 4)
