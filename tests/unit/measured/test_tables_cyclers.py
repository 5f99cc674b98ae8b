"""Binary files of cyclers: a .mpr written here by hand, Neware's through its reader's columns."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nmcsim.errors import InputError
from nmcsim.measured.tables import read_table


def mpr(time: np.ndarray, voltage: np.ndarray, current: np.ndarray) -> bytes:
    """A .mpr as galvani knows the format: a module of settings and one of data, version 2."""

    def module(short: bytes, version: int, data: bytes) -> bytes:
        head = np.zeros(
            1,
            dtype=[("s", "S10"), ("l", "S25"), ("n", "<u4"), ("v", "<u4"), ("d", "S8")],
        )
        head[0] = (short, b"by hand".ljust(25), len(data), version, b"11/22/26")
        return b"MODULE" + head.tobytes() + data

    rows = np.zeros(len(time), dtype=[("f", "u1"), ("t", "<f8"), ("E", "<f4"), ("I", "<f8")])
    rows["t"], rows["E"], rows["I"] = time, voltage, 1e3 * current
    columns = np.array([1, 4, 6, 11], dtype="<u2")  # flags, time/s, Ewe/V, <I>/mA
    start = np.array([len(time)], dtype="<u4").tobytes() + bytes([4]) + columns.tobytes()
    magic = b"BIO-LOGIC MODULAR FILE\x1a".ljust(48) + b"\0" * 4
    data = start.ljust(405, b"\0") + rows.tobytes()
    return magic + module(b"VMP Set   ", 0, b"\0" * 8) + module(b"VMP data  ", 2, data)


def test_biologic(tmp_path: Path) -> None:
    pytest.importorskip("galvani", reason="of the optional extra cyclers")
    time, voltage = np.array([0.0, 1.0, 2.0]), np.array([3.5, 3.5625, 3.625])
    (tmp_path / "a.mpr").write_bytes(mpr(time, voltage, np.full(3, 2e-9)))
    table = read_table(tmp_path / "a.mpr")
    assert table.names == ("time", "Ewe", "<I>")
    assert table.si("time", "s").tolist() == time.tolist()
    assert table.si("Ewe", "V").tolist() == voltage.tolist()
    assert (table.si("<I>", "A") / 2e-9).tolist() == pytest.approx([1.0, 1.0, 1.0])


def test_neware(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reader = pytest.importorskip("NewareNDA", reason="of the optional extra cyclers")
    import pandas as pd

    # the columns that NewareNDA documents; its time begins anew with each step
    frame = pd.DataFrame(
        {
            "Index": [1, 2, 3, 4, 5],
            "Step": [1, 1, 2, 2, 3],
            "Status": pd.Categorical(["Rest", "Rest", "CC_Chg", "CC_Chg", "Rest"]),
            "Time": [0.0, 60.0, 0.0, 900.0, 0.0],
            "Voltage": [3.5, 3.5, 3.6, 3.7, 3.65],
            "Current(mA)": [0.0, 0.0, 2.0, 2.0, 0.0],
        }
    )
    monkeypatch.setattr(reader, "read", lambda file, **options: frame)
    (tmp_path / "a.ndax").write_bytes(b"any")
    table = read_table(tmp_path / "a.ndax")
    assert table["time"].values.tolist() == [0.0, 60.0, 60.0, 960.0, 960.0]
    assert table.si("Current", "A").tolist() == pytest.approx([0, 0, 2e-3, 2e-3, 0])
    assert table["Voltage"].unit == "V" and table.texts["Status"][2] == "CC_Chg"


@pytest.mark.parametrize(
    ("ending", "package"), [("mpr", "galvani"), ("nda", "NewareNDA"), ("ndax", "NewareNDA")]
)
def test_missing_reader_and_damaged_file(
    ending: str, package: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / f"a.{ending}"
    path.write_bytes(b"no such file")
    pytest.importorskip(package, reason="of the optional extra cyclers")
    with pytest.raises(InputError, match=f"cannot be read by {package}"):
        read_table(path)
    without: Any = {package: None}
    monkeypatch.setitem(sys.modules, package, without[package])
    with pytest.raises(InputError, match=rf'package {package}: pip install "nmcsim\[cyclers\]"'):
        read_table(path)
