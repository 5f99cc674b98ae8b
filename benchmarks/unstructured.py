"""The blocked disk with constant D in PyBaMM's unstructured finite volumes, solved by its IDAKLU.

    d(theta)/dt = div( D / R^2 grad theta ),    d(theta)/dn = -j R / (N_L D) on the bare arc, else 0

in units of the radius, on triangles. The flux is scaled so that the polygon loses what the disk
does.
"""

from __future__ import annotations

import os
from typing import Any

import numpy as np
from numpy.typing import NDArray

os.environ["PYBAMM_DISABLE_TELEMETRY"] = "true"  # before the import: no prompt, no network

import pybamm
from pybamm.meshes.unstructured_submesh import UnstructuredSubMesh

Array = NDArray[np.float64]


class Triangles(pybamm.MeshGenerator):
    """Hands given triangles to PyBaMM, their rim named ``"bare"`` or ``"blocked"``.

    Parameters
    ----------
    vertices : (n, 2) array
        On the unit disk.
    cells : (m, 3) int array
    half_width : float
        Of the blocked arc about the angle 0 [rad].
    """

    def __init__(self, vertices: Array, cells: NDArray[np.int64], half_width: float) -> None:
        self.submesh_type, self.submesh_params = UnstructuredSubMesh, {}
        self.submesh = UnstructuredSubMesh(vertices, cells)
        rim = np.arange(self.submesh._boundary_face_start, len(self.submesh.face_owner))
        x, y = self.submesh.face_centroids[rim].T
        blocked = np.abs(np.arctan2(y, x)) < half_width
        self.submesh.boundary_faces = {"blocked": rim[blocked], "bare": rim[~blocked]}

    def __call__(self, lims: Any, npts: Any) -> UnstructuredSubMesh:
        return self.submesh


class Unstructured:
    """The discretised disk.

    Parameters
    ----------
    triangles : Triangles
    rate : float
        D / R^2 [1/s].
    loss : float
        -d(theta mean)/dt [1/s].
    start : float
        theta at the start.
    """

    def __init__(self, triangles: Triangles, rate: float, loss: float, start: float) -> None:
        self.submesh = mesh = triangles.submesh
        bare = mesh.boundary_faces["bare"]
        self.slope = -loss / rate * mesh.cell_volumes.sum() / mesh.face_areas[bare].sum()
        theta = pybamm.Variable("theta", domain="disk")
        x = pybamm.SpatialVariable("x", domain="disk", coord_sys="cartesian")
        y = pybamm.SpatialVariable("y", domain="disk", coord_sys="cartesian")
        model = pybamm.BaseModel("blocked disk")
        model.rhs = {theta: pybamm.Scalar(rate) * pybamm.div(pybamm.grad(theta))}
        none = (pybamm.Scalar(0.0), "Neumann")
        out = (pybamm.Scalar(self.slope), "Neumann")
        model.boundary_conditions = {theta: {"bare": out, "blocked": none}}
        model.initial_conditions = {theta: pybamm.Scalar(start)}
        model.variables = {"theta": theta}
        limits = {"min": -1.0, "max": 1.0}
        geometry = pybamm.Geometry({"disk": {x: limits, y: limits}})
        mesh = pybamm.Mesh(geometry, {"disk": triangles}, {x: 1, y: 1})
        methods = {"disk": pybamm.FiniteVolumeUnstructured()}
        self.built = pybamm.Discretisation(mesh, methods).process_model(model, inplace=False)

    def solve(self, times: Array, rtol: float) -> tuple[Array, float, float]:
        """theta of shape (times, cells); seconds of the time stepping, and of PyBaMM's set-up."""
        solver = pybamm.IDAKLUSolver(rtol=rtol, atol=0.1 * rtol)
        asked = np.concatenate(([0.0], times))
        solution = solver.solve(self.built, t_eval=[0.0, float(times[-1])], t_interp=asked)
        values = np.asarray(solution.y)[:, np.searchsorted(solution.t, times)].T
        return values, float(solution.integration_time.value), float(solution.set_up_time.value)

    def centre(self, theta: Array) -> Array:
        """x of the centre of mass of lithium at each time [R]."""
        mesh = self.submesh
        return theta @ (mesh.cell_volumes * mesh.cell_centroids[:, 0]) / (theta @ mesh.cell_volumes)

    def rim(self, theta: Array) -> tuple[Array, Array]:
        """Angles of the rim's cells, and theta on the rim there, by the known slope."""
        mesh = self.submesh
        angles, values = [], []
        for name, slope in (("bare", self.slope), ("blocked", 0.0)):
            owners = mesh.face_owner[mesh.boundary_faces[name]]
            x, y = mesh.cell_centroids[owners].T
            angles.append(np.arctan2(y, x))
            values.append(theta[:, owners] + (1.0 - np.hypot(x, y)) * slope)
        return np.concatenate(angles), np.concatenate(values, axis=1)
