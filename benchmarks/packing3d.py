"""The packing in three dimensions: time and memory of a step, iterations against a factorisation.

Each measurement is a process of its own, so that its peak memory is its own:
``python -m benchmarks.packing3d '{"size": "2.3 um", "solver": "direct"}'``. All start alike, by
iterations. At the state then reached one system of Newton's method is solved either way, and a
step is counted as the run counts it: so many Jacobians and solves.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import nmcsim.runtime  # noqa: F401  (before any module below imports DOLFINx)

# isort: split
import numpy as np
from petsc4py import PETSc

from benchmarks.common import INSIDE, Clock, Row, peak_megabytes
from benchmarks.worker import ROOT, environment

CASE = Path(__file__).parent.parent / "cases" / "electrode_packing_3d.toml"
SIZES = ("2.2 um", "1.17 um", "0.73 um")  # about 27k, 100k and 310k unknowns
WARM, STEPS = 25, 10
DRIFT = 1e-8


class Noted:
    """A linear solver that notes the last system, how often it was factorised and solved."""

    def __init__(self, solver: Any) -> None:
        self.solver, self.factorised, self.solved = solver, 0, 0
        self.iterations: list[int] = []
        self.last: tuple[Any, Any, Any, Any] | None = None
        self._J: Any = None
        self._fields: Any = None

    def factorise(self, J: Any, fields: Sequence[slice]) -> None:
        self._J, self._fields = J, fields
        self.factorised += 1
        self.solver.factorise(J, fields)

    def solve(self, r: Any, x: Any) -> None:
        self.solver.solve(r, x)
        self.solved += 1
        self.iterations.append(self.solver.iterations)
        self.last = self._J, self._fields, r.copy(), x.copy()


def rows(sizes: Sequence[str] = SIZES) -> list[Row]:
    """The table's part on the packing; a quarter of an hour, most of it meshes on a first run."""
    found = []
    for size in sizes:
        iterative, direct = (_measured(size, solver) for solver in ("iterative", "direct"))
        found += [*_rows(iterative, "GMRES"), *_rows(direct, "MUMPS")]
        ratio = direct["step"] / iterative["step"]
        name = f"3D packing, {direct['unknowns']} unknowns, GMRES before MUMPS"
        found.append(Row(name, ratio, "", 1.0, note="CPU time of a step, assembly included"))
    return found


def _rows(run: dict[str, Any], solver: str) -> list[Row]:
    name = f"3D packing, {run['unknowns']} unknowns, {solver}"
    note = (
        f"CPU; {run['jacobians']:.1f} Jacobians ({run['setup']:.2f} s each) and {run['solves']:.1f}"
        f" solves ({run['solve']:.3f} s each) a step; assembly {run['assembly']:.2f} s"
    )
    found = [
        Row(f"{name}, a step", run["step"], "s", note=note),
        Row(f"{name}, peak memory", run["peak"], "MB"),
    ]
    if solver == "GMRES":
        found.append(Row(f"{name}, iterations of a solve", run["iterations"]))
        found.append(Row(f"{name}, drift of charge", run["drift"], "", DRIFT, True))
    else:
        note = "potentials of one solve, over the largest of them; GMRES stops at 1e-2"
        found.append(Row(f"{name}, GMRES from it", run["difference"], "", 0.1, True, note))
    return found


def _measured(size: str, solver: str, timeout: float = 3000.0) -> dict[str, Any]:
    """What a process of its own measures."""
    request = json.dumps({"size": size, "solver": solver})
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.packing3d", request],
        cwd=ROOT, env=environment(), capture_output=True, text=True, timeout=timeout, check=False,
    )  # fmt: skip
    if done.returncode:
        raise RuntimeError(f"the packing failed ({done.returncode}):\n{done.stderr[-2000:]}")
    return json.loads(done.stdout)  # type: ignore[no-any-return]


def measure(size: str, solver: str) -> dict[str, Any]:
    """Time and memory at one size of cells."""
    from mpi4py import MPI

    from nmcsim import load
    from nmcsim.mesh import build
    from nmcsim.models import MODELS
    from nmcsim.solve.drive import restart
    from nmcsim.solve.linear import LinearSolver
    from nmcsim.solve.ndf import NDF

    case = load(CASE, [f'geometry.cell_size="{size}"', 'numerics.linear_solver="iterative"'])
    mesh = build(case.geometry, case.patches, MPI.COMM_SELF)
    model = MODELS[case.model](case, mesh)
    problem = model.problem
    noted: Any = Noted(problem.solver)
    problem.solver = noted

    state = problem.state()
    state[problem.slice("theta")] = case.protocol.initial
    model.set_current(0.05 * model.one_c)
    ndf = NDF(problem, case.numerics.rtol, max_order=case.numerics.max_order)
    h_max = 72_000.0 / case.numerics.steps_per_phase
    restart(ndf, 0.0, state, h_max)

    def steps(count: int) -> None:
        upto = ndf.counts["steps"] + count
        while ndf.counts["steps"] < upto:
            ndf.step(h_max, 72_000.0)

    steps(WARM)
    problem.timing.clear()
    noted.factorised, noted.solved, noted.iterations = 0, 0, []
    began = time.process_time()
    steps(STEPS)
    spent = time.process_time() - began
    # timing is of the wall: its shares of the CPU time, which other programs disturb less
    share = spent / sum(problem.timing[name] for name in INSIDE)
    cost = {name: share * problem.timing[name] for name in INSIDE}
    found = {
        "unknowns": problem.global_size,
        "jacobians": noted.factorised / STEPS,
        "solves": noted.solved / STEPS,
        "assembly": cost["assembly"] / STEPS,
        "setup": cost["factorisation"] / max(noted.factorised, 1),
        "solve": cost["solve"] / max(noted.solved, 1),
        "step": spent / STEPS,
        "iterations": float(np.mean(noted.iterations)),
        "drift": abs(model.balances["charge"](ndf.u)),
    }
    if solver == "direct":
        J, fields, r, x = noted.last
        own = LinearSolver("direct")
        own.factorise(J, fields)  # its ordering is found once and kept
        y, clock = x.duplicate(), (Clock(), Clock())
        J.stateIncrease()  # or PETSc sees that it is the same
        clock[0](lambda: own.factorise(J, fields))
        for _ in range(3):
            clock[1](lambda: own.solve(r, y))
        setup, solve = clock[0].medians[1], clock[1].medians[1]
        found |= {
            "setup": setup,
            "solve": solve,
            "step": found["assembly"] + found["jacobians"] * setup + found["solves"] * solve,
            "difference": _difference(x, y, [problem.slice(n) for n in ("phi_s", "phi_l")]),
        }
    return found | {"peak": peak_megabytes()}


def _difference(x: PETSc.Vec, y: PETSc.Vec, fields: Sequence[slice]) -> float:
    """Largest difference of two solutions in some fields, over their largest entry there."""
    a, b = (np.concatenate([v.array_r[f] for f in fields]) for v in (x, y))
    return float(np.abs(a - b).max() / np.abs(b).max())


if __name__ == "__main__":
    print(json.dumps(measure(**json.loads(sys.argv[1]))))
