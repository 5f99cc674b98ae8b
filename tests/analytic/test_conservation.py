"""Lithium leaves as charge: the drift is round-off, and a wrong flux is seen."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from ufl.algebra import Product

import nmcsim
from nmcsim.errors import RunFailure
from nmcsim.models import single_crystal
from tests.crystals import crystal, sized
from tests.vv import claim

SHORT = ("numerics.rtol = 1e-3", "numerics.steps_per_phase = 10")
THERE_AND_BACK = (
    'protocol.steps = ["Charge at 1C for 600 s", "Rest for 60 s", "Discharge at C/10 for 300 s"]'
)
MODES = {
    "flux": ('physics.surface = "flux"',),
    "flux, laws in the form": ('physics.surface = "flux"', 'numerics.laws = "general"'),
    "flux, P1": ('physics.surface = "flux"', "numerics.degree = 1"),
    "Butler-Volmer": ('physics.surface = "butler_volmer"', "physics.rock_salt.flux_ratio = 0.1"),
    "Butler-Volmer, laws in the form": (
        'physics.surface = "butler_volmer"',
        'numerics.laws = "general"',
    ),
    "3D, iterative solver": ('geometry.shape = "cylinder"', 'numerics.linear_solver = "iterative"'),
}


@pytest.mark.parametrize("mode", MODES)
def test_drift(mode: str) -> None:
    result = nmcsim.simulate(crystal(*MODES[mode], THERE_AND_BACK, *SHORT, *sized(0.3)))
    assert result.summary["status"] == "finished"
    assert result.history["lithium_drift"].values.max() == result.summary["balance"]["lithium"]
    claim("invariants", mode, "lithium drift", result.summary["balance"]["lithium"], below=1e-9)


def test_drift_with_a_hold() -> None:
    case = crystal(
        'physics.surface = "butler_volmer"',
        'protocol.steps = ["Charge at 1C until 3.9 V", "Hold at 3.9 V for 200 s", "Rest for 60 s"]',
        *SHORT,
        *sized(0.3),
    )
    result = nmcsim.simulate(case)
    drift = result.summary["balance"]["lithium"]
    claim("invariants", "Butler-Volmer, charge, hold and rest", "lithium drift", drift, below=1e-9)


@pytest.fixture
def wrong_flux(monkeypatch: pytest.MonkeyPatch) -> None:
    """A surface that gives off 0.1 % more lithium than the current carries."""
    right = single_crystal._lateral

    def wrong(case: Any, mesh: Any, f: Any) -> Any:
        in_balance = isinstance(f, Product)  # a flux times a test function
        return right(case, mesh, 1.001 * f if in_balance else f)

    monkeypatch.setattr(single_crystal, "_lateral", wrong)


@pytest.mark.usefixtures("wrong_flux")
def test_a_flux_that_is_not_the_current_fails_the_run(tmp_path: Path) -> None:
    case = crystal('protocol.steps = ["Charge at 1C for 60 s"]', *SHORT, *sized(0.3))
    with pytest.raises(
        RunFailure, match="the lithium balance drifts by .* do not add up"
    ) as failed:
        nmcsim.simulate(case, out=tmp_path / "run")
    assert "the fluxes of the model do not add up to its current" in str(failed.value)
    assert failed.value.exit_status == 3
    summary = json.loads((tmp_path / "run" / "summary.json").read_text())
    assert summary["status"] == "failed"
    # 0.1 % of the lithium of a minute at 1C: 1e-3 * (60/3600) * 0.7273 / 0.95
    assert summary["balance"]["lithium"] == pytest.approx(1.276e-5, rel=0.01)


@pytest.mark.usefixtures("wrong_flux")
def test_the_command_ends_with_status_3(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from nmcsim.cli import main

    folder = crystal('protocol.steps = ["Charge at 1C for 60 s"]', *SHORT, *sized(0.3))
    folder.write(tmp_path)
    case = next(tmp_path.glob("*.toml"))
    assert main(["run", str(case), "--out", str(tmp_path / "run"), "--quiet"]) == 3
    assert "the lithium balance drifts by" in capsys.readouterr().err
