"""The starter case loads, and the schema says of each key what it is."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from nmcsim.case import load
from nmcsim.case.schema import schema
from nmcsim.case.starter import starter
from nmcsim.errors import InputError
from nmcsim.units import parse

MODELS = ["single_crystal", "electrode"]


def of_model(name: str) -> dict[str, Any]:
    """The schema of the cases of one model."""
    return next(
        found for found in schema()["oneOf"] if found["properties"]["model"]["const"] == name
    )


@pytest.mark.parametrize("model", MODELS)
def test_the_starter_loads_without_mistakes(tmp_path: Path, model: str):
    path = tmp_path / "case.toml"
    path.write_text(starter(model))
    assert load(path).model == model


@pytest.mark.parametrize("model", MODELS)
def test_each_key_that_the_starter_leaves_out_is_valid_toml(model: str):
    lines = starter(model).splitlines()
    hidden = [line[2:] for line in lines if re.match(r"# [a-zA-Z_0-9]+ = ", line)]
    assert len(hidden) > 20
    for line in hidden:
        assert len(tomllib.loads(line)) == 1


@pytest.mark.parametrize(
    ("model", "tables"),
    [
        ("single_crystal", ("numerics", "physics")),
        ("electrode", ("numerics", "physics", "binder", "lithium")),
    ],
)
def test_a_default_that_the_starter_shows_is_the_default(
    tmp_path: Path, model: str, tables: tuple[str, ...]
):
    text = starter(model)
    path = tmp_path / "case.toml"
    path.write_text(text)
    case = load(path)
    for table in tables:
        inside = text.split(f"[{table}]")[1].split("\n[")[0]
        for line in re.findall(r"^# ([a-zA-Z_]+ = .*)", inside, re.MULTILINE):
            ((key, value),) = tomllib.loads(line).items()
            default = getattr(getattr(case, table), key)
            quantity = isinstance(value, str) and not isinstance(default, str)
            assert default == (parse(value, "S/m") if quantity else value)


def test_the_cells_that_the_starter_shows_are_the_default_ones(tmp_path: Path):
    text = starter("single_crystal")
    path = tmp_path / "case.toml"
    path.write_text(text)
    geometry = load(path).geometry
    assert geometry.cell_size is None, "the default, 45 cells across"
    assert geometry.cell_sizes[0] == pytest.approx(2.5e-6 / 45)
    shown = re.findall(r'^# (\w*cell_size) = ("[^"]+")', text, re.MULTILINE)
    assert [key for key, _ in shown] == ["cell_size", "surface_cell_size", "patch_end_cell_size"]
    for (_, size), default in zip(shown, geometry.cell_sizes, strict=True):
        assert parse(size.strip('"'), "m") == pytest.approx(default, rel=0.02)
    assert "by default 45 span a section" in text


def test_there_is_no_starter_for_an_unknown_model():
    with pytest.raises(InputError, match='did you mean "single_crystal"'):
        starter("single_cristal")


def test_the_schema_describes_every_key():
    required = {"title", "model", "geometry", "material", "physics", "protocol"}
    assert set(of_model("single_crystal")["required"]) == required
    assert set(of_model("electrode")["required"]) == required | {"electrolyte"}
    tables = list(schema()["$defs"].values())
    for model in MODELS:
        found = of_model(model)
        tables += [found, *found["properties"]["geometry"]["oneOf"][:-1]]
    for table in tables:
        assert table["additionalProperties"] is False
        for name, key in table["properties"].items():
            described = "description" in key or "$ref" in key or "const" in key
            assert described, f"{table['title']}.{name}"


def test_the_schema_knows_what_a_quantity_looks_like():
    shapes = of_model("single_crystal")["properties"]["geometry"]["oneOf"]
    disk = next(s for s in shapes if s["properties"].get("shape") == {"const": "disk"})
    pattern = re.compile(disk["properties"]["diameter"]["pattern"])
    assert pattern.search("2.5 um")
    assert pattern.search("2.5e-6m")
    assert not pattern.search("2.5")
    assert not pattern.search("2.5e-6")
    assert "diameter" in disk["required"]


def test_the_schema_offers_the_materials_of_the_library():
    material = of_model("single_crystal")["properties"]["material"]
    assert "nmc88" in material["properties"]["name"]["enum"]


def test_the_schema_offers_each_model_its_own_shapes_and_electrolytes():
    def shapes(model: str) -> list[str]:
        kinds = of_model(model)["properties"]["geometry"]["oneOf"][:-1]
        return [kind["properties"]["shape"]["const"] for kind in kinds]

    assert "disk" in shapes("single_crystal")
    assert "columns" in shapes("electrode")
    assert not set(shapes("electrode")) & set(shapes("single_crystal"))
    name = of_model("electrode")["properties"]["electrolyte"]["properties"]["name"]
    assert any("nyman2008" in one.get("enum", ()) for one in name["anyOf"])
