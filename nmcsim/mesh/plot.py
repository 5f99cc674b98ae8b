"""A picture of a mesh: cells, with the rock salt marked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from nmcsim.mesh.gmsh_session import session
from nmcsim.mesh.mesh import Mesh
from nmcsim.mesh.ranks import on_one_rank

COLOURS = {"bare": "#0072b2", "rock_salt": "#d55e00"}  # Okabe and Ito: safe for colour-blind eyes
OTHER = "#999999"
CELL = "#bbbbbb"
ALONG = np.linspace(0.0, 1.0, 5)  # points that draw one curved edge

# Corners and middles of gmsh's second-order elements, as edges (first, middle, last)
EDGES = {
    8: ((0, 2, 1),),
    9: ((0, 3, 1), (1, 4, 2), (2, 5, 0)),
    10: ((0, 4, 1), (1, 5, 2), (2, 6, 3), (3, 7, 0)),
}


@dataclass(frozen=True)
class Drawn:
    """Curved edges of a mesh, each an array of shape (edges, points, 3) in micrometres.

    Attributes
    ----------
    cells : array
        Of all cells of a section; empty in 3D.
    surfaces : mapping of str to array
        Of the facets of each surface, closed around each facet in 3D.
    """

    cells: np.ndarray
    surfaces: Mapping[str, np.ndarray]


def picture(mesh: Mesh, path: str | Path) -> None:
    """Draw the cells of a section, or the surface of a 3D mesh, with the rock salt in colour.

    Collective; one rank writes.

    Parameters
    ----------
    mesh : Mesh
        Of any shape.
    path : path
        The picture; its ending says which kind (``.png``, ``.pdf``, ``.svg``).
    """
    on_one_rank(
        mesh.comm, lambda: _draw(mesh.dimension, mesh.msh_path, mesh.shape_name, Path(path))
    )


def _draw(dimension: int, msh_path: Path, title: str, path: Path) -> None:
    # not pyplot: a window system is never asked for, and the user's own figures are left alone
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    with session() as gmsh:
        gmsh.merge(str(msh_path))
        drawn = _edges(gmsh, dimension)
    figure = Figure(figsize=(5.0, 5.4), layout="constrained")
    FigureCanvasAgg(figure)
    axes = (_draw_section if dimension == 2 else _draw_surface)(figure, drawn)
    axes.set_title(title)
    handles, labels = axes.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=3, frameon=False)
    figure.savefig(path, dpi=200)


def _draw_section(figure: Any, drawn: Drawn) -> Any:
    from matplotlib.collections import LineCollection

    axes = figure.add_subplot(aspect="equal", xlabel="x / µm", ylabel="y / µm")
    axes.add_collection(LineCollection(list(drawn.cells[..., :2]), colors=CELL, linewidths=0.5))
    for name, edges in drawn.surfaces.items():
        axes.add_collection(
            LineCollection(
                list(edges[..., :2]),
                colors=COLOURS.get(name, OTHER),
                linewidths=3.0 if name == "rock_salt" else 1.5,
                label=name.replace("_", " "),
            )
        )
    axes.autoscale()
    return axes


def _draw_surface(figure: Any, drawn: Drawn) -> Any:
    from mpl_toolkits.mplot3d.art3d import Poly3DCollection  # type: ignore[import-untyped]

    axes = figure.add_subplot(projection="3d", xlabel="x / µm", ylabel="y / µm", zlabel="z / µm")
    for name, facets in drawn.surfaces.items():
        axes.add_collection3d(
            Poly3DCollection(
                facets,
                facecolors=COLOURS.get(name, "#eeeeee"),
                edgecolors="#444444",
                linewidths=0.2,
                label=name.replace("_", " ") if name in COLOURS else None,
            )
        )
    points = np.concatenate([facets.reshape(-1, 3) for facets in drawn.surfaces.values()])
    axes.set(**{f"{x}lim": (points[:, i].min(), points[:, i].max()) for i, x in enumerate("xyz")})
    axes.set_box_aspect(np.ptp(points, axis=0))
    return axes


def _edges(gmsh: ModuleType, dimension: int) -> Drawn:
    """Edges of gmsh's model for drawing."""
    tags, coordinates, _ = gmsh.model.mesh.getNodes()
    points = np.empty((int(tags.max()) + 1, 3))
    points[tags.astype(int)] = coordinates.reshape(-1, 3)
    surfaces = {}
    for _, group in gmsh.model.getPhysicalGroups(dimension - 1):
        curved = [
            _curved(gmsh, points, dimension - 1, entity)
            for entity in gmsh.model.getEntitiesForPhysicalGroup(dimension - 1, group)
        ]
        surfaces[gmsh.model.getPhysicalName(dimension - 1, group)] = np.concatenate(curved)
    cells = [_curved(gmsh, points, 2, tag) for _, tag in gmsh.model.getEntities(2)]
    return Drawn(
        cells=np.concatenate(cells).reshape(-1, len(ALONG), 3) if dimension == 2 else np.empty(0),
        surfaces=surfaces,
    )


def _curved(gmsh: ModuleType, points: np.ndarray, dimension: int, entity: int) -> np.ndarray:
    """The outlines of the elements of an entity, shape (elements, edges * points, 3)."""
    found = []
    for kind, _, nodes in zip(*gmsh.model.mesh.getElements(dimension, entity), strict=True):
        per_element = gmsh.model.mesh.getElementProperties(kind)[3]
        corners = points[nodes.astype(int).reshape(-1, per_element)]
        edges = [_parabola(*(corners[:, i] for i in edge)) for edge in EDGES[int(kind)]]
        found.append(np.concatenate(edges, axis=1))
    return np.concatenate(found)


def _parabola(first: np.ndarray, middle: np.ndarray, last: np.ndarray) -> np.ndarray:
    """Points of the curve through three nodes, shapes (n, 3) to (n, len(ALONG), 3)."""
    t = ALONG[:, None]
    a, b, c = first[:, None], middle[:, None], last[:, None]
    return (1 - t) * (1 - 2 * t) * a + 4 * t * (1 - t) * b + t * (2 * t - 1) * c
