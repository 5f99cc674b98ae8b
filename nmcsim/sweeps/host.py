"""Which process on which machine, in words that a later process can judge."""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import psutil

__all__ = ["Worker", "here"]


@dataclass(frozen=True)
class Worker:
    """A process that works on a case.

    Parameters
    ----------
    host : str
        Name of its machine, for people.
    machine : str
        What tells one machine, or container, from another.
    process : int
        Its number there.
    born : float
        When the process began [s], since its machine did: numbers are used again.
    launch : str
        Which launch it belongs to.
    """

    host: str
    machine: str
    process: int
    born: float
    launch: str

    def is_gone(self) -> bool | None:
        """Whether the process has ended; None where only its machine could tell."""
        if self.machine != _machine():
            return None
        try:
            found = psutil.Process(self.process)
            same = abs(_born(found) - self.born) < 1.0
            return not same or found.status() == psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return True


def here(launch: str) -> Worker:
    """This process."""
    own = psutil.Process()
    return Worker(socket.gethostname(), _machine(), own.pid, _born(own), launch)


def _born(process: psutil.Process) -> float:
    """When a process began, by a clock that nobody sets; a time of day may be put right later."""
    try:
        said = Path(f"/proc/{process.pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return process.create_time()
    ticks = said.rpartition(")")[2].split()[19]  # its name, in brackets, may have blanks
    return int(ticks) / os.sysconf("SC_CLK_TCK")


@cache
def _machine() -> str:
    """The boot of the machine and the space of process numbers: containers may share a name."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return f"{boot} {os.readlink('/proc/self/ns/pid')}"
    except OSError:
        return socket.gethostname()
