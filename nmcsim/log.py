"""Messages of a run: lines for people, JSON lines on disk.

Library code logs to `logger` (or a child of it) and never prints; numbers travel beside the line::

    logger.info("CC 1.00C  t 412.0 s", extra={"data": {"t": 412.0, "rate": 1.0}})

Nothing is shown or written unless a program asks for it by `to_stream` or `to_json_lines`.
"""

from __future__ import annotations

import json
import logging
import math
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TextIO

logger = logging.getLogger("nmcsim")
logger.addHandler(logging.NullHandler())
# a failed JIT compilation replaces the handlers of the root logger; ours are not there
logger.propagate = False


class JsonLines(logging.Formatter):
    """One JSON object for each record: time, level, message and what ``data`` holds."""

    def format(self, record: logging.LogRecord) -> str:
        moment = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        content = {
            "time": moment,
            "level": record.levelname.lower(),
            "message": record.getMessage(),
        }
        data: Mapping[str, Any] = getattr(record, "data", {})
        return json.dumps(content | {key: _plain(value) for key, value in data.items()})


class _File(logging.FileHandler):
    """A log that keeps silent where the disk is full: the files of the run say so."""

    def handleError(self, record: logging.LogRecord) -> None:
        if not isinstance(sys.exc_info()[1], OSError):
            super().handleError(record)

    def close(self) -> None:
        with suppress(OSError):
            super().close()


class _Stream(logging.StreamHandler[TextIO]):
    """A stream whose reader may go (``nmcsim run CASE | head``): the run goes on unseen."""

    def handleError(self, record: logging.LogRecord) -> None:
        if isinstance(sys.exception(), BrokenPipeError):
            self.setStream(open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115
        else:
            super().handleError(record)


def _plain(value: Any) -> Any:
    """What JSON can hold: NumPy scalars as numbers, what is not finite as null."""
    if hasattr(value, "item"):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value if isinstance(value, str | int | float | list | dict | None) else str(value)


@contextmanager
def to_stream(stream: TextIO | None = None, level: int = logging.INFO) -> Iterator[None]:
    """Show messages of `level` and above on `stream` (standard output), as plain lines."""
    with _handled(_Stream(stream or sys.stdout), logging.Formatter(), level):
        yield


@contextmanager
def to_json_lines(path: str | Path, level: int = logging.INFO) -> Iterator[None]:
    """Append messages of `level` and above to the file `path`, one JSON object in each line."""
    handler = _File(path, encoding="utf-8")
    with _handled(handler, JsonLines(), level):
        yield


@contextmanager
def _handled(handler: logging.Handler, form: logging.Formatter, level: int) -> Iterator[None]:
    handler.setFormatter(form)
    handler.setLevel(level)
    before = logger.level
    logger.addHandler(handler)
    logger.setLevel(min(level, before) if before else level)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(before)
        handler.close()
