"""Keys of a case by least squares against measurements."""

from nmcsim.fitting.conduct import fit
from nmcsim.fitting.result import Fit, Look

__all__ = ["Fit", "Look", "fit"]
