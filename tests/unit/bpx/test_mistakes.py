"""Each way in which a BPX file can be wrong, in a sentence with its place."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from nmcsim.bpx import read_bpx, write
from nmcsim.errors import InputError

from . import files


def refused(path: Path, **options: Any) -> InputError:
    """What is said of a file."""
    with pytest.raises(InputError) as caught:
        write(read_bpx(path, **options), path.parent / "out")
    assert not (path.parent / "out").exists()
    assert str(caught.value).startswith(str(path))
    return caught.value


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("", "is empty; a BPX file is a JSON object"),
        ("[1, 2", "is not valid JSON: Expecting ',' delimiter"),
        ('{"Header": NaN}', "is not valid JSON: NaN is no number"),
        ("[" * 100_000, "is not valid JSON"),
        ("[1, 2]", "is not a BPX file: it holds no JSON object"),
        ("\0\0", "is not a text file"),
        ({"Parameterisation": {}}, 'Header is missing: a BPX file begins with "Header"'),
        ({"Header": {}}, "Header > BPX is missing"),
        ({"Header": {"BPX": "2.0.0"}}, "= 2.0.0 is newer than what bpx"),
        ({"Header": {"BPX": "0.0.1"}}, "= 0.0.1 is older than what bpx"),
        ({"Header": {"BPX": "one"}}, '= "one" is not a version of BPX'),
        ({"Header": {"BPX": True}}, "= True is not a version of BPX"),
        ({"Header": {"BPX": "1.1.1"}}, "Parameterisation is missing"),
        ({"Header": {"BPX": "1.1.1"}, "Parameterisation": 3}, "Parameterisation must be an object"),
    ],
)
def test_a_file_that_is_none(tmp_path: Path, content: Any, sentence: str):
    found = str(refused(files.saved(tmp_path, content))).replace("'one'", '"one"')
    assert sentence in found
    assert "\n" not in found


def test_a_file_that_is_not_there(tmp_path: Path):
    assert "does not exist" in str(refused(tmp_path / "no.json"))
    (tmp_path / "folder").mkdir()
    assert "is a folder" in str(refused(tmp_path / "folder"))


def without_positive(data: dict[str, Any]) -> None:
    del data["Parameterisation"]["Positive electrode"]


def no_sites(data: dict[str, Any]) -> None:
    files.positive(data)["Maximum concentration [mol.m-3]"] = 0


def section_of_text(data: dict[str, Any]) -> None:
    data["Parameterisation"]["Cell"] = "none"


def changed(**fields: Any) -> Callable[[dict[str, Any]], None]:
    """A change of the positive electrode; keys by the first word of their BPX names."""

    def change(data: dict[str, Any]) -> None:
        electrode = files.positive(data)
        for word, value in fields.items():
            electrode[next(key for key in electrode if key.startswith(word))] = value

    return change


def in_electrolyte(key: str, value: Any) -> Callable[[dict[str, Any]], None]:
    def change(data: dict[str, Any]) -> None:
        files.electrolyte(data)[key] = value

    return change


def table(*pairs: tuple[float, float]) -> dict[str, list[float]]:
    return {"x": [x for x, _ in pairs], "y": [y for _, y in pairs]}


WRONG = [
    (without_positive, "Positive electrode is missing (the file has Cell, Electrolyte,"),
    (section_of_text, "Cell must be an object"),
    (changed(OCP="exit(1) - x"), "OCP [V] calls exit, and BPX knows exp, tanh, cosh only"),
    (changed(OCP="3.7"), "OCP [V] is a constant, 3.7 V"),
    (changed(OCP="x + 3.2"), "OCP [V] does not fall at theta = 0.4242"),
    (changed(OCP="3.2 / (x - x)"), "an OCP [V] cannot be evaluated"),
    (
        changed(OCP=table((0.3, 4.4), (0.5, 4.0), (0.6, 4.1), (0.8, 3.7), (1.0, 3.2))),
        "OCP [V] does not fall between theta = 0.5 (4 V) and 0.6 (4.1 V)",
    ),
    (changed(OCP=table((0.3, 4.4), (0.3, 4.3), (1.0, 3.0))), "has the point x = 0.3 twice"),
    (changed(OCP=table((0.3, 4.4))), "OCP [V] is a table of 1 points; write two or more"),
    (
        changed(OCP=table((0.1, 4.4), (0.2, 4.3), (0.25, 4.2), (0.3, 4.1))),
        "OCP [V] is a table of theta 0.1 .. 0.3, and 0.42424 .. 0.9621 is needed",
    ),
    (changed(Diffusivity="1e-14 - 2e-14*x"), "is -8.737e-18 m2/s at theta = 0.5004"),
    (changed(Diffusivity="tanh(x"), "Diffusivity [m2.s-1] is no formula in x: Expected ')'"),
    (changed(Diffusivity="(" * 3000 + "x" + ")" * 3000), "it is nested too deeply"),
    (changed(Diffusivity="foo(x)"), 'unknown function "foo"'),
    (changed(Diffusivity=-1e-14), "is -1e-14 m2/s at theta = 0.4242; it must be positive"),
    (changed(Maximum=-3), "Minimum stoichiometry and maximum are 0.42424 and -3; they must rise"),
    (no_sites, "Maximum concentration [mol.m-3] is 0 mol/m3; it must be positive"),
    (changed(Reaction=0.0), "Reaction rate constant [mol.m-2.s-1] is 0 mol/m2/s"),
    (changed(Particle=-1e-6), "Particle radius [m] is -1e-06 m; it must be positive"),
    (changed(Minimum=0.99), "Minimum stoichiometry and maximum are 0.99 and 0.9621"),
    (changed(Conductivity=-1.0), "Conductivity [S.m-1] is -1 S/m; it must be positive"),
    (
        in_electrolyte("Conductivity [S.m-1]", "1 - x/500"),
        "Electrolyte > Conductivity [S.m-1] is -1 S/m at c = 1000 mol/m3",
    ),
    (
        in_electrolyte("Diffusivity [m2.s-1]", table((0.1, 1e-10), (1.0, 1e-10))),
        "is a table of c 0.1 .. 1 mol/m3, and 1000 mol/m3 is needed",
    ),
    (in_electrolyte("Cation transference number", 1.2), "is 1.2; it must lie between 0 and 1"),
    (in_electrolyte("Initial concentration [mol.m-3]", -5), "is -5 mol/m3; it must be positive"),
]


@pytest.mark.parametrize(("change", "sentence"), WRONG, ids=[sentence for _, sentence in WRONG])
def test_a_value_that_cannot_be(tmp_path: Path, change: Any, sentence: str):
    data = files.example()
    change(data)
    assert sentence in str(refused(files.saved(tmp_path, data)))


def test_all_that_breaks_the_schema_is_said_at_once_with_its_place(tmp_path: Path):
    data = files.example()
    electrode = files.positive(data)
    electrode[files.D] = {"x": [0, 1], "y": [1e-14]}
    electrode["Colour"] = 3
    electrode["Particle radius"] = electrode.pop("Particle radius [m]")
    files.electrolyte(data)["Cation transference number"] = "much"
    files.positive(data)["Porosity"] = None
    error = refused(files.saved(tmp_path, data))
    said = {mistake.place: mistake.message for mistake in error.mistakes}
    assert said == {
        "Electrolyte > Cation transference number": 'is "much"; write a number',
        "Positive electrode > Diffusivity [m2.s-1]": "x & y should be same length",
        "Positive electrode > Colour": "is no field of BPX; leave it out, or under User-defined",
        "Positive electrode > Particle radius": (
            'is no field of BPX; did you mean "Particle radius [m]"?'
        ),
        "Positive electrode > Particle radius [m]": "is missing",
        "Positive electrode > Porosity": "is null; write a number",
    }


def test_a_formula_that_bpx_cannot_read(tmp_path: Path):
    data = files.example()
    files.positive(data)[files.D] = "1e-14 * x +"
    (mistake,) = refused(files.saved(tmp_path, data)).mistakes
    assert mistake.place == "Positive electrode > Diffusivity [m2.s-1]"
    assert "invalid Function" in mistake.message


def test_a_header_that_is_wrong(tmp_path: Path):
    data = files.example()
    data["Header"] |= {"Model": "P2D", "Title": 3}
    said = {m.place: m.message for m in refused(files.saved(tmp_path, data)).mistakes}
    assert said == {
        "Header > Model": "is \"P2D\"; it must be 'SPM', 'SPMe', 'DFN' or 'Partial'",
        "Header > Title": "is 3; it must be a valid string",
    }


@pytest.mark.parametrize(
    ("particle", "sentence"),
    [
        ("", 'blends 2 kinds of particles, "Large", "Small"; choose one with --particle "Large"'),
        (
            "Smaller",
            '--particle "Smaller" is not among the particles of the blended electrode; did you',
        ),
    ],
)
def test_a_blend_is_not_guessed_at(tmp_path: Path, particle: str, sentence: str):
    path = files.saved(tmp_path, files.blended())
    assert sentence in str(refused(path, particle=particle))


def test_options_that_do_not_fit_the_file(tmp_path: Path):
    path = files.saved(tmp_path, files.example())
    assert "this one has particles of one kind" in str(refused(path, particle="Large"))
    assert '(lithiation) [V] is not in the file; it has --ocp "mean"' in str(
        refused(path, branch="lithiation")
    )


def test_yaml_is_read_too(tmp_path: Path):
    path = files.saved(tmp_path, json.dumps(files.example()), "cell.yaml")  # JSON is YAML
    assert read_bpx(path).limits == (0.42424, 0.9621)
    assert "is not valid YAML" in str(refused(files.saved(tmp_path, "{a: [", "bad.yml")))
