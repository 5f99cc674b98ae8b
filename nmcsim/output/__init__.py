"""A result directory while a run writes it: lock, journal, checkpoint, and the tables at its end."""

from nmcsim.output.checkpoint import Checkpoint, earlier_state
from nmcsim.output.directory import Lock, prepare
from nmcsim.output.finish import finish
from nmcsim.output.recorder import Recorder

__all__ = ["Checkpoint", "Lock", "Recorder", "earlier_state", "finish", "prepare"]
