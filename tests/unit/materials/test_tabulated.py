"""Laws from CSV files: the forms that are read, and each way in which a file can be wrong."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from nmcsim.materials import Law, LawError
from nmcsim.materials.tabulated import Columns, read_law

OCV = "theta,U [V]\n0.2,4.3\n0.4,4.0\n0.6,3.8\n0.8,3.7\n1.0,3.5\n"


def read(folder: Path, text: str | bytes, symbol: str = "U", **keys: object) -> Law:
    path = folder / "law.csv"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    columns = Columns(**keys)  # type: ignore[arg-type]
    si = "V" if symbol == "U" else "m2/s"
    return read_law(path, columns, symbol, si, positive=symbol != "U")


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        (OCV, {}),
        ("\ufeff" + OCV.replace("\n", "\r\n"), {}),
        ("# measured in May\n\n" + OCV, {}),
        (OCV.replace(",", ";"), {}),
        (OCV.replace(",", "\t"), {}),
        (OCV.split("\n", 1)[1].replace(",", "   "), {"x": "theta", "unit": "V"}),
        (OCV.replace("U [V]", "U (V)"), {}),
        (OCV.replace("U [V]", "U / V"), {}),
        (OCV.replace("U [V]", '"U"'), {"unit": "V"}),
        (OCV.replace("theta,U [V]", "x,mV"), {"x": "theta", "unit": "V"}),
        ("theta [%],U [mV]\n20,4300\n40,4000\n60,3800\n80,3700\n100,3500", {}),
        ("extracted,U [V]\n0.8,4.3\n0.6,4.0\n0.4,3.8\n0.2,3.7\n0,3.5", {}),
        (
            "x,U\n80,4.3\n60,4\n40,3.8\n20,3.7\n0,3.5",
            {"x": "extracted", "x_unit": "%", "unit": "V"},
        ),
        (
            "t,U,theta\n0,4.3,0.2\n1,4,0.4\n2,3.8,0.6\n3,3.7,0.8\n4,3.5,1",
            {"x_column": "theta", "y_column": "U", "unit": "V"},
        ),
        (
            "0,4.3,0.2\n1,4,0.4\n2,3.8,0.6\n3,3.7,0.8\n4,3.5,1",
            {"x": "theta", "x_column": 3, "y_column": 2, "unit": "V"},
        ),
    ],
)
def test_the_same_law_in_many_files(tmp_path: Path, text: str, keys: dict[str, object]) -> None:
    law = read(tmp_path, text, **keys)
    assert law.valid == pytest.approx((0.2, 1.0))
    theta = [0.2, 0.4, 0.6, 0.8, 1.0]
    np.testing.assert_allclose(law.evaluate(theta), [4.3, 4.0, 3.8, 3.7, 3.5], atol=1e-6)
    fine = np.linspace(0.2, 1.0, 10_001)
    assert np.all(law.derivative(fine) < 0)
    assert law.text == "law.csv, 5 points"
    assert law.path == tmp_path / "law.csv"


def test_a_diffusivity_over_decades_stays_positive(tmp_path: Path) -> None:
    rows = "\n".join(f"{t:.2f},{10 ** (-11 - 5 * t):.4e}" for t in np.linspace(0.2, 1, 9))
    law = read(tmp_path, f"theta,D [cm2/s]\n{rows}", "D_ab")
    theta = np.linspace(0.2, 1.0, 500)
    np.testing.assert_allclose(law.evaluate(theta), 10 ** (-15 - 5 * theta), rtol=1e-4)
    assert np.all(law.curve()(np.linspace(-5, 5, 1001)) > 0)


@pytest.mark.parametrize(
    ("text", "keys", "sentence"),
    [
        (b"\x89PNG\r\n\x1a\n\x00\x00", {}, "is not a text file in UTF-8; save the table as CSV"),
        (b"theta,U\n0.1,\xff\xfe", {}, "is not a text file in UTF-8"),
        ("", {}, "is empty"),
        ("# nothing\n", {}, "is empty"),
        ("theta,U [V]\n", {}, "has a header and no rows"),
        (OCV.replace("3.8", "3.8x"), {}, 'has "3.8x" in line 4, where a number is needed'),
        (OCV.replace("3.8", "nan"), {}, 'has "nan" in line 4, where a number is needed'),
        (OCV.replace("0.6,3.8", "0.6"), {}, "has only 1 columns in line 4; 2 are needed"),
        ("theta;U [V]\n0,2;4,3\n0,4;4,0", {}, 'has "0,2" in line 2, where a number is needed'),
        ("theta,U [V]\n0.2,4.3\n0.4,4.0\n0.6,3.8", {}, "has 3 points; a law needs 4 or more"),
        (
            OCV.replace("0.6", "0.4"),
            {},
            "repeats its axis value in line 4 (theta = 0.4 after 0.4)",
        ),
        (OCV.replace("0.6", "0.3"), {}, "turns back on its axis in line 4 (theta = 0.3 after 0.4)"),
        (
            OCV.replace("3.8", "4.05"),
            {},
            "does not fall in line 4: U = 4.05 V at theta = 0.6, after 4 V at 0.4",
        ),
        (OCV.replace("3.8", "4.0"), {}, "does not fall in line 4: U = 4 V"),
        (OCV.replace("theta", "SOC"), {}, 'does not say what its axis is; write x = "theta" or'),
        (OCV, {"x": "soc"}, 'has x = "soc"; write x = "theta" or x = "extracted"'),
        (OCV.replace(" [V]", ""), {}, 'does not state the unit of column 2; write unit = "V"'),
        (OCV, {"unit": "mV"}, 'has "V" in its header, and unit = "mV"; make them agree'),
        (OCV.replace("[V]", "[m]"), {}, 'has unit = "m", which is a length, and a voltage is'),
        (OCV, {"x_unit": "m"}, 'has x_unit = "m"; write "1" or "%"'),
        (
            "theta,U [V]\n20,4.3\n40,4\n60,3.8\n80,3.7",
            {},
            'has theta = 20 in line 2, outside 0 .. 1; if these are percent, write x_unit = "%"',
        ),
        (OCV.replace("1.0,", "120,"), {"x_unit": "%"}, "has theta = 120 in line 6, outside 0 .. 1"),
        (OCV, {"y_column": 3}, "has 2 columns, and y_column = 3; count from 1"),
        (OCV, {"y_column": 0}, "has 2 columns, and y_column = 0; count from 1"),
        (OCV, {"y_column": "V"}, 'has no column "V" for y_column; it has theta, U'),
        (OCV, {"x_column": "teta"}, 'has no column "teta" for x_column; did you mean "theta"?'),
        (
            OCV.split("\n", 1)[1],
            {"x_column": "theta", "unit": "V"},
            'has no header, and x_column = "theta"; write its number, counted from 1',
        ),
    ],
)
def test_refuses_by_sentence(
    tmp_path: Path, text: str | bytes, keys: dict[str, object], sentence: str
) -> None:
    with pytest.raises(LawError) as caught:
        read(tmp_path, text, **keys)
    (mistake,) = caught.value.mistakes
    assert mistake.message.startswith('table "law.csv" ')
    assert sentence in mistake.message


def test_a_diffusivity_that_is_not_positive_is_refused_by_line(tmp_path: Path) -> None:
    text = "theta,D [m2/s]\n0.8,1e-15\n0.6,1e-15\n0.4,-2e-15\n0.2,1e-15"
    with pytest.raises(LawError, match=r"D_ab = -2e-15 at theta = 0.4 in line 4; it must be"):
        read(tmp_path, text, "D_ab")


def test_a_descending_file_names_its_own_lines(tmp_path: Path) -> None:
    text = "theta,U [V]\n0.8,3.7\n0.6,3.6\n0.4,4.0\n0.2,4.1"
    with pytest.raises(LawError, match=r"does not fall in line 2: U = 3.7 V at theta = 0.8"):
        read(tmp_path, text)


def test_files_that_cannot_be_opened(tmp_path: Path) -> None:
    with pytest.raises(LawError, match=r'table "none.csv" is not in ".*"; write its path'):
        read_law(tmp_path / "none.csv", Columns(), "U", "V", positive=False)
    with pytest.raises(LawError, match="cannot be read: "):
        read_law(tmp_path, Columns(), "U", "V", positive=False)


def test_a_file_too_large_for_a_table(tmp_path: Path) -> None:
    path = tmp_path / "large.csv"
    path.touch()
    os.truncate(path, 60_000_000)  # sparse: takes no room
    with pytest.raises(LawError, match="is larger than 50 MB; is it a table"):
        read_law(path, Columns(), "U", "V", positive=False)
