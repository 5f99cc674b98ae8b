"""The chain from a simulation to a measured number, on one page: ``python -m validation.demo``."""
