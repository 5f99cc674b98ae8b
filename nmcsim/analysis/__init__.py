"""Electro-analysis of records: GITT, impedance, dQ/dV; without DOLFINx and MPI."""
