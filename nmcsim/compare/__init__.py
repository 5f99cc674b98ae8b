"""A result beside what was measured, metric by metric."""

from nmcsim.compare.comparing import compare
from nmcsim.compare.pairs import WITHIN, Comparison, Pair, PairCurve, Unpaired

__all__ = ["WITHIN", "Comparison", "Pair", "PairCurve", "Unpaired", "compare"]
