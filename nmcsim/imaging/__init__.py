"""From fields to what a microscope sees, and the papers' image metrics. Imports neither DOLFINx nor MPI."""
