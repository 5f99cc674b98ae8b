"""What differs under ``mpirun``: who prints, and that no rank leaves the others waiting."""

from __future__ import annotations

import os
import sys
import time
from typing import Any

_RANK = ("PMI_RANK", "PMIX_RANK", "OMPI_COMM_WORLD_RANK", "MV2_COMM_WORLD_RANK", "SLURM_PROCID")
_SIZE = ("PMI_SIZE", "OMPI_COMM_WORLD_SIZE", "MV2_COMM_WORLD_SIZE", "SLURM_NTASKS")
PATIENCE = 5.0
"""How long the ranks that fail together may be apart [s]."""


def rank() -> int:
    """This process's rank, from the launcher's environment: MPI itself may not be there."""
    if "SLURM_PROCID" in os.environ and "SLURM_STEP_ID" not in os.environ:
        names: tuple[str, ...] = _RANK[:-1]  # in a batch script, outside srun
    else:
        names = _RANK
    text = next((os.environ[name] for name in names if name in os.environ), "0")
    return int(text) if text.isdigit() else 0


def size() -> int:
    """How many ranks the launcher has started; 1 without one."""
    if "SLURM_PROCID" in os.environ and "SLURM_STEP_ID" not in os.environ:
        names: tuple[str, ...] = _SIZE[:-1]
    else:
        names = _SIZE
    text = next((os.environ[name] for name in names if name in os.environ), "1")
    return int(text) if text.isdigit() else 1


class World:
    """The ranks of one run; on an error they leave together, or are all ended.

    Parameters
    ----------
    comm : MPI.Comm
        All ranks; made by all of them at the same place.
    """

    def __init__(self, comm: Any) -> None:
        self.comm = comm
        # a communicator of its own, so that the farewell never mixes with the run's messages
        self._farewell = comm.Dup()

    def leave(self, status: int, sentence: str = "") -> None:
        """Return if every rank comes here; else say `sentence` and end all ranks with `status`."""
        if self.comm.size == 1:
            return
        request = self._farewell.Ibarrier()
        deadline = time.monotonic() + PATIENCE
        while not request.Test():
            if time.monotonic() > deadline:
                if sentence:
                    print(f"rank {self.comm.rank}: {sentence}", file=sys.stderr, flush=True)
                self.comm.Abort(status)
            time.sleep(0.01)
