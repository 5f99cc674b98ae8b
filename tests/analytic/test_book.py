"""The tables of docs/vv are those of its measured numbers, and these are within their bounds."""

from __future__ import annotations

import json
import re

import pytest

from tests import vv

CONTENT = json.loads(vv.MEASURED.read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    "entry", CONTENT["measured"], ids=lambda e: f"{e['case']}: {e['compared']}"
)
def test_a_kept_number_is_within_its_bounds(entry: dict) -> None:
    assert entry["below"] is None or entry["measured"] < entry["below"]
    assert entry["above"] is None or entry["measured"] > entry["above"]
    path, name = entry["test"].split("::")
    text = (vv.ROOT / path).read_text(encoding="utf-8")
    assert f"def {name.split('[')[0]}(" in text, "the test was renamed: python -m tests.vv"


def test_the_pages_show_what_was_measured(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    for page in vv.BOOK.glob("*.md"):
        (tmp_path / page.name).write_text(page.read_text(encoding="utf-8"), encoding="utf-8")
    monkeypatch.setattr(vv, "BOOK", tmp_path)
    vv.write_book(CONTENT)
    found = set()
    for page in vv.ROOT.joinpath("docs", "vv").glob("*.md"):
        text = page.read_text(encoding="utf-8")
        assert text == (tmp_path / page.name).read_text(encoding="utf-8"), "python -m tests.vv"
        found |= set(re.findall(r"<!-- measured: (\S+) -->", text))
    assert found == {e["page"] for e in CONTENT["measured"]}


def test_a_claim_beyond_its_bound_fails(monkeypatch: pytest.MonkeyPatch, tmp_path) -> None:
    monkeypatch.setenv("NMCSIM_VV", str(tmp_path / "kept.jsonl"))
    vv.claim("page", "case", "number", 1.0, below=2.0, above=0.5)
    with pytest.raises(AssertionError, match="case: number = 3 mV, not below 2"):
        vv.claim("page", "case", "number", 3.0, below=2.0, unit="mV")
    with pytest.raises(AssertionError, match="not above 4"):
        vv.claim("page", "case", "number", 3.0, above=4.0)
    kept = [json.loads(line) for line in (tmp_path / "kept.jsonl").read_text().splitlines()]
    assert [e["measured"] for e in kept] == [1.0, 3.0, 3.0]
