"""``nmcsim fit``: keys of a case from measurements."""

from __future__ import annotations

import argparse
import shlex
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nmcsim.cli.options import add_command, case_options, mesh_cache, whole_number

if TYPE_CHECKING:
    from nmcsim.fitting.question import Question
    from nmcsim.fitting.result import Fit, Look
    from nmcsim.measured import Measured

VARY = "KEY=LO:HI"


def add(commands: Any) -> None:
    """Put the command on the parser."""
    fit = add_command(commands, "fit", "find the values of keys that agree best with measurements")
    case_options(fit)
    fit.add_argument("measured", type=Path, metavar="MEASURED", help="measurements (measured.toml)")
    fit.add_argument(
        "--vary", action="append", default=[], metavar=VARY,
        help="a key and its interval, such as physics.rock_salt.coverage=0.1:0.9,"
        " geometry.diameter=2:3um, k=0.1:10:log@1; may be repeated",
    )  # fmt: skip
    fit.add_argument(
        "--only", action="append", default=[], metavar="NAME[,NAME]",
        help="measurements that count (all that have a number)",
    )  # fmt: skip
    fit.add_argument(
        "--out", type=Path, metavar="DIR",
        help="directory of the fit (results/NAME OF THE CASE-fit, with --coarse NAME-coarse-fit)",
    )  # fmt: skip
    fit.add_argument("--dry-run", action="store_true", help="say what would vary, solve nothing")
    fit.add_argument(
        "--step", type=float, metavar="SHARE",
        help="of the interval, over which slopes are taken (0.02)",
    )  # fmt: skip
    fit.add_argument(
        "--most", type=whole_number, metavar="N", help="points to look at, at most (40)"
    )
    fit.add_argument(
        "--workers", type=whole_number, metavar="N", help="cases at a time (the number of cores)"
    )
    fit.add_argument("--retry-failed", action="store_true", help="solve failed cases again")
    fit.add_argument(
        "--overwrite", action="store_true",
        help="replace another fit in DIR; cases that both share are not solved again",
    )  # fmt: skip
    fit.add_argument("--quiet", action="store_true", help="print nothing but mistakes")
    mesh_cache(fit)
    fit.set_defaults(run=run)


def run(options: argparse.Namespace, state: dict[str, Any]) -> int:
    """Fit, print the table, say where everything is."""
    from nmcsim.fitting.conduct import conduct
    from nmcsim.fitting.descent import MOST, STEP
    from nmcsim.stops import Interrupted

    asking, measured = _read(options)
    only = [n.strip() for text in options.only for n in text.split(",") if n.strip()]
    out = options.out or Path("results") / f"{options.case.stem}{'-coarse' * options.coarse}-fit"
    if options.dry_run:
        _say(_listed(asking, measured, only, options.workers))
        return 0
    asking = replace(asking, go_on=_command(options, out))
    goes_on = f"interrupted; to go on: {asking.go_on}"
    state["interrupted"] = goes_on
    said = _Progress(asking, options.quiet)
    said.begin(measured)
    try:
        made = conduct(
            asking, measured, only=only, out=out, workers=options.workers,
            mesh_cache=options.mesh_cache, step=STEP if options.step is None else options.step,
            most=options.most or MOST, retry_failed=options.retry_failed,
            overwrite=options.overwrite, each=said.look,
        )  # fmt: skip
    except Interrupted as error:
        raise Interrupted(goes_on) from error
    said.end(made)
    return 0


def _read(options: argparse.Namespace) -> tuple[Question, Measured]:
    """The case with what varies, and the measurements; the mistakes of both at once."""
    from nmcsim.errors import InputError, Mistake
    from nmcsim.fitting.question import question
    from nmcsim.fitting.varied import Asked, asked
    from nmcsim.measured import Measured

    keys: list[Asked] = []
    wrong: list[Mistake] = []
    for text in options.vary:
        try:
            keys += asked(text)
        except InputError as error:
            wrong += error.mistakes
    if wrong:
        raise InputError(wrong)
    asking = question(options.case, keys, options.overrides, coarse=options.coarse)
    return asking, Measured.read(options.measured)


