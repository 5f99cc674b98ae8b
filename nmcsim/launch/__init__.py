"""Who runs a sweep: workers of one machine, groups of MPI ranks, shards of a job array."""

from nmcsim.launch.conduct import Options, Outcome, launch, sweep

__all__ = ["Options", "Outcome", "launch", "sweep"]
