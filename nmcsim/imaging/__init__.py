"""From fields to what a microscope sees, and the papers' image metrics; no DOLFINx, no MPI."""
