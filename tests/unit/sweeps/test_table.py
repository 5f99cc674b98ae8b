"""The table of a sweep: what its columns hold, and that files lose nothing of it."""

from __future__ import annotations

import csv
import json
import math
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow
import pyarrow.parquet as parquet
import pytest

from nmcsim.errors import InputError
from nmcsim.results import Result
from nmcsim.sweeps.plan import Parameter, Plan, Planned
from nmcsim.sweeps.record import Observable, Record
from nmcsim.sweeps.table import Table, read_records
from tests.synthetic import synthetic_result
from tests.synthetic_sweep import COVERAGE, FAILURES, K, blocked, delay, synthetic_sweep


@pytest.fixture(scope="module")
def sweep(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Plan]:
    directory = tmp_path_factory.mktemp("sweeps") / "crystals"
    return directory, synthetic_sweep(directory, 48, failures=3, missing=4)


def made(*rows: Mapping[str, float | int | str], units: Mapping[str, str] | None = None) -> Plan:
    """A plan of a few cases, known by the hashes 1, 2, ..."""
    told = units or {}
    parameters = tuple(
        Parameter(key, told.get(key, "1"), not isinstance(value, str))
        for key, value in rows[0].items()
    )
    cases = tuple(Planned(n, str(n), row, {}) for n, row in enumerate(rows, start=1))
    return Plan("a few", None, Path("/"), {}, parameters, cases)


def record(hash: str, **values: float) -> Record:
    observables = {name: Observable(value, "V", name) for name, value in values.items()}
    return Record(hash, "finished", observables=observables)


# -- what it holds ----------------------------------------------------------------------------


def test_a_row_for_each_case_in_the_order_of_the_plan(sweep: tuple[Path, Plan]) -> None:
    directory, plan = sweep
    table = Table.load(directory)
    assert list(table["case"]) == list(range(1, 49))
    assert list(table["hash"]) == [planned.hash for planned in plan.cases]
    for planned, (_, row) in zip(plan.cases, table.iterrows(), strict=True):
        assert {key: row[key] for key in planned.values} == planned.values
        if row["status"] == "finished":
            # 1 um b r^(1/3), on rows that need not meet the middle: within 4 (1/120)^2 of it
            rate = {"C/3": 1 / 3, "1C": 1.0, "5C": 5.0}[row["rate"]]
            expected = 1e-6 * blocked(planned.values) * rate ** (1 / 3)
            assert row["com_distance_max"] == pytest.approx(expected, rel=3e-4)


def test_failures_and_open_cases_are_rows_too(sweep: tuple[Path, Plan]) -> None:
    directory, plan = sweep
    table = Table.load(directory)
    counts = table["status"].value_counts().to_dict()
    assert counts == {"finished": 40, "failed": 3, "open": 4, "ended early": 1}
    failed = table[table["status"] == "failed"]
    assert list(zip(failed["kind"], failed["cause"], strict=True)) == list(FAILURES)
    killed = failed[failed["kind"] == "killed"].iloc[0]
    assert math.isnan(killed["voltage_end"]) and killed["attempt"] == 2
    assert pd.isna(killed["steps"])
    waiting = table[table["status"] == "open"]
    assert waiting["wall"].isna().all() and waiting["attempt"].isna().all()
    assert (waiting["cause"] == "").all()
    running = Table.of(plan, read_records(plan, directory), directory, {plan.cases[-1].hash})
    assert list(running["status"])[-2:] == ["open", "running"]


def test_of_an_electrode_asynchrony_is_a_column(tmp_path: Path) -> None:
    plan = synthetic_sweep(tmp_path / "s", 9, "electrode", failures=0)
    table = Table.load(tmp_path / "s")
    expected = [4 * delay(planned.values) for planned in plan.cases]
    # t25 is linear between rows of a curve that is linear there, up to round-off
    assert table["asynchrony_charge_1"].tolist() == pytest.approx(expected, abs=1e-9)
    assert table["asynchrony_charge_2"].tolist() == pytest.approx([0.0] * 9, abs=1e-9)
    assert table.attrs["units"][K] == "S/m"


