"""gmsh leaves a program's signals as they were."""

from __future__ import annotations

import signal
from pathlib import Path

from nmcsim.mesh.gmsh_session import session


def caught_and_ignored() -> tuple[int, int]:
    status = Path("/proc/self/status").read_text()
    masks = dict(line.split(":\t") for line in status.splitlines() if line.startswith("Sig"))
    return int(masks["SigCgt"], 16), int(masks["SigIgn"], 16)


def test_sigterm_is_still_caught_and_sigpipe_ignored_after_a_session() -> None:
    before = signal.signal(signal.SIGTERM, lambda *_: None)
    try:
        with session():
            pass
        caught, ignored = caught_and_ignored()
    finally:
        signal.signal(signal.SIGTERM, before)
    assert caught & 1 << (signal.SIGTERM - 1)
    assert ignored & 1 << (signal.SIGPIPE - 1)
