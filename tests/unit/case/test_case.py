"""A case is frozen, changed by copy, written rerunnable, and known by a hash of what it says."""

from __future__ import annotations

import pickle
import shutil
import tomllib
from pathlib import Path

import numpy as np
import pydantic
import pytest

from nmcsim.case import load
from nmcsim.case.steps import Replay
from nmcsim.case.toml import dump_toml, parse_value, toml_value
from nmcsim.errors import InputError


def test_quantities_are_si_floats(make):
    case = make()
    assert case.geometry.diameter == 2.5e-6
    assert case.physics.temperature == 295.15
    assert case.protocol.one_c(1e-12) == pytest.approx(2e-10)  # 200 A/kg * 1e-12 kg
    assert case.protocol.steps[0].place == "protocol.steps[0]"


def test_a_case_is_frozen(make):
    with pytest.raises(pydantic.ValidationError, match="frozen"):
        make().physics.surface = "butler_volmer"


def test_replace_gives_a_copy_that_is_checked(make):
    case = make()
    other = case.replace("physics.rock_salt.coverage", 0.25)
    assert (case.physics.rock_salt.coverage, other.physics.rock_salt.coverage) == (0.5, 0.25)
    assert case.hash != other.hash
    assert other.replace("physics.rock_salt.coverage", 0.5).hash == case.hash
    with pytest.raises(InputError, match="leaves no bare surface"):
        case.replace("physics.rock_salt.coverage", 1.0)
    with pytest.raises(InputError, match="physics.surface is a value and not a table"):
        case.replace("physics.surface.kind", 1)
    with pytest.raises(InputError, match="is not a key; write it as table.key"):
        case.replace("physics..x", 1)


def test_replace_takes_what_python_has(make, tmp_path: Path):
    case = make()
    other = case.replace("physics.rock_salt.coverage", np.float64(0.25))
    assert load(other.write(tmp_path / "a")).hash == other.hash
    assert case.replace("output.frames", np.int64(7)).output.frames == 7
    (tmp_path / "p.csv").write_text("x [um],y [um]\n0,0\n2,0\n2,2\n0,2\n")
    shape = {"shape": "polygon", "vertices": tmp_path / "p.csv", "height": "1 um"}
    square = case.replace("geometry", shape)
    assert square.geometry.outline.area == pytest.approx(4e-12)
    assert load(square.write(tmp_path / "b")).hash == square.hash


def test_a_case_goes_to_another_process(rich):
    again = pickle.loads(pickle.dumps(rich))
    assert again.hash == rich.hash
    assert again.protocol == rich.protocol


def test_the_hash_is_that_of_what_is_said_and_not_of_how(make):
    case = make()
    assert make({"geometry.diameter": "2500 nm"}).hash == case.hash
    assert make({"protocol.steps": ["charge at 1.0 C  until 4300 mV"]}).hash == case.hash
    assert make({"geometry.diameter": "2.6 um"}).hash != case.hash
    assert make({"protocol.steps": ["Charge at 2C until 4.3 V"]}).hash != case.hash
    assert make({"material.name": "nmc88_fast"}).hash != case.hash


@pytest.fixture
def rich(make, tmp_path: Path):
    """A case that names a file of every sort."""
    (tmp_path / "i.csv").write_text("t [min],I [nA]\n1,0.001\n2,0.002\n4,0.001\n")
    (tmp_path / "frames.csv").write_text("# camera\nt [s];n\n1.5;1\n3;2\n")
    rows = "".join(f"{theta},{2 + theta}e-12\n" for theta in np.linspace(0.01, 0.995, 9))
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "i.csv").write_text("theta,D [cm2/s]\n" + rows)
    shutil.copy(Path(__file__).parents[3] / "meshes" / "disk.py", tmp_path / "mine.py")
    return make(
        {
            "title": "i.csv",
            "geometry": {"file": "mine.py", "diameter": "2.5 um", "height": "1 um"},
            "material.D_chem": {"table": "data/i.csv", "x": "theta"},
            "protocol.steps": [
                "Charge at 1C until 4.3 V",
                {
                    "repeat": 2,
                    "steps": [
                        "Rest for 1 h",
                        {"replay": "i.csv", "time": "t [min]", "current": "I [nA]", "until": "4 V"},
                    ],
                },
                "Rest for 2 h",
            ],
            "output.times": {"file": "frames.csv", "column": "t [s]"},
            "output.points": {"rim": ["1.2 um", "0 um"]},
        }
    )


def test_a_written_case_is_the_same_case_elsewhere(rich, tmp_path: Path):
    path = rich.write(tmp_path / "run" / "deep")
    for name in ("i.csv", "frames.csv", "mine.py"):
        (tmp_path / name).unlink()
    shutil.rmtree(tmp_path / "data")
    moved = tmp_path / "moved"
    shutil.move(path.parent, moved)
    again = load(moved / "case.toml")
    assert again.hash == rich.hash
    assert again.title == "i.csv"
    assert str(tmp_path) not in (moved / "case.toml").read_text()
    # two files of the same name are kept apart
    assert sorted(p.name for p in (moved / "inputs").iterdir()) == [
        "frames.csv", "i.csv", "i_2.csv", "mine.py",
    ]  # fmt: skip
    assert load(again.write(tmp_path / "third")).hash == rich.hash


