"""What the page says, step by step; braces are filled with the run's own numbers."""

from __future__ import annotations

__all__ = ["ABOUT", "FOOTER", "STEPS", "TITLE"]

TITLE = "One crystal, simulated, filmed and measured"
ABOUT = "A simulation beside a microscope: its film is reduced by the code that reduces real films."
FOOTER = """nmcsim {version}. The film: {frames} (opens in Fiji) and {movie}. Every frame of the
reduction: {reduction}. The simulation's files: {simulation}."""

_SIMULATION = """Lithium in a crystal of 2.5 µm, seen from above, while it is charged at 1C. It can
leave through half of the edge only: the other half (thick line) is covered by rock salt, as after
ageing. Yellow is full, blue has lost lithium."""

_FILM = """The same moments through a simulated camera: {pixel:.1f} nm per pixel, blurred to
{resolution:.0f} nm, {binning} exposures to a frame as in the paper, each with the shot noise of a
pixel that holds {noise:,} electrons, and a stage that drifts by up to {drift:.0f} nm. Where
lithium has left, the picture is brighter by some per cent only, which the eye hardly sees. The
bright spot beside the particle is there to follow the drift."""

_REDUCTION = """Each frame is shifted back, the particle is outlined, and the change since the first
frame is divided by the first frame. What has changed by less than {below:.0f} % is called unreacted
(grey). The distance between its centre (orange) and the centre of the particle (blue) says how
one-sided the reaction is: zero for a crystal whose whole edge is open."""

_CURVES = """The line is what the simulation knows of its own lithium; the points are what was
measured on its film, with one standard deviation. At the beginning only a rim has lost lithium,
and there the blur mixes in the dark beside the particle: the film sees it later. Both end where
the unreacted region is smaller than a hundredth of the particle, which no microscope resolves."""

_NUMBERS = """The film carries what a measurement carries: pixels, blur, noise, drift. What was
measured on it is what a measured number is to be compared with, not the simulation's own."""

_PAPER = """Blur and noise carry single pixels over the line of {below:.0f} %: while the region is
large they hardly move its centre, and when it has become small they decide where its rest lies and
when it is gone. The largest distance is {exact:.2f} µm at {soc:.0f} % SOC in the simulation and
{measured} on the film. Lun et al. show such curves in Fig. S4 of their Supplementary Information.
Their values stand in that figure only, which was not read: no distance on this page is validated by
it. Who has the figure's data puts it into validation/crystal_lun/measured.toml. What stands in the
paper's text is this:"""

STEPS = {
    "simulation": ("1  What the simulation knows", _SIMULATION),
    "film": ("2  What a microscope would film", _FILM),
    "reduction": ("3  What is measured on these frames", _REDUCTION),
    "curves": ("4  The distance while the crystal is charged", _CURVES),
    "numbers": ("5  The numbers side by side", _NUMBERS),
    "paper": ("6  Why film and simulation differ, and what the paper says", _PAPER),
}
"""Heading and text of each step."""
