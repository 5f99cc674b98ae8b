"""``validation/``: pages and kept numbers agree, figures have sources, what moves is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from nmcsim.measured import Measured
from nmcsim.results import Result
from tests.synthetic import synthetic_result
from validation.__main__ import PAGES, kept_tables, main
from validation.book import filled, markdown, marks, moved, read_stored, write_stored
from validation.folders import HERE, Plan, folders, tables_of
from validation.tables import Column, Table

MEASURED = [folder for folder in folders() if (folder / "measured.toml").is_file()]
PAPERS = ("crystal_lun", "electrode_sharma", "secondary_particle_cadiou", "diffraction_estandarte")


# -- what is in the repository --------------------------------------------------------------------


@pytest.mark.parametrize("folder", MEASURED, ids=lambda folder: folder.name)
def test_every_figure_has_its_source(folder):
    measured = Measured.read(folder / "measured.toml")
    assert measured.title
    assert measured.source
    for entry in measured.entries:
        assert entry.source, entry.name
        # a number, or where the one that is missing stands
        assert entry.missing or entry.value is not None or entry.series is not None, entry.name


def test_the_papers_are_there_with_a_readme_each():
    names = [folder.name for folder in MEASURED]
    assert set(PAPERS) <= set(names)
    for folder in folders():
        assert (folder / "README.md").is_file(), folder.name


@pytest.mark.parametrize("folder", MEASURED, ids=lambda folder: folder.name)
def test_every_run_is_a_case(folder):
    plan = Plan.read(folder)
    entries = {entry.name for entry in Measured.read(folder / "measured.toml").entries}
    assert set(plan.calibrated) | set(plan.inputs) <= entries
    for name in plan.runs:
        assert plan.case(name).title
    for trend in plan.trends:
        assert trend["source"]
        assert {*trend.get("runs", ()), *([trend["run"]] if "run" in trend else [])} <= {*plan.runs}


def test_numbers_are_kept_of_every_folder():
    for folder in folders():
        assert read_stored(folder), folder.name


def test_pages_and_kept_numbers_agree():
    tables = kept_tables()
    shown = []
    for page in PAGES.glob("*.md"):
        text = page.read_text(encoding="utf-8")
        assert filled(text, tables) == text, page.name
        assert set(marks(text)) <= tables.keys(), page.name
        shown += marks(text)
    assert sorted(shown) == sorted(set(shown))
    assert {name for name in tables if not name.endswith("_missing")} <= set(shown)


def test_the_electrode_s_trends_hold():
    # what the page of the electrode says of its transition
    rows = read_stored(HERE / "electrode_sharma")["electrode_sharma_trends"].rows
    assert [row[4] for row in rows if row[4]] == ["yes", "yes"]


# -- the runner, on a folder made here -----------------------------------------------------------


CASE = Path(__file__).resolve().parents[2] / "cases" / "crystal_aged_1C.toml"
MADE_UP = """
title = "Made up"
source = "nobody"
[end]
value = 60
unit = "min"
uncertainty = 5
observable = "time_end"
source = "nobody, Fig. 1"
[porosity]
missing = "only in Fig. 2"
source = "nobody, Fig. 2"
"""


@pytest.fixture
def book(tmp_path, monkeypatch):
    """A folder with two runs, a page for its tables, and a runner that solves nothing."""
    folder, pages = tmp_path / "validation" / "made_up", tmp_path / "vv"
    folder.mkdir(parents=True)
    pages.mkdir()
    (folder / "measured.toml").write_text(MADE_UP, encoding="utf-8")
    (folder / "runs.toml").write_text(
        f"""
