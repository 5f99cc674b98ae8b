"""Which cases a sweep asks for, what is refused and where it is said, and how a plan is kept."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import nmcsim
from nmcsim.errors import InputError
from nmcsim.results import WriteFailure
from nmcsim.sweeps import combine
from nmcsim.sweeps.plan import Parameter, Plan, make_plan, read_sweep
from tests.unit.sweeps.sweeping import CASE, ROOT, plan, sentence, sentences

GRID = """
[sweep.grid]
physics.rock_salt.coverage = [0.25, 0.5]
physics.rock_salt.flux_ratio = [0.0, 0.1, 0.2]
"""


# -- what multiplies ------------------------------------------------------------------------------


def test_a_grid_is_every_combination_the_last_key_fastest():
    found = plan(GRID)
    assert [tuple(p.values.values()) for p in found.cases] == [
        (0.25, 0.0), (0.25, 0.1), (0.25, 0.2), (0.5, 0.0), (0.5, 0.1), (0.5, 0.2),
    ]  # fmt: skip
    assert [p.number for p in found.cases] == [1, 2, 3, 4, 5, 6]
    assert [p.key for p in found.parameters] == [
        "physics.rock_salt.coverage", "physics.rock_salt.flux_ratio",
    ]  # fmt: skip


def test_grid_zip_sample_and_replicas_multiply_in_this_order():
    found = plan(
        """
        [sweep.set]
        physics.rock_salt.arrangement = "random"
        [sweep.replicas]
        physics.rock_salt.seed = 2
        [sweep.sample]
        count = 3
        [sweep.sample.over]
        physics.rock_salt.coverage = { from = 0.2, to = 0.4 }
        [[sweep.zip]]
        geometry.diameter = ["1 um", "2 um"]
        geometry.height = ["0.5 um", "1 um"]
        [[sweep.zip]]
        numerics.rtol = [1e-3]
        [sweep.grid.physics.rock_salt]
        patches = [3, 4]
        """
    )
    keys = [p.key.rpartition(".")[2] for p in found.parameters]
    assert keys == ["patches", "diameter", "height", "rtol", "coverage", "seed"]
    assert len(found.cases) == 2 * 2 * 1 * 3 * 2
    rows = [tuple(p.values.values()) for p in found.cases]
    assert [row[-1] for row in rows[:4]] == [1, 2, 1, 2]
    assert {(row[1], row[2]) for row in rows} == {(1.0, 0.5), (2.0, 1.0)}
    assert rows[0][4] == rows[1][4] != rows[2][4]


def test_replicas_may_be_a_list():
    text = '[sweep.set]\nphysics.rock_salt.arrangement = "random"\n[sweep.replicas]\nX = [7, 9]'
    found = plan(text.replace("X", "physics.rock_salt.seed"))
    assert [p.changes["physics.rock_salt.seed"] for p in found.cases] == [7, 9]


@pytest.mark.parametrize("value", ["0", "true", '"many"', "1000000"])
def test_replicas_are_counted(value):
    found = sentence(f"[sweep.replicas]\nnumerics.max_order = {value}")
    assert "must be a number from 1 to 100,000, or a list of values" in found


def test_equal_cases_have_equal_hashes():
    found = plan('[sweep.grid]\ngeometry.diameter = ["1 um", "1000 nm"]')
    assert found.cases[0].hash == found.cases[1].hash


# -- variables ------------------------------------------------------------------------------------


def test_a_variable_is_put_into_texts():
    found = plan(
        """
        [sweep.set]
        title = "{{n = {n}}} at {rate}"
        protocol.steps = [
          "Charge at {rate} until 4.3 V",
          { repeat = 2, steps = ["Rest for {n} hours"] },
        ]
        [sweep.grid]
        rate = ["C/3", "1C"]
        n = [1, 2.5]
        """
    )
    assert found.parameters[1] == Parameter("n", "1", True)
    last = found.cases[-1]
    assert last.values == {"rate": 1.0, "n": 2.5}
    assert last.changes == {
        "title": "{n = 2.5} at 1C",
        "protocol.steps": [
            "Charge at 1C until 4.3 V",
            {"repeat": 2, "steps": ["Rest for 2.5 hours"]},
        ],
    }
    assert found.case(last).title == "{n = 2.5} at 1C"


def test_a_text_that_is_a_variable_becomes_its_value():
    found = plan(
        """
        [sweep.set]
        physics.rock_salt.coverage = "{share}"
        physics.rock_salt.flux_ratio = "{share}"
        protocol.steps = "{steps}"
        [sweep.zip]
        share = [0.2, 0.4]
        steps = [["Charge at 1C until 4.3 V"], ["Charge at 1C until 4.2 V", "Rest for 1 hour"]]
        """
    )
    salt = found.case(found.cases[1]).physics.rock_salt
    assert (salt.coverage, salt.flux_ratio) == (0.4, 0.4)
    assert len(found.case(found.cases[1]).protocol.steps) == 2


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ('"Charge at {rte} until 4.3 V"', 'has {rte}, which is no variable; did you mean "rate"?'),
        ('"Charge at {rate until 4.3 V, {rate}"', "has a brace without its partner"),
    ],
)
def test_a_wrong_brace_is_refused(setting, message):
    text = f'[sweep.set]\nprotocol.steps = [{setting}]\n[sweep.grid]\nrate = ["C/3", "1C"]'
    assert any(f"sweep.set.protocol.steps {message}" in said for said in sentences(text))


def test_braces_without_variables():
    text = '[sweep.set]\ntitle = "a {b} c"\n[sweep.grid]\nnumerics.rtol = [1e-3, 1e-4]'
    assert "sweep.set.title has {b}, which is no variable; there are none" in sentence(text)


@pytest.mark.parametrize(
    ("name", "mend"),
    [("coverge", 'did you mean "physics.rock_salt.coverage"?'), ("n", "write it into one")],
)
def test_a_variable_that_is_used_nowhere_is_refused(name, mend):
    said = sentence(f"[sweep.grid]\n{name} = [0.1, 0.2]")
    about = f"no text of [sweep.set] has {{{name}}}"
    assert said == f"sweep.grid.{name} is no key of a case, and {about}; {mend}"


def test_what_is_set_is_a_key():
    said = sentence(f"[sweep.set]\nfoo = 1\n{GRID}")
    assert said == (
        "sweep.set.foo is no key of a case, and a variable must vary; write it as table.key"
    )


# -- what is set ----------------------------------------------------------------------------------


def test_what_is_set_is_the_same_for_all():
    found = plan(f'[sweep.set.numerics]\nrtol = 1e-3\n[sweep.set]\n"output.frames" = 5\n{GRID}')
    assert all("numerics.rtol" not in planned.changes for planned in found.cases)
    case = found.case(found.cases[3])
    assert (case.numerics.rtol, case.output.frames, case.physics.rock_salt.coverage) == (
        1e-3, 5, 0.5,
    )  # fmt: skip


def test_a_value_that_is_a_table_replaces_what_was_there():
    data = {
        "sweep": {
            "case": str(ROOT / "cases" / "electrode_paper.toml"),
            "set": {"protocol": {"initial": {"particles": {"particle[0]": 0.5, "rest": 0.99}}}},
            "grid": {"numerics": {"rtol": [1e-3]}},
        }
    }
    case = make_plan(data, ROOT).case(make_plan(data, ROOT).cases[0])
    assert case.protocol.initial == {"particle[0]": 0.5, "rest": 0.99}


# -- what is refused ------------------------------------------------------------------------------


def test_a_wrong_value_is_named_at_its_axis():
    assert sentences('[sweep.grid]\ngeometry.diameter = ["1 um", "2 s", "3 um"]') == [
        'sweep.grid.geometry.diameter[1] = "2 s" is a time, and a length is needed; write "2 um"'
    ]


def test_an_unknown_key_is_named_once():
    assert sentence("[sweep.grid]\nphysics.rock_salt.coverge = [0.1, 0.2, 0.3]") == (
        'sweep.grid.physics.rock_salt.coverge is not a key here; did you mean "coverage"?'
    )


def test_a_range_says_its_first_wrong_value_and_counts_the_others():
    found = sentences("[sweep.grid]\nphysics.rock_salt.coverage = { from = 0, to = 2, count = 5 }")
    assert found[0].startswith("sweep.grid.physics.rock_salt.coverage = 1.0 leaves no bare")
    assert found[1:] == ["sweep.grid.physics.rock_salt.coverage has 2 more such values"]


def test_a_list_says_ten_wrong_values_at_most():
    values = ", ".join(f'"{n} s"' for n in range(1, 14))
    found = sentences(f"[sweep.grid]\ngeometry.diameter = [{values}]")
    assert len(found) == 11
    assert found[-1] == "sweep.grid.geometry.diameter has 3 more such values"


def test_a_value_that_is_wrong_beside_the_case_is_named_at_its_axis():
    # the crystal's arrangement is an arc
    found = sentence("[sweep.grid]\nphysics.rock_salt.patches = [4, 7]")
    assert found.startswith(
        "sweep.grid.physics.rock_salt.patches[1] = 7 has no effect with arrangement"
    )


def test_a_variable_that_makes_a_wrong_sentence_is_named():
    text = '[sweep.set]\nprotocol.steps = ["Charge at {rate} until 4.3 V"]\n'
    found = sentence(f'{text}[sweep.grid]\nrate = ["1C", "fast"]')
    assert found.startswith(
        'sweep.grid.rate[1] = "fast" gives protocol.steps[0] = "Charge at fast until 4.3 V": '
    )


def test_a_list_may_be_a_value_and_be_wrong():
    lists = '["Charge at 1C until 4.3 V"], ["Rest for 1 hour", "Charge at fast until 4.3 V"]'
    found = sentence(f"[sweep.grid]\nprotocol.steps = [{lists}]")
    assert found.startswith("sweep.grid.protocol.steps[1][1] expected ")


def test_a_wrong_row_of_a_zip_is_named_by_its_values():
    found = sentence(
        """
        [sweep.set]
        physics.rock_salt.arrangement = "patches"
        [sweep.zip]
        physics.rock_salt.coverage = [0.25, 0.95]
        physics.rock_salt.patches = [4, 190]
        """
    )
    assert found.startswith(
        "sweep.zip (physics.rock_salt.coverage = 0.95, physics.rock_salt.patches = 190) gives "
        "physics.rock_salt leaves a gap of 0.00026"
    )


COMBINED = """
[sweep.set]
physics.rock_salt.arrangement = "patches"
[sweep.grid]
physics.rock_salt.coverage = [0.25, {high}]
physics.rock_salt.patches = [4, {many}]
"""


def test_a_combination_is_named_by_number_and_values():
    found = sentence(COMBINED.format(high=0.95, many=190))
    assert found.startswith(
        "case 4 (coverage = 0.95, patches = 190) physics.rock_salt leaves a gap"
    )


def test_ten_combinations_are_named_and_the_others_counted():
    text = COMBINED.format(high="0.95, 0.96, 0.97", many="180, 190, 195, 200")
    found = sentences(text)
    assert len(found) == 11
    assert found[0].startswith("case 7 (coverage = 0.95, patches = 180)")
    assert found[-1] == "2 more cases cannot be run either; mend these first"


def test_a_mistake_of_what_is_set_is_said_there():
    found = sentence(f'[sweep.set]\ngeometry.diameter = "2 s"\n{GRID}')
    assert found.startswith('sweep.set.geometry.diameter = "2 s" is a time')


def test_a_mistake_of_the_case_is_said_of_the_case(tmp_path: Path):
    (tmp_path / "base.toml").write_text(CASE.read_text().replace('"2.5 um"', '"2.5"'))
    (tmp_path / "sweep.toml").write_text(f'[sweep]\ncase = "base.toml"\n{GRID}')
    with pytest.raises(InputError) as caught:
        read_sweep(tmp_path / "sweep.toml")
    assert str(caught.value) == (
        f'{tmp_path}/sweep.toml: base.toml: geometry.diameter = "2.5" has no unit; write "2.5 um"'
    )
    (tmp_path / "own.toml").write_text((tmp_path / "base.toml").read_text() + GRID)
    with pytest.raises(InputError, match=r"own\.toml: geometry\.diameter = .* has no unit"):
        read_sweep(tmp_path / "own.toml")


def test_a_mistake_of_the_first_values_together_is_said_of_case_1():
    text = COMBINED.format(high=0.3, many=190).replace("[0.25", "[0.95").replace("[4", "[195")
    found = sentences(text)
    assert found[0].startswith("case 1 (coverage = 0.95, patches = 195) physics.rock_salt leaves")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[sweep.grid]\nphysics.rock_salt = [0.1]",
         "sweep.grid.physics.rock_salt is a table; write a key in it, such as physics.rock_salt"),
        ("[sweep.grid]\nmaterial = ['nmc88']", "sweep.grid.material is a table; write a key in it"),
        ('[sweep.grid]\n"numerics..rtol" = [1]', "sweep.grid.numerics..rtol is not a key"),
        ("[sweep.set]\nnumerics.rtol = 1\n[sweep.grid]\nnumerics.rtol = [1e-3]",
         "sweep.set.numerics.rtol is said again: sweep.grid.numerics.rtol says what it is"),
        ('[sweep.grid]\n"numerics.rtol" = [1e-3]\n[sweep.grid.numerics]\nrtol = [1e-3]',
         "sweep.grid.numerics.rtol is said again"),
        ("[sweep.zip]\nnumerics.rtol = [1e-3]\n[sweep.grid]\nnumerics.rtol = [1e-3]",
         "sweep.zip.numerics.rtol is said again: sweep.grid.numerics.rtol says"),
        ("[sweep.zip]\nnumerics.rtol = [1e-3, 1e-4]\nnumerics.max_order = [1, 2, 3]",
         "sweep.zip needs lists of one length: numerics.rtol has 2, numerics.max_order has 3"),
        ("[sweep]\nzip = [3]", "sweep.zip = [3] must be a table of lists, or several"),
        ("[sweep]\ngrid = 3", "sweep.grid = 3 must be a table of keys and values"),
        ("[sweep]\nkep = 'all'", 'sweep.kep is not a key here; did you mean "keep"?'),
        ("[sweep]\nkeep = 'most'", 'sweep.keep = "most" must be "summary", "history" or "all"'),
        ("[sweep]\ntime_limit = '10'", 'sweep.time_limit = "10" has no unit; write "10 s"'),
        ("[sweep]\nmemory_limit = '2'", 'sweep.memory_limit = "2" is not a size with'),
        ("[sweep]\nmemory_limit = '0 GB'", "is not a size with a unit"),
        ("[sweep]\nranks_per_case = 0", "sweep.ranks_per_case = 0 is out of range; it must be at"),
        ("[sweep]", "[sweep] varies nothing; write [sweep.grid]"),
        ("[sweep.grid]\ngeometry.height = { from = '1 um', to = '2 um', count = 1000 }\n"
         "numerics.rtol = { from = 1e-4, to = 1e-3, count = 1000 }",
         "[sweep] asks for 1,000,000 cases, and a sweep has at most 100,000"),
        ('[sweep.grid]\n"geometry.diameter.x" = [1]',
         "geometry.diameter.x cannot be set; geometry.diameter is a value and not a table"),
        ('[sweep.set]\n"geometry.diameter.x" = 1\n[sweep.grid]\nnumerics.rtol = [1e-3]',
         "geometry.diameter.x cannot be set"),
    ],
)  # fmt: skip
def test_what_is_refused(text, message):
    found = sentences(text)
    assert any(message in said for said in found), found


def test_all_mistakes_are_said_at_once():
    found = sentences(
        """
        [sweep]
        kep = "all"
        [sweep.set]
        geometry.height = "1 s"
        [sweep.grid]
        geometry.diameter = ["1 um", "2 s"]
        numerics.rtol = []
        physics.rock_salt.coverge = [0.1, 0.2]
        [sweep.zip]
        numerics.degree = [1, 2]
        numerics.max_order = [1]
        """
    )
    assert len(found) == 6


def test_limits_are_read_in_si():
    found = plan(f"[sweep]\ntime_limit = '2 min'\nmemory_limit = '1.5 GB'\nkeep = 'all'{GRID}")
    assert (found.time_limit, found.memory_limit, found.keep) == (120.0, 1.5e9, "all")
    assert plan(f"[sweep]\nmemory_limit = '2 GiB'{GRID}").memory_limit == 2 * 1024**3


# -- where it comes from --------------------------------------------------------------------------


def test_a_sweep_stands_in_a_case_too(tmp_path: Path):
    path = tmp_path / "case.toml"
    path.write_text(CASE.read_text() + GRID)
    found = read_sweep(path)
    assert (found.title, found.path, found.folder) == ("Aged crystal, 1C", path, tmp_path)
    assert [p.hash for p in found.cases] == [p.hash for p in plan(GRID).cases]


def test_a_case_ignores_its_sweep(tmp_path: Path):
    path = tmp_path / "case.toml"
    path.write_text(CASE.read_text() + "[sweep]\nnonsense = 1\n")
    case = nmcsim.load(path)
    assert case.hash == nmcsim.load(CASE).hash
    assert "sweep" not in case.write(tmp_path / "out").read_text()


def test_a_file_that_is_only_a_sweep_is_no_case(tmp_path: Path):
    path = tmp_path / "study.toml"
    path.write_text(f'[sweep]\ncase = "{CASE}"\n{GRID}')
    with pytest.raises(InputError) as caught:
        nmcsim.load(path)
    assert str(caught.value) == f"{path}: is a sweep; run it with: nmcsim sweep {path}"


def test_a_case_is_no_sweep():
    with pytest.raises(InputError, match=r"has no table \[sweep\].*: nmcsim run "):
        read_sweep(CASE)


@pytest.mark.parametrize(
    ("head", "message"),
    [
        ("", 'sweep.case is missing; write case = "my_case.toml", or write [sweep] into a case'),
        ('case = "no.toml"', 'sweep.case = "no.toml" does not exist; a path is relative to'),
        ("case = 3", "sweep.case = 3 must be a text in quotes"),
        ('case = "sweep.toml"', 'sweep.case = "sweep.toml" is a sweep itself; name a case'),
        ('case = "."', 'sweep.case = "." is a folder, not a case file'),
    ],
)
def test_a_case_that_cannot_be_read(tmp_path: Path, head: str, message: str):
    (tmp_path / "sweep.toml").write_text(f"[sweep]\n{head}\n{GRID}")
    with pytest.raises(InputError) as caught:
        read_sweep(tmp_path / "sweep.toml")
    assert message in str(caught.value)
    assert str(caught.value).startswith(f"{tmp_path}/sweep.toml: ")


def test_tables_beside_a_named_case_are_refused():
    data: dict[str, Any] = {
        "physics": {"temperature": "300 K"},
        "sweep": {"case": str(CASE), "grid": {"numerics.rtol": [1e-3]}},
    }
    with pytest.raises(InputError, match=r"physics cannot stand beside sweep\.case = "):
        make_plan(data, ROOT)


@pytest.mark.parametrize("data", [{}, {"sweep": 3}])
def test_a_sweep_is_a_table(data):
    with pytest.raises(InputError, match=r"\[sweep\] is missing, or no table"):
        make_plan(data, ROOT)


def test_a_case_without_a_model_is_refused(tmp_path: Path):
    (tmp_path / "case.toml").write_text('title = "x"\n' + GRID)
    with pytest.raises(InputError, match="model is missing"):
        read_sweep(tmp_path / "case.toml")


def test_overrides_are_of_the_case():
    found = plan(GRID, overrides=["numerics.rtol=1e-3"])
    assert {found.case(planned).numerics.rtol for planned in found.cases} == {1e-3}
    assert {p.hash for p in found.cases}.isdisjoint(p.hash for p in plan(GRID).cases)


def test_an_override_of_what_varies_has_no_effect_and_is_refused():
    said = sentence(GRID, overrides=["physics.rock_salt.coverage=0.3"])
    assert said == (
        "--set physics.rock_salt.coverage=0.3 has no effect: sweep.grid.physics.rock_salt.coverage"
        " says what it is; change it there"
    )
    assert "has no value" in sentence(GRID, overrides=["numerics.rtol"])


def test_coarse_cases_are_other_cases():
    fine, coarse = plan(GRID), plan(GRID, coarse=True)
    assert {p.hash for p in fine.cases}.isdisjoint(p.hash for p in coarse.cases)
    first = coarse.cases[0]
    assert coarse.case(first).hash == fine.case(fine.cases[0]).coarse().hash == first.hash


def test_coarse_cases_keep_what_varies_and_what_is_overridden(tmp_path):
    made = plan(
        "[sweep.grid]\nnumerics.rtol = [1e-4, 1e-5]",
        coarse=True, overrides=["output.frames=60"],
    )  # fmt: skip
    made.write(tmp_path)
    again = Plan.read(tmp_path)
    cases = [again.case(planned) for planned in again.cases]
    assert [case.numerics.rtol for case in cases] == [1e-4, 1e-5]
    assert [case.output.frames for case in cases] == [60, 60]
    assert cases[0].numerics.steps_per_phase == 25


# -- how it is kept -------------------------------------------------------------------------------


def test_a_plan_comes_back_without_validation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    made = plan(f"[sweep]\ntime_limit = '1 min'\n{GRID}", path=tmp_path / "a.toml", coarse=True)
    made.write(tmp_path / "new" / "folder")
    monkeypatch.setattr(combine, "from_data", None)
    found = Plan.read(tmp_path / "new" / "folder")
    assert found == made
    assert found.hash == made.hash


def test_each_case_is_validated_once(monkeypatch: pytest.MonkeyPatch):
    made, real = [], combine.from_data
    monkeypatch.setattr(combine, "from_data", lambda *given: made.append(1) or real(*given))
    assert len(plan(GRID).cases) == len(made) == 6


def test_the_hash_says_what_is_asked_and_not_where(tmp_path: Path):
    data = {"sweep": {"case": str(CASE), "grid": {"numerics.rtol": [1e-3, 1e-4]}}}
    here, there = make_plan(data, ROOT), make_plan(data, tmp_path, tmp_path / "x.toml")
    assert here.hash == there.hash
    data["sweep"]["grid"] = {"numerics.rtol": [1e-4, 1e-3]}
    assert make_plan(data, ROOT).hash != here.hash


def test_a_case_whose_files_have_changed_is_refused(tmp_path: Path):
    table = tmp_path / "times.csv"
    table.write_text("t [s]\n10\n20\n")
    times = '[output]\ntimes = { file = "times.csv", column = "t [s]" }\n'
    (tmp_path / "case.toml").write_text(CASE.read_text() + times + GRID)
    found = read_sweep(tmp_path / "case.toml")
    assert found.case(found.cases[2]).hash == found.cases[2].hash
    table.write_text("t [s]\n10\n30\n")
    with pytest.raises(InputError, match=r"case\.toml: case 3 is not what it was when the sweep"):
        found.case(found.cases[2])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "is not the directory of a sweep; there is no plan.json in it"),
        ("{", "is not the plan of a sweep"),
        ("[]", "is not the plan of a sweep"),
        ('{"format": "nmcsim plan", "version": 99}', "is of version 99, not 1, of plans"),
        ('{"format": "nmcsim plan", "version": 1}', "is not the plan of a sweep"),
    ],
)
def test_what_is_no_plan(tmp_path: Path, content: str | None, message: str):
    if content is not None:
        (tmp_path / "plan.json").write_text(content)
    with pytest.raises(InputError, match=message.replace(".", r"\.")):
        Plan.read(tmp_path)


def test_a_plan_that_cannot_be_written(tmp_path: Path):
    (tmp_path / "file").write_text("")
    with pytest.raises(WriteFailure, match="could not be written"):
        plan(GRID).write(tmp_path / "file" / "folder")


def test_a_plan_holds_its_base_once(tmp_path: Path):
    text = plan(GRID).write(tmp_path).read_text()
    assert text.count("Aged crystal") == 2  # its title, and the case's
    assert Path(json.loads(text)["folder"]).is_absolute()


def test_each_geometry_is_drawn_for_all_its_cases_at_once(monkeypatch: pytest.MonkeyPatch):
    # packings take up to a second each, and only the last few are remembered
    drawn, real = [], combine.from_data

    def noted(data: dict[str, Any], folder: Path) -> Any:
        drawn.append(data["geometry"]["diameter"])
        return real(data, folder)

    monkeypatch.setattr(combine, "from_data", noted)
    sizes = ", ".join(f'"{n} um"' for n in range(2, 7))
    plan(f"[sweep.grid]\nnumerics.rtol = [1e-3, 2e-3, 3e-3]\ngeometry.diameter = [{sizes}]")
    # first values alone: 3 with the first diameter, 4 others; then 2 with each of the others
    assert drawn[7:] == [f"{n} um" for n in range(3, 7) for _ in range(2)]


def test_the_number_of_a_quantity_goes_into_an_expression_in_the_unit_of_its_axis(tmp_path):
    data, folder = nmcsim.load(ROOT / "cases" / "electrode_paper.toml").given
    asked = {
        "set": {"material.K": "{K.number}**logistic((theta - 0.93)/0.015) [S/m]"},
        "grid": {"K": ["1e-6 S/m", "1e-5 mS/cm"]},
    }
    plan = make_plan(data | {"sweep": asked}, folder)
    assert [c.changes["material.K"].split("*")[0] for c in plan.cases] == ["1e-06", "1e-06"]
    assert plan.parameters[0].unit == "S/m"
    asked["grid"] = {"K": ["high", "low"]}
    with pytest.raises(InputError, match=r"has \{K.number\}, but K is a text"):
        make_plan(data | {"sweep": asked}, folder)
