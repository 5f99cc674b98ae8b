"""The page that leads from a simulation to a measured number."""

from __future__ import annotations

import re

import pytest

from nmcsim.measured import Measured
from nmcsim.results import Result, largest_distance
from validation.demo.__main__ import make


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    return make(tmp_path_factory.mktemp("demo"), coarse=True, every="40 s")


def test_the_film_gives_the_distance_of_the_simulation(page):
    """Within 10 %: what blur, noise and drift do to a region of a hundredth of the particle."""
    result = Result.load(page.parent / "simulation")
    exact, soc = largest_distance(result["com_distance"], result["unreacted_share"], result["soc"])
    measured = Measured.read(page.parent / "measured.toml")
    assert measured["com_distance_max"].value == pytest.approx(1e6 * exact, rel=0.1)
    assert measured["soc_at_com_distance_max"].value == pytest.approx(soc, abs=0.02)


def test_the_page_says_both_and_where_the_papers_number_is(page):
    html = page.read_text(encoding="utf-8")
    assert len(re.findall(r"<h2>\d  ", html)) == 6
    assert "only in Fig. S4" in html
    assert html.count("data:image/png") == 4
    assert "http" not in html  # offline