def test_a_column_has_one_kind_of_value() -> None:
    """Texts are texts though they look like numbers; whole numbers stay whole beside gaps."""
    plan = made({"seed": 1, "size": 2.0, "rate": "1"}, {"seed": 2, "size": 3, "rate": "C/3"})
    told = Record("1", "finished", observables={"steps": Observable(7.0, "1", "")})
    table = Table.of(plan, {"1": told}, ".")
    kinds = {name: str(table[name].dtype) for name in ("seed", "size", "rate", "steps", "attempt")}
    assert kinds == {
        "seed": "Int64", "size": "float64", "rate": "str", "steps": "Int64", "attempt": "Int64"
    }  # fmt: skip
    assert table["steps"].tolist() == [7, pd.NA]
    assert "object" not in set(map(str, table.dtypes))


def test_a_record_that_tells_less_or_other_things_leaves_gaps() -> None:
    plan = made({"a": 1.0}, {"a": 2.0}, {"a": 3.0})
    records = {"1": record("1", y=1.0), "2": record("2", x=2.0, y=3.0), "3": record("3", z=4.0)}
    table = Table.of(plan, records, ".")
    columns = list(table.columns)
    assert [name for name in columns if name in "xyz"] == ["x", "y", "z"]
    gaps = table[["x", "y", "z"]].to_numpy()
    np.testing.assert_array_equal(
        gaps, [[np.nan, 1.0, np.nan], [2.0, 3.0, np.nan], [np.nan, np.nan, 4.0]]
    )


def test_two_numbers_that_say_the_same_share_a_record() -> None:
    plan = made({"a": 1.0}, {"a": 1.0})
    plan = replace(plan, cases=(plan.cases[0], replace(plan.cases[1], hash="1")))
    assert Table.of(plan, {"1": record("1", x=5.0)}, ".")["x"].tolist() == [5.0, 5.0]


def test_what_pandas_returns_is_a_table_with_units(sweep: tuple[Path, Plan]) -> None:
    table = Table.load(sweep[0])
    for part in (table[table["status"] == "finished"], table.query("rate == '1C'"), table.copy()):
        assert isinstance(part, Table)
        assert part.attrs["units"]["com_distance_max"] == "m"
        assert part.attrs["title"] == "Synthetic sweep of crystals"


# -- files ------------------------------------------------------------------------------------


def test_parquet_gives_back_the_same_table(sweep: tuple[Path, Plan], tmp_path: Path) -> None:
    table = Table.load(sweep[0])
    table.write(tmp_path)
    again = Table.load(tmp_path / "table.parquet")
    pd.testing.assert_frame_equal(table, again)
    assert again.attrs == table.attrs | {"directory": str(tmp_path)}
    pd.testing.assert_frame_equal(table, Table.load(tmp_path))  # a copy without the records
    assert sorted(p.name for p in tmp_path.iterdir()) == ["table.csv", "table.parquet"]


def test_units_are_found_without_pandas(sweep: tuple[Path, Plan], tmp_path: Path) -> None:
    table = Table.load(sweep[0])
    table["own"] = 1.0  # a column of the user's has no unit
    table.write(tmp_path)
    schema = parquet.read_schema(tmp_path / "table.parquet")
    about = schema.field("com_distance_max").metadata
    assert about == {b"unit": b"m", b"description": b"largest centre-of-mass distance"}
    assert schema.field("own").metadata == {b"unit": b"", b"description": b""}
    assert str(sweep[0].parent).encode() not in (tmp_path / "table.parquet").read_bytes()
    with (tmp_path / "table.csv").open(encoding="utf-8") as file:
        heads, first = next(rows := csv.reader(file)), next(rows)
    assert {"case [1]", "rate", f"{COVERAGE} [1]", "com_distance_max [m]", "own"} <= set(heads)
    assert float(first[heads.index("voltage_end [V]")]) == table["voltage_end"].iloc[0]


