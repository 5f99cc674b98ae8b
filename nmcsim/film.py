"""A result as the snapshots that a camera takes."""
