"""Constitutive expressions: UFL in, UFL out. No measures, no balances, no solver."""
