"""A result directory while a run writes it: lock, journal, checkpoint, tables at its end."""

from nmcsim.output.asked import Asked
from nmcsim.output.checkpoint import Checkpoint, Standing
from nmcsim.output.directory import Busy, Claim, held
from nmcsim.output.initial import first_state, memory_of
from nmcsim.output.ledger import Ledger

__all__ = [
    "Asked", "Busy", "Checkpoint", "Claim", "Ledger", "Standing", "first_state", "held",
    "memory_of",
]  # fmt: skip
