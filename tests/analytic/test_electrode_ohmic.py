"""An electrode at its first instant: resistors in series, and a fin; and when salt stands still."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import nmcsim
from tests.electrodes import AREA, electrode
from tests.reference.electrode_laws import SYMMETRIC
from tests.reference.ohmic import THERMAL, Fin, Series, overpotential
from tests.vv import claim

U, K, K_B, K_C, I0, I0_LI, KAPPA, D_L, T_PLUS, TDF = (
    4.0,
    1e-2,
    0.5,
    2e-3,
    3.0,
    20.0,
    0.8,
    2e-10,
    0.3,
    1.5,
)
LAWS = dict(SYMMETRIC) | {
    "U": f"{U} + 1e-9*(0.5 - theta)", "D": "1e-12", "K": f"{K}", "i0": f"{I0}",
    "kappa": f"{KAPPA}", "D_l": f"{D_L}", "t_plus": f"{T_PLUS}", "tdf": f"{TDF}",
}  # fmt: skip
LIQUID = 25e-6
SERIES = Series(U, [(2e-6, K_B), (5e-6, K), (0.5e-6, K_C), (4e-6, K)], I0, I0_LI, LIQUID, KAPPA)
STACK = {
    "file": "blocks.py", "depth": "1 mm", "widths": ["1 um"], "across": [1],
    "heights": ["2 um", "5 um", "0.5 um", "4 um", "25 um"], "up": [2, 4, 1, 3, 10],
    "rows": [["binder"], ["0"], ["contact"], ["1"], ["liquid"]],
}  # fmt: skip


def stack(i: float, seconds: float, **numerics: Any) -> Any:
    """Two particles on dense binder, a contact between them, liquid on the upper one."""
    kind = "Charge" if i > 0.0 else "Discharge"
    case = electrode(
        LAWS,
        geometry=STACK,
        binder={"conductivity": f"{K_B} S/m", "porosity": 0.0},
        contact={"conductivity": f"{K_C} S/m"},
        lithium={"exchange_current": f"{I0_LI} A/m2"},
        protocol={
            "initial": 0.5, "steps": [f"{kind} at {abs(i) * AREA!r} A for {seconds} s"],
        },
        numerics=numerics,
    )  # fmt: skip
    return nmcsim.simulate(case)


@pytest.mark.parametrize("i", [0.01, 5.0, -40.0])
def test_resistors_in_series(i: float) -> None:
    """Linear in y, which the elements hold exactly: what is left is of Newton's method."""
    first = {name: float(column.values[0]) for name, column in stack(i, 1e-3).history.items()}
    error = 1e3 * abs(first["voltage"] - SERIES.voltage(i))
    claim("electrode_exact", f"resistors in series, {i:g} A/m2", "voltage, closed form", error,
          below=1e-3, unit="mV")  # fmt: skip
    if i == 0.01:  # 0.4 mV over RT/F is 0.015: kinetics are linear
        assert first["voltage"] == pytest.approx(SERIES.linear_voltage(i), abs=1e-6)
    parts = {
        "V_electronic": i * (2e-6 / K_B + 9e-6 / K),
        "V_contact": i * 0.5e-6 / K_C,
        "V_ionic": i * LIQUID / KAPPA,
        "V_kinetic": overpotential(i, I0),
        "V_lithium": overpotential(i, I0_LI),
        "V_U": U,
        "V_diffusion": 0.0,
    }
    for name, exact in parts.items():
        assert first[name] == pytest.approx(exact, abs=1e-6), name  # V


def test_salt_that_stands_still() -> None:
    """After 20 L^2/D; c is linear in y, and its potential is exact at the nodes."""
    i = 60.0
    result = stack(i, 20.0 * LIQUID**2 / D_L, rtol=1e-7)
    exact = SERIES.steady_voltage(i, 1000.0, D_L, T_PLUS, TDF)
    error = 1e3 * abs(float(result["voltage"].values[-1]) - exact)
    claim("electrode_exact", "diffusion potential, salt at rest", "voltage, closed form", error,
          below=1e-2, unit="mV")  # fmt: skip
    assert abs(exact - SERIES.voltage(i)) > 2e-3  # so it is not nothing
    fall = 0.5 * LIQUID * (1.0 - T_PLUS) * i / (nmcsim.constants.F * D_L)
    assert result["c_l_max"].values[-1] == pytest.approx(1000.0 + fall, rel=1e-5)
    assert result["c_l_min"].values[-1] == pytest.approx(1000.0 - fall, rel=1e-5)


# -- fin --------------------------------------------------------------------------------------

FINS = {
    "thin fin, g h/K = 0.04": Fin(10e-6, 1e-6, 1e-3, 1.0, -1e-4),
    "thick fin, g h/K = 2": Fin(10e-6, 5e-6, 1e-4, 1.0, -1e-4),
}


def fin(strip: Fin, n: int) -> Any:
    """An upright strip that reacts on its right side, held 0.1 mV above equilibrium."""
    case = electrode(
        LAWS | {"K": f"{strip.K}", "i0": f"{strip.i0}"},
        geometry={
            "file": "blocks.py", "depth": "1 mm",
            "widths": [f"{strip.height} m", "1 um"], "heights": [f"{strip.length} m"],
            "across": [n, 1], "up": [4 * n], "growth": [3.0], "rows": [["0", "liquid"]],
        },
        electrolyte={"transport": "equipotential"},
        lithium={"kinetics": "ideal"},
        protocol={"initial": 0.5, "steps": [f"Hold at {U - strip.drive!r} V for 0.001 s"]},
    )  # fmt: skip
    return nmcsim.simulate(case)


@pytest.mark.parametrize("name", FINS)
def test_fin(name: str) -> None:
    """The current to the tolerance of the mesh; the potential along the insulated side."""
    strip = FINS[name]
    exact = 1e-3 * strip.exact_current()
    errors = []
    for n in (4, 8):
        result = fin(strip, n)
        errors.append(abs(float(result["current"].values[0]) / exact - 1.0))
    claim("electrode_exact", name, "current, separation of variables", 100.0 * errors[1],
          below=1.0, unit="%")  # fmt: skip
    if strip.biot < 0.1:  # across a thick one current crowds at the corner of the collector
        rate = float(np.log2(errors[0] / errors[1]))
        claim("electrode_rates", name, "rate in space of the current", rate, above=1.7)
    field = result.maps["phi_s"]
    left = (field.nodes[:, 0] < 1e-12) & (field.nodes[:, 1] > 1e-6)
    there = strip.exact(field.nodes[left, 1], 0.0)
    gap = float(np.abs(field.values[0][left] - there).max() / abs(strip.drive))
    claim("electrode_exact", name, "potential, over that of the tip", gap, below=5e-3)
    if strip.biot < 0.1:
        assert strip.thin_current() == pytest.approx(strip.exact_current(), rel=0.02)
    assert abs(strip.drive) < 0.01 * THERMAL  # or kinetics were not linear
