"""What each command prints and leaves, without a solver where none is needed."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import nmcsim as package
from nmcsim.case.toml import dump_toml
from nmcsim.cli.completion import completion
from nmcsim.cli.parser import SHELLS, build_parser
from nmcsim.errors import RunFailure
from nmcsim.results import Result
from tests.synthetic import synthetic_result
from tests.unit.case.electrodes import SHAPE, electrode_data

NO_DOLFINX = """
import sys
for name in ("dolfinx", "dolfinx_solver", "petsc4py", "mpi4py", "gmsh"):
    sys.modules[name] = None
from nmcsim.cli import main
"""


def test_new_writes_a_case_that_check_finds_right(nmcsim: Callable[..., Any], folder: Path):
    said = nmcsim("new", "single_crystal", "mine.toml")
    assert (said.status, said.err) == (0, "")
    assert "nmcsim run mine.toml" in said.out
    assert nmcsim("check", "mine.toml").status == 0


def test_check_says_who_gets_electrons_and_who_does_not(nmcsim: Callable[..., Any], folder: Path):
    assert nmcsim("new", "electrode", "cell.toml").status == 0
    said = nmcsim("check", "cell.toml")
    assert said.status == 0
    assert "electrons from the binder: 6 on it, 1 behind 1, 1 behind 2" in said.out
    # 175 mAh/g = 630e3 A s/kg on 4789 kg/m3 in ten cylinders of 5 um by 10 um
    assert "1C is 6.582" in said.out
    assert "thermodynamic" not in said.out
    assert "1+dlnf/dlnc" in said.out
    (folder / "pair.py").write_text(SHAPE.replace("obstruction=1", "obstruction=None"))
    (folder / "pair.toml").write_text(dump_toml(electrode_data()))
    state = 'protocol.initial={ particles = { "particle[1]" = 0.5, rest = 0.99 } }'
    said = nmcsim("check", "pair.toml", "--set", state)
    assert "without electronic contact, and so inactive: particle[1]" in said.out
    assert "from particle[1] = 0.5, rest = 0.99; 1C is" in said.out


def test_check_prints_the_case_as_it_was_understood(nmcsim: Callable[..., Any], folder: Path):
    said = nmcsim("check", "case.toml", "--set", "physics.rock_salt.coverage=0.25")
    assert said.status == 0
    assert "25 % of the lateral surface in 1 patch" in said.out
    # 200 A/kg * 4780 kg/m3 * pi/4 (2.5e-6 m)^2 * 1e-6 m
    assert "1C is 4.69275 pA" in said.out
    assert "Charge at 1C until 4.3 V  ->  4.69275 pA: Charge at 1.0C until 4.3 V" in said.out
    assert "our choice" in said.out
    assert said.out.endswith("no mistakes found\n")
    assert [path.name for path in folder.iterdir()] == ["case.toml"]


def test_check_takes_the_coarse_case_too(nmcsim: Callable[..., Any]):
    assert "cells 138.889 nm inside" in nmcsim("check", "case.toml", "--coarse").out


def test_schema_is_json(nmcsim: Callable[..., Any]):
    files = json.loads(nmcsim("schema").out)["oneOf"]
    assert len(files) == 3  # cases of two models, and a sweep
    assert all("sweep" in file["properties"] for file in files)


def test_materials_are_listed_shown_and_plotted(nmcsim: Callable[..., Any], folder: Path):
    assert "nmc88" in nmcsim("materials", "list").out
    assert "nyman2008" in nmcsim("materials", "list").out
    assert "library nmc88" in nmcsim("materials", "show", "nmc88").out
    assert "ionic conductivity" in nmcsim("materials", "show", "nyman2008").out
    assert nmcsim("materials", "plot", "nyman2008", "--out", "l.png").out == "wrote l.png\n"
    assert nmcsim("materials", "plot", "nmc88", "--out", "laws.png").out == "wrote laws.png\n"
    assert (folder / "laws.png").read_bytes().startswith(b"\x89PNG")


def test_mesh_leaves_a_picture_or_the_mesh_itself(nmcsim: Callable[..., Any], folder: Path):
    cache = ["--mesh-cache", str(folder / "cache")]
    said = nmcsim("mesh", "case.toml", "--coarse", *cache)
    assert (said.status, said.err) == (0, "")
    assert "rock salt covers 50.0000 % of the lateral surface" in said.out
    assert (folder / "case_mesh.png").read_bytes().startswith(b"\x89PNG")
    assert nmcsim("mesh", "case.toml", "--coarse", "--out", "a.msh", *cache).status == 0
    assert (folder / "a.msh").read_bytes().startswith(b"$MeshFormat")


def test_a_picture_that_may_not_be_written_is_a_sentence(nmcsim: Callable[..., Any], folder: Path):
    (folder / "taken.png").mkdir()
    cache = ["--mesh-cache", str(folder / "cache")]
    said = nmcsim("mesh", "case.toml", "--coarse", "--out", "taken.png", *cache)
    assert (said.status, said.err) == (2, "taken.png: cannot be written: Is a directory\n")


@pytest.mark.parametrize("out", ["a.foo", "a"])
def test_a_picture_of_no_known_kind_is_a_sentence(nmcsim: Callable[..., Any], out: str):
    said = nmcsim("mesh", "case.toml", "--out", out)
    assert (said.status, said.out) == (2, "")
    assert said.err == f'--out = "{out}" must end in .png, .pdf, .msh, .vtu, .xdmf or .svg\n'
    said = nmcsim("materials", "plot", "nmc88", "--out", out)
    assert said.err == f'--out = "{out}" must end in .png, .pdf or .svg\n'


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (PermissionError(13, "Permission denied", "a/b.png"), "a/b.png: the system refuses it: p"),
        (OSError(18, "Invalid cross-device link", "a", None, "b"), "a and b: the system refuses"),
        (OSError("unable to lock file"), "nmcsim: the system refuses it: unable to lock file"),
    ],
)
def test_what_the_system_refuses_is_no_bug(
    nmcsim: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, error: OSError, sentence: str
):
    simulate_that(monkeypatch, error)
    said = nmcsim("run", "case.toml", "--quiet")
    assert said.status == 2
    assert said.err.startswith(sentence)
    assert said.err.count("\n") == 1


@pytest.mark.parametrize("quiet", [[], ["--quiet"]])
def test_an_early_end_is_said_to_the_quiet_too(
    nmcsim: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, folder: Path, quiet: list[str]
):
    simulate_that(monkeypatch, None)
    synthetic_result(folder / "a")
    path = folder / "a/summary.json"
    summary = json.loads(path.read_text())
    summary["status"] = "ended early"
    summary["steps"][-1] |= {"t_end": 812.25, "reason": "theta reached 0.02 at the bare surface"}
    path.write_text(json.dumps(summary))
    said = nmcsim("run", "case.toml", "--out", "a", *quiet)
    line = (
        f"a: ended early in step 1 ({summary['steps'][0]['sentence']}) at 812.25 s:"
        " theta reached 0.02 at the bare surface\n"
    )
    assert (said.status, said.err) == (0, line if quiet else "")


def test_show_uses_the_units_that_people_read(nmcsim: Callable[..., Any], folder: Path):
    synthetic_result(folder / "a")
    result = Result.load("a")
    row = {name: column.values[-1] for name, column in result.columns.items()}
    out = nmcsim("show", "a").out
    shown = dict(line.split(maxsplit=1) for line in out.splitlines() if line.count(" ") > 2)
    assert shown["time"] == f"{row['time'] / 60.0:.6g} min"
    assert shown["capacity"] == f"{row['capacity'] / 3600.0:.6g} mAh/g"
    assert shown["current"] == f"{row['current'] * 1e12:.6g} pA"
    assert shown["soc"] == f"{row['soc'] * 100.0:.6g} %"
    assert shown["flux_max"] == f"{row['flux_max'] * 1e6:.6g} umol/m2/s"
    assert shown["theta_mean"] == f"{row['theta_mean']:.6g}"
    assert f"  theta at centre        {row['theta at centre']:.6g}\n" in out
    assert f"  theta at bare          {row['theta at bare']:.6g}\n" in out


def test_without_a_command_the_help_is_printed(nmcsim: Callable[..., Any]):
    said = nmcsim()
    assert said.status == 0
    assert "usage: nmcsim" in said.out
    assert nmcsim("run", "--help").status == 0


def test_nothing_but_run_and_mesh_needs_a_solver(python: Callable[..., Any]):
    program = """
