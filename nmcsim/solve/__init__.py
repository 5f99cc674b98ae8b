"""Time-continuous residuals and their integration. Knows PETSc; knows no chemistry."""

from nmcsim import runtime as runtime  # first: it imports DOLFINx in the order that works
