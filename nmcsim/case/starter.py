"""A commented case to start from: one key per line, generated from the models themselves."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping
from typing import Any

from nmcsim.case import single_crystal  # noqa: F401 - registers its model
from nmcsim.case.material import MaterialTable
from nmcsim.case.mistakes import suggestion
from nmcsim.case.model import case_models
from nmcsim.case.physics import Physics, RockSalt
from nmcsim.case.protocol import Protocol
from nmcsim.case.section import Section
from nmcsim.case.settings import Numerics, Output
from nmcsim.case.shape import shape
from nmcsim.case.toml import toml_value
from nmcsim.errors import InputError, Mistake

_WIDTH = 96

_SINGLE_CRYSTAL: Mapping[str, Mapping[str, Any]] = {
    "geometry": {
        "shape": "disk",
        "diameter": "2.5 um",
        "height": "1.0 um",
    },
    "material": {"name": "nmc88"},
    "physics": {"surface": "flux", "temperature": "295.15 K"},
    "physics.rock_salt": {
        "coverage": 0.5,
        "flux_ratio": 0.0,
        "arrangement": "arc",
        "angle": "0 deg",
    },
    "protocol": {
        "capacity": "200 mAh/g",
        "initial": 0.95,
        "steps": ["Charge at 1C until 4.3 V"],
    },
    "numerics": {},
    "output": {},
}
_SECTIONS: Mapping[str, type[Section]] = {
    "geometry": shape("disk"),
    "material": MaterialTable,
    "physics": Physics,
    "physics.rock_salt": RockSalt,
    "protocol": Protocol,
    "numerics": Numerics,
    "output": Output,
}
_EXAMPLES: Mapping[str, Any] = {
    # 2.5 um over 45, and its shares: the defaults of the disk above
    "geometry.cell_size": "0.056 um",
    "geometry.surface_cell_size": "0.028 um",
    "geometry.patch_end_cell_size": "0.02 um",
    "material.U": {"table": "ocv.csv", "x": "theta", "unit": "V"},
    "material.D_ab": "1.6e-12 cm2/s",
    "material.D_chem": "1e-11 * exp(-3 * theta) [cm2/s]",
    "material.i0": "2.4 A/m2",
    "material.site_density": "49046 mol/m3",
    "material.density": "4780 kg/m3",
    "material.theta_discharged": 0.95,
    "physics.rock_salt.intervals": [["0 deg", "90 deg"], ["180 deg", "270 deg"]],
    "output.period": "60 s",
    "output.times": ["10 s", "2 min"],
    "output.points": {"centre": ["0 um", "0 um"]},
}


def starter(model: str) -> str:
    """The text of a case file that loads without mistakes, with every key explained.

    Parameters
    ----------
    model : str
        A model, such as ``"single_crystal"``.

    Raises
    ------
    InputError
        If there is no such model.
    """
    if model not in case_models():
        hint = suggestion(model, case_models())
        raise InputError(Mistake(f'"{model}"', f"is not a model; {hint}"))
    lines = [
        "# Which question does this case answer? Write it here, and in the title.",
        "# A key with a # before it shows its default, or an example; remove the # to set it.",
        'title = "My crystal, 1C"',
        f'model = "{model}"',
    ]
    for name, given in _SINGLE_CRYSTAL.items():
        lines += ["", f"[{name}]", *_keys(name, _SECTIONS[name], given)]
    return "\n".join(lines) + "\n"


def _keys(name: str, section: type[Section], given: Mapping[str, Any]) -> Iterator[str]:
    fields = section.model_fields
    for key in [*given, *(key for key in fields if key not in given)]:
        field = fields.get(key)
        kind = field.annotation if field is not None else None
        if isinstance(kind, type) and issubclass(kind, Section):
            continue  # a table of its own
        about = field.description if field is not None else "A file in meshes/, or file = PATH."
        if key in given:
            yield from _line(f"{key} = {toml_value(given[key])}", about or "")
        else:
            shown = _EXAMPLES.get(f"{name}.{key}", field.default if field is not None else None)
            yield from _line(f"# {key} = {toml_value(shown)}", about or "")


def _line(text: str, about: str) -> Iterator[str]:
    """The key with its explanation behind it, or above it where that is too long."""
    line = f"{text:<32}  # {about}"
    if len(line) <= _WIDTH:
        yield line
    else:
        yield from textwrap.wrap(about, _WIDTH, initial_indent="# ", subsequent_indent="# ")
        yield text
