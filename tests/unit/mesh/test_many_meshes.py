"""Models that nobody holds any more do not use up MPI's communicators."""

from __future__ import annotations

from tests.mpirun import mpirun

MANY = """
    import gc
    gc.disable()  # as if the collector never found the time
    from mpi4py import MPI
    from nmcsim import runtime
    from nmcsim.mesh import build
    from tests.crystals import crystal

    class Cycle:
        pass

    case = crystal('geometry.cell_size = "1 um"')
    for k in range(150):  # a mesh takes some twenty of 2,048 communicators
        held = Cycle()
        held.itself, held.mesh = held, build(case.geometry, case.patches, MPI.COMM_SELF)
    print("built", k + 1)
"""


def test_many_meshes_may_be_built_one_after_another() -> None:
    assert "built 150" in mpirun(1, MANY).stdout
