"""Work for one rank whose outcome, good or bad, all ranks learn."""

from __future__ import annotations

from collections.abc import Callable

from mpi4py import MPI


def agree(comm: MPI.Comm, error: Exception | None) -> None:
    """Raise on every rank the error of rank 0, if it has one; other ranks hand in None."""
    found = comm.bcast(error, root=0)
    if found is not None:
        raise found


def on_one_rank[T](comm: MPI.Comm, job: Callable[[], T]) -> T:
    """Do `job` on rank 0; its result, or its error, arrives on all ranks."""
    result: T | None = None
    error: Exception | None = None
    if comm.rank == 0:
        try:
            result = job()
        except Exception as failure:
            error = failure
    agree(comm, error)
    return comm.bcast(result, root=0)
