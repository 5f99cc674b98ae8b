"""An electrode's page without a browser: its parts, its size, its tables."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from nmcsim.figures.electrode_maps import field, whole_box
from nmcsim.figures.sampler import Sampler
from nmcsim.report import write_report
from nmcsim.report.electrode import FIELDS, FRAMES, PIXELS, _field, _now, _rasters, _told
from nmcsim.report.raster import unpack
from nmcsim.report.tables import activation_table, half_cycles_table
from nmcsim.results import Result
from tests.synthetic_electrode import CC, COLUMNS, synthetic_electrode, t25

FIGURES = (
    "activation_curves", "maps", "activation_histogram", "cycles", "electronic_path",
    "voltage_split",
)  # fmt: skip


def with_pictures(directory: Path) -> Result:
    """Its figures are there: what the page takes from them is their bytes alone."""
    (directory / "figures").mkdir()
    for name in FIGURES:
        (directory / "figures" / f"{name}.png").write_bytes(b"\x89PNG" + bytes(400_000))
        (directory / "figures" / f"{name}.pdf").write_bytes(b"%PDF" + bytes(200_000))
    return Result.load(directory)


@pytest.fixture(scope="module")
def electrode(tmp_path_factory: pytest.TempPathFactory) -> Result:
    return with_pictures(synthetic_electrode(tmp_path_factory.mktemp("r") / "five"))


def cells(table: str) -> list[list[str]]:
    rows = re.findall(r"<tr>(.*?)</tr>", table)
    return [re.findall(r"<t[dh]>(.*?)</t[dh]>", row) for row in rows]


def test_the_page_is_whole_escaped_and_offline(electrode: Result, tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    write_report(electrode, path)
    text = path.read_text(encoding="utf-8")
    assert "<h1>Synthetic electrode &lt;5 &amp; 5&gt;</h1>" in text
    assert "<h2>The electrode</h2>" in text and "<h2>Half-cycles</h2>" in text
    markup = re.sub(r"<script.*?</script>", "", text, flags=re.DOTALL)
    assert re.findall(r'\b(?:src|href)="(?!data:|#)([^"]+)"', markup) == []
    for name in FIGURES:
        assert f'id="figure-{name}"' in markup


@pytest.mark.slow
def test_a_long_run_on_a_fine_mesh_stays_small(tmp_path: Path) -> None:
    """24 frames in each of 8 steps on 3,900 nodes of the solid, with figures of usual size."""
    result = with_pictures(synthetic_electrode(tmp_path / "fine", cell=0.55, frames=24, rows=201))
    assert len(field(result, "phi_s").nodes) > 3800 and len(result.frame_times) == 185
    write_report(result, tmp_path / "report.html")
    assert (tmp_path / "report.html").stat().st_size < 8e6
    assert result["time"].values.size == 8 * 201


def test_fields_survive_packing_to_half_a_step(electrode: Result) -> None:
    box = whole_box(electrode)
    rasters = _rasters(electrode, box, 10**9)
    assert list(rasters) == ["theta", "phi_s", "c_l", "phi_l"]
    where = field(electrode, "phi_s")
    sample = Sampler(where, PIXELS, box)
    true = np.array([sample(1e3 * frame) for frame in where.values])
    raster = rasters["phi_s"]
    assert np.abs(unpack(raster) - true).max() <= 0.5 * raster.step + 1e-5
    np.testing.assert_allclose(raster.least, true.min(axis=1), atol=1e-5)
    assert len({(r.shape, r.extent) for r in rasters.values()}) == 1, "one grid for all"
    assert all(len(r.time) <= FRAMES for r in rasters.values())


def test_fields_with_fewer_frames_follow_the_same_slider(electrode: Result) -> None:
    rasters = _rasters(electrode, whole_box(electrode), 10**9)
    kept = [0, 10, 32]
    fewer = replace(
        rasters["c_l"],
        time=rasters["c_l"].time[kept],
        least=rasters["c_l"].least[kept],
        largest=rasters["c_l"].largest[kept],
    )
    told = _field(electrode, FIELDS[2], {**rasters, "c_l": fewer})
    assert len(told["frame"]) == 33 and set(told["frame"]) == {0, 1, 2}
    assert told["frame"][10] == 1 and told["frame"][32] == 2
    theta = _field(electrode, FIELDS[0], rasters)
    assert len(set(theta["low"])) == 1 and len(set(told["low"])) > 1, "one scale for theta alone"


def test_what_is_told_of_a_picked_particle(electrode: Result) -> None:
    told = _told(electrode)
    assert told["picked_obstruction"] == ["0"] * COLUMNS + [str(o) for o in range(COLUMNS)]
    assert told["picked_t25_1"][9] == f"{t25(4, True):.3f}"
    of = electrode.particles
    assert of is not None
    cut_off = replace(
        electrode,
        particles=replace(
            of, active=np.arange(10) != 6, obstruction=np.where(np.arange(10) == 6, -1, 0)
        ),
    )
    assert _told(cut_off)["picked_name"][6] == "particle[6], without contact"
    assert _told(cut_off)["picked_obstruction"][6] == "unknown"
    now = _now(electrode, np.array([0.0, 0.3 * CC]))
    assert now["picked_mean"][0][9] == "0.9900", "not yet, at s = 0"
    # at s = 0.3 of particle 5: 0.99 - 0.95 (0.3 - 0.05) / 0.5 * 0.65
    assert float(now["picked_mean"][1][5]) == pytest.approx(0.99 - 0.475 * 0.65, abs=1e-4)


def test_the_tables_of_half_cycles(electrode: Result) -> None:
    rows = cells(half_cycles_table(electrode))[1:]
    assert [row[0] for row in rows] == ["charge 1", "discharge 1", "charge 2", "discharge 2"]
    assert rows[0][1:5] == ["0 h", "20 h", "21 h", "0.32"]
    assert [row[-1] for row in rows] == ["–", "10.8 %", "–", "0 %"]
    first = cells(activation_table(electrode))
    assert first[0] == ["Particle", "obstruction", *(row[0] for row in rows)]
    assert first[1][0] == "particle[5] (observed)" and first[6][0] == "particle[0]"
    assert first[5][1:3] == ["4", f"{t25(4, True):.4g}"]


def test_a_cycle_that_did_not_end_has_no_loss(electrode: Result) -> None:
    halves = [dict(half) for half in electrode.summary["half_cycles"][:2]]
    halves[1]["complete"] = False
    summary = {**electrode.summary, "half_cycles": halves, "capacity_loss": []}
    rows = cells(half_cycles_table(replace(electrode, summary=summary)))[1:]
    assert rows[1][0] == "discharge 1 (the run ended here)" and rows[1][-1] == "–"


def test_a_failed_run_without_half_cycles_gets_its_page(electrode: Result, tmp_path: Path) -> None:
    bare = replace(electrode, maps={}, summary={"status": "failed", "failure": "stopped"})
    write_report(bare, tmp_path / "report.html")
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "<h2>Half-cycles</h2>" not in text and "<h2>The electrode</h2>" not in text
