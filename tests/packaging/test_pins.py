"""The pins cover what is asked for, and name no index."""

from __future__ import annotations

import re
import tomllib

from packaging.requirements import Requirement

from tests.packaging.conftest import ROOT

UNPINNED_EXTRAS = {"viz"}


def pins() -> dict[str, str]:
    """Name (normalised) to version."""
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    found = dict(line.split("==") for line in lines)
    return {re.sub(r"[-_.]+", "-", name).lower(): version for name, version in found.items()}


def test_every_requirement_has_a_pin_that_meets_it() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = list(project["dependencies"])
    for extra, requirements in project["optional-dependencies"].items():
        wanted += requirements if extra not in UNPINNED_EXTRAS else []
    pinned = pins()
    for requirement in map(Requirement, wanted):
        name = re.sub(r"[-_.]+", "-", requirement.name).lower()
        assert name in pinned, f"{requirement.name} is not pinned"
        assert requirement.specifier.contains(pinned[name], prereleases=True), requirement


def test_no_pin_has_an_address() -> None:
    text = (ROOT / "constraints.txt").read_text(encoding="utf-8")
    assert re.fullmatch(r"([A-Za-z0-9._-]+==[0-9A-Za-z.!+]+\n)+", text)
