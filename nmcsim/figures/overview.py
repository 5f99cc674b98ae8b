"""One figure that answers the first question: maps, voltage, asymmetry and the surface, two
columns wide.
"""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from nmcsim.figures.curves import draw_asymmetry, draw_voltage, has_asymmetry
from nmcsim.figures.kymograph import draw_kymograph
from nmcsim.figures.maps import draw_maps, moments
from nmcsim.figures.style import TWO_COLUMNS, letter, new_figure, styled
from nmcsim.results import Result


def overview(result: Result) -> Figure:
    """Maps above; voltage, centre-of-mass distance (where there is one) and kymograph below.

    Raises
    ------
    InputError
        The run recorded no map or nothing along the surface.
    """
    with styled():
        figure = new_figure(TWO_COLUMNS, 4.3)
        upper, lower = np.asarray(figure.subfigures(2, 1, height_ratios=[1, 0.95]))
        chosen = moments(result)
        grid = upper.subplots(1, len(chosen), sharex=True, sharey=True)
        draw_maps(upper, list(grid), result, chosen)
        letter(grid[0], "a")
        with_distance = has_asymmetry(result)
        panels = list(
            lower.subplots(1, 2 + with_distance, width_ratios=[1, 1, 1.25][-2 - with_distance :])
        )
        draw_voltage(panels[0], result)
        if with_distance:
            draw_asymmetry(panels[1], [result])
            panels[1].set_ylabel("COM distance / µm")  # the whole name is longer than the panel
        draw_kymograph(lower, panels[-1], result)
        for axes, text in zip(panels, "bcd", strict=False):
            letter(axes, text)
    return figure
