"""What was measured: `Measurement`, the file ``measured.toml``, other programs' tables."""

from nmcsim.measured.measurement import Bound, Measured, MeasuredSeries, Measurement

__all__ = ["Bound", "Measured", "MeasuredSeries", "Measurement"]
