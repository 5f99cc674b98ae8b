"""A warm worker of a local sweep: ``python -m nmcsim.launch.worker DIR ORDERS NAME``.

It takes one case after the other until none is free. Its standard input is a pipe of its parent:
when that ends, so does the worker, after the step that it is at.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from nmcsim import __version__, runtime
from nmcsim.errors import NmcsimError
from nmcsim.launch.exits import DISK, INTERRUPT, REPLACE
from nmcsim.launch.orders import Orders
from nmcsim.launch.pulse import Pulse
from nmcsim.launch.work import DONE, INTERRUPTED, UNFIT, work
from nmcsim.results import WriteFailure
from nmcsim.stops import Limits
from nmcsim.sweeps.plan import Plan
from nmcsim.sweeps.records import Records

LOOK = 0.02  # at the orders, of a worker that stays [s]


class Flag:
    """Whether a signal has come, while no run listens."""

    def __init__(self) -> None:
        self.raised = False
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self.note)

    def note(self, number: int, frame: Any) -> None:
        self.raised = True

    def __call__(self) -> bool:
        return self.raised


def watch_parent() -> None:
    """End as by a signal when standard input does."""

    def wait() -> None:
        while os.read(sys.stdin.fileno(), 1024):
            pass
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=wait, daemon=True, name="parent").start()


def main(arguments: Sequence[str]) -> int:
    """Work in a sweep's directory; the exit status says why it stopped (see `exits`)."""
    directory, orders, name = Path(arguments[0]), Path(arguments[1]), arguments[2]
    comm, flag = runtime.MPI.COMM_WORLD, Flag()
    if comm.rank == 0:
        watch_parent()
    records = Records(directory, __version__)
    # its parent ends what is overdue
    pulse = Pulse(records, Limits().time, lambda attempt: None)
    pulse.start()
    try:
        while True:
            written = _mark(orders)
            mine = Orders.read(orders).of(name)
            plan = Plan.read(orders.with_suffix(""))
            ended = work(plan, records, comm, mine, flag, pulse)
            if ended != DONE or not mine.stays:
                break
            while _mark(orders) == written and not flag():
                time.sleep(LOOK)
            if flag() or _mark(orders) is None:
                break
    except WriteFailure as error:
        _say(error)
        return DISK
    except NmcsimError as error:
        _say(error)
        return error.exit_status
    finally:
        pulse.stop()
    return {INTERRUPTED: INTERRUPT, UNFIT: REPLACE}.get(ended, 0)


def _mark(file: Path) -> tuple[int, int] | None:
    """Which writing of a file it is; None if it has gone."""
    try:
        status = file.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_ino


def _say(error: NmcsimError) -> None:
    """Say it in the log, which may be on the disk that is full: nothing is left in a buffer."""
    with suppress(OSError):
        os.write(2, f"{error}\n".encode())


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
