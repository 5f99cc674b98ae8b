"""Validation: simulations beside what was measured, studies of operators."""
