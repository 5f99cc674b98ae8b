"""``nmcsim film``: what a camera sees of a result."""

from __future__ import annotations

import argparse
import tomllib
from pathlib import Path
from typing import Any

from nmcsim.cli.options import add_command
from nmcsim.errors import InputError, Mistake

SHORT = {
    "interval": ("T", 'between frames, such as "8 s" (the recorded ones)'),
    "noise": ("ELECTRONS", "shot noise of a pixel that holds so many electrons (none)"),
    "drift": ("D", 'random walk per frame, such as "5 nm", or velocity, such as "1 nm/s, 0 nm/s"'),
    "seed": ("N", "of noise and random drift (0)"),
    "pixel": ("P", "edge of a pixel (34.7 nm)"),
    "resolution": ("R", "width of the optical blur (265 nm)"),
    "view": ("V", "from where: c, x or y (c)"),
}
"""Keys of a camera that have an option of their own."""


def add(commands: Any) -> None:
    """Put the command on the parser."""
    film = add_command(commands, "film", "film a result with a simulated camera")
    film.add_argument("directory", type=Path, metavar="RESULT", help="result directory")
    film.add_argument(
        "-o", "--out", type=Path, metavar="FILE",
        help="OME-TIFF of the frames (frames.ome.tif in RESULT)",
    )  # fmt: skip
    film.add_argument("--movie", type=Path, metavar="FILE", help="movie besides (.mp4 or .gif)")
    film.add_argument(
        "--show", choices=("differential", "raw"), default="differential",
        help="what the movie shows: dI/I1 on the particle (default), or the frames as they are",
    )  # fmt: skip
    film.add_argument("--labels", type=Path, metavar="FILE", help="TIFF of the particles' numbers")
    film.add_argument("--camera", type=Path, metavar="FILE", help="TOML file, or one with [camera]")
    film.add_argument(
        "--set", action="append", default=[], dest="overrides", metavar="KEY=VALUE",
        help='change a key of the camera, such as binning=20 or margin="1 um"; several may follow',
    )  # fmt: skip
    for name, (metavar, about) in SHORT.items():
        film.add_argument(f"--{name}", metavar=metavar, help=about)
    film.add_argument("--quiet", action="store_true", help="print nothing but mistakes")
    film.set_defaults(run=run)


def run(options: argparse.Namespace, state: dict[str, Any]) -> int:
    """Film, and say what was written."""
    from nmcsim.cli.commands import say
    from nmcsim.film import film
    from nmcsim.results import Result
    from nmcsim.units import display

    camera = camera_of(options)
    result = Result.load(options.directory)
    out = options.out or options.directory / "frames.ome.tif"
    made = film(result, camera, out, options.movie, options.labels, options.show)
    if options.quiet:
        return 0
    k, h, w = made.shape
    first, last = float(made.time[0]), float(made.time[-1])
    say(f"  {k} frames of {w} x {h} pixels of {display(camera.pixel, 'm')}")
    say(f"  from {first:.6g} s to {last:.6g} s")
    for notice in made.notices:
        say(f"  note: {notice}")
    for what, path in (("frames", made.path), ("movie", made.movie), ("labels", made.labels)):
        if path is not None:
            say(f"  {what:<7} {path}")
    return 0


def camera_of(options: argparse.Namespace) -> Any:
    """The camera of the file, the changes, and the short options, in this order."""
    from nmcsim.imaging.camera import Camera

    table: dict[str, Any] = {}
    folder = Path()
    if options.camera is not None:
        table |= _read(options.camera)
        folder = options.camera.parent
    mistakes: list[Mistake] = []
    for text in options.overrides:
        key, equals, value = text.partition("=")
        if not equals or not key.strip():
            mistakes.append(Mistake(f"--set {text}", "is not KEY=VALUE, such as binning=20"))
            continue
        table[key.strip().removeprefix("camera.")] = _value(value.strip())
    for name in SHORT:
        if (said := getattr(options, name)) is not None:
            table[name] = _drift(said) if name == "drift" else _value(said)
    if "signal" in table and any(
        t.replace(" ", "").startswith("signal=") for t in options.overrides
    ):
        table.pop("law", None)
    try:
        camera = Camera.from_table(table, folder=folder)
    except InputError as error:
        raise InputError((*mistakes, *error.mistakes), str(options.camera or "")) from None
    if mistakes:
        raise InputError(mistakes)
    return camera


def _drift(text: str) -> Any:
    parts = [part.strip() for part in text.split(",")]
    if len(parts) > 1:
        return {"velocity": parts}
    return {"table": text} if text.endswith(".csv") else {"walk": text}


def _value(text: str) -> Any:
    """A value as TOML writes it; a text needs no quotes."""
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def _read(path: Path) -> dict[str, Any]:
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(
            Mistake("", f"cannot be read: {error.strerror or error}"), str(path)
        ) from None
    except ValueError as error:
        raise InputError(Mistake("", f"is no TOML file: {error}"), str(path)) from None
    table = found.get("camera", found)
    if not isinstance(table, dict):
        raise InputError(Mistake("camera", "must be a table of keys and values"), str(path))
    return dict(table)
