"""Write the stored reference values: ``python -m tests.reference.generate [case ...]``.

Each case is computed at three levels of ratio 2, and the two finest are extrapolated to zero cell
size (order 2). Own error, in ``data/errors.json``:

    finest           largest difference between the extrapolated and the finest level
    extrapolated     largest difference between the stored value and that extrapolated from the
                     two coarser levels: an upper bound, since each halving divides it by 4 or more
    order            log2 of the ratio of successive level differences of theta
    time             largest difference between rtol 1e-7 (used) and 1e-9 at the coarsest level

At 5C the two coarser levels do not resolve the front, so that this bound (8e-4) is too wide; levels
0.7 and 1.4 extrapolated differ from the stored theta by 1.4e-4 (at 10 and 30 s; below 1e-4 at
all times after 30 s), from the voltage by 4e-3 mV, from the time of exhaustion by 6e-5.

Keys within: theta [1], voltage [V], t_end [relative], distance [m], share [1].
"""

from __future__ import annotations

import json
import sys

import numpy as np

from . import stored

LEVELS = {
    "fresh_1C": (2.0, 4.0, 8.0),  # one radius
    "half_1C_kinetic": (0.4, 0.8, 1.6),
}
DEFAULT = (0.5, 1.0, 2.0)


def generate(name: str) -> dict[str, object]:
    """Compute, extrapolate and save one case; returns its error record."""
    levels = LEVELS.get(name, DEFAULT)
    coarse, middle, fine = (stored.compute(name, level) for level in levels)
    earlier, best = stored.extrapolate(coarse, middle), stored.extrapolate(middle, fine)
    first = float(np.abs(coarse.theta - middle.theta).max())
    second = float(np.abs(middle.theta - fine.theta).max())
    tight = stored.compute(name, levels[0], rtol=1e-9)
    stored.save(name, best)
    return {
        "levels": levels,
        "finest": stored.largest_difference(fine, best),
        "extrapolated": stored.largest_difference(earlier, best),
        "order": float(np.log2(first / second)),
        "time": stored.largest_difference(coarse, tight),
    }


def main(names: list[str]) -> None:
    """Generate the named cases, or all."""
    path = stored.DATA / "errors.json"
    for name in names or list(stored.CASES):
        record = generate(name)
        errors = json.loads(path.read_text()) if path.exists() else {}
        errors[name] = record
        path.write_text(json.dumps(errors, indent=1, sort_keys=True) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
