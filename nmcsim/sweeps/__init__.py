"""Sweeps: what is asked, and what there is. Nothing here needs DOLFINx or MPI."""
