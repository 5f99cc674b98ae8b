"""Every mistake of a case file is said with its key, its value and what to write instead."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nmcsim.case import load
from nmcsim.errors import InputError

Complaint = Callable[[dict[str, Any]], str]

IN_ONE_VALUE = [
    # unknown and missing keys
    ("physics.rock_salt.coverge", 0.5, 'rock_salt.coverge is not a key here; did you mean "cov'),
    ("numerics.tolerance", 1e-3, "numerics.tolerance is not a key here; there are degree, rtol"),
    ("solver", 1, "solver is not a key here; there are title, model, geometry"),
    ("model", "single_cristal", 'model = "single_cristal" is not a model; did you mean'),
    ("geometry.shape", "diks", 'geometry.shape = "diks" is not a shape; did you mean "disk"?'),
    ("material.name", "nmc8", 'did you mean "nmc88"?'),
    # units
    ("geometry.diameter", "2.5", 'geometry.diameter = "2.5" has no unit; write "2.5 um"'),
    ("geometry.diameter", 2.5, 'geometry.diameter = 2.5 has no unit; write "2.5 um"'),
    ("geometry.diameter", "2.5 K", "is a temperature, and a length is needed"),
    ("geometry.diameter", "2.5 umm", 'has the unknown unit "umm"'),
    ("geometry.diameter", True, "must be a text with a unit"),
    ("physics.temperature", "22", "physics.temperature"),
    ("physics.temperature", "25 C", 'write "25 degC" or "298.15 K"'),
    ("protocol.capacity", 200, 'write a capacity such as "200 mAh/g"'),
    ("output.period", 10, "output.period = 10 has no unit"),
    # types
    ("title", 3, "title = 3 must be a text in quotes"),
    ("title", "", 'title = "" must not be empty'),
    ("physics.extrapolate", 1, "physics.extrapolate = 1 must be true or false"),
    ("numerics.rtol", "small", 'numerics.rtol = "small" must be a number'),
    ("numerics.max_order", 2.5, "numerics.max_order = 2.5 must be a whole number"),
    ("physics", "flux", 'physics = "flux" must be a table'),
    ("geometry", 3, "geometry = 3 must be a table"),
    ("material", "nmc88", "must be a table; write [material]"),
    ("output.points", 3, "must be a table"),
    ("protocol.steps", "Rest for 1 h", "must be a list of steps"),
    ("protocol.steps", [], "must be a list of steps"),
    ("protocol.steps", [3], "must be a sentence, { replay"),
    ("protocol.initial", [0.9], "must be a number, an expression"),
    # ranges
    ("geometry.diameter", "-2 um", "must be above 0 m"),
    ("physics.temperature", "-300 degC", "must be above 0 K"),
    ("numerics.degree", 3, "numerics.degree = 3 must be 1 or 2"),
    ("numerics.rtol", 0.5, "is out of range; it must be at most 0.01"),
    ("output.frames", 1, "is out of range; it must be at least 2"),
    ("physics.surface", "fast", 'must be "flux" or "butler_volmer"'),
    ("protocol.initial", 1.2, "lies between 0 and 1"),
    ("protocol.initial", 0.999, "is outside the range of U of nmc88"),
    ("physics.rock_salt.coverage", 1.0, "leaves no bare surface, through which the C-rate"),
    ("physics.rock_salt.coverage", -0.1, "must be at least 0"),
    ("physics.rock_salt.flux_ratio", 1.0, "is no barrier"),
    ("physics.rock_salt.flux_ratio", -1.0, "must be at least 0"),
    ("geometry.cell_size", "3 um", 'geometry.cell_size = "3 um" is larger than the'),
    # materials
    ("material.D_ab", "-1e-14 m2/s", "must be positive"),
    ("material.D_chem", "1e-14 * (theta - 0.5) [m2/s]", "it must be positive"),
    ("material.U", "3 + theta [V]", 'material.U = "3 + theta [V]" does not fall at theta'),
    ("material.U", "4 - thta [V]", 'unknown name "thta"; did you mean "theta"?'),
    ("material.U", "4 - theta.real [V]", "an attribute is not allowed in a formula"),
    ("material.i0", "__import__('os') [A/m2]", 'unknown function "__import__"'),
    ("material.U", {"table": "none.csv", "x": "theta", "unit": "V"}, "none.csv"),
    # protocol
    ("protocol.steps", ["Charge at 1C untill 4.3 V"], '^ expected "until" or "for"'),
    ("protocol.steps", ["Charge at 1C until 5 V"], "5 V is outside the open-circuit range"),
    ("protocol.steps", ["Hold at 4.2 V until C/50"], 'write surface = "butler_volmer"'),
    ("protocol.capacity", ..., "has a C-rate, but protocol.capacity is missing; write capacity"),
    ("protocol.steps", [{"repeat": 0, "steps": ["Rest for 1 h"]}], "steps[0].repeat = 0 is out of"),
    ("protocol.steps", [{"repeat": 2}], "protocol.steps[0].steps is missing"),
    ("protocol.steps", [{"repeat": 2, "steps": ["Rest"]}], "protocol.steps[0].steps[0]"),
    ("protocol.steps", [{"replay": "i.csv", "time": "t [s]"}], "steps[0].replay"),
    ("protocol.initial", "0.9 - q", 'unknown name "q"'),
    ("protocol.initial", {"from": "nowhere"}, "there is no nowhere/checkpoint.h5"),
    # rock salt and points
    ("physics.rock_salt.seed", 3, 'has no effect with arrangement = "arc"'),
    ("physics.rock_salt.coverage", ..., "physics.rock_salt.coverage is missing"),
    ("output.points", {"a": ["2 um", "0 um"]}, "output.points.a lies outside the particle"),
    ("output.points", {"a": ["2 um"]}, "must have two or three coordinates"),
    ("output.points", {"a": ["0 um", "0 um", "0 um"]}, "has 3 coordinates, but the shape has 2"),
    ("output.times", ["10 s", "5 s"], "must increase"),
    ("output.times", ["10 s", 20], "output.times[1]"),
]


@pytest.mark.parametrize(("key", "value", "sentence"), IN_ONE_VALUE)
def test_a_wrong_value_is_said_with_its_key(
    complaint: Complaint, remove: object, key: str, value: object, sentence: str
):
    changes = {key: remove if value is ... else value}
    if key == "physics.rock_salt.coverage" and value is ...:
        changes["physics.rock_salt.flux_ratio"] = 0.1
    said = " ".join(complaint(changes).split())
    assert sentence in said
    assert key.split("[")[0].rpartition(".")[2] in said


@pytest.mark.parametrize(
    ("key", "sentence"),
    [
        ("title", 'title is missing; write title = "My crystal"'),
        ("model", 'model is missing; write model = "electrode" or "single_crystal"'),
        ("geometry", "geometry is missing"),
        ("geometry.shape", 'geometry.shape is missing; write shape = "disk" or file'),
        ("geometry.diameter", 'geometry.diameter is missing; write diameter = "2.5 um"'),
        ("material.name", 'material.name is missing; write name = "nmc88"'),
        ("physics.surface", 'physics.surface is missing; write surface = "flux"'),
        ("protocol.initial", "protocol.initial is missing"),
        ("protocol.steps", "protocol.steps is missing"),
    ],
)
def test_a_missing_key_is_said_with_what_to_write(
    complaint: Complaint, remove: object, key: str, sentence: str
):
    assert sentence in complaint({key: remove})


def test_all_mistakes_of_a_file_are_listed_at_once(complaint: Complaint):
    said = complaint(
        {
            "geometry.diameter": "2.5",
            "physics.rock_salt.coverge": 0.5,
            "material.i0": "2 m",
            "protocol.steps": ["Charge at 1C untill 4.3 V", "Hold at 4.3 V until 4 V"],
            "numerics.degree": 7,
        }
    )
    assert said.startswith("6 mistakes")


def test_two_tables_that_disagree_are_said_beside_a_mistake_in_a_third(complaint: Complaint):
    said = complaint({"protocol.steps": ["Hold at 4.2 V until C/50"], "geometry.diameter": "2"})
    assert 'write surface = "butler_volmer"' in said
    assert "geometry.diameter" in said


def test_a_mistyped_key_is_named_beside_what_it_leaves_missing(complaint: Complaint):
    polygon = {"shape": "polygon", "diamter": "3 um", "height": "1 um"}
    said = " ".join(complaint({"geometry": polygon, "numerics.tolerance": 1}).split())
    assert said.startswith("3 mistakes")
    assert 'geometry.diamter = "3 um" is not a key here; did you mean "diameter"?' in said
    assert "needs either a diameter or vertices" in said
    assert "numerics.tolerance" in said


@pytest.mark.parametrize("shape", ["disk", "cylinder", "polygon"])
def test_every_shape_names_an_unknown_key(complaint: Complaint, shape: str):
    given = {"shape": shape, "diameter": "3 um", "height": "1 um", "cel_size": "0.1 um"}
    said = complaint({"geometry": given})
    assert 'geometry.cel_size = "0.1 um" is not a key here; did you mean "cell_size"?' in said


def test_one_diffusivity_is_given_and_not_two(complaint: Complaint):
    said = complaint({"material.D_ab": "1e-14 m2/s", "material.D_chem": "1e-14 m2/s"})
    assert 'material.D_chem = "1e-14 m2/s" cannot stand beside D_ab' in said


def test_a_table_that_rises_is_refused(complaint: Complaint, tmp_path: Path):
    (tmp_path / "ocv.csv").write_text("theta,U [V]\n0.1,4.3\n0.3,4.0\n0.5,4.1\n0.99,3.5\n")
    said = complaint({"material.U": {"table": "ocv.csv"}})
    assert 'material.U table "ocv.csv" does not fall in line 4' in said


def test_a_table_must_cover_the_way_from_the_initial_state_to_the_cut_off(
    complaint: Complaint, tmp_path: Path
):
    # U reaches 4.3 V at theta = 0.216 (parameters of Sturm's curve); the table ends at 0.4
    rows = "".join(f"{theta},1e-14\n" for theta in (0.4, 0.6, 0.8, 0.99))
    (tmp_path / "D.csv").write_text("theta,D [m2/s]\n" + rows)
    said = complaint({"material.D_chem": {"table": "D.csv"}})
    assert "material.D_chem covers theta 0.4 .. 0.99 only, and 0.21" in said


def test_a_cut_off_may_lie_beyond_the_open_circuit_range_by_an_overpotential(make, complaint):
    kinetic = {"physics.surface": "butler_volmer"}
    make(kinetic | {"protocol.steps": ["Discharge at 1C until 3.0 V"], "protocol.initial": 0.5})
    said = complaint(kinetic | {"protocol.steps": ["Discharge at 1C until 1 V"]})
    assert "1 V is outside the open-circuit range" in said
    said = complaint(kinetic | {"protocol.steps": ["Hold at 3 V for 1 h"]})
    assert "3 V is outside the open-circuit range" in said


def test_a_replayed_voltage_lies_where_a_cut_off_may(make, complaint, tmp_path: Path):
    replay = {"replay": "v.csv", "time": "t [s]", "voltage": "U [V]"}
    changes = {"physics.surface": "butler_volmer", "protocol.steps": [replay]}
    (tmp_path / "v.csv").write_text("t [s],U [V]\n0,3.9\n60,4.6\n")
    make(changes)
    (tmp_path / "v.csv").write_text("t [s],U [V]\n0,3900\n60,3.9\n")
    said = complaint(changes)
    assert "protocol.steps[0]" in said
    assert "replays 3900 V, which is outside the open-circuit range of nmc88" in said
    assert said.count("open-circuit range") == 1
    (tmp_path / "v.csv").write_text("t [s],U [V]\n0,3.9\n60,0.5\n")
    assert "replays 0.5 V, which is outside" in complaint(changes)


def test_laws_inside_the_forms_are_no_tables(make, complaint, tmp_path: Path):
    rows = "".join(f"{theta},{2 + theta}e-16\n" for theta in (0.01, 0.2, 0.5, 0.8, 0.995))
    (tmp_path / "D.csv").write_text("theta,D [m2/s]\n" + rows)
    table = {"material.D_chem": {"table": "D.csv"}}
    general = {"numerics.laws": "general"}
    make(table)
    make(general)
    said = complaint(table | general)
    assert 'numerics.laws = "general" needs laws in closed form, but material.D_chem of' in said
    assert 'is a table; write laws = "nodal"' in said


def test_a_table_that_no_form_holds_may_stand_beside_general_laws(make, complaint, tmp_path: Path):
    rows = "".join(f"{theta},{4.6 - theta}\n" for theta in (0.01, 0.2, 0.5, 0.8, 0.995))
    (tmp_path / "U.csv").write_text("theta,U [V]\n" + rows)
    changes = {
        "material.U": {"table": "U.csv"},
        "material.D_chem": "1e-14 m2/s",
        "numerics.laws": "general",
    }
    make(changes)
    assert "but material.U of" in complaint(changes | {"physics.surface": "butler_volmer"})


@pytest.mark.parametrize("height", [-0.2, 1.2])
def test_a_point_lies_between_the_basal_faces(make, complaint, height: float):
    solid = {"geometry.shape": "cylinder"}
    for inside in ("0 um", "0.5 um", "1.0 um"):
        make(solid | {"output.points": {"a": ["0 um", "0 um", inside]}})
    said = complaint(solid | {"output.points": {"a": ["0 um", "0 um", f"{height} um"]}})
    assert f"output.points.a lies outside the particle: (0, 0, {height:g}) um" in said


# all sites of nmc88: 49046 mol/m3 * 96485 C/mol = 4.732e9 C/m3, 275 mAh/g at 4780 kg/m3; and
# 6.45 pAh in the 4.909 um3 of the disk
@pytest.mark.parametrize(
    ("capacity", "sentence"),
    [
        (
            "200 mAh",
            'protocol.capacity = "200 mAh" lies above the 6.45 pAh of all lithium sites in this'
            ' particle of 4.90874 um3; write "200 mAh/g"',
        ),
        ("8 pAh", "above the 6.45 pAh of all lithium sites in this particle of 4.90874 um3; wr"),
        ("6e-9 nAh", "below the 6.45 pAh of all lithium sites in this particle of 4.90874 um3; wr"),
        (
            "200 Ah/g",
            'protocol.capacity = "200000 mAh/g" lies above the 275 mAh/g of all lithium sites in'
            ' nmc88; write such as "190 mAh/g"',
        ),
        ("0.2 mAh/g", "lies below the 275 mAh/g of all lithium sites in nmc88"),
    ],
)
def test_a_capacity_must_fit_the_lithium_sites(complaint: Complaint, capacity: str, sentence: str):
    assert sentence in complaint({"protocol.capacity": capacity})


@pytest.mark.parametrize("capacity", ["7 pAh", "1e-5 nAh", "320 mAh/g", "1 mAh/g"])
def test_a_capacity_may_be_any_sensible_share_of_the_sites(make, capacity: str):
    assert make({"protocol.capacity": capacity}).protocol.capacity is not None


def test_a_first_step_whose_cut_off_has_passed_already_is_refused(complaint: Complaint, make):
    said = complaint({"protocol.steps": ["Charge at 1C until 3.7 V"], "protocol.initial": 0.5})
    start = float(make().material.U.evaluate(np.array([0.5]))[0])
    sentence = (
        f"^ 3.7 V lies below the {start:.3f} V of protocol.initial = 0.5, so that the step would"
        f" end at once; write Discharge, or a voltage above {start:.3f} V"
    )
    quoted, pointed = said.splitlines()[1:]
    assert sentence in pointed
    assert pointed.index("^") == quoted.index("3.7 V")
    low = {"protocol.steps": ["Charge at 1C until 3.0 V"]}
    assert "3 V lies below the 3.562 V" in complaint({**low, "physics.surface": "butler_volmer"})
    outside = complaint({**low, "physics.surface": "flux"})
    assert "outside the open-circuit range" in outside and "lies below" not in outside
    for rest in ([], ["Rest for 1 hour"]):
        steps = [*rest, "Discharge at 1C for 1 h or until 4.2 V"]
        said = complaint({"protocol.steps": steps, "protocol.initial": 0.5})
        assert f"4.2 V lies above the {start:.3f} V of protocol.initial = 0.5" in said
        assert f"write Charge, or a voltage below {start:.3f} V" in said


def test_only_the_first_step_can_be_judged_and_not_to_the_millivolt(make):
    start = float(make().material.U.evaluate(np.array([0.5]))[0])
    for first in (f"Charge at 1C until {start - 0.004:.4f} V", "Discharge at 1C until 3.6 V"):
        steps = [first, "Charge at 1C until 3.6 V"]
        case = make({"protocol.steps": steps, "protocol.initial": 0.5})
        assert len(case.protocol.steps) == 2
    later = make({"protocol.initial": "0.5 + 0.01 * x", "protocol.steps": [steps[1]]})
    assert len(later.protocol.steps) == 1


def test_overlapping_patches_are_refused(complaint: Complaint, remove: object):
    said = complaint(
        {
            "physics.rock_salt.coverage": remove,
            "physics.rock_salt.arrangement": "intervals",
            "physics.rock_salt.intervals": [["0 deg", "90 deg"], ["60 deg", "120 deg"]],
        }
    )
    assert "physics.rock_salt.intervals overlap" in said


def test_a_polygon_that_crosses_itself_is_refused(
    complaint: Complaint, tmp_path: Path, remove: object
):
    (tmp_path / "bow.csv").write_text("x [um],y [um]\n-1,-1\n1,1\n1,-1\n-1,1\n")
    said = complaint(
        {
            "geometry": {"shape": "polygon", "vertices": "bow.csv", "height": "1 um"},
        }
    )
    assert "geometry.vertices" in said
    assert "intersects itself" in said


def test_a_shape_file_that_does_not_run_is_said_with_its_line(complaint: Complaint, tmp_path: Path):
    (tmp_path / "mine.py").write_text("x = 1\ny = 1 / 0\n")
    said = complaint({"geometry": {"file": "mine.py", "height": "1 um"}})
    assert "geometry.file" in said
    assert "ZeroDivisionError in line 2" in said
    both = complaint({"geometry.file": "mine.py"})
    assert "cannot stand beside file" in both


@pytest.mark.parametrize(
    ("rows", "sentence"),
    [
        ("0,1\n", "has fewer than two rows"),
        ("0,1\n0,2\n", "has times that do not increase"),
        ("0,1\n1,x\n", 'holds "x" in line 3, which is not a number'),
        ("0,1\n1,nan\n", "which is not finite"),
        ("0,1\n1\n", 'holds "" in line 3'),
    ],
)
def test_a_measured_current_that_cannot_be_replayed_is_refused(
    complaint: Complaint, tmp_path: Path, rows: str, sentence: str
):
    (tmp_path / "i.csv").write_text("t [s],I [nA]\n" + rows)
    step = {"replay": "i.csv", "time": "t [s]", "current": "I [nA]"}
    assert sentence in complaint({"protocol.steps": [step]})


@pytest.mark.parametrize(
    ("keys", "sentence"),
    [
        ({"time": "t [s]", "current": "J [nA]"}, 'has no column "J [nA]"; did you mean "I [nA]"?'),
        ({"time": "t", "current": "I [nA]"}, 'needs a unit in the heading "t", such as "t [s]"'),
        ({"time": "t [s]", "current": "I [V]"}, "is a voltage, and a current is needed"),
        ({"time": "t [s]"}, 'needs one column, either current = "I [nA]" or voltage'),
        ({"time": "t [s]", "current": "I [nA]", "until": "1 nA"}, "cannot be a current"),
        ({"time": "t [s]", "current": "I [nA]", "untill": "4 V"}, 'did you mean "until"?'),
    ],
)
def test_a_replay_that_does_not_fit_its_file_is_refused(
    complaint: Complaint, tmp_path: Path, keys: dict[str, str], sentence: str
):
    (tmp_path / "i.csv").write_text("t [s],t,I [nA],I [V]\n0,0,1,1\n1,1,2,2\n")
    assert sentence in complaint({"protocol.steps": [{"replay": "i.csv", **keys}]})


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"\x89PNG\x00\x01", "is not a text file; a case is a TOML file"),
        ("title = 'Grün'".encode("latin-1"), "is not text in UTF-8 (line 1)"),
        (b'title = "a"\nmodel = \n', "is not valid TOML: Invalid value (at line 2"),
        (b"a = " + b"[" * 5000, "is not valid TOML"),
        (b"", 'model is missing; write model = "electrode" or "single_crystal"'),
    ],
)
def test_a_file_that_is_no_case_is_refused(tmp_path: Path, content: bytes, sentence: str):
    path = tmp_path / "case.toml"
    path.write_bytes(content)
    with pytest.raises(InputError) as caught:
        load(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert sentence in str(caught.value)


def test_a_case_that_is_not_there_is_refused(tmp_path: Path):
    with pytest.raises(InputError, match="does not exist"):
        load(tmp_path / "none.toml")
    with pytest.raises(InputError, match="is a folder, not a case file"):
        load(tmp_path)


def test_the_initial_state_of_an_expression_must_stay_between_0_and_1(make):
    import numpy as np

    case = make({"protocol.initial": "0.9 - 0.2 * x"})
    theta = case.protocol.initial_at(np.array([[1e-6, -0.2e-6], [0.0, 0.0], [0.0, 0.0]]))
    assert theta == pytest.approx([0.7, 0.94])  # x counts in micrometres
    with pytest.raises(InputError, match=r"gives 1.1 at \(-1, 0, 0\) um"):
        case.protocol.initial_at(np.array([[-1e-6], [0.0]]))
