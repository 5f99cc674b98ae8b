"""The page of the reduction of one particle."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from nmcsim.imaging.optical import OpticalResult
from nmcsim.measure.optical_figures import (
    drift_figure,
    frames_figure,
    mask_figure,
    signal_figure,
)
from nmcsim.measure.page import Section, numbers_table, picture, said, settings_table, write_page

__all__ = ["drift_section", "write_optical_page"]

CARDS = {
    "com_distance_max": "largest centre-of-mass distance",
    "soc_at_com_distance_max": "state of charge there",
}


def write_optical_page(
    path: Path, result: OpticalResult, title: str, head: str, warnings: Sequence[str]
) -> None:
    """Write it.

    Parameters
    ----------
    path : Path
    result : OpticalResult
    title, head : str
        Of the page; what was reduced.
    warnings : sequence of str
    """
    drift, nm = result.drift, 1e9 * result.pixel
    cards = [(said(number), CARDS[name]) for name, number in result.numbers.items()]
    if drift.method != "none":
        error = nm * float(np.sqrt(np.mean(drift.error**2)))
        cards.append((f"{nm * np.hypot(*drift.offsets.T).max():.0f} nm", "largest drift"))
        cards.append((f"{error:.2g} nm", "error of the drift"))
    cards.append((f"{result.mask.pixels:,}".replace(",", "\u202f") + " px", "in the mask"))
    cards.append((f"{np.nanmedian(result.noise):.2g}", "noise of dI/I1 of one pixel"))
    how = "by Otsu's method" if result.mask.automatic else "as given"
    sections = [
        Section(
            "Mask and spot",
            f"The yellow line must follow the particle; its threshold is"
            f" {result.mask.threshold:.6g} counts, {how}. The spot must be a point that is no part"
            " of a particle; the circle is its width at half maximum.",
            picture(mask_figure(result), "first frame with mask and spot"),
        ),
        *drift_section(result),
        Section(
            "Unreacted region",
            "Bands are two standard deviations: pixel noise, drift and the size of pixels; what the"
            " optical blur moves is not in them. Where less than 1 % of the area is unreacted there"
            " is no distance. Noise near the threshold would make unreacted pixels look reacted.",
            picture(signal_figure(result), "distance, share and signal over the frames")
            + numbers_table(result.numbers),
        ),
        Section(
            "Frames",
            "Differential intensity; black outlines hold the unreacted region, the green dot is"
            " its centre of mass, the cross that of the particle.",
            picture(frames_figure(result), "differential intensity of some frames"),
        ),
        Section(
            "Settings",
            "The table [optical], also written to measured.toml, so that simulated frames are"
            " reduced alike.",
            settings_table(result.settings),
        ),
    ]
    write_page(
        path,
        title=title,
        about=head,
        cards=cards,
        warnings=warnings,
        sections=sections,
        footer="Eq. 2 and Fig. S4 of Lun et al., Supplementary Information. Written by nmcsim.",
    )


def drift_section(result: OpticalResult) -> list[Section]:
    """What the drift was; nothing where none was looked for."""
    drift = result.drift
    if drift.method == "none":
        return []
    lost = int(drift.lost.sum())
    about = {
        "spot": "Place of the spot in each frame. The track must be smooth and the residual flat;"
        f" crosses are frames in which the spot was lost ({lost}).",
        "phase": "By phase correlation of the particle's outline. The track must be smooth.",
    }[drift.method]
    return [
        Section(
            "Drift", about, picture(drift_figure(drift, result.time, result.pixel), "drift track")
        )
    ]