def test_half_a_record_is_an_open_case(tmp_path: Path) -> None:
    plan = synthetic_sweep(tmp_path / "s", 12, failures=0)
    path = tmp_path / "s" / "records" / f"{plan.cases[0].hash}.json"
    path.write_text(path.read_text(encoding="utf-8")[:500], encoding="utf-8")
    table = Table.load(tmp_path / "s")
    assert table["status"].iloc[0] == "open" and (table["status"].iloc[1:] == "finished").all()


def test_what_is_no_sweep_is_refused(tmp_path: Path) -> None:
    def refused(path: Path) -> str:
        with pytest.raises(InputError) as caught:
            Table.load(path)
        return str(caught.value).removeprefix(str(path)).strip(" :")

    assert refused(tmp_path / "none") == (
        "is no directory; give that of a sweep, or its table.parquet"
    )
    assert "is not the directory of a sweep" in refused(tmp_path)
    assert refused(tmp_path / "none.parquet").startswith("cannot be read (No such file")
    foreign = tmp_path / "other.parquet"
    message = "is not the table of a sweep, or of another version of nmcsim"
    parquet.write_table(pyarrow.table({"a": [1]}), foreign)
    assert refused(foreign) == message
    later = json.dumps({"format": "nmcsim sweep table", "version": 2})
    parquet.write_table(pyarrow.table({"a": [1]}, metadata={"nmcsim": later}), foreign)
    assert refused(foreign) == message
    foreign.write_text("no parquet", encoding="utf-8")
    assert refused(foreign) == message


# -- what it finds ----------------------------------------------------------------------------


def test_a_key_may_be_said_by_its_end() -> None:
    plan = made({"physics.rock_salt.coverage": 0.1, "binder.porosity": 0.2, "film.porosity": 0.3})
    table = Table.of(plan, {}, ".")
    assert table.key("coverage") == table.key("rock_salt.coverage") == COVERAGE
    assert table.key("film.porosity") == "film.porosity"
    with pytest.raises(InputError, match="may be any of binder.porosity, film.porosity; say more"):
        table.key("porosity")
    with pytest.raises(InputError, match="coverge is no column of the table; did you mean coverag"):
        table.key("coverge")
    with pytest.raises(InputError, match="xyz is no column of the table; there are case, physics"):
        table.key("xyz")


def test_a_result_is_opened_by_its_number(sweep: tuple[Path, Plan]) -> None:
    directory, plan = sweep
    table = Table.load(directory)
    synthetic_result(directory / "cases" / plan.cases[6].hash, frames=3)
    result = table.result(7)
    assert isinstance(result, Result) and len(result["time"])
    with pytest.raises(InputError, match="case 49 is not in the table, which has 1 to 48"):
        table.result(49)
    with pytest.raises(InputError, match="case 1 is not in the table, which has no case"):
        table[table["case"] < 0].result(1)
    with pytest.raises(InputError, match="case 48 has no result yet; it is open"):
        table.result(48)
    with pytest.raises(InputError, match=r"case 2 has no history in .*; .* with --keep history"):
        table.result(2)


def test_a_thousand_records_load_in_a_second(tmp_path: Path) -> None:
    """One record, under a thousand names: 0.3 s on an idle core, so that 10 s is a slow machine."""
    plan = synthetic_sweep(tmp_path / "s", 12, failures=0)
    folder = tmp_path / "s" / "records"
    content = (folder / f"{plan.cases[0].hash}.json").read_bytes()
    cases = tuple(replace(plan.cases[0], number=n, hash=f"{n:016x}") for n in range(1, 1001))
    replace(plan, cases=cases).write(tmp_path / "s")
    for planned in cases:
        (folder / f"{planned.hash}.json").write_bytes(content)
    began = time.process_time()
    assert (Table.load(tmp_path / "s")["status"] == "finished").all()
    assert time.process_time() - began < 10.0
