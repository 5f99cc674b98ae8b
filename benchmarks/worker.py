"""One run of the time stepping in a process of its own, on any number of ranks; JSON to stdout.

``mpirun -n 2 python -m benchmarks.worker '{"overrides": ["geometry.cell_size=..."], "t_end": 60}'``
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
LAUNCHER = ("PMI", "HYDRA", "MPIR", "PMIX", "MPI_LOCAL")  # what a launcher leaves behind


def environment(**extra: str) -> dict[str, str]:
    """For a process that starts its own MPI."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(LAUNCHER)}
    return kept | {"OMP_NUM_THREADS": "1"} | extra


def stepping(
    overrides: Sequence[str], t_end: float, ranks: int = 1, timeout: float = 300.0, **more: Any
) -> dict[str, Any]:
    """What a worker on so many ranks finds: unknowns, steps, seconds, drift, memory.

    Parameters
    ----------
    overrides : sequence of str
        Of the case.
    t_end : float
        Of the charge [s].
    ranks : int
    timeout : float
        [s]
    **more
        ``path`` of another case, ``scale`` of its cells, ``rate`` [C].
    """
    request = json.dumps({"overrides": list(overrides), "t_end": t_end} | more)
    launch = [str(Path(sys.prefix) / "bin" / "mpirun"), "-n", str(ranks)] if ranks > 1 else []
    done = subprocess.run(
        [*launch, sys.executable, "-m", "benchmarks.worker", request],
        cwd=ROOT, env=environment(), capture_output=True, text=True, timeout=timeout, check=False,
    )  # fmt: skip
    if done.returncode:
        raise RuntimeError(f"a worker failed ({done.returncode}):\n{done.stderr[-2000:]}")
    return json.loads(done.stdout)  # type: ignore[no-any-return]


def main() -> None:
    """Answer one request."""
    from benchmarks.common import CASE, Stepper, peak_megabytes

    asked = json.loads(sys.argv[1])
    rate = asked.get("rate", 1.0)
    path, scale = ROOT / asked.get("path", CASE), asked.get("scale", 1.0)
    stepper = Stepper(asked["overrides"], path=path, scale=scale)
    comm = stepper.problem.comm
    rtol = stepper.case.numerics.rtol
    stepper.run(rtol, (), 0.02 * asked["t_end"], rate)  # memory and symbolic parts are there
    run = stepper.run(rtol, (), asked["t_end"], rate)
    peak = comm.allgather(peak_megabytes())
    cpu = comm.allgather(run.cpu)
    if comm.rank == 0:
        found = {
            "unknowns": stepper.unknowns,
            "steps": run.counts["steps"],
            "wall": run.wall,
            "cpu": cpu,
            "drift": run.drift,
            "peak_megabytes": peak,
            "timing": {name: run.timing[name] for name in run.timing},
        }
        print(json.dumps(found))


if __name__ == "__main__":
    main()
