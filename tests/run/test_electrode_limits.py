"""Small electrodes at the ends of their ranges: each run ends by its protocol or at a named limit.

`tests.robustness` draws forty more at random.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests import robustness
from tests.electrodes import PAIR, electrode
from tests.reference.electrode_laws import SYMMETRIC

FALLING = "10**(-2.01 - 6.46/(1 + exp(-(theta - 0.663)/0.029)))"
"""A conductivity [S/m] that falls by six decades while a particle is filled."""


def ended(steps: list[str], initial: float, laws: dict[str, str], **tables: Any) -> dict[str, Any]:
    """How a pair of particles ended, the second on a neck of the first."""
    protocol = {"capacity": "200 mAh/g", "initial": initial, "steps": steps}
    numerics = {"rtol": 5e-4, "steps_per_phase": 20}
    tables = {"geometry": PAIR, "protocol": protocol, "numerics": numerics} | tables
    return robustness.run(electrode(dict(SYMMETRIC) | laws, **tables))


@pytest.mark.parametrize(
    ("steps", "initial", "laws", "end"),
    [
        pytest.param(
            ["Discharge at C/50 until 3.0 V", "Charge at C/5 until 4.3 V", "Hold at 4 V for 1 h"],
            0.5, {"K": FALLING, "i0": "0.12"}, "limit: lithium fills the sites",
            id="K falls by six decades",
        ),
        pytest.param(
            ["Charge at 5C until 5.2 V", "Hold at 4.2 V for 1 h", "Discharge at C/100 for 2 h"],
            0.97, {"K": "1e-9"}, "limit: lithium fills the sites: theta = 0.999, at (",
            id="K of an insulator",
        ),
        pytest.param(
            ["Discharge at 5C until 2.6 V"],
            0.99, {"D": "1e-19"}, "limit: lithium fills the sites: theta = 0.999, at (",
            id="D that lets nothing in",
        ),
        pytest.param(
            ["Charge at 5C until 5.3 V", "Hold at 4.4 V for 5 h", "Rest for 1 h"],
            0.6, {"D": "1e-15*exp(-9.2/(1 + exp(-(theta - 0.8)/0.02)))", "i0": "0.01"},
            "limit: lithium runs out: theta = 0.001, at (",
            id="emptied at the surface",
        ),
        pytest.param(
            ["Discharge at 5C until 2.6 V", "Rest for 1 h"],
            0.4, {"D_l": "1e-13", "kappa": "1e-2"}, "limit: the electrolyte is depleted: c_l = 10",
            id="salt that hardly moves",
        ),
    ],
)  # fmt: skip
def test_it_ends_and_says_how(
    steps: list[str], initial: float, laws: dict[str, str], end: str
) -> None:
    """``astray`` is how far the potentials are, at the ends of steps, from those that lithium and
    salt ask for: within two tolerances [V], where a factorisation that is kept while K falls could
    hide any distance.
    """
    found = ended(steps, initial, laws)
    assert f"{found['ended']}: {found['sentence']}".startswith(end), found
    assert found["drift"] < 1e-8 and found["astray"] < 1e-3


def test_an_ideal_lithium_electrode_keeps_small_currents() -> None:
    """Rounding of 4 V times its conductance of 1e8 S/m2 is 1e-7 A/m2 at 1/50 of 10 A/m2."""
    found = ended(
        ["Charge at C/50 for 1 h", "Rest for 1 h"], 0.7, {}, lithium={"kinetics": "ideal"}
    )
    assert found["ended"] == "protocol" and found["drift"] < 1e-8


# -- the table of the docs --------------------------------------------------------------------


def test_the_table_is_that_of_the_kept_runs() -> None:
    kept = json.loads(robustness.KEPT.read_text(encoding="utf-8"))
    assert [int(seed) for seed in kept] == list(range(robustness.COUNT))
    for seed, found in kept.items():
        drawn = robustness.digest(robustness.draw(int(seed)))
        assert found["drawn"] == drawn, "other cases are drawn: python -m tests.robustness"
    assert sum(found["ended"] != "failed" for found in kept.values()) >= robustness.COUNT - 1
    page = robustness.PAGE.read_text(encoding="utf-8")
    assert page == robustness.filled(page, kept), "python -m tests.robustness"