def _command(options: argparse.Namespace, out: Path) -> str:
    words = ["nmcsim", "fit", str(options.case), str(options.measured)]
    words += [w for text in options.vary for w in ("--vary", text)]
    words += [w for text in options.overrides for w in ("--set", text)]
    words += [w for text in options.only for w in ("--only", text)]
    words += ["--coarse"] * options.coarse
    for name in ("step", "most", "workers"):
        value = getattr(options, name)
        words += [] if value is None else [f"--{name}", str(value)]
    return shlex.join([*words, "--out", str(out)])


def _listed(asking: Question, measured: Measured, only: list[str], workers: int | None) -> str:
    """What ``--dry-run`` prints."""
    from nmcsim.fitting.result import aligned
    from nmcsim.fitting.targets import Target
    from nmcsim.launch.conduct import cores
    from nmcsim.sweeps.status import duration
    from nmcsim.sweeps.timings import seconds

    target = Target(measured, only, Path())
    rows = [("key", "start", "interval", "scale")]
    for v in asking.varied:
        unit = "" if v.unit == "1" else f" {v.unit}"
        scale = "log" if v.log else "linear"
        rows.append((v.key, f"{v.start:g}{unit}", f"{v.low:g} to {v.high:g}{unit}", scale))
    lines = [str(asking.data.get("title", "")), "", *aligned(rows), ""]
    rows = [("measurement", "numbers", "unit", "uncertainty")]
    for e in target.entries:
        sure = "yes" if target.weighted else "no"
        count = target.numbers(e)
        rows.append((e.name, str(count), e.unit, sure))
    lines += [*aligned(rows), ""]
    plan = asking.plan([tuple(v.start for v in asking.varied)])
    each = len(asking.varied) + 1
    said = (
        f"{each} cases for each point that is looked at, all at once on {workers or cores()} cores"
    )
    taken = seconds(plan.kind, plan.cases[0].cost)
    if taken is not None:
        rounds = -(-each // (workers or cores()))
        said += f"; about {duration(rounds * taken)} a point, and some 5 to 15 points"
    return "\n".join([*lines, said])


def _say(text: str) -> None:
    from nmcsim.cli.commands import say

    say(text)


class _Progress:
    """One line for each point that the search looks at."""

    def __init__(self, asking: Question, quiet: bool) -> None:
        self.asking, self.quiet, self.began = asking, quiet, time.monotonic()
        self.count = 0

    def begin(self, measured: Measured) -> None:
        from nmcsim import __version__

        if self.quiet:
            return
        title = self.asking.data.get("title", "")
        _say(f"nmcsim {__version__}  {title}  (fit of {', '.join(self.asking.names)})")

    def look(self, look: Look) -> None:
        from nmcsim.sweeps.axes import short_names
        from nmcsim.sweeps.status import duration

        if self.quiet:
            return
        short = short_names(list(self.asking.names))
        values = "  ".join(
            f"{short[v.key]} {v.shown(value, 6)}"
            for v, value in zip(self.asking.varied, look.values, strict=True)
        )
        ended = "" if look.best else "  refused" if look.chi2 < float("inf") else "  no result"
        passed = duration(time.monotonic() - self.began)
        _say(
            f"  {self.count:3d}  sum {look.chi2:<10.6g}  {values}  ({look.cases} cases, {passed})"
            + ended
        )
        self.count += 1

    def end(self, made: Fit) -> None:
        if self.quiet:
            return
        _say(f"  ended: {made.reason}\n\n{made.table()}\n")
        for name, reason in made.unpaired.items():
            _say(f"  left out: {name}: {reason}")
        folder = made.directory
        _say(f"  best case  {folder / 'best.toml'}\n  page       {folder / 'fit.html'}")
