"""``nmcsim measure gitt | impedance | dqdv | table``: numbers, files, every mistake by sentence."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nmcsim.analysis.impedance import impedance
from nmcsim.measured import Measured
from tests.unit.analysis.test_gitt import D, planar

SAMPLE = ("--mass", "6 mg", "--molar-mass", "97.46 g/mol", "--density", "4.78 g/cm3",
          "--bet", "0.6 m2/g", "--length", "5 um")  # fmt: skip

PULSES = """
title = "A pulse"
model = "single_crystal"
[geometry]
shape = "disk"
diameter = "2.5 um"
height = "1 um"
cell_size = "0.4 um"
[material]
name = "nmc88"
[physics]
surface = "butler_volmer"
temperature = "295.15 K"
[protocol]
capacity = "200 mAh/g"
initial = 0.8
steps = ["Rest for 10 s", "Charge at C/5 for 20 s", "Rest for 30 min"]
[output]
frames = 2
"""


@pytest.fixture
def record(folder: Path) -> Path:
    """Four pulses of a plane with D = 1e-16 m2/s, as a potentiostat would export them."""
    made = planar(noise=1e-5)
    lines = ["time/s;Ewe/V;<I>/mA"]
    for t, v, i in zip(made.time, made.voltage, 1e3 * made.current, strict=True):
        lines.append(f"{t:.3f};{v:.6f};{i:.6f}".replace(".", ","))
    (folder / "gitt.csv").write_text("\n".join(lines))
    return Path("gitt.csv")


@pytest.fixture
def spectrum(folder: Path) -> Path:
    f = np.logspace(5, -1, 61)
    Z = impedance(f, 12e6, 85e6, 2e-11)
    rows = [f"{a!r},{b.real!r},{-b.imag!r}" for a, b in zip(f.tolist(), Z.tolist(), strict=True)]
    (folder / "eis.csv").write_text("\n".join(["freq/Hz,Re(Z)/Ohm,-Im(Z)/Ohm", *rows]))
    return Path("eis.csv")


def test_gitt(record: Path, nmcsim: Any, folder: Path) -> None:
    done = nmcsim("measure", "gitt", "gitt.csv", *SAMPLE, "--theta-start", "0.9", "-o", "m.toml")
    assert done.status == 0, done.err
    assert "4 pulses; volume over area 0.3487 um" in done.out and "*" not in done.out
    found = Measured.read(folder / "m.toml")["chemical_diffusivity"]
    assert found.unit == "m2/s" and found.series is not None
    assert found.series.x_name == "theta_mean" and len(found.series.x) == 4
    assert found.series.values / D == pytest.approx(1.0, abs=0.02)
    assert (np.abs(found.series.values - D) < 4.0 * found.series.uncertainty).all()
    assert (folder / "m_pulses.csv").is_file() and (folder / "m_gitt.png").stat().st_size > 10_000


def test_gitt_of_a_crystal_without_rock_salt(nmcsim: Any, folder: Path) -> None:
    """What a result knows of its sample, where the case says nothing of rock salt."""
    (folder / "case.toml").write_text(PULSES)
    assert nmcsim("run", "case.toml", "--out", "g", "--quiet").status == 0
    done = nmcsim("measure", "gitt", "g")
    assert done.status == 0, done.err
    # pi R^2 / 2 pi R = R / 2
    assert "1 pulse; volume over area 0.625 um" in done.out
    assert "0.7996" in done.out  # the middle of the pulse: 0.8 - half of 200/275 * 20 s / 18000 s


def test_gitt_without_theta_and_with_flaws(record: Path, nmcsim: Any, folder: Path) -> None:
    done = nmcsim("measure", "gitt", "gitt.csv", *SAMPLE[:-2], "-o", "m.toml")
    assert done.status == 0
    assert "* tau is not << L^2/D (above 0.02 of it): Eq. 1 does not hold: pulses 1-4" in done.out
    found = Measured.read(folder / "m.toml")["chemical_diffusivity"]
    assert found.series is not None and found.series.x_name == "pulse"
    assert found.note == "not to be trusted: pulses 1-4"


def test_impedance(spectrum: Path, nmcsim: Any, folder: Path) -> None:
    done = nmcsim("measure", "impedance", "eis.csv", "--from", "1 Hz", "-o", "z.toml")
    assert done.status == 0, done.err
    assert '"-Im(Z)" holds -Im Z' in done.out and "window 1 to 1e+05 Hz, 51 of 61" in done.out
    found = Measured.read(folder / "z.toml")
    assert found["R_ct"].value == pytest.approx(85e6, rel=1e-3) and found["R_ct"].unit == "ohm"
    assert (folder / "z_impedance.png").is_file() and (folder / "z_spectrum.csv").is_file()
    above = nmcsim("measure", "impedance", "eis.csv", "--from", "5 kHz")
    assert above.status == 0 and "R_ct and C_dl are extrapolated" in above.out


def test_sign_of_a_spectrum(spectrum: Path, nmcsim: Any, folder: Path) -> None:
    text = spectrum.read_text()
    spectrum.write_text(text.replace("-Im(Z)/Ohm", "Im(Z)/Ohm"))
    done = nmcsim("measure", "impedance", "eis.csv")
    assert '"Im(Z)" is positive in most rows, so it was taken as -Im Z' in done.out
    spectrum.write_text(text.replace("Re(Z)/Ohm,-Im(Z)/Ohm", "Z' (Ω),-Z'' (Ω)"))
    assert "\"-Z''\" holds -Im Z" in nmcsim("measure", "impedance", "eis.csv").out


def test_dqdv(folder: Path, nmcsim: Any) -> None:
    V = np.linspace(3.4, 4.2, 800)
    Q = 1.0 / (1.0 + np.exp(-(V - 3.75) / 0.02))  # A s
    I = np.gradient(Q, 2.0)
    rows = [f"{2 * k},{v!r},{i!r}" for k, (v, i) in enumerate(zip(V, I, strict=True))]
    text = "\n".join(["time [s],voltage [V],current [A]", *rows]).replace("np.float64(", "")
    (folder / "charge.csv").write_text(text.replace(")", ""))
    done = nmcsim("measure", "dqdv", "charge.csv", "--mass", "2 mg", "--at-rest", "1 nA",
                  "--width", "20 mV", "-o", "q.toml")  # fmt: skip
    assert done.status == 0, done.err
    assert "peak at 3.7500 V" in done.out
    found = Measured.read(folder / "q.toml")
    # 1 A s / 2 mg = 138.9 mAh/g
    assert found["capacity_charge_1"].value == pytest.approx(138.9, abs=0.2)
    series = found["dqdv_charge_1"].series
    assert series is not None
    assert np.trapezoid(series.values, series.x) == pytest.approx(138.9, rel=2e-3)
    wide = nmcsim("measure", "dqdv", "charge.csv", "--width", "0.5 V")
    assert wide.status == 2 and "must lie above 0 and below half" in wide.err
    missing = nmcsim("measure", "dqdv", "charge.csv", "--half-cycle", "3", "--at-rest", "1 nA")
    assert missing.status == 2 and "half-cycle = 3 is not there; the record has 1" in missing.err


def test_table_of_imagej(folder: Path, nmcsim: Any) -> None:
    (folder / "Results.csv").write_text(" ,Area,X,Y,Slice\n1,100,10,12,1\n2,90,11,12,2\n")
    done = nmcsim("measure", "table", "Results.csv", "--pixel", "34.7 nm", "--interval", "2 s",
                  "-o", "t.csv")  # fmt: skip
    assert done.status == 0, done.err
    assert "a table of ImageJ; a pixel is 3.47e-08 m" in done.out
    lines = (folder / "t.csv").read_text().splitlines()
    assert lines[0] == "time [s],row,Area [m2],X [m],Y [m],Slice"
    assert float(lines[2].split(",")[0]) == 2.0


def test_mistakes(record: Path, spectrum: Path, nmcsim: Any, folder: Path) -> None:
    def refused(*words: str) -> str:
        done = nmcsim("measure", *words)
        assert done.status == 2 and "Traceback" not in done.err and not done.out
        return str(done.err)

    assert "--mass, --molar-mass, --density are missing; Eq. 1 needs them" in refused(
        "gitt", "gitt.csv", "--bet", "0.6 m2/g"
    ).replace(", --area", "")
    several = refused("gitt", "gitt.csv", *SAMPLE, "--area", "3", "--theta-start", "x",
                      "--window", "0.1", "-o", "m.csv")  # fmt: skip
    for said in (
        '--area "3"', "has no unit; write \"3 um2\"", "--bet", "cannot stand beside --area",
        '--window "0.1"', "is not two numbers", '-o "m.csv"', "must end in .toml",
        '--theta-start "x"',
    ):  # fmt: skip
        assert said in several
    assert "must rise from 0 or more" in refused("gitt", "gitt.csv", *SAMPLE, "--window", "0.5:0.1")
    turned = refused("gitt", "gitt.csv", *SAMPLE, "--discharge-positive")
    assert "a voltage that falls while its current is positive" in turned
    assert "does not exist" in refused("gitt", "none.csv", *SAMPLE)
    assert 'column "E" is not there' in refused("gitt", "gitt.csv", *SAMPLE, "--voltage", "E")
    amps = refused("gitt", "gitt.csv", *SAMPLE, "--current", "Ewe")
    assert 'column "Ewe" = "V" is a voltage, and a current is needed' in amps
    assert "time is in none of its columns (freq, Re(Z), -Im(Z))" in refused("dqdv", "eis.csv")
    assert "frequency is in none of its columns" in refused("impedance", "gitt.csv")
    assert "has 0 points in the window" in refused("impedance", "eis.csv", "--from", "1 MHz")
    (folder / "empty.csv").write_text("")
    assert "empty.csv: is empty" in refused("dqdv", "empty.csv")
    back = (folder / "gitt.csv").read_text().splitlines()
    back[5], back[6] = back[6], back[5]
    (folder / "back.csv").write_text("\n".join(back))
    assert "back.csv: row 7 goes back in time" in refused("gitt", "back.csv", *SAMPLE)
    assert '-o "no/m.toml" names a folder that does not exist' in refused(
        "gitt", "gitt.csv", *SAMPLE, "-o", "no/m.toml"
    )