tolerance = 0.02
calibrated = ["end"]
[runs]
aged = {{ case = "{CASE}" }}
fresh = {{ case = "{CASE}", set = {{ "physics.rock_salt.coverage" = 0.0 }} }}
[[trend]]
name = "fresh shows none"
metric = "com_distance_max"
unit = "nm"
runs = ["aged", "fresh"]
order = "falls"
source = "by symmetry"
[[trend]]
name = "curves too"
metric = "com_distance"
at = {{ soc = 0.05 }}
unit = "um"
runs = ["fresh", "aged"]
order = "falls"
source = "nobody: the other way round"
""",
        encoding="utf-8",
    )
    (pages / "page.md").write_text(
        "# Page\n\n<!-- table made_up -->\n<!-- end table -->\n\nbetween\n\n"
        "<!-- table made_up_trends -->\n<!-- end table -->\n",
        encoding="utf-8",
    )
    made: dict[bool, Result] = {}

    def simulate(case, out):
        blocked = case.physics.rock_salt is not None and case.physics.rock_salt.coverage > 0
        if blocked not in made:
            made[blocked] = Result.load(
                synthetic_result(tmp_path / f"result_{blocked}", blocked=blocked)
            )
        return made[blocked]

    monkeypatch.setattr("validation.__main__._runner", lambda reuse: simulate)

    def run(*arguments: str) -> int:
        return main([*arguments, "--work", str(tmp_path / "work")], folder.parent, pages)

    return folder, pages / "page.md", run


def test_numbers_are_kept_and_pages_filled(book, capsys):
    folder, page, run = book
    assert run() == 1  # nothing is kept yet
    assert "made_up, table made_up: no numbers are kept of it" in capsys.readouterr().err
    assert run("--accept") == 0
    assert list(read_stored(folder)) == ["made_up", "made_up_trends", "made_up_missing"]
    text = page.read_text(encoding="utf-8")
    assert "| end | 52.8 | 60 +- 5 | min | yes | calibrated | Fig. 1 |" in text
    assert "between" in text
    assert run() == 0
    assert page.read_text(encoding="utf-8") == text


def test_trends_hold_or_not(book):
    folder, _, run = book
    run("--accept")
    rows = read_stored(folder)["made_up_trends"].rows
    assert [row[1] for row in rows] == ["aged [nm]", "fresh [nm]", "fresh [um]", "aged [um]"]
    assert rows[1][2] == pytest.approx(0.0, abs=1e-9)
    assert [row[4] for row in rows] == ["", "yes", "", "no"]


def test_a_number_that_moved_fails_and_is_named(book, capsys):
    folder, page, run = book
    run("--accept")
    text = page.read_text(encoding="utf-8")
    path = folder / "stored.json"
    kept = path.read_text(encoding="utf-8")
    assert "52.8" in kept
    path.write_text(kept.replace("52.8", "50.1"), encoding="utf-8")
    capsys.readouterr()
    assert run() == 1
    said = capsys.readouterr().err
    assert "made_up, table made_up, end: simulated moved from 50.1" in said
    assert "to 52.8 (tolerance 2 %)" in said
    assert "50.1" in page.read_text(encoding="utf-8")  # the page shows what is kept
    assert run("--accept") == 0
    assert page.read_text(encoding="utf-8") == text
    assert path.read_text(encoding="utf-8") == kept


def test_a_change_within_the_tolerance_is_none(book):
    folder, page, run = book
    run("--accept")
    path = folder / "stored.json"
    path.write_text(path.read_text().replace("52.8", "52.9"), encoding="utf-8")
    run()  # the page is filled anew
    assert run() == 0
    assert "52.9" in page.read_text(encoding="utf-8")  # kept numbers stay until they are accepted


def test_a_page_out_of_date_fails_once(book, capsys):
    _, page, run = book
    run("--accept")
    page.write_text(page.read_text().replace("52.8", "51.1"), encoding="utf-8")
    capsys.readouterr()
    assert run() == 1
    assert "docs/vv/page.md: was out of date, and is written again" in capsys.readouterr().err
    assert run() == 0


def test_a_mark_without_table_is_named(book, capsys):
    _, page, run = book
    run("--accept")
    page.write_text(page.read_text() + "<!-- table nothing -->\n<!-- end table -->\n")
    assert run() == 1
    assert "no numbers are kept of its table nothing" in capsys.readouterr().err


def test_a_study_gives_its_own_tables(tmp_path):
    folder = tmp_path / "study"
    folder.mkdir()
    (folder / "study.py").write_text(
        "from validation.tables import Column, Table\n"
        "def tables(work):\n"
        "    return [Table('s', '', (Column('a'),), ((1.0,),))]\n",
        encoding="utf-8",
    )

    def none(case, out):
        raise AssertionError("a study runs its own cases")

    [table] = tables_of(folder, tmp_path, none)
    assert table.rows == ((1.0,),)


def test_a_folder_that_is_not_there(capsys):
    with pytest.raises(SystemExit, match=r"no folder absent; there are .*crystal_lun"):
        folders(["absent"])


# -- tables ---------------------------------------------------------------------------------------


def table(*rows, tolerance=0.02) -> Table:
    return Table("t", "Caption.", (Column("a"), Column("b / s", ".4g")), rows, tolerance)


def test_a_table_as_text():
    text = markdown(table(("x | y", 1 / 3), ("z", None), ("nan", float("nan"))))
    assert text == (
        "\nCaption.\n\n| a | b / s |\n|---|---|\n| x \\| y | 0.3333 |\n| z |  |\n| nan | - |\n\n"
    )


@pytest.mark.parametrize(
    ("new", "sentences"),
    [
        (table(("x", 1.019)), 0),
        (table(("x", 1.021)), 1),
        (table(("x", None)), 1),
        (table(("y", 1.0)), 1),
        (table(("x", 1.0), ("y", 2.0)), 1),
        (table(("x", float("nan"))), 1),
        (Table("t", "", (Column("a"), Column("c")), (("x", 1.0),)), 1),
    ],
)
def test_what_moved(new, sentences):
    assert len(moved("f", table(("x", 1.0)), new)) == sentences


def test_nothing_may_grow_by_nothing():
    assert moved("f", table(("x", 0.0)), table(("x", 1e-13))) == []
    assert len(moved("f", table(("x", 0.0)), table(("x", 1e-9)))) == 1


def test_kept_tables_are_read_again(tmp_path):
    kept = table(("x", 1 / 3), ("y", None))
    write_stored(tmp_path, [kept])
    assert read_stored(tmp_path) == {"t": kept}