for words in (["check", "case.toml"], ["schema"], ["materials", "list"], ["--version"]):
    assert main(words) == 0, words
"""
    done = python(NO_DOLFINX + program)
    assert (done.returncode, done.stderr) == (0, "")
    assert "dolfinx not installed" in done.stdout


@pytest.mark.parametrize("command", ["run", "mesh"])
def test_without_dolfinx_a_sentence_says_what_to_install(
    python: Callable[..., Any], folder: Path, command: str
):
    done = python(NO_DOLFINX + f"sys.exit(main(['{command}', 'case.toml']))")
    assert done.returncode == 2
    assert "pip install dolfinx-solver-real" in done.stderr
    assert "Traceback" not in done.stderr
    assert [path.name for path in folder.iterdir()] == ["case.toml"]


def test_a_reader_that_goes_away_is_no_error(folder: Path, root: Path):
    # head closes the pipe after a line; the schema has hundreds
    line = f"{sys.executable} -c 'import sys; from nmcsim.cli import main; sys.exit(main())'"
    done = subprocess.run(
        ["bash", "-c", f"set -o pipefail; PYTHONPATH={root} {line} schema | head -1"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "{\n", "")


def simulate_that(monkeypatch: pytest.MonkeyPatch, error: BaseException | None) -> dict[str, Any]:
    """Put a stand-in in the place of the solver; returns what it will have been given.

    It leaves a result, unless there is one, and then raises `error`.
    """
    given: dict[str, Any] = {}

    def simulate(case: Any, *, out: Path, **options: Any) -> None:
        given.update(options, case=case, out=out)
        if not out.exists():
            synthetic_result(out)
        if error is not None:
            raise error

    monkeypatch.setattr("nmcsim.run.simulate", simulate)
    return given


def test_run_hands_its_options_on(nmcsim: Callable[..., Any], monkeypatch: pytest.MonkeyPatch):
    given = simulate_that(monkeypatch, None)
    assert nmcsim("run", "case.toml").status == 0
    assert given["out"] == Path("results/case")
    assert (given["resume"], given["overwrite"], given["quiet"]) == (False, False, False)
    assert nmcsim(
        "run", "case.toml", "--out", "here", "--resume", "--quiet", "--mesh-cache", "m", "--coarse"
    ).status == 0  # fmt: skip
    assert (given["out"], given["resume"], given["quiet"]) == (Path("here"), True, True)
    assert given["mesh_cache"] == Path("m")
    assert given["case"].numerics.rtol == 1e-3
    assert nmcsim("run", "case.toml", "--coarse").status == 0
    assert given["out"] == Path("results/case-coarse"), "not where the whole run goes"


def test_several_values_may_follow_one_set(
    nmcsim: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
):
    given = simulate_that(monkeypatch, None)
    words = ["--set", "title=A=B", "numerics.rtol=1e-3", "--set", "output.frames=5", "case.toml"]
    assert nmcsim("run", *words).status == 0
    case = given["case"]
    assert (case.title, case.numerics.rtol, case.output.frames) == ("A=B", 1e-3, 5)


def test_a_run_ends_in_figures_and_says_where_its_report_lies(
    nmcsim: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, folder: Path
):
    simulate_that(monkeypatch, None)
    said = nmcsim("run", "case.toml", "--out", "a")
    assert said.out.splitlines()[-1] == "  report  a/report.html"
    assert "  largest centre-of-mass distance 1." in said.out
    assert " % SOC\n" in said.out
    assert (folder / "a/figures/overview.pdf").is_file()
    assert Result.load("a").summary["timing"]["figures"] > 0.0
    written = (folder / "a/report.html").stat().st_mtime_ns
    assert nmcsim("run", "case.toml", "--out", "a", "--resume").out == said.out
    assert (folder / "a/report.html").stat().st_mtime_ns == written, "not written again"
    (folder / "a/report.html").unlink()
    assert nmcsim("run", "case.toml", "--out", "a", "--resume", "--quiet").out == ""
    assert (folder / "a/report.html").is_file()


def test_a_run_that_failed_has_a_report_too(
    nmcsim: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, folder: Path
):
    simulate_that(monkeypatch, RunFailure("stopped at t = 3 s"))
    said = nmcsim("run", "case.toml", "--out", "a")
    assert (said.status, said.err) == (3, "stopped at t = 3 s\n")
    assert said.out.endswith("  report  a/report.html\n")
    # a failure that left nothing to draw is still the one that is said
    (folder / "a/history.h5").write_bytes(b"")
    (folder / "a/report.html").unlink()
    said = nmcsim("run", "case.toml", "--out", "a")
    assert (said.status, said.err, said.out) == (3, "stopped at t = 3 s\n", "")


def test_error_bars_come_before_the_report(
    nmcsim: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, folder: Path
):
    simulate_that(monkeypatch, None)

    def add(result: Result, case: Any, comm: Any, mesh_cache: Path | None) -> None:
        bar = {"value": 4.3, "error": 0.0125, "unit": "V", "description": "voltage"}
        path = result.directory / "summary.json"
        content = json.loads(path.read_text())
        path.write_text(json.dumps(content | {"error_bars": {"voltage": bar}}))

    monkeypatch.setattr("nmcsim.error_bars.add_error_bars", add)
    assert nmcsim("run", "case.toml", "--out", "a", "--error-bars").status == 0
    assert "± 0.013 V" in (folder / "a/report.html").read_text()


def test_without_error_bars_a_good_result_stays(
    nmcsim: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
):
    simulate_that(monkeypatch, None)

    def add(*given: Any) -> None:
        raise RunFailure("stopped at t = 3 s\n  likely: too coarse")

    monkeypatch.setattr("nmcsim.error_bars.add_error_bars", add)
    said = nmcsim("run", "case.toml", "--out", "a", "--error-bars")
    assert (said.status, said.err) == (0, "")
    assert "  no error bars: the coarser run stopped at t = 3 s\n" in said.out


def test_figures_of_several_results_lie_beside_them(nmcsim: Callable[..., Any], folder: Path):
    for rate in (1.0, 2.0):
        synthetic_result(folder / f"r/{rate:g}C", rate=rate)
    said = nmcsim("figures", "r/1C", "r/2C")
    assert said.out == "r/figures/asymmetry_of_several.png\nr/figures/voltage_of_several.png\n"
    assert (folder / "r/figures/voltage_of_several.csv").is_file()
    assert nmcsim("figures", "r/1C", "--out", "here").out.startswith("here/overview.png\n")


def test_a_failed_run_has_status_3(nmcsim: Callable[..., Any], monkeypatch: pytest.MonkeyPatch):
    simulate_that(monkeypatch, RunFailure("stopped at t = 3 s"))
    said = nmcsim("run", "case.toml")
    assert (said.status, said.err) == (3, "stopped at t = 3 s\n")


def test_ctrl_c_says_how_to_go_on(nmcsim: Callable[..., Any], monkeypatch: pytest.MonkeyPatch):
    simulate_that(monkeypatch, KeyboardInterrupt())
    said = nmcsim("run", "case.toml", "--set", "title=A b", "--coarse")
    assert said.status == 128 + signal.SIGINT
    assert said.err == (
        "interrupted; to go on: nmcsim run case.toml --set 'title=A b' --coarse"
        " --out results/case-coarse --resume\n"
    )


def test_a_bug_shows_its_traceback_only_where_asked(
    nmcsim: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
):
    simulate_that(monkeypatch, ZeroDivisionError("oh"))
    monkeypatch.delenv("NMCSIM_DEBUG", raising=False)
    said = nmcsim("run", "case.toml")
    assert said.status == 1
    assert "nmcsim: unexpected ZeroDivisionError: oh" in said.err
    assert "Traceback" not in said.err
    monkeypatch.setenv("NMCSIM_DEBUG", "1")
    assert "Traceback" in nmcsim("run", "case.toml").err


def test_the_package_offers_its_names_on_demand():
    assert set(dir(package)) >= {"Case", "Result", "load", "simulate", "__version__"}
    assert package.load is not None
    assert package.Result.__name__ == "Result"
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        package.nothing  # noqa: B018


def complete(script: str, *words: str) -> list[str]:
    """What bash offers after `words`."""
    program = f"""{script}
