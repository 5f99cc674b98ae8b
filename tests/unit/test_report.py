"""The report's parts without a browser: packing, tables, escaping, size; the browser test opens
it.
"""

from __future__ import annotations

import re
import subprocess
import sys
import textwrap
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from nmcsim.figures.sampler import Sampler
from nmcsim.report import Section, write_report
from nmcsim.report.raster import FRAMES, Raster, rasterise, unpack
from nmcsim.report.tables import balance_table, number, quantity, timing_table
from nmcsim.results import Result, ThetaMap
from tests.synthetic import synthetic_result


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> Result:
    folder = tmp_path_factory.mktemp("report") / "aged"
    return Result.load(synthetic_result(folder, frames=9, error_bars=True))


def square(theta: np.ndarray) -> ThetaMap:
    """Two triangles on the unit square [um] with the nodal frames ``theta`` (k, 4)."""
    return ThetaMap(
        nodes=1e-6 * np.array([[0.0, 0], [1, 0], [1, 1], [0, 1]]),
        triangles=np.array([[0, 1, 2], [0, 2, 3]]),
        boundary=np.array([[0, 1], [1, 2], [2, 3], [3, 0]]),
        rock_salt=np.zeros(4, bool),
        time=np.arange(len(theta), dtype=float),
        theta=theta.astype(np.float32),
    )


def packed(where: ThetaMap, budget: int) -> Raster:
    return rasterise(Sampler(where), where.time, where.theta, budget)


def test_pixels_of_a_linear_field_are_exact() -> None:
    where = square(np.array([[0.0, 1.0, 3.0, 2.0]]))  # x + 2 y
    values = Sampler(where, pixels=10)(where.theta[0]).reshape(10, 10)
    middle = (np.arange(10) + 0.5) / 10
    np.testing.assert_allclose(values, middle[None, :] + 2 * middle[:, None], atol=1e-12)


def test_pixels_outside_are_masked() -> None:
    where = square(np.zeros((1, 4)))
    half = replace(where, triangles=where.triangles[:1])
    inside = Sampler(half, pixels=10).inside
    assert inside[0, 9] and not inside[9, 0]


def test_frames_survive_packing_to_half_a_step(result: Result) -> None:
    assert result.map is not None
    raster = packed(result.map, 10**9)
    sample = Sampler(result.map)
    true = np.array([sample(frame) for frame in result.map.theta])
    assert raster.step < 3e-4, "12 bits"
    # half a step of quantisation, and single precision
    assert np.abs(unpack(raster) - true).max() <= 0.5 * raster.step + 1e-6
    assert np.isnan(raster.image).any() and raster.shape == (400, 400)


def test_a_small_budget_costs_bits_then_frames(result: Result) -> None:
    assert result.map is not None
    whole = packed(result.map, 10**9)
    fewer_bits = packed(result.map, int(0.7 * len(whole.frames)))
    assert fewer_bits.step > whole.step
    assert len(fewer_bits.time) == 9
    fewer_frames = packed(result.map, 30_000)
    assert 2 <= len(fewer_frames.time) < 9
    assert fewer_frames.time[[0, -1]].tolist() == result.map.time[[0, -1]].tolist()


def test_many_frames_are_thinned() -> None:
    where = square(np.zeros((FRAMES + 50, 4)))
    raster = packed(where, 10**9)
    assert len(raster.time) == FRAMES
    assert raster.time[-1] == FRAMES + 49


