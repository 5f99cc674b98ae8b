"""Result directories: opened by `Result.load`, written by `Journal` and `write_history`.

Opening and writing need numpy and h5py alone. The usual end of a run, on rank 0::

    recorded = Journal.read(directory)
    history = series(recorded.columns)
    frames = recorded.frames["surface"]
    surface = SurfaceTheta(angle, position, rock_salt, frames.time, frames.values)
    write_history(directory, history, surface=surface, theta_map=theta_map)
    write_steps(directory, steps)
    write_summary(directory, status="finished", steps=steps, balance={"lithium": drift},
                  counts=counts, timing=timing, observables=final_observables(history))
    Journal.remove(directory)
"""

from nmcsim.results.files import WriteFailure, write_atomically, write_json, writing
from nmcsim.results.headline import headline, headline_lines
from nmcsim.results.journal import Frames, Journal, Recorded
from nmcsim.results.particles import PARTICLE_QUANTITIES, Particles, ParticleSeries
from nmcsim.results.result import Result
from nmcsim.results.series import (
    QUANTITIES,
    FieldMap,
    Points,
    Quantity,
    Series,
    SurfaceTheta,
    ThetaMap,
    series,
)
from nmcsim.results.unreacted import RESOLVED, largest_distance, resolved
from nmcsim.results.write import (
    STATUSES,
    final_observables,
    table,
    write_history,
    write_steps,
    write_summary,
)

__all__ = [
    "PARTICLE_QUANTITIES",
    "QUANTITIES",
    "RESOLVED",
    "STATUSES",
    "FieldMap",
    "Frames",
    "Journal",
    "ParticleSeries",
    "Particles",
    "Points",
    "Quantity",
    "Recorded",
    "Result",
    "Series",
    "SurfaceTheta",
    "ThetaMap",
    "WriteFailure",
    "final_observables",
    "headline",
    "headline_lines",
    "largest_distance",
    "resolved",
    "series",
    "table",
    "write_atomically",
    "write_history",
    "write_json",
    "write_steps",
    "write_summary",
    "writing",
]
