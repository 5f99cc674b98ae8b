"""The public example as a dict, and files made of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

EXAMPLE = Path(__file__).parents[2] / "data" / "bpx" / "nmc_pouch_cell_BPX.json"
OCP, D, K = "OCP [V]", "Diffusivity [m2.s-1]", "Reaction rate constant [mol.m-2.s-1]"


def example() -> dict[str, Any]:
    """The public example."""
    return json.loads(EXAMPLE.read_text(encoding="utf-8"))


def positive(data: dict[str, Any]) -> dict[str, Any]:
    """Its positive electrode."""
    return data["Parameterisation"]["Positive electrode"]


def electrolyte(data: dict[str, Any]) -> dict[str, Any]:
    """Its electrolyte."""
    return data["Parameterisation"]["Electrolyte"]


def saved(folder: Path, data: Any, name: str = "cell.json") -> Path:
    """A file with that content."""
    path = folder / name
    path.write_text(data if isinstance(data, str) else json.dumps(data), encoding="utf-8")
    return path


def ocp(x: Any) -> Any:
    """The OCP of the example, written out once more [V]."""
    return (
        -3.04420906 * x
        + 10.04892207
        - 0.65637536 * np.tanh(-4.02134095 * (x - 0.80063948))
        + 4.24678547 * np.tanh(12.17805062 * (x - 7.57659337))
        - 0.3757068 * np.tanh(59.33067782 * (x - 0.99784492))
    )


def tabled() -> dict[str, Any]:
    """The example with tables: OCP falling and D rising by half, their x not in order."""
    data = example()
    x = np.linspace(0.3, 0.98, 35)
    order = np.random.default_rng(1).permutation(35)
    positive(data)[OCP] = {"x": x[order].tolist(), "y": ocp(x)[order].tolist()}
    positive(data)[D] = {"x": [1.0, 0.5, 0.0], "y": [3e-14, 2e-14, 1e-14]}
    c = np.array([0.0, 500.0, 1000.0, 1500.0, 2000.0])
    kappa = [0.0, 0.7, 0.95, 0.9, 0.7]
    electrolyte(data)["Conductivity [S.m-1]"] = {"x": c.tolist(), "y": kappa}
    return data


def version_1() -> dict[str, Any]:
    """The example in BPX 1.1, which has a section State."""
    data = example()
    data["Header"]["BPX"] = "1.1.0"
    cell = data["Parameterisation"]["Cell"]
    for name in ("Ambient temperature [K]", "Initial temperature [K]"):
        del cell[name]
    del cell["Thermal conductivity [W.m-1.K-1]"]
    del electrolyte(data)["Initial concentration [mol.m-3]"]
    data["State"] = {
        "Initial conditions": {
            "Initial state-of-charge": 0.5,
            "Initial electrolyte concentration [mol.m-3]": 1200,
        },
        "Thermal environment": {"Ambient temperature [K]": 298.15},
    }
    return data


def blended() -> dict[str, Any]:
    """The example with two kinds of particles, large and small."""
    data = example()
    electrode = positive(data)
    kept = ("Thickness [m]", "Conductivity [S.m-1]", "Porosity", "Transport efficiency")
    particle = {key: value for key, value in electrode.items() if key not in kept}
    small = particle | {"Particle radius [m]": 2e-6, D: 1e-15}
    data["Parameterisation"]["Positive electrode"] = {
        **{key: electrode[key] for key in kept},
        "Particle": {"Large": particle, "Small": small},
    }
    return data
