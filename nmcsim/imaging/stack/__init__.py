"""Frames on disk or in memory: `Stack.open`, `Stack.of`, `write_stack`."""

from nmcsim.imaging.stack.stack import Stack
from nmcsim.imaging.stack.writing import write_stack

__all__ = ["Stack", "write_stack"]
