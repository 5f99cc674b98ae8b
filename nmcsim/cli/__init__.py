"""The command ``nmcsim``."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Sequence
from typing import Any

from nmcsim.cli.parser import parse
from nmcsim.cli.ranks import World, hold_threads, rank, refuse_ranks
from nmcsim.errors import InputError, NmcsimError

ALONE = ("film", "measure", "compare", "fit", "import")
"""Commands of one process."""
INTERRUPTED = 130
UNEXPECTED = 1


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Parameters
    ----------
    arguments : sequence of str, optional
        The words after ``nmcsim``; those of the process where not given.

    Returns
    -------
    int
        0; 2 after a wrong input, 3 after a run that could not go on, 130 after Ctrl-C, 1 after
        anything unexpected. No error shows a traceback unless ``NMCSIM_DEBUG=1``.
    """
    state: dict[str, Any] = {}
    hold_threads()
    try:
        return _command(arguments, state)
    except SystemExit as stop:  # --help
        return stop.code if isinstance(stop.code, int) else 0
    except BrokenPipeError:
        # the reader has gone (nmcsim show DIR | head): nothing is left to say, nor to flush at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        return _end(state, INTERRUPTED, state.get("interrupted", "interrupted"))
    except NmcsimError as error:
        return _end(state, error.exit_status, str(error))
    except OSError as error:
        if os.environ.get("NMCSIM_DEBUG") == "1":
            traceback.print_exc()
        return _end(state, InputError.exit_status, _of_the_system(error))
    except Exception as error:
        if os.environ.get("NMCSIM_DEBUG") == "1":
            traceback.print_exc()
        return _end(
            state,
            UNEXPECTED,
            f"nmcsim: unexpected {type(error).__name__}: {error}\n"
            "  this is a bug; NMCSIM_DEBUG=1 shows where, please report it",
        )


def _command(arguments: Sequence[str] | None, state: dict[str, Any]) -> int:
    from nmcsim.cli import commands

    options = parse(arguments)
    if options.version:
        return commands.version()
    if options.command is None:
        return 0
    if options.command in ALONE:
        refuse_ranks(options.command)
    run = getattr(options, "run", None) or commands.COMMANDS[options.command]
    status: int = run(options, state)
    sys.stdout.flush()
    return status


def _of_the_system(error: OSError) -> str:
    """What the operating system refused, in a sentence with the path."""
    reason = (error.strerror or str(error) or type(error).__name__).splitlines()[0]
    paths = [str(name) for name in (error.filename, error.filename2) if name is not None]
    where = " and ".join(paths) if paths else "nmcsim"
    return f"{where}: the system refuses it: {reason[:1].lower()}{reason[1:]}"


def _end(state: dict[str, Any], status: int, sentence: str) -> int:
    """Say why, on one rank, and leave with the other ranks."""
    first = rank() == 0
    if first:
        print(sentence, file=sys.stderr, flush=True)
    world: World | None = state.get("world")
    if world is not None:
        world.leave(status, "" if first else sentence)
    return status
