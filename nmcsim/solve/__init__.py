"""Time-continuous residuals and their integration. Knows PETSc; knows no chemistry."""
