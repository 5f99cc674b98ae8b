"""The state of a run on disk, from which it goes on or another one starts."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from nmcsim.errors import InputError, Mistake
from nmcsim.results import write_atomically
from nmcsim.solve.fields import Array

__all__ = ["CHECKPOINT", "Checkpoint", "earlier_state"]

CHECKPOINT = "checkpoint.h5"


@dataclass(frozen=True)
class Checkpoint:
    """All that a run needs to go on: written aside and renamed, so that it is whole or absent.

    Parameters
    ----------
    case_hash : str
    t, t_start : float
        Now, and when the present protocol step began [s].
    step : int
        Index of the present protocol step; equal to their number when the run is over.
    charge_start : float
        Charge that had passed when the step began [A s].
    inventory : float
        Lithium at the start of the run [mol].
    theta : (n,) array
        Nodal stoichiometry in the layout's numbering.
    nodes : (n, 3) array
        Where the nodes are [m].
    scalars : mapping of name -> float
        The global unknowns.
    offsets : mapping
        How much of the journal counts.
    steps : list of dict
        The steps that have ended.
    counts, timing : mapping
        So far.
    """

    case_hash: str
    t: float
    t_start: float
    step: int
    charge_start: float
    inventory: float
    theta: Array
    nodes: Array
    scalars: Mapping[str, float]
    offsets: Mapping[str, int]
    steps: Sequence[Mapping[str, Any]] = ()
    counts: Mapping[str, int] = field(default_factory=dict)
    timing: Mapping[str, float] = field(default_factory=dict)
    worst_drift: float = 0.0

    def write(self, directory: Path) -> None:
        """Replace the directory's checkpoint by this one.

        Raises
        ------
        WriteFailure
            The disk is full; the earlier checkpoint is then intact.
        """
        image = io.BytesIO()
        with h5py.File(image, "w", libver=("earliest", "v110")) as file:
            file["theta"], file["nodes"] = self.theta, self.nodes
            file["theta"].attrs["unit"], file["nodes"].attrs["unit"] = "1", "m"
            rest = {k: v for k, v in asdict(self).items() if k not in ("theta", "nodes")}
            file.attrs["state"] = json.dumps(rest)
        write_atomically(directory / CHECKPOINT, image.getvalue())

    @classmethod
    def read(cls, directory: Path) -> Checkpoint:
        """The checkpoint of a result directory.

        Raises
        ------
        InputError
            If it cannot be read.
        """
        path = directory / CHECKPOINT
        try:
            with h5py.File(path, "r") as file:
                rest = json.loads(file.attrs["state"])
                return cls(theta=file["theta"][()], nodes=file["nodes"][()], **rest)
        except (OSError, KeyError, ValueError, TypeError) as error:
            raise InputError(
                Mistake(str(path), f"cannot be read ({error}); run without --resume")
            ) from error


def earlier_state(directory: Path, nodes: Array) -> Array:
    """The last state of an earlier result at ``nodes`` (n, 3) [m].

    Taken as it is where the meshes agree, else interpolated linearly between the earlier nodes.

    Raises
    ------
    InputError
        If the result has no state, or covers another place.
    """
    from scipy.interpolate import LinearNDInterpolator, NearestNDInterpolator

    earlier = Checkpoint.read(directory)
    size = float(np.ptp(nodes, axis=0).max())
    if earlier.nodes.shape == nodes.shape and np.allclose(
        earlier.nodes, nodes, rtol=0.0, atol=1e-9 * size
    ):
        return earlier.theta
    flat = float(np.ptp(nodes[:, 2])) < 1e-9 * size
    d = 2 if flat else 3
    a, b = earlier.nodes[:, :d], nodes[:, :d]
    if np.abs(np.ptp(a, axis=0) - np.ptp(b, axis=0)).max() > 0.05 * size:
        raise InputError(
            Mistake(f'protocol.initial.from = "{directory}"',
                    "is the state of a particle of another size or shape")
        )  # fmt: skip
    if float(np.ptp(earlier.nodes[:, 2])) < 1e-9 * size and not flat:
        raise InputError(
            Mistake(f'protocol.initial.from = "{directory}"',
                    "is the state of a section; a 3D particle needs a 3D state")
        )  # fmt: skip
    theta = LinearNDInterpolator(a / size, earlier.theta)(b / size)
    outside = np.isnan(theta)
    theta[outside] = NearestNDInterpolator(a / size, earlier.theta)(b[outside] / size)
    return np.asarray(theta)