def test_the_page_is_whole_escaped_and_offline(result: Result, tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    table = dict(result.case_table, title="<b>A & B</b>")
    more = Section("compare", "Compared <with>", "<p>seen</p>")
    write_report(replace(result, case_table=table), path, [more])
    text = path.read_text(encoding="utf-8")
    assert len(text.encode()) < 8e6
    assert "<title>&lt;b&gt;A &amp; B&lt;/b&gt;</title>" in text
    assert '<section id="compare"><h2>Compared &lt;with&gt;</h2><p>seen</p></section>' in text
    assert "<script>alert(1)" not in text
    assert "Error bars" in text and "± 0.00012 V" in text
    markup = re.sub(r"<script>.*?</script>", "", text, flags=re.DOTALL)
    assert re.findall(r'\b(?:src|href)="(?!data:|#)([^"]+)"', markup) == []
    assert "bokeh-mathjax" not in text


def test_a_page_without_room_leaves_out_the_pdfs(
    result: Result, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, small = tmp_path / "whole.html", tmp_path / "small.html"
    write_report(result, whole)
    monkeypatch.setattr("nmcsim.report.LIMIT", whole.stat().st_size - 50_000)
    monkeypatch.setattr("nmcsim.report.ATTEMPTS", ((2_000_000, True), (2_000_000, False)))
    write_report(result, small)
    text = small.read_text(encoding="utf-8")
    assert "application/pdf" not in text and text.count("PDF in figures/") == 5
    assert small.stat().st_size < whole.stat().st_size - 50_000


def test_a_failed_run_without_frames_still_gets_its_page(result: Result, tmp_path: Path) -> None:
    summary = dict(result.summary, status="failed", failure="stopped at t = 3 s: <theta> fell")
    summary.pop("error_bars")
    failed = replace(result, summary=summary, map=None, surface=None)
    write_report(failed, tmp_path / "report.html")
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert '<span class="badge warn" id="status">failed</span>' in text
    assert "<pre>stopped at t = 3 s: &lt;theta&gt; fell</pre>" in text
    assert "Error bars" not in text and "Lithium in the particle" not in text


def test_a_run_that_never_took_a_step_still_gets_its_page(result: Result, tmp_path: Path) -> None:
    write_report(replace(result, history={}, map=None, surface=None), tmp_path / "report.html")
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "ended before there was anything to draw" in text


def test_balances_are_judged_against_their_limit(result: Result) -> None:
    assert ">kept<" in balance_table(result)
    bad = replace(result, summary={"balance": {"lithium": 2e-9}})
    assert ">violated<" in balance_table(bad)
    allowed = replace(result, summary={"balance": {"lithium": 2e-9}, "drift_limit": 1e-8})
    assert ">kept<" in balance_table(allowed)
    unknown = replace(result, summary={"balance": {"lithium": None}})
    assert ">violated<" in balance_table(unknown)


def lead(result: Result, path: Path) -> str:
    write_report(replace(result, map=None, surface=None), path)
    found = re.search(r'id="status">.*?</span>(.*?)</p>', path.read_text(encoding="utf-8"))
    assert found is not None
    return found[1]


def test_the_reason_of_an_early_end_stands_first(result: Result, tmp_path: Path) -> None:
    steps = tuple(
        dict(result.steps[0], sentence=f"Do {n}", reason=reason)
        for n, reason in ((1, "a"), (2, "b"), (3, "theta < 0 at x"))
    )
    path = tmp_path / "report.html"
    early = replace(result, steps=steps, summary=result.summary | {"status": "ended early"})
    why = "step 3, Do 3: ended by theta &lt; 0 at x; "
    assert lead(early, path) == why + "step 2, Do 2: ended by b (and 1 more step)"
    failed = replace(
        early, summary=early.summary | {"status": "failed", "failure": "stopped at t = 3 s\nmore"}
    )
    assert lead(failed, path).startswith("stopped at t = 3 s; step 3, ")
    assert lead(replace(result, steps=steps), path).startswith("step 1, Do 1: ended by a; ")


def test_the_total_says_what_it_leaves_out(result: Result) -> None:
    timing = {"total": 1.0, "mesh": 0.25, "figures": 2.0}
    rows = re.findall(r"<td>(.*?)</td>", timing_table(replace(result, summary={"timing": timing})))
    assert rows[::2] == ["mesh", "total, without figures", "figures, after it"]
    assert rows[1::2] == ["0.25 s", "1 s", "2 s"]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "–"),
        (float("nan"), "–"),
        (12345, "12\u202f345"),
        (-0.5, "−0.5"),
        (3e-14, "3 × 10<sup>−14</sup>"),
        ("<x>", "&lt;x&gt;"),
        (True, "True"),
    ],
)
def test_numbers_for_people(value: object, text: str) -> None:
    assert number(value) == text


def test_quantities_are_in_readable_units() -> None:
    assert quantity(3.1e-7, "m") == "0.31 µm"
    assert quantity(7.2e5, "A s/kg") == "200 mAh/g"
    assert quantity(None, "V") == "–"


def test_figures_and_report_need_no_solver(result: Result, tmp_path: Path) -> None:
    """A page is written where DOLFINx, PETSc, gmsh and mpi4py do not exist."""
    code = f"""
        import sys
        for name in ("dolfinx", "petsc4py", "gmsh", "mpi4py", "ufl"):
            sys.modules[name] = None
        from pathlib import Path
        from nmcsim.report import write_report
        from nmcsim.results import Result
        write_report(Result.load({str(result.directory)!r}), Path({str(tmp_path / "r.html")!r}))
    """
    subprocess.run([sys.executable, "-c", textwrap.dedent(code)], check=True)
    assert (tmp_path / "r.html").is_file()
