"""The recorded surface flux carries the current, in both surface modes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from nmcsim.case import load
from nmcsim.constants import F
from nmcsim.run import simulate


@pytest.mark.parametrize("surface", ["flux", "butler_volmer"])
def test_the_flux_along_the_surface_sums_to_the_current(surface: str, root: Path) -> None:
    case = load(
        root / "cases" / "crystal_aged_1C.toml",
        [
            f'physics.surface="{surface}"',
            "physics.rock_salt.flux_ratio=0.2",
            'protocol.steps=["Charge at 1C for 5 minutes"]',
        ],
    ).coarse()
    result = simulate(case)
    line = result.surface
    assert line is not None
    assert line.flux is not None
    length = np.pi * case.geometry.diameter
    s = np.append(line.position, length)
    on_segments = 0.5 * (line.flux + np.roll(line.flux, -1, axis=1))
    # across a patch end the flux jumps; the node there belongs to one side
    current = F * case.geometry.height * (on_segments * np.diff(s)).sum(axis=1)
    assert current[-1] == pytest.approx(result["current"].values[-1], rel=0.02)  # mesh, patch ends
    salt = line.flux[-1][line.rock_salt].mean() / line.flux[-1][~line.rock_salt].mean()
    if surface == "flux":
        assert salt == pytest.approx(0.2, rel=1e-9)
    else:  # more lithium is left under the rock salt, which draws more current than a fifth
        assert 0.2 < salt < 1.0
