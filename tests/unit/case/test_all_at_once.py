"""A step that cannot be read hides no mistake of the other steps."""

from __future__ import annotations

from pathlib import Path

import pytest

from nmcsim.case import load
from nmcsim.errors import InputError


def test_steps_that_can_be_read_are_judged_beside_one_that_cannot(root: Path) -> None:
    steps = (
        'protocol.steps=["Charge at 1C untill 4.3 V", "Hold at 4.3 V until C/50",'
        ' "Discharge at 1C until 43 V"]'
    )
    with pytest.raises(InputError) as caught:
        load(root / "cases" / "crystal_aged_1C.toml", [steps])
    said = {m.place: m.message for m in caught.value.mistakes}
    assert set(said) == {"protocol.steps[0]", "protocol.steps[1]", "protocol.steps[2]"}
    assert 'write surface = "butler_volmer"' in said["protocol.steps[1]"]
    assert "43 V is outside the open-circuit range" in said["protocol.steps[2]"]
