"""Independent reference solutions: numpy, scipy and pybamm, nothing of the solver under test."""
