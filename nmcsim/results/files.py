"""Writing files so that a kill or a full disk never leaves a half-written one behind."""

from __future__ import annotations

import errno
import json
import math
import os
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from nmcsim.errors import RunFailure

GO_ON = "go on with --resume"
"""What is said to who runs a case; a sweep says its own command in place of it."""
NO_SPACE = (
    f"could not be written: the disk is full (or a quota is reached); free some space and {GO_ON}"
)
FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


class WriteFailure(RunFailure):
    """A file that could not be written; its sentence says which one, why and what to do."""


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn every operating-system error of the block into a `WriteFailure` that names ``path``.

    Parameters
    ----------
    path : Path
        What is being written, for the sentence.

    Raises
    ------
    WriteFailure
        The disk is full, read-only, over quota, or the folder may not be written.
    """
    try:
        yield
    except OSError as error:
        if error.errno in FULL:
            raise WriteFailure(f"{path}: {NO_SPACE}") from error
        reason = f"{error.strerror or error}; see that the folder exists and may be written"
        raise WriteFailure(f"{path}: could not be written: {reason}") from error


def write_atomically(path: Path, content: bytes, *, forced: bool = True) -> None:
    """Write ``content`` beside ``path``, force it to the disk, then rename it into place.

    Parameters
    ----------
    path : Path
    content : bytes
    forced : bool
        False leaves it to the kernel when the disk has it: a kill costs nothing then, a power cut
        may, and a shared file system keeps nobody waiting. For what is written again or can be had
        elsewhere.

    Raises
    ------
    WriteFailure
        As `writing`; the old file is then untouched and nothing lies beside it.
    """
    # containers on several machines may share process numbers, and write one file at a time
    aside = path.with_name(f".{path.name}.{os.getpid()}-{uuid.uuid4().hex[:8]}.tmp")
    try:
        with writing(path):
            with aside.open("wb") as file:
                file.write(content)
                file.flush()
                if forced:
                    os.fsync(file.fileno())
            os.replace(aside, path)
    finally:
        aside.unlink(missing_ok=True)


def plain(value: Any) -> Any:
    """``value`` as JSON can hold it: numpy becomes plain, what is not finite becomes None."""
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, np.ndarray):
        return plain(value.tolist())
    if isinstance(value, np.generic):
        return plain(value.item())
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, Path):
        return str(value)
    return value


def write_json(path: Path, content: Mapping[str, Any], *, forced: bool = True) -> None:
    """Write ``content`` as indented JSON, atomically; NaN and infinity become null.

    ``forced`` is that of `write_atomically`.

    Raises
    ------
    WriteFailure
        As `writing`.
    """
    text = json.dumps(plain(content), indent=2, allow_nan=False, ensure_ascii=False)
    write_atomically(path, (text + "\n").encode(), forced=forced)
