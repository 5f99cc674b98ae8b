"""The state that a run starts from: given, of an earlier result, or that of its checkpoint."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from nmcsim.errors import InputError, Mistake, NmcsimError
from nmcsim.mesh.ranks import on_one_rank
from nmcsim.models.model import Model
from nmcsim.observe.layout import Layout
from nmcsim.output.checkpoint import Checkpoint
from nmcsim.solve.fields import Array

__all__ = ["earlier_state", "first_state"]


def first_state(case: Any, model: Model, layout: Layout, found: Checkpoint | None) -> Array:
    """The state vector from which a run begins or goes on; collective.

    Raises
    ------
    InputError
        The checkpoint is of another mesh, or the initial state of the case cannot be had.
    """
    problem = model.problem
    state = problem.state()
    where = problem.slice(model.field)
    if found is None:
        state[where] = _initial(case, model, layout, state)
        return state
    on_one_rank(problem.comm, lambda: _same_nodes(found, layout))
    state[where] = layout.scatter(found.theta)
    for name, value in found.scalars.items():
        state[problem.slice(name)] = value
    return state


def _same_nodes(found: Checkpoint, layout: Layout) -> None:
    if not _agree(found.nodes, layout.nodes):
        raise InputError(
            Mistake("--resume", "finds the checkpoint of another mesh; run into a new directory")
        )


def _agree(a: Array, b: Array) -> bool:
    near = 1e-9 * float(np.ptp(b, axis=0).max())
    return a.shape == b.shape and bool(np.allclose(a, b, rtol=0.0, atol=near))


def _initial(case: Any, model: Model, layout: Layout, state: Array) -> Array:
    """This rank's nodal values of the case's initial state."""
    comm, space = model.problem.comm, model.field.space
    initial = case.protocol.initial
    if isinstance(initial, Path):
        earlier = on_one_rank(comm, lambda: earlier_state(initial, layout.nodes))
        return _with_mean(model, layout.scatter(earlier[0]), earlier[1], state)
    points = space.tabulate_dof_coordinates()[: model.field.owned]
    values, error = np.empty(0), None
    try:
        values = np.asarray(case.protocol.initial_at(points.T))
    except NmcsimError as mistake:
        error = mistake
    for found in comm.allgather(error):
        if found is not None:
            raise found
    return values


def _with_mean(model: Model, values: Array, mean: float, state: Array) -> Array:
    """``values`` shifted to the ``mean`` of the earlier run: interpolation makes no lithium."""
    trial = state.copy()
    trial[model.problem.slice(model.field)] = values
    return values + (mean - model.observables["theta_mean"](trial))


def earlier_state(directory: Path, nodes: Array) -> tuple[Array, float]:
    """The last state of an earlier result at ``nodes`` (n, 3) [m], and its mean.

    Taken as it is where the meshes agree, else interpolated linearly between the earlier nodes.

    Raises
    ------
    InputError
        If the result has no state, or covers another place.
    """
    from scipy.interpolate import LinearNDInterpolator, NearestNDInterpolator

    earlier = Checkpoint.read(directory)
    if _agree(earlier.nodes, nodes):
        return earlier.theta, earlier.theta_mean
    place = f'protocol.initial.from = "{directory}"'
    size = float(np.ptp(nodes, axis=0).max())
    flat = float(np.ptp(nodes[:, 2])) < 1e-9 * size
    d = 2 if flat else 3
    if float(np.ptp(earlier.nodes[:, 2])) < 1e-9 * size and not flat:
        raise InputError(
            Mistake(place, "is the state of a section; a 3D particle needs a 3D state")
        )
    a, b = earlier.nodes[:, :d], nodes[:, :d]
    if np.abs(np.ptp(a, axis=0) - np.ptp(b, axis=0)).max() > 0.05 * size:
        raise InputError(Mistake(place, "is the state of a particle of another size or shape"))
    theta = LinearNDInterpolator(a / size, earlier.theta)(b / size)
    outside = np.isnan(theta)
    theta[outside] = NearestNDInterpolator(a / size, earlier.theta)(b[outside] / size)
    return np.asarray(theta), earlier.theta_mean
