"""Ratios of speed, measured in one run: ``python -m benchmarks`` (docs/benchmarks.md)."""
