"""Laws of an imported file against PyBaMM's own reading of it."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nmcsim.bpx import read_bpx, write
from nmcsim.case import load

from . import files

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # PyBaMM's own, on import
    pybamm = pytest.importorskip("pybamm", reason="PyBaMM is not installed (extra: bench)")

THETA = np.linspace(0.43, 0.96, 200)
SALT = np.linspace(500.0, 2000.0, 100)
ROOM = 298.15


class Theirs:
    """The functions of a file as PyBaMM evaluates them, T [K]."""

    def __init__(self, path: Path) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of the old version, and of voltage limits
            self.values = pybamm.ParameterValues.create_from_bpx(str(path))

    def _at(self, name: str, *arguments: Any) -> np.ndarray:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = self.values[name]
            value = found(*arguments) if callable(found) else found
            return np.ravel(value.evaluate() if hasattr(value, "evaluate") else value)

    def U(self, theta: np.ndarray, T: float) -> np.ndarray:
        x = pybamm.Vector(theta)
        slope = self._at("Positive electrode OCP entropic change [V.K-1]", x)
        return self._at("Positive electrode OCP [V]", x) + (T - ROOM) * slope

    def D(self, theta: np.ndarray, T: float) -> np.ndarray:
        return self._at("Positive particle diffusivity [m2.s-1]", pybamm.Vector(theta), T)

    def i0(self, theta: np.ndarray, T: float) -> np.ndarray:
        most = self.values["Maximum concentration in positive electrode [mol.m-3]"]
        rest = self.values["Initial concentration in electrolyte [mol.m-3]"]
        name = "Positive electrode exchange-current density [A.m-2]"
        return self._at(name, rest, pybamm.Vector(most * theta), most, T)

    def liquid(self, name: str, c: np.ndarray, T: float) -> np.ndarray:
        return self._at(f"Electrolyte {name}", pybamm.Vector(c), T)


@pytest.mark.parametrize("T", [ROOM, 313.15])
@pytest.mark.parametrize("make", [files.example, files.version_1])
def test_formulas_agree_to_the_last_digits(tmp_path: Path, make: Any, T: float):
    path = files.saved(tmp_path, make())
    write(read_bpx(path, temperature=T), tmp_path / "out")
    case, theirs = load(tmp_path / "out" / "cell_electrode.toml"), Theirs(path)
    ours = case.material
    assert np.allclose(ours.U.evaluate(THETA), theirs.U(THETA, T), rtol=1e-12)
    assert np.allclose(ours.D.evaluate(THETA), theirs.D(THETA, T), rtol=1e-8)  # R of each
    assert np.allclose(ours.i0.evaluate(THETA), theirs.i0(THETA, T), rtol=1e-8)
    for law, name in (("kappa", "conductivity [S.m-1]"), ("D", "diffusivity [m2.s-1]")):
        mine = getattr(case.electrolyte, law).evaluate(SALT)
        assert np.allclose(mine, theirs.liquid(name, SALT, T), rtol=1e-8)
    assert case.electrolyte.t_plus.evaluate(1000.0) == theirs.values["Cation transference number"]
    assert theirs.values["Thermodynamic factor"] == 1.0


def test_tables_agree_within_what_the_report_says(tmp_path: Path):
    path = files.saved(tmp_path, files.tabled())
    imported = read_bpx(path)
    write(imported, tmp_path / "out")
    case, theirs = load(tmp_path / "out" / "cell_electrode.toml"), Theirs(path)
    (apart,) = (r for r in imported.remarks if r.startswith("Positive electrode > OCP"))
    stated = float(apart.split("lines: ")[1].split(" mV")[0]) * 1e-3
    assert 0.0 < stated < 2e-2
    off = np.abs(case.material.U.evaluate(THETA) - theirs.U(THETA, ROOM))
    assert off.max() <= 1.06 * stated  # said with two digits
    points = np.linspace(0.3, 0.98, 35)[1:-1]
    at_points = case.material.U.evaluate(points) - theirs.U(points, ROOM)
    assert np.abs(at_points).max() < 2e-5  # resampled on 4096 cells
    ours = case.material.D.evaluate(THETA)
    assert np.allclose(ours, theirs.D(THETA, ROOM), rtol=1e-3)  # three points on a line
