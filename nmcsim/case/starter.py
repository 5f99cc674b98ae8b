"""A commented case to start from: one key per line, generated from the models themselves."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic.fields import FieldInfo

from nmcsim.case.electrode_shape import electrode
from nmcsim.case.electrode_tables import (
    Binder,
    Contact,
    ElectrodeNumerics,
    ElectrodePhysics,
    Lithium,
)
from nmcsim.case.electrolyte import ElectrolyteTable
from nmcsim.case.material import MaterialTable
from nmcsim.case.mistakes import suggestion
from nmcsim.case.physics import Physics, RockSalt
from nmcsim.case.protocol import Protocol
from nmcsim.case.section import Quantity, Section, written
from nmcsim.case.settings import Kept, Numerics, Output
from nmcsim.case.shape import shape
from nmcsim.case.toml import toml_value
from nmcsim.errors import InputError, Mistake

_WIDTH = 96


@dataclass(frozen=True)
class Starter:
    """What a starter case of one model says.

    Attributes
    ----------
    title : str
    given : mapping
        Its tables, in this order, with the keys that are set.
    sections : mapping
        The class of each table, from which all other keys are shown.
    examples : mapping
        Values to show of keys whose default says nothing.
    """

    title: str
    given: Mapping[str, Mapping[str, Any]]
    sections: Mapping[str, type[Section]]
    examples: Mapping[str, Any]


_MATERIAL: Mapping[str, Any] = {
    "material.title": "LiNi0.9Mn0.05Co0.05O2 of our own",
    "material.U": {"table": "ocv.csv", "x": "theta", "unit": "V"},
    "material.D_ab": "1.6e-12 cm2/s",
    "material.D_chem": "1e-11 * exp(-3 * theta) [cm2/s]",
    "material.i0": "2.4 A/m2",
    "material.K": "10**(-6*logistic((theta - 0.93)/0.015)) [S/m]",
    "material.site_density": "49046 mol/m3",
    "material.density": "4780 kg/m3",
    "material.theta_discharged": 0.95,
}
_OUTPUT: Mapping[str, Any] = {
    "output.period": "60 s",
    "output.times": ["10 s", "2 min"],
    "output.points": {"centre": ["0 um", "0 um"]},
}


def _single_crystal() -> Starter:
    return Starter(
        title="My crystal, 1C",
        given={
            "geometry": {"shape": "disk", "diameter": "2.5 um", "height": "1.0 um"},
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
        },
        sections={
            "geometry": shape("disk"),
            "material": MaterialTable,
            "physics": Physics,
            "physics.rock_salt": RockSalt,
            "protocol": Protocol,
            "numerics": Numerics,
            "output": Output,
        },
        examples={
            # 2.5 um over 45, and its shares: the defaults of the disk above
            "geometry.cell_size": "0.056 um",
            "geometry.surface_cell_size": "0.028 um",
            "geometry.patch_end_cell_size": "0.02 um",
            "physics.rock_salt.intervals": [["0 deg", "90 deg"], ["180 deg", "270 deg"]],
            **_MATERIAL,
            **_OUTPUT,
        },
    )


def _electrode() -> Starter:
    return Starter(
        title="My electrode, first charge at C/20",
        given={
            "geometry": {"shape": "columns", "depth": "10 um"},
            "material": {"name": "nmc532_pristine"},
            "electrolyte": {"name": "landesfeind2019_ec_emc", "concentration": "1 mol/L"},
            "physics": {"temperature": "298.15 K"},
            "binder": {"porosity": 0.5, "wetted": 1.0},
            "contact": {"conductivity": "1 S/m"},
            "lithium": {"kinetics": "butler_volmer", "exchange_current": "70 A/m2"},
            "protocol": {
                "capacity": "175 mAh/g",
                "initial": 0.99,
                "steps": ["Charge at C/20 until 4.3 V", "Hold at 4.3 V until C/100"],
            },
            "numerics": {},
            "output": {},
        },
        sections={
            "geometry": electrode("columns"),
            "material": MaterialTable,
            "electrolyte": ElectrolyteTable,
            "physics": ElectrodePhysics,
            "binder": Binder,
            "contact": Contact,
            "lithium": Lithium,
            "protocol": Protocol,
            "numerics": ElectrodeNumerics,
            "output": Kept,
        },
        examples={
            # of radius 5 um: the defaults of the columns above
            "geometry.cell_size": "1.3 um",
            "geometry.layer": "0.1 um",
            "geometry.interface_cell_size": "0.55 um",
            "geometry.sides": 8,
            "geometry.corner_radius": "1 um",
            "geometry.cracked": [{"particle": 5, "angle": "90 deg", "offset": 0.25}],
            "electrolyte.kappa": "1.1 S/m",
            "electrolyte.D": "3e-10 m2/s",
            "electrolyte.t_plus": 0.3,
            "electrolyte.thermodynamic_factor": "1 + 1.1e-3*c [1]",
            "contact.resistance": "0.003 ohm cm2",
            **_MATERIAL,
            **_OUTPUT,
            "output.points": {"inside": ["8 um", "6 um"]},
        },
    )


STARTERS: Mapping[str, Callable[[], Starter]] = {
    "single_crystal": _single_crystal,
    "electrode": _electrode,
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
    if model not in STARTERS:
        hint = suggestion(model, STARTERS)
        raise InputError(Mistake(f'"{model}"', f"is not a model; {hint}"))
    made = STARTERS[model]()
    lines = [
        "# Which question does this case answer? Write it here, and in the title.",
        "# A key with a # before it shows its default, or an example; remove the # to set it.",
        f'title = "{made.title}"',
        f'model = "{model}"',
    ]
    for name, given in made.given.items():
        lines += ["", f"[{name}]", *_keys(name, made.sections[name], given, made.examples)]
    return "\n".join(lines) + "\n"


def _keys(
    name: str, section: type[Section], given: Mapping[str, Any], examples: Mapping[str, Any]
) -> Iterator[str]:
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
            shown = examples.get(f"{name}.{key}", None if field is None else _default(field))
            yield from _line(f"# {key} = {toml_value(shown)}", about or "")


def _default(field: FieldInfo) -> Any:
    """The default as a case file says it: a quantity with its unit."""
    unit = next((m.unit for m in field.metadata if isinstance(m, Quantity)), None)
    is_number = unit is not None and isinstance(field.default, float)
    return written(field.default, unit) if is_number else field.default  # type: ignore[arg-type]


def _line(text: str, about: str) -> Iterator[str]:
    """The key with its explanation behind it, or above it where that is too long."""
    line = f"{text:<32}  # {about}"
    if len(line) <= _WIDTH:
        yield line
    else:
        yield from textwrap.wrap(about, _WIDTH, initial_indent="# ", subsequent_indent="# ")
        yield text
