"""Materials in words and as figures."""

from __future__ import annotations

import sys
from io import BytesIO

import pytest

from nmcsim.materials import (
    LawError,
    describe,
    electrolyte,
    electrolyte_names,
    material,
    names,
    parse_law,
    table,
)
from nmcsim.materials.plot import plot, plot_electrolyte


def test_the_table_has_a_line_for_each_material_and_names_the_laws() -> None:
    text = table()
    for name in names():
        assert any(line.startswith(f"{name} ") for line in text.splitlines())
    assert "nmc811_oregan2022" in text
    assert max(map(len, text.splitlines())) <= 110


def test_a_description_has_unit_range_source_flag_and_origin() -> None:
    text = " ".join(describe("nmc88").split())
    for part in (
        "U [V] open-circuit potential (our choice, not a measurement)",
        "D_ab [m2/s] self-diffusivity in the ab-plane",
        "i0 [A/m2] exchange current density",
        "valid theta 0.01 .. 0.995",
        "Fitted on 0.2157 .. 0.995",
        "Sturm et al., J. Power Sources 412 (2019) 204",
        "3.945 at 0.5",
        "set by library nmc88",
        "N_L 49046 mol/m3",
        "rho 4.78 g/cm3",
        "Lun et al.",
    ):
        assert part in text
    assert "(published)" in describe("nmc811")
    assert "doi:10.1016/j.electacta.2022.140700" in describe("nmc811")


def test_a_description_says_what_the_case_file_set() -> None:
    from pathlib import Path

    law = parse_law("1e-16 m2/s", "D_ab", "m2/s", Path())
    changed = material("nmc88").with_laws(by="case file aged.toml", D=law)
    text = " ".join(describe(changed).split())
    assert "1e-16 m2/s valid theta 0 .. 1" in text
    assert "set by case file aged.toml" in text


def test_an_unknown_name_is_refused() -> None:
    with pytest.raises(LawError, match="did you mean"):
        describe("nmc881")


@pytest.mark.parametrize("name", names())
def test_a_figure_has_a_panel_for_each_law_with_units(name: str) -> None:
    figure = plot(material(name))
    top, middle, bottom, *electronic = figure.axes
    assert len(electronic) == (material(name).K is not None)
    for panel in electronic:
        assert panel.get_ylabel() == "Electronic conductivity K / S/m"
        assert panel.get_yscale() == "log"
    assert top.get_ylabel() == "Open-circuit potential U / V"
    assert middle.get_ylabel() == "Diffusivity D / m²/s"
    assert middle.get_yscale() == "log"
    assert bottom.get_ylabel() == "Exchange current i₀ / A/m²"
    assert figure.axes[-1].get_xlabel() == "Lithium per site θ"
    curves = [line for line in middle.lines if line.get_linestyle() == "-"]
    assert len(curves) == (2 if material(name).D.kind == "self" else 1)
    shaded = material(name).U.valid[0] > 0 or material(name).U.valid[1] < 1
    assert bool(top.patches) == shaded
    file = BytesIO()
    figure.savefig(file, format="png", dpi=50)
    assert file.getvalue().startswith(b"\x89PNG")


def test_importing_materials_imports_neither_matplotlib_nor_the_solver() -> None:
    import subprocess

    code = (
        "import sys, nmcsim.materials, nmcsim.materials.plot\n"
        "bad = {'matplotlib', 'dolfinx', 'ufl', 'pint', 'petsc4py', 'mpi4py'} & set(sys.modules)\n"
        "assert not bad, bad"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("name", electrolyte_names())
def test_an_electrolyte_is_described_and_drawn(name: str) -> None:
    text = " ".join(describe(name).split())
    for part in ("kappa [S/m] ionic conductivity", "D_l [m2/s]", "c 100 ..", "mol/m3", "doi:10."):
        assert part in text
    figure = plot_electrolyte(electrolyte(name))
    assert len(figure.axes) == 4
    assert figure.axes[0].get_ylabel() == "Conductivity κ / S/m"
    assert figure.axes[-1].get_xlabel() == "Concentration of the salt c / mol/m³"


def test_the_table_lists_the_electrolytes() -> None:
    lines = table().splitlines()
    for name in electrolyte_names():
        assert any(line.startswith(f"{name} ") for line in lines)
