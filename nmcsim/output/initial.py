"""The state that a run starts from: given, of an earlier result, or that of its checkpoint."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from nmcsim.errors import InputError, Mistake, NmcsimError
from nmcsim.mesh.ranks import on_one_rank
from nmcsim.models.model import Field, Model
from nmcsim.observe.layout import Layout
from nmcsim.output.checkpoint import Checkpoint, Kept, Past
from nmcsim.solve.fields import Array
from nmcsim.solve.ndf import Memory

__all__ = ["first_state", "memory_of", "taken_over"]

Int = npt.NDArray[np.int64]


def first_state(
    case: Any, model: Model, layouts: Mapping[str, Layout], found: Checkpoint | None
) -> Array:
    """The state vector from which a run begins or goes on; collective.

    Raises
    ------
    InputError
        The checkpoint is of another mesh, or the initial state of the case cannot be had.
    """
    problem = model.problem
    state = problem.state()
    if found is None:
        if isinstance(case.protocol.initial, Path):
            return _of_earlier(case.protocol.initial, model, layouts, state)
        state[problem.slice(model.field)] = _given(case, model)
        return state
    on_one_rank(problem.comm, lambda: _same_nodes(found, layouts))
    for name, layout in layouts.items():
        state[problem.slice(name)] = layout.scatter(found.fields[name].values)
    for name, value in found.scalars.items():
        state[problem.slice(name)] = value
    return state


def memory_of(model: Model, layouts: Mapping[str, Layout], past: Past | None) -> Memory | None:
    """The integrator's memory of a checkpoint, on this rank; collective."""
    if past is None:
        return None
    problem = model.problem
    rows = len(next(iter(past.fields.values())))
    differences = np.zeros((rows, problem.state().size))
    for k, row in enumerate(differences):
        for name, layout in layouts.items():
            row[problem.slice(name)] = layout.scatter(past.fields[name][k])
        for name, values in past.scalars.items():
            row[problem.slice(name)] = values[k]
    return Memory(past.h, past.equal_steps, differences)


def _same_nodes(found: Checkpoint, layouts: Mapping[str, Layout]) -> None:
    same = found.fields.keys() == layouts.keys() and all(
        _agree(found.fields[name].nodes, layout.nodes) for name, layout in layouts.items()
    )
    if not same:
        raise InputError(
            Mistake("--resume", "finds the checkpoint of another mesh; run into a new directory")
        )


def _agree(a: Array, b: Array) -> bool:
    near = 1e-9 * float(np.ptp(b, axis=0).max())
    return a.shape == b.shape and bool(np.allclose(a, b, rtol=0.0, atol=near))


def _given(case: Any, model: Model) -> Array:
    """This rank's nodal values of an initial state that the case itself gives."""
    lithium, initial = model.fields[0], case.protocol.initial
    points = model.field.space.tabulate_dof_coordinates()[: model.field.owned]
    values, error = np.empty(0), None
    try:
        if isinstance(initial, Mapping):
            each = [case.protocol.initial_of(particle) for particle in lithium.parts]
            values = np.array(each, dtype=float)[_part_of_dof(lithium)]
        else:
            values = np.asarray(case.protocol.initial_at(points.T))
    except NmcsimError as mistake:
        error = mistake
    for found in model.problem.comm.allgather(error):
        if found is not None:
            raise found
    return values


def _part_of_dof(field: Field) -> Int:
    """The piece of each of this rank's owned nodes."""
    part = np.zeros(field.unknown.owned, dtype=np.int64)
    if field.part_of_cell is not None:
        dofs = field.unknown.space.dofmap.list
        of_dof = np.repeat(field.part_of_cell[: len(dofs)], dofs.shape[1])
        owned = dofs.ravel() < part.size
        part[dofs.ravel()[owned]] = of_dof[owned]
    return part


# -- the last state of an earlier result -----------------------------------------------------


def _of_earlier(
    directory: Path, model: Model, layouts: Mapping[str, Layout], state: Array
) -> Array:
    """``state`` with what an earlier result ended with, of each field that has means."""
    comm, place = model.problem.comm, f'protocol.initial.from = "{directory}"'
    earlier = on_one_rank(comm, lambda: Checkpoint.read(directory)).fields

    def take(field: Field) -> None:
        kept, layout = earlier[field.name], layouts[field.name]
        if bool(kept.pieces) != bool(field.pieces):
            kind = "an electrode's" if kept.pieces else "a single crystal's"
            raise InputError(Mistake(place, f"is {kind} state; choose one of the same model"))
        values, exact = on_one_rank(comm, lambda: taken_over(kept, layout, field.pieces, place))
        where = model.problem.slice(field.unknown)
        state[where] = layout.scatter(values)
        if not exact:
            missing = _missing(kept, field, state)
            state[where] += missing[_part_of_dof(field)] if field.pieces else missing

    for field in model.fields:
        # salt that the earlier model did not resolve stays as the case has it
        if field.means is not None and field.name in earlier:
            take(field)
    return state


def _missing(kept: Kept, field: Field, state: Array) -> Array:
    """What each piece lacks of its mean in the earlier state: interpolation makes no lithium."""
    assert field.means is not None
    now = field.means(state)
    if not field.pieces:
        return np.asarray(np.array(kept.means) - now)
    before = dict(zip(kept.pieces, kept.means, strict=True))
    named = zip(field.pieces, now.tolist(), strict=True)
    return np.array([before[name] - mean if name in before else 0.0 for name, mean in named])


def taken_over(
    kept: Kept, layout: Layout, pieces: tuple[str, ...], place: str
) -> tuple[Array, bool]:
    """A field of an earlier state at the nodes of a layout, and whether it is there as it was.

    Taken as it is where the meshes agree, else interpolated linearly between the earlier nodes of
    the piece with the same name; of all pieces, for one that the earlier state does not have.

    Raises
    ------
    InputError
        The earlier state covers another place.
    """
    nodes = layout.nodes
    if _agree(kept.nodes, nodes):
        return kept.values, True
    size = float(np.ptp(nodes, axis=0).max())
    flat = float(np.ptp(nodes[:, 2])) < 1e-9 * size
    if float(np.ptp(kept.nodes[:, 2])) < 1e-9 * size and not flat:
        raise InputError(
            Mistake(place, "is the state of a section; a 3D particle needs a 3D state")
        )
    d = 2 if flat else 3
    a, b = kept.nodes[:, :d], nodes[:, :d]
    if np.abs(np.ptp(a, axis=0) - np.ptp(b, axis=0)).max() > 0.05 * size:
        raise InputError(Mistake(place, "is the state of a particle of another size or shape"))
    values, part = np.empty(len(nodes)), layout.part_of_node
    for number in np.unique(part).tolist():
        to = part == number
        source = np.ones(len(a), dtype=bool)
        if pieces and pieces[number] in kept.pieces:
            source = kept.part == kept.pieces.index(pieces[number])
        values[to] = _interpolated(a[source] / size, kept.values[source], b[to] / size)
    return values, False


def _interpolated(a: Array, values: Array, b: Array) -> Array:
    """Values at ``b`` between the points ``a``, that of the nearest point outside of them."""
    from scipy.interpolate import LinearNDInterpolator, NearestNDInterpolator

    found = np.asarray(LinearNDInterpolator(a, values)(b))
    outside = np.isnan(found)
    found[outside] = NearestNDInterpolator(a, values)(b[outside])
    return found
