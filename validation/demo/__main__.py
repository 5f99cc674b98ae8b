"""An aged crystal, filmed by a simulated camera, reduced like a measurement, and compared.

python -m validation.demo [DIR] [--coarse]
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import nmcsim
from nmcsim.compare import Comparison, compare
from nmcsim.errors import NmcsimError
from nmcsim.film import film
from nmcsim.imaging.camera import Camera
from nmcsim.imaging.optical import OpticalResult
from nmcsim.measure.jobs import Asked, measure_optical
from nmcsim.measured import Measured
from nmcsim.results import Result
from validation.demo.page import write_demo_page

ROOT = Path(__file__).parents[2]
PAPER = ROOT / "validation" / "crystal_lun" / "measured.toml"
CAMERA = {
    "binning": 80, "exposure": "3.8 ms", "noise": 32000,
    "drift": {"walk": "5 nm"}, "seed": 3,
}  # fmt: skip
"""Frames, exposures and binning of Lun et al.; electrons and drift are our choice: a full pixel of
such a sensor holds some 30,000, and a stage drifts.
"""


@dataclass(frozen=True)
class Chain:
    """All that the page shows.

    Parameters
    ----------
    result : Result
        The simulation.
    camera : Camera
    frames : Path
        What it filmed.
    true_drift : (k, 2) array
        To the right and upwards [m].
    reduced : OpticalResult
        What was measured on the frames.
    seen : Comparison
        The simulation's own numbers beside those measured on its frames.
    paper : Comparison
        The simulation beside the paper, through the camera.
    """

    result: Result
    camera: Camera
    frames: Path
    true_drift: NDArray[np.float64]
    reduced: OpticalResult
    seen: Comparison
    paper: Comparison


def make(out: Path, *, coarse: bool = False, every: str = "8 s") -> Path:
    """Simulate, film, reduce, compare and write ``index.html`` into a folder.

    Parameters
    ----------
    out : Path
        The folder; a simulation that lies there already is not run again.
    coarse : bool
        Larger cells: a quick look.
    every : str
        Time between frames.

    Returns
    -------
    Path
        The page.
    """
    out.mkdir(parents=True, exist_ok=True)
    case = nmcsim.load(ROOT / "cases" / "crystal_aged_1C.toml")
    case = (case.coarse() if coarse else case).replace("output.frames", 360)
    result = nmcsim.simulate(case, out=out / "simulation", resume=True, quiet=True)
    print(f"  simulated   {result.title}", flush=True)
    camera = Camera.from_table(CAMERA | {"interval": every})
    frames, movie = out / "frames.ome.tif", out / "frames.mp4"
    filmed = film(result, camera, frames, movie)
    print(f"  filmed      {filmed.shape[0]} frames: {frames}, {movie}", flush=True)
    asked = Asked(
        out / "measured.toml", record=result.directory, overwrite=True,
        title="A filmed simulation, reduced like a measurement", source="nmcsim, simulated camera",
    )  # fmt: skip
    reduced, _ = measure_optical(frames, asked)
    print(f"  measured    {asked.out}, {asked.beside('.html')}", flush=True)
    seen = compare(result, Measured.read(asked.out))
    paper = compare(result, Measured.read(PAPER))
    page = out / "index.html"
    chain = Chain(result, camera, frames, filmed.drift, reduced, seen, paper)
    write_demo_page(page, chain)
    return page


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m validation.demo", description=__doc__)
    parser.add_argument("out", nargs="?", type=Path, default=Path("results/demo-compare"))
    parser.add_argument("--coarse", action="store_true", help="larger cells: a quick look")
    options = parser.parse_args()
    try:
        print(f"  page        {make(options.out, coarse=options.coarse)}")
    except NmcsimError as error:
        print(error, file=sys.stderr)
        return error.exit_status
    return 0


if __name__ == "__main__":
    sys.exit(main())
