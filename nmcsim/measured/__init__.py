"""What was measured: `Measurement`, the file ``measured.toml``, and tables that other programs wrote."""

from nmcsim.measured.measurement import Bound, Measured, Measurement, MeasuredSeries

__all__ = ["Bound", "Measured", "MeasuredSeries", "Measurement"]