def test_the_hash_covers_the_files(rich, tmp_path: Path):
    path = rich.write(tmp_path / "run")
    table = tmp_path / "run" / "inputs" / "i.csv"
    for file in (table, tmp_path / "run" / "inputs" / "i_2.csv"):
        content = file.read_text()
        file.write_text(content.replace("0.002", "0.003").replace("2.01e-12", "2.02e-12"))
        assert load(path).hash != rich.hash
        file.write_text(content)
    assert load(path).hash == rich.hash
    with (tmp_path / "run" / "inputs" / "mine.py").open("a") as file:
        file.write("# changed\n")
    assert load(path).hash != rich.hash


def test_a_written_case_has_all_defaults(make, tmp_path: Path):
    content = tomllib.loads(make().write(tmp_path / "run").read_text())
    assert content["numerics"]["rtol"] == 1e-4
    assert content["physics"]["rock_salt"]["angle"] == "0 rad"
    assert content["geometry"]["diameter"] == "2.5 um"  # as it was given
    assert content["output"]["frames"] == 24


def test_a_polygon_from_a_file_can_be_written(make, tmp_path: Path):
    (tmp_path / "p.csv").write_text("x [um],y [um]\n0,0\n2,0\n2,2\n0,2\n")
    case = make({"geometry": {"shape": "polygon", "vertices": "p.csv", "height": "1 um"}})
    assert load(case.write(tmp_path / "run")).hash == case.hash


def test_steps_are_unrolled_in_cycles(rich):
    steps = rich.protocol.steps
    assert [step.cycle for step in steps] == [1, 2, 2, 3, 3, 4]
    assert [step.place[len("protocol.steps") :] for step in steps] == [
        "[0]", "[1].steps[0]", "[1].steps[1]", "[1].steps[0]", "[1].steps[1]", "[2]",
    ]  # fmt: skip


def test_a_replay_starts_at_0_and_is_linear_between_its_points(rich):
    replay = rich.protocol.steps[2].value
    assert isinstance(replay, Replay)
    assert replay.times == pytest.approx([0.0, 60.0, 180.0])
    assert replay(30.0) == pytest.approx(1.5e-12)
    assert [end.quantity for end in rich.protocol.steps[2].until] == ["voltage", "time"]
    assert rich.protocol.steps[2].until[-1].value == pytest.approx(180.0)


def test_outputs_may_be_asked_at_the_times_of_a_file(rich):
    assert rich.output.times == (1.5, 3.0)


def test_a_coarse_case_has_larger_cells_and_looser_tolerances(make):
    case = make()
    coarse = case.coarse()
    assert coarse.geometry.cell_size == pytest.approx(2.5 * case.geometry.cell_size)
    assert coarse.geometry.diameter == case.geometry.diameter
    assert coarse.numerics.rtol == 1e-3
    assert coarse.output.frames < case.output.frames
    assert coarse.protocol == case.protocol


def test_a_coarse_case_keeps_what_somebody_asked_for(make):
    case = make({"output.frames": 60, "numerics.rtol": 1e-4})
    coarse = case.coarse(["output.frames"])
    assert (coarse.output.frames, coarse.numerics.rtol) == (60, 1e-3)
    assert case.coarse(["output", "numerics.rt"]).numerics.rtol == 1e-3
    assert case.coarse(["output"]).output.frames == 60
    kept = case.coarse(["geometry.cell_size"]).geometry
    assert kept.cell_size == case.geometry.cell_size
    assert kept.surface_cell_size == case.coarse().geometry.surface_cell_size


def test_overrides_are_toml_or_plain_text(make, tmp_path: Path):
    path = make().write(tmp_path)
    case = load(path, ["physics.rock_salt.coverage=0.25", "geometry.diameter = 3 um", "title=A b"])
    assert case.physics.rock_salt.coverage == 0.25
    assert case.geometry.diameter == 3e-6
    assert case.title == "A b"
    assert load(path, ['protocol.steps=["Rest for 1 h"]']).protocol.steps[0].kind == "rest"
    with pytest.raises(InputError, match="write --set table.key=value"):
        load(path, ["title"])


def test_the_state_of_an_earlier_result_travels_with_the_case(make, tmp_path: Path):
    earlier = tmp_path / "earlier"
    earlier.mkdir()
    (earlier / "checkpoint.h5").write_bytes(b"state")
    (earlier / "mesh.msh").write_bytes(b"mesh")
    case = make({"protocol.initial": {"from": "earlier"}})
    assert case.protocol.initial == earlier
    again = load(case.write(tmp_path / "run"))
    assert again.hash == case.hash
    assert (again.protocol.initial / "mesh.msh").read_bytes() == b"mesh"
    (earlier / "checkpoint.h5").write_bytes(b"another")
    assert make({"protocol.initial": {"from": "earlier"}}).hash != case.hash


@pytest.mark.parametrize(
    "value",
    ["plain", 'a "quote" \\ and \n line \x7f', 3, -2.5e-30, True, [1, ["a"]], {"a b": 1, "c": []}],
)
def test_what_is_written_as_toml_is_read_as_the_same(value: object):
    assert tomllib.loads(f"value = {toml_value(value)}")["value"] == value
    assert tomllib.loads(dump_toml({"t": {"v": value}})) == {"t": {"v": value}}


def test_toml_holds_no_other_types():
    with pytest.raises(TypeError, match="TOML holds no object"):
        toml_value(object())


def test_an_override_that_is_no_toml_is_a_text():
    assert parse_value("2.5 um") == "2.5 um"
    assert parse_value("0.5") == 0.5
    assert parse_value("1\nother = 2") == "1\nother = 2"
