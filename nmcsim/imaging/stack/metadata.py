"""What files of frames say of themselves: pixel size, times, description."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from xml.etree import ElementTree

import numpy as np
from numpy.typing import NDArray

from nmcsim.errors import InputError
from nmcsim.units import parse

__all__ = ["Facts", "of_hdf5", "of_tiff"]

LENGTHS = {
    "m": 1.0, "cm": 1e-2, "mm": 1e-3, "um": 1e-6, "nm": 1e-9, "pm": 1e-12, "angstrom": 1e-10,
    "å": 1e-10, "micron": 1e-6, "microns": 1e-6, "micrometer": 1e-6, "micrometre": 1e-6,
    "nanometer": 1e-9, "inch": 25.4e-3,
}  # fmt: skip
TIMES = {
    "s": 1.0, "sec": 1.0, "second": 1.0, "seconds": 1.0, "ms": 1e-3, "msec": 1e-3, "us": 1e-6,
    "ns": 1e-9, "min": 60.0, "minute": 60.0, "minutes": 60.0, "h": 3600.0, "hour": 3600.0,
    "hours": 3600.0, "d": 86400.0,
}  # fmt: skip
LARGEST = 20e-6
"""A resolution tag that means a larger pixel [m] is one for printers (72 dpi), no microscope's."""


@dataclass(frozen=True)
class Facts:
    """What a file says of its frames; None where it says nothing.

    Parameters
    ----------
    pixel, pixel_y : float, optional
        Width and height of a pixel [m].
    interval : float, optional
        [s].
    time : (k,) array, optional
        [s].
    description : str
    metadata : mapping of str to str
        Further keys.
    """

    pixel: float | None = None
    pixel_y: float | None = None
    interval: float | None = None
    time: NDArray[np.float64] | None = None
    description: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict)


def of_tiff(file: Any, frames: int) -> Facts:
    """Metadata of an open TIFF file: OME-XML, ImageJ's, else the resolution tags."""
    if file.is_ome and file.ome_metadata:
        try:
            return _of_ome(ElementTree.fromstring(file.ome_metadata), frames)
        except ElementTree.ParseError:
            pass  # what is left are the tags
    tags = file.pages[0].tags
    if file.is_imagej and file.imagej_metadata:
        said = file.imagej_metadata
        pixel = _positive(_per_pixel(tags, "XResolution"), _scale(said.get("unit"), LENGTHS))
        pixel_y = _positive(_per_pixel(tags, "YResolution"), _scale(said.get("unit"), LENGTHS))
        interval = _positive(said.get("finterval"), _scale(said.get("tunit", "s"), TIMES))
        return Facts(pixel, pixel_y, interval, description=str(said.get("Info", "")))
    unit = tags.valueof("ResolutionUnit")
    scale = {2: LENGTHS["inch"], 3: LENGTHS["cm"]}.get(int(unit)) if unit is not None else None
    pixel = _positive(_per_pixel(tags, "XResolution"), scale)
    pixel_y = _positive(_per_pixel(tags, "YResolution"), scale)
    if pixel is not None and pixel > LARGEST:
        pixel = pixel_y = None
    return Facts(pixel, pixel_y)


def of_hdf5(data: Any, frames: int) -> Facts:
    """Metadata of a dataset: attributes ``pixel`` ("34.7 nm"), ``interval`` ("2 s") or
    ``element_size_um`` (of Fiji and ilastik), and a dataset ``time`` [s] beside it.
    """
    a = data.attrs
    pixel, interval = _quantity(a.get("pixel"), "m"), _quantity(a.get("interval"), "s")
    pixel_y = pixel
    if pixel is None and "element_size_um" in a and len(a["element_size_um"]) == 3:
        pixel_y, pixel = (_positive(v, 1e-6) for v in a["element_size_um"][1:])
    beside = data.parent.get("time")
    time = None
    if beside is not None and getattr(beside, "shape", None) == (frames,):
        scale = _scale(_text(beside.attrs.get("unit", "s")), TIMES) or 1.0
        time = np.asarray(beside[:], dtype=np.float64) * scale
    return Facts(pixel, pixel_y, interval, time, _text(a.get("description", "")))


def _of_ome(root: Any, frames: int) -> Facts:
    image = _first(root, "Image")
    pixels = _first(root, "Pixels")
    if image is None or pixels is None:
        return Facts()
    of = pixels.attrib
    pixel, pixel_y = (
        _positive(of.get(f"PhysicalSize{n}"), _scale(of.get(f"PhysicalSize{n}Unit", "um"), LENGTHS))
        for n in "XY"
    )
    interval = _positive(of.get("TimeIncrement"), _scale(of.get("TimeIncrementUnit", "s"), TIMES))
    deltas = [
        float(plane.attrib["DeltaT"]) * (_scale(plane.attrib.get("DeltaTUnit", "s"), TIMES) or 1.0)
        for plane in _all(pixels, "Plane")
        if "DeltaT" in plane.attrib
    ]
    time = np.array(deltas) if len(deltas) == frames else None
    about = _first(image, "Description")
    extra = {m.attrib["K"]: m.text or "" for m in _all(root, "M") if "K" in m.attrib}
    said = "" if about is None else about.text or ""
    return Facts(pixel, pixel_y, interval, time, said, extra)


def _all(element: Any, name: str) -> list[Any]:
    return [e for e in element.iter() if e.tag.rsplit("}", 1)[-1] == name]


def _first(element: Any, name: str) -> Any:
    return next(iter(_all(element, name)), None)


def _scale(unit: Any, known: Mapping[str, float]) -> float | None:
    """SI size of a unit as programs write it, also ImageJ's escaped ``\\u00B5m``."""
    text = re.sub(r"\\u00[bB]5|[µμ]", "u", str(unit or "")).strip().lower()
    return known.get(text)


def _per_pixel(tags: Any, name: str) -> float | None:
    value = tags.valueof(name)
    if not isinstance(value, tuple) or len(value) != 2 or not all(value):
        return None
    return float(value[1]) / float(value[0])


def _positive(value: Any, scale: float | None) -> float | None:
    """``value * scale`` if it is a size."""
    try:
        size = float(value) * float(scale)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return None
    return size if math.isfinite(size) and size > 0.0 else None


def _quantity(value: Any, unit: str) -> float | None:
    if value is None:
        return None
    read: Callable[[Any], float] = lambda v: parse(_text(v), unit)  # noqa: E731
    try:
        return read(value) if isinstance(value, str | bytes) else _positive(value, 1.0)
    except InputError:
        return None


def _text(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
