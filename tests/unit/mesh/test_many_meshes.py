"""Models that nobody holds any more do not use up MPI's communicators."""

from __future__ import annotations

import pytest

from tests.mpirun import mpirun

MANY = """
    import gc
    gc.disable()  # as if the collector never found the time
    from mpi4py import MPI
    from nmcsim import runtime
    from nmcsim.mesh import build
    from tests.electrodes import electrode

    class Cycle:
        pass

    case = electrode()
    for k in range(120):  # a mesh and its parts take some twenty of 2,048 communicators
        held = Cycle()
        held.itself, held.mesh = held, build(case.geometry, (), MPI.COMM_SELF)
        held.parts = [held.mesh.part(name) for name in ("nmc", "solid", "ionic")]
    print("built", k + 1)
"""


@pytest.mark.slow
def test_many_meshes_may_be_built_one_after_another() -> None:
    assert "built 120" in mpirun(1, MANY).stdout


def test_a_model_that_nobody_holds_is_gone() -> None:
    """UFL would remember its functions, and with them its meshes, for ever."""
    import gc
    import weakref

    from nmcsim import runtime
    from tests.electrodes import electrode, meshed

    def made() -> weakref.ref[object]:
        model = MODELS["electrode"](case := electrode(), meshed(case))
        return weakref.ref(model.field.u)

    from nmcsim.models import MODELS

    gone = made()
    runtime.forget_forms()
    gc.collect()
    assert gone() is None
