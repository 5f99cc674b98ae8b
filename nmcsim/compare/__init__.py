"""A result beside what was measured, metric by metric."""
