"""The state of a run on disk, from which it goes on or another one starts."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import numpy.typing as npt

from nmcsim.errors import InputError, Mistake
from nmcsim.results import write_atomically
from nmcsim.solve.fields import Array

__all__ = ["CHECKPOINT", "Checkpoint", "Kept", "Past", "Standing"]

CHECKPOINT = "checkpoint.h5"


@dataclass(frozen=True)
class Standing:
    """How far a run has come in its protocol.

    Parameters
    ----------
    t : float
        Now [s].
    step : int
        Index of the present protocol step; their number once all have ended.
    t_start : float
        When it began [s].
    charge_start : float
        Charge that had passed then [A s].
    expected : float or None
        How long it is expected to last [s]; None before it begins: its first row is then still to
        be recorded.
    status : str
        "running", or how the run ended.
    """

    t: float = 0.0
    step: int = 0
    t_start: float = 0.0
    charge_start: float = 0.0
    expected: float | None = None
    status: str = "running"

    def at(self, t: float) -> Standing:
        """The same step at another time."""
        return replace(self, t=t)

    def next(self, t: float, charge: float, status: str = "running") -> Standing:
        """Before the next step."""
        return Standing(t, self.step + 1, t, charge, None, status)


@dataclass(frozen=True)
class Kept:
    """One field of a state, in its layout's numbering.

    Parameters
    ----------
    values : (n,) array
        At the nodes, in the field's own unit.
    nodes : (n, 3) array
        Where they are [m].
    part : (n,) int array
        The part of the field that each node belongs to.
    pieces : tuple of str
        Names of the parts, where the field is another one in each; none where it is one.
    means : tuple of float
        The mean over each piece; none for a field that is not taken over by other runs.
    """

    values: Array
    nodes: Array
    part: npt.NDArray[np.int64]
    pieces: tuple[str, ...] = ()
    means: tuple[float, ...] = ()


@dataclass(frozen=True)
class Past:
    """The integrator's memory within a step of the protocol, in the layouts' numbering.

    Parameters
    ----------
    h : float
        The next step to try [s].
    equal_steps : int
    fields : mapping of name -> (k + 1, n) array
        Backward differences, first to last.
    scalars : mapping of name -> (k + 1,) list
        Those of the global unknowns.
    """

    h: float
    equal_steps: int
    fields: Mapping[str, Array]
    scalars: Mapping[str, list[float]]


@dataclass(frozen=True)
class Checkpoint:
    """All that a run needs to go on: written aside and renamed, so that it is whole or absent.

    Parameters
    ----------
    case_hash : str
    standing : Standing
    at_start : mapping of name -> float
        What must not change, as it was at the start: ``lithium`` [mol] and others.
    fields : mapping of name -> Kept
        Lithium per site first.
    scalars : mapping of name -> float
        The global unknowns.
    offsets : mapping
        How much of the journal counts.
    steps : list of dict
        The steps that have ended.
    counts, timing : mapping
        So far.
    worst : mapping of name -> float
        Largest drift of each balance so far.
    past : Past, optional
        None where the integration begins anew: between two steps of the protocol.
    """

    case_hash: str
    standing: Standing
    at_start: Mapping[str, float]
    fields: Mapping[str, Kept]
    scalars: Mapping[str, float]
    offsets: Mapping[str, int]
    steps: Sequence[Mapping[str, Any]] = ()
    counts: Mapping[str, int] = field(default_factory=dict)
    timing: Mapping[str, float] = field(default_factory=dict)
    worst: Mapping[str, float] = field(default_factory=dict)
    past: Past | None = None

    def write(self, directory: Path) -> None:
        """Replace the directory's checkpoint by this one.

        Raises
        ------
        WriteFailure
            The disk is full; the earlier checkpoint is then intact.
        """
        image = io.BytesIO()
        with h5py.File(image, "w", libver=("earliest", "v110")) as file:
            for name, kept in self.fields.items():
                group = file.create_group(f"fields/{name}")
                group["values"], group["nodes"], group["part"] = kept.values, kept.nodes, kept.part
                group["nodes"].attrs["unit"] = "m"
            for name, differences in (self.past.fields if self.past else {}).items():
                file[f"past/{name}"] = differences
            small = replace(self, fields={}, past=self.past and replace(self.past, fields={}))
            rest = {k: v for k, v in asdict(small).items() if k != "fields"}
            rest["fields"] = {
                name: {"pieces": kept.pieces, "means": kept.means}
                for name, kept in self.fields.items()
            }
            # a dataset: an attribute holds 64 kB, less than the steps of a long protocol
            file["state"] = json.dumps(rest)
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
                rest = json.loads(file["state"].asstr()[()])
                standing = Standing(**rest.pop("standing"))
                past = rest.pop("past", None)
                if past is not None:
                    past["fields"] = {name: file["past"][name][()] for name in file["past"]}
                    past = Past(**past)
                fields = {
                    name: _kept(file["fields"][name], **names)
                    for name, names in rest.pop("fields").items()
                }
                return cls(fields=fields, standing=standing, past=past, **rest)
        except (OSError, KeyError, ValueError, TypeError, AttributeError) as error:
            message = f"cannot be read ({error}); run the case again into a new directory"
            raise InputError(Mistake(str(path), message)) from error


def _kept(group: Any, pieces: Sequence[str], means: Sequence[float]) -> Kept:
    values, nodes, part = (group[name][()] for name in ("values", "nodes", "part"))
    return Kept(values, nodes, part, tuple(pieces), tuple(means))