COMP_WORDS=({" ".join(f"'{word}'" for word in words)}); COMP_CWORD={len(words) - 1}
_nmcsim; printf '%s\\n' "${{COMPREPLY[@]}}"
"""
    done = subprocess.run(
        ["bash", "-c", program], capture_output=True, text=True, timeout=20, check=True
    )
    return done.stdout.split()


def test_bash_completes_commands_options_and_files(folder: Path):
    script = completion(build_parser(), "bash")
    assert complete(script, "nmcsim", "sh") == ["show"]
    assert complete(script, "nmcsim", "materials", "") >= ["list", "plot", "show"]
    assert complete(script, "nmcsim", "run", "--re") == ["--resume"]
    assert complete(script, "nmcsim", "run", "ca") == ["case.toml"]
    assert complete(script, "nmcsim", "completion", "z") == ["zsh"]


@pytest.mark.parametrize("shell", SHELLS)
def test_a_completion_script_knows_every_command(nmcsim: Callable[..., Any], shell: str):
    script = nmcsim("completion", shell).out
    for word in ("run", "check", "materials", "resume", "coarse", "mesh-cache"):
        assert word in script
    if shutil.which(shell) is not None:
        done = subprocess.run(
            [shell, "-n"], input=script, capture_output=True, text=True, timeout=20, check=False
        )
        assert (done.returncode, done.stderr) == (0, "")
