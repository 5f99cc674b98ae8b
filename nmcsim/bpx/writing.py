"""The files that a BPX file becomes: tables of a case, cases to start from, laws, the report."""

from __future__ import annotations

import math
import re
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from nmcsim.bpx.mapping import Imported
from nmcsim.bpx.particles import DIFFUSIVITY, RATE
from nmcsim.bpx.reading import OCP, POSITIVE
from nmcsim.bpx.report import report
from nmcsim.bpx.rest import drawn
from nmcsim.bpx.wrong import place
from nmcsim.case import load
from nmcsim.case.toml import dump_toml
from nmcsim.errors import InputError, Mistake

COLUMNS: Final = {
    # lengths [um] of meshes/columns.py for particles of 5 um, which scale with the particles
    "radius": 5.0,
    "contact_gap": 0.3,
    "contact_width": 1.5,
    "binder_below": 1.0,
    "post_width": 1.0,
    "side_gap": 1.5,
    "row_gap": 2.0,
    "separator": 10.0,
    "depth": 10.0,
}
_PLACES: Final = {
    "material.U": OCP,
    "material.D_chem": DIFFUSIVITY,
    "material.i0": RATE,
}


def files_of(imported: Imported) -> dict[str, str]:
    """Names and contents of all that is written, the report last."""
    name = imported.name
    source = f"from the BPX file {imported.document.path.name}; {name}_report.txt says how"
    tables = {"material": imported.material}
    if imported.electrolyte:
        tables["electrolyte"] = imported.electrolyte
    made = {f"{name}_material.toml": f"# Tables for a case, {source}.\n\n{dump_toml(tables)}"}
    question = "# Which question does this case answer? Write it here, and in the title.\n"
    made[f"{name}_crystal.toml"] = (
        f"{question}# Material {source}.\n{dump_toml(_crystal(imported))}"
    )
    if imported.has_electrode:
        text = dump_toml(_electrode(imported))
        made[f"{name}_electrode.toml"] = f"{question}# Material and electrolyte {source}.\n{text}"
    return made | dict(imported.tables) | {f"{name}_report.txt": report(imported)}


def write(imported: Imported, folder: Path, *, overwrite: bool = False) -> list[Path]:
    """Write all files into `folder`, once both cases have been checked.

    Parameters
    ----------
    folder : Path
        Made if it is not there.
    overwrite : bool
        Replace files of these names.

    Returns
    -------
    list of Path
        What was written: the tables, the cases, their CSV files, the report.

    Raises
    ------
    InputError
        A law that nmcsim cannot use, said of the BPX file; files that are there already; a folder
        that cannot be written. Nothing is written then.
    """
    files = files_of(imported)
    if folder.exists() and not folder.is_dir():
        raise InputError(Mistake("", "is a file; name a folder, or a file .toml"), str(folder))
    there = [name for name in files if (folder / name).exists()]
    if there and not overwrite:
        message = "exists already; choose another place with --out, or say --overwrite"
        raise InputError([Mistake(name, message) for name in there], str(folder))
    with tempfile.TemporaryDirectory() as scratch:
        made = Path(scratch)
        for name, text in files.items():
            (made / name).write_text(text, encoding="utf-8")
        for name in files:
            if name.endswith(("_crystal.toml", "_electrode.toml")):
                _check(imported, made / name)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            return [Path(shutil.copyfile(made / name, folder / name)) for name in files]
        except OSError as error:
            message = f"cannot be written: {error.strerror or error}"
            raise InputError(Mistake("", message), str(folder)) from None


def _check(imported: Imported, case: Path) -> None:
    """What nmcsim finds wrong with a case, said of the BPX file."""
    try:
        load(case)
    except InputError as error:
        where = place(POSITIVE, *(("Particle", imported.particle) if imported.particle else ()))
        raise InputError(
            [
                Mistake(_place(m.place, where), _mend(m.message), m.text, m.column)
                for m in error.mistakes
            ],
            str(imported.document.path),
        ) from None


def _place(key: str, where: str) -> str:
    alias = next((a for k, a in _PLACES.items() if key == k or key.startswith(f"{k} ")), "")
    return place(where, alias) if alias else key


def _mend(message: str) -> str:
    """What to do about a law: the file is not the user's to mend, its range is."""
    pattern = r"mend it, or narrow its range \(valid = \[(.*)\] now\)"
    return re.sub(pattern, r"leave that out with --range LO:HI (now \1)", message)


def _crystal(imported: Imported) -> dict[str, Any]:
    full, empty = _cut_offs(imported)
    return {
        "title": f"Crystal with the material of {imported.document.path.name}, C/5",
        "model": "single_crystal",
        "geometry": {
            "shape": "disk",
            "diameter": f"{2e6 * imported.radius:.6g} um",
            "height": "1 um",
        },
        "material": dict(imported.material),
        "physics": {"surface": "butler_volmer", "temperature": f"{imported.temperature:.10g} K"},
        "protocol": _protocol(
            imported, [f"Charge at C/5 until {empty} V", f"Discharge at C/5 until {full} V"]
        ),
    }


def _electrode(imported: Imported) -> dict[str, Any]:
    _, empty = _cut_offs(imported)
    scale = 1e6 * drawn(imported.radius) / COLUMNS["radius"]
    lengths = {key: f"{scale * size:.4g} um" for key, size in COLUMNS.items()}
    return {
        "title": f"Electrode with the material of {imported.document.path.name}, C/5",
        "model": "electrode",
        "geometry": {"shape": "columns", **lengths},
        "material": dict(imported.material),
        "electrolyte": dict(imported.electrolyte),
        "physics": {"temperature": f"{imported.temperature:.10g} K"},
        "protocol": _protocol(imported, [f"Charge at C/5 until {empty} V"]),
    }


def _protocol(imported: Imported, steps: list[str]) -> Mapping[str, Any]:
    return {
        "capacity": f"{imported.capacity / 3600.0:.5g} mAh/g",
        "initial": imported.limits[1],
        "steps": steps,
    }


def _cut_offs(imported: Imported) -> tuple[str, str]:
    """Voltages at both ends of the range, to the millivolt inside it."""
    full, empty = imported.voltages
    return f"{math.ceil(1e3 * full) / 1e3:.3f}", f"{math.floor(1e3 * empty) / 1e3:.3f}"
