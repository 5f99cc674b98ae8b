"""What a BPX file becomes: laws, tables, cases, and a report that forgets nothing."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nmcsim.bpx import read_bpx, report, write
from nmcsim.case import load
from nmcsim.constants import F, R
from nmcsim.errors import InputError

from . import files


def case_of(imported: Any, folder: Path, kind: str = "electrode") -> Any:
    """The case that an import writes, loaded."""
    write(imported, folder)
    return load(folder / f"{imported.name}_{kind}.toml")


def test_laws_are_those_of_the_file(tmp_path: Path):
    imported = read_bpx(files.EXAMPLE)
    material = case_of(imported, tmp_path).material
    theta = np.linspace(0.42424, 0.9621, 50)
    assert np.allclose(material.U.evaluate(theta), files.ocp(theta), rtol=1e-14)
    assert material.U.valid == (0.42424, 0.9621)
    assert (material.D.kind, material.D.evaluate(0.7)) == ("chemical", 3.2e-14)
    # F k / 2 at theta = 0.5: 96485.33212 * 2.305e-5 / 2
    assert material.i0.evaluate(0.5) == pytest.approx(1.1119934527, rel=1e-9)
    assert material.i0.evaluate(0.9) == pytest.approx(0.6 * 1.1119934527, rel=1e-9)
    assert (material.site_density, material.theta_discharged) == (46200.0, 0.9621)
    assert material.K.evaluate(0.5) == 0.789
    assert "NMC111" in material.title
    # 2 * 46200 mol/m3 F (0.9621 - 0.42424) by hand, with the density that cancels
    charge = imported.capacity * imported.density
    assert charge == pytest.approx(46200.0 * 96485.33212 * 0.53786, rel=1e-12)


def test_the_electrolyte_is_a_function_of_the_concentration(tmp_path: Path):
    liquid = case_of(read_bpx(files.EXAMPLE), tmp_path).electrolyte
    # by hand at 1 mol/L: 0.1297 - 2.51 + 3.329 and (0.8794 - 3.972 + 4.862) e-10
    assert liquid.kappa.evaluate(1000.0) == pytest.approx(0.9487, rel=1e-12)
    assert liquid.D.evaluate(1000.0) == pytest.approx(1.7694e-10, rel=1e-12)
    assert liquid.t_plus.evaluate(500.0) == 0.2594
    assert liquid.thermodynamic_factor.evaluate(500.0) == 1.0
    assert liquid.concentration == 1000.0


def test_temperature_is_arrhenius_and_the_entropic_slope(tmp_path: Path):
    at_reference = case_of(read_bpx(files.EXAMPLE), tmp_path / "a")
    warm = case_of(read_bpx(files.EXAMPLE, temperature=318.15), tmp_path / "b")
    assert warm.physics.temperature == 318.15

    def factor(energy: float) -> float:
        return math.exp(energy / R * (1 / 298.15 - 1 / 318.15))

    for law, energy in (("D", 15e3), ("i0", 35e3)):
        ratio = getattr(warm.material, law).evaluate(0.6) / getattr(
            at_reference.material, law
        ).evaluate(0.6)
        assert ratio == pytest.approx(factor(energy), rel=1e-9)
    for law in ("kappa", "D"):
        ratio = getattr(warm.electrolyte, law).evaluate(800.0) / getattr(
            at_reference.electrolyte, law
        ).evaluate(800.0)
        assert ratio == pytest.approx(factor(17.1e3), rel=1e-9)
    # dU/dT = -1e-4 V/K over 20 K
    shift = warm.material.U.evaluate(0.6) - at_reference.material.U.evaluate(0.6)
    assert shift == pytest.approx(-2e-3, rel=1e-9)


def test_tables_become_csv_files(tmp_path: Path):
    imported = read_bpx(files.saved(tmp_path, files.tabled()))
    material = (case := case_of(imported, tmp_path / "out")).material
    x = np.linspace(0.3, 0.98, 35)
    assert np.allclose(material.U.evaluate(x), files.ocp(x), atol=2e-5)  # resampled on 4096 cells
    assert material.U.valid == pytest.approx((0.3, 0.98))
    # three points on a line: those of the line between them, in BPX as in nmcsim
    assert material.D.evaluate([0.25, 0.75]) == pytest.approx([1.5e-14, 2.5e-14], rel=1e-3)
    # kappa = 0 at c = 0 is left out, as nmcsim takes the logarithm
    assert case.electrolyte.kappa.valid == pytest.approx((500.0, 2000.0))
    assert any("straight lines" in sentence for sentence in imported.remarks)
    assert sorted(imported.tables) == [
        "cell_electrolyte_kappa.csv",
        "cell_material_D_chem.csv",
        "cell_material_U.csv",
    ]


@pytest.mark.parametrize("slope", [2e-4, "2e-4 + 0*x", {"x": [0.0, 1.0], "y": [2e-4, 2e-4]}])
@pytest.mark.parametrize("table", [False, True])
def test_an_entropic_slope_of_any_kind_is_added(tmp_path: Path, slope: Any, table: bool):
    data = files.tabled() if table else files.example()
    files.positive(data)["Entropic change coefficient [V.K-1]"] = slope
    imported = read_bpx(files.saved(tmp_path, data), temperature=308.15)
    U = case_of(imported, tmp_path / "out", "crystal").material.U
    theta = np.linspace(0.45, 0.95, 21)  # between the points of the table: 0.4 mV
    assert np.allclose(U.evaluate(theta), files.ocp(theta) + 2e-3, atol=5e-4)


def test_a_blend_gives_the_particles_that_are_asked_for(tmp_path: Path):
    path = files.saved(tmp_path, files.blended())
    small = read_bpx(path, particle="Small")
    assert small.radius == 2e-6
    assert case_of(small, tmp_path / "out").material.D.evaluate(0.6) == 1e-15
    assert "Particle > Large" in report(small)


def test_branches_of_the_ocp(tmp_path: Path):
    data = files.version_1()
    files.positive(data)["OCP (lithiation) [V]"] = "4.4 - x"
    path = files.saved(tmp_path, data)
    imported = read_bpx(path, branch="lithiation")
    assert case_of(imported, tmp_path / "out").material.U.evaluate(0.5) == pytest.approx(3.9)
    said = {item.place: item.what for item in imported.ignored}
    assert "--ocp mean" in said["Positive electrode > OCP [V]"]
    assert "--ocp lithiation" in str(read_bpx(path).ignored)


def test_the_concentration_of_version_1_stands_in_its_state(tmp_path: Path):
    imported = read_bpx(files.saved(tmp_path, files.version_1()))
    assert case_of(imported, tmp_path / "out").electrolyte.concentration == 1200.0
    # k' = k / (c_max sqrt(c0)), the form of PyBaMM without its F
    by_hand = 2.305e-5 / (46200.0 * math.sqrt(1200.0))
    assert f"{by_hand:.6g} m2.5" in imported.kinetics[-1]
    assert not any("converted" in sentence for sentence in imported.remarks)


def test_a_range_narrows_and_widens(tmp_path: Path):
    wide = case_of(read_bpx(files.EXAMPLE, limits=(0.2, 0.99)), tmp_path / "a", "crystal")
    assert wide.material.U.valid == (0.2, 0.99)
    assert wide.protocol.initial == 0.99
    all_of_it = read_bpx(files.EXAMPLE, limits=(0.0, 1.0))
    assert all_of_it.limits == (0.001, 0.999)  # i0 vanishes at both ends
    case_of(all_of_it, tmp_path / "b", "crystal")


def test_the_capacity_is_the_charge_between_the_limits_whatever_the_density(tmp_path: Path):
    light = read_bpx(files.EXAMPLE, density=3000.0)
    heavy = read_bpx(files.EXAMPLE)
    assert light.capacity * 3000.0 == pytest.approx(heavy.capacity * heavy.density)
    case = case_of(light, tmp_path, "crystal")
    mass = case.material.density * case.geometry.volume
    charge = F * 46200.0 * 0.53786 * case.geometry.volume
    assert case.protocol.one_c(mass) * 3600.0 == pytest.approx(charge, rel=1e-4)  # 5 digits


def test_without_an_electrolyte_there_is_a_crystal_only(tmp_path: Path):
    data = files.example()
    data["Header"]["Model"] = "Partial"
    inner = data["Parameterisation"]
    del inner["Electrolyte"], inner["Negative electrode"], inner["Separator"]
    del inner["Cell"]["Reference temperature [K]"]
    imported = read_bpx(files.saved(tmp_path, data))
    names = [path.name for path in write(imported, tmp_path / "out")]
    assert names == ["cell_material.toml", "cell_crystal.toml", "cell_report.txt"]
    missing = {item.place for item in imported.missing}
    assert {"Electrolyte", "Cell > Reference temperature [K]"} <= missing
    assert imported.reference == 298.15


def test_particles_that_no_electrode_is_drawn_of(tmp_path: Path):
    data = files.example()
    files.positive(data)["Particle radius [m]"] = 2e-7
    imported = read_bpx(files.saved(tmp_path, data))
    assert case_of(imported, tmp_path / "a", "crystal").geometry.diameter == pytest.approx(4e-7)
    assert load(tmp_path / "a" / "cell_electrode.toml").geometry.radius == pytest.approx(5e-6)


@pytest.mark.parametrize("make", [files.example, files.version_1, files.tabled, files.blended])
@pytest.mark.parametrize("temperature", [None, 313.15])
def test_the_report_names_every_value_of_the_file(tmp_path: Path, make: Any, temperature: Any):
    data = make()
    inner = data["Parameterisation"]
    inner["User-defined"] = {"Colour of the can": 3.0}
    particle = "Small" if "Particle" in files.positive(data) else ""
    imported = read_bpx(files.saved(tmp_path, data), particle=particle, temperature=temperature)
    items = (*imported.mapped, *imported.used, *imported.ignored)
    places = {item.place for item in items}
    for section in ("Cell", "Electrolyte"):
        for name in inner[section]:
            assert f"{section} > {name}" in places
    chosen = files.positive(data).get("Particle", {}).get(particle, files.positive(data))
    where = "Positive electrode" + f" > Particle > {particle}" * bool(particle)
    for name in chosen:
        assert f"{where} > {name}" in places
    for part, values in data.get("State", {}).items():
        for name in values:
            assert f"State > {part} > {name}" in places
    text = report(imported)
    for word in ("Negative electrode", "Separator", "Validation", "Colour of the can", "F k ="):
        assert word in text
    for item in (*items, *imported.missing):
        assert item.place in text and item.what in text


def test_a_file_of_before_the_factor_2_says_so():
    assert any("without the factor 2" in sentence for sentence in read_bpx(files.EXAMPLE).remarks)


def test_nothing_is_left_behind_in_the_folder_of_temporary_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    read_bpx(files.EXAMPLE)
    assert list(tmp_path.iterdir()) == []


def test_files_are_not_replaced_unless_asked(tmp_path: Path):
    imported = read_bpx(files.EXAMPLE, name="mine")
    first = write(imported, tmp_path)
    with pytest.raises(InputError, match=r"mine_material.toml +exists already"):
        write(imported, tmp_path)
    assert write(imported, tmp_path, overwrite=True) == first
    with pytest.raises(InputError, match="is a file; name a folder"):
        write(imported, first[0])
