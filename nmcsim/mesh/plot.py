"""A picture of a mesh: cells, with the rock salt marked, or the regions of an electrode."""

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

COLOURS = {
    "bare": "#0072b2",
    "rock_salt": "#d55e00",
    "collector": "#e69f00",
    "lithium": "#009e73",
}  # Okabe and Ito: safe for colour-blind eyes
REGIONS = {"particles": "#b0a890", "contact": "#d55e00", "binder": "#404040", "liquid": "#cfe6f7"}
OTHER = "#999999"
CELL = "#bbbbbb"
ALONG = np.linspace(0.0, 1.0, 5)  # points that draw one curved edge

# Corners of gmsh's elements, and middles of those of second order, as edges (first, middle, last)
EDGES = {
    1: ((0, 1),),
    2: ((0, 1), (1, 2), (2, 0)),
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
    regions : mapping of str to array
        Of the cells of each region of a section, closed around each cell; all particles are one.
    """

    cells: np.ndarray
    surfaces: Mapping[str, np.ndarray]
    regions: Mapping[str, np.ndarray]


def picture(mesh: Mesh, path: str | Path) -> None:
    """Draw the cells of a section, or the surface of a 3D mesh; rock salt or regions in colour.

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
    from matplotlib.collections import LineCollection, PolyCollection

    axes = figure.add_subplot(aspect="equal", xlabel="x / µm", ylabel="y / µm")
    for name in (name for name in REGIONS if name in drawn.regions):
        areas = PolyCollection(list(drawn.regions[name][..., :2]), color=REGIONS[name], label=name)
        areas.set_linewidth(0.2)  # or the background shows between cells
        axes.add_collection(areas)
    # so thin beside regions that those of the smallest cells leave their colour
    line = {"linewidths": 0.5} if len(drawn.regions) == 1 else {"linewidths": 0.1, "alpha": 0.6}
    axes.add_collection(LineCollection(list(drawn.cells[..., :2]), colors=CELL, **line))
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
    if dimension == 3:
        return Drawn(np.empty(0), surfaces, {})
    regions: dict[str, np.ndarray] = {}
    for _, group in gmsh.model.getPhysicalGroups(2):
        curved = [
            _curved(gmsh, points, 2, entity)
            for entity in gmsh.model.getEntitiesForPhysicalGroup(2, group)
        ]
        name = gmsh.model.getPhysicalName(2, group)
        kind = "particles" if name.startswith("particle[") else name
        regions[kind] = np.concatenate([*([regions[kind]] if kind in regions else []), *curved])
    cells = np.concatenate(list(regions.values())).reshape(-1, len(ALONG), 3)
    return Drawn(cells, surfaces, regions)


def _curved(gmsh: ModuleType, points: np.ndarray, dimension: int, entity: int) -> np.ndarray:
    """The outlines of the elements of an entity, shape (elements, edges * points, 3)."""
    found = []
    for kind, _, nodes in zip(*gmsh.model.mesh.getElements(dimension, entity), strict=True):
        per_element = gmsh.model.mesh.getElementProperties(kind)[3]
        corners = points[nodes.astype(int).reshape(-1, per_element)]
        edges = [_parabola(corners[:, list(edge)]) for edge in EDGES[int(kind)]]
        found.append(np.concatenate(edges, axis=1))
    return np.concatenate(found)


def _parabola(nodes: np.ndarray) -> np.ndarray:
    """Points of curves through two or three nodes, shape (n, nodes, 3) to (n, len(ALONG), 3)."""
    t = ALONG[:, None]
    a, b = nodes[:, :1], nodes[:, -1:]
    middle = nodes[:, 1:2] if nodes.shape[1] == 3 else 0.5 * (a + b)
    return (1 - t) * (1 - 2 * t) * a + 4 * t * (1 - t) * middle + t * (2 * t - 1) * b
