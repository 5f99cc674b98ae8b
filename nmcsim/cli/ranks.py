"""What differs under ``mpirun``: who prints, and that no rank leaves the others waiting."""

from __future__ import annotations

import os
import sys
import time
from typing import Any

from nmcsim.errors import InputError, Mistake

_RANK = ("PMI_RANK", "PMIX_RANK", "OMPI_COMM_WORLD_RANK", "MV2_COMM_WORLD_RANK", "SLURM_PROCID")
_SIZE = ("PMI_SIZE", "OMPI_COMM_WORLD_SIZE", "MV2_COMM_WORLD_SIZE", "SLURM_STEP_NUM_TASKS")
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
PATIENCE = 5.0
"""How long the ranks that fail together may be apart [s]."""


def rank() -> int:
    """This process's rank, from the launcher's environment: MPI itself may not be there."""
    return _number(_RANK, 0)


def size() -> int:
    """How many ranks the launcher has started; 1 without one."""
    return _number(_SIZE, 1)


def _number(names: tuple[str, ...], otherwise: int) -> int:
    """What the first of these variables says; those of Slurm, the last, count within srun only.

    A batch script and the shell of salloc have them as well, and are no ranks.
    """
    known = names if "SLURM_STEP_ID" in os.environ else names[:-1]
    text = next((os.environ[name] for name in known if name in os.environ), "")
    return int(text) if text.isdigit() else otherwise


def check_launcher(found: int) -> None:
    """Refuse processes that were started together but that MPI does not join.

    Parameters
    ----------
    found : int
        How many ranks MPI says that there are.

    Raises
    ------
    InputError
        Each would take itself for the whole job.
    """
    if found == 1 and size() > 1:
        message = (
            f"was started {size()} times, but MPI does not join these processes; start it with"
            f" srun --mpi=pmi2, or with the mpirun of its own installation: mpirun -n {size()}"
        )
        raise InputError(Mistake("", message), "nmcsim")


def refuse_ranks(command: str) -> None:
    """Refuse a command of one process on several ranks: each would write the same files.

    Raises
    ------
    InputError
        There are several.
    """
    if size() > 1:
        message = f"runs as one process, and was started {size()} times; leave mpirun out"
        raise InputError(Mistake(command, message), "nmcsim")


def hold_threads() -> None:
    """One thread a rank, before NumPy is imported: ranks share the cores already."""
    if size() > 1:
        for name in _THREADS:
            os.environ.setdefault(name, "1")


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
