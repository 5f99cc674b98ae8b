"""Validation: simulations beside what was measured, and the studies of the measurement operators."""
