"""Sort the integrals of a residual by how they depend on the state.

Each integral of a block is one of

* ``source``   free of unknowns: assembled when a control changes,
* ``linear``   its derivatives do not depend on the state: assembled once, as matrices,
* ``general``  anything else: assembled at each evaluation.

A diffusion term in Kirchhoff form, a mass matrix with constant density and the row of a
scalar constraint are linear; a Butler-Volmer surface term is general.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import ufl
from ufl.algorithms import apply_derivatives, expand_derivatives, extract_coefficients
from ufl.algorithms.replace import replace
from ufl.classes import Zero

__all__ = ["Split", "split"]


@dataclass
class Split:
    """One row of the residual, by kind; forms may be absent (None)."""

    source: Any = None
    general: Any = None
    linear: dict[Any, Any] = field(default_factory=dict)  # coefficient -> bilinear form


def derivative(form: Any, coefficient: Any) -> Any:
    """Gateaux derivative of ``form``, expanded; None where it vanishes."""
    d = expand_derivatives(
        ufl.derivative(form, coefficient, ufl.TrialFunction(coefficient.function_space))
    )
    return None if d.empty() or all(isinstance(i.integrand(), Zero) for i in d.integrals()) else d


def split(form: Any, state: Sequence[Any]) -> Split:
    """Sort the integrals of ``form``; ``state`` lists the coefficients that move in time."""
    out = Split()
    moving = set(state)
    for integral in form.integrals():
        term = ufl.Form([integral])
        present = [c for c in extract_coefficients(term) if c in moving]
        if not present:
            out.source = _plus(out.source, term)
            continue
        derivatives = {c: derivative(term, c) for c in present}
        if any(
            moving & set(extract_coefficients(d)) for d in derivatives.values() if d is not None
        ):
            out.general = _plus(out.general, term)
            continue
        for c, d in derivatives.items():
            if d is not None:
                out.linear[c] = _plus(out.linear.get(c), d)
        rest = apply_derivatives.apply_derivatives(
            ufl.algorithms.apply_algebra_lowering.apply_algebra_lowering(
                replace(
                    term,
                    {
                        c: ufl.zero() if c.ufl_shape == () else ufl.zero(*c.ufl_shape)
                        for c in present
                    },
                )
            )
        )
        if not rest.empty() and not all(isinstance(i.integrand(), Zero) for i in rest.integrals()):
            out.source = _plus(out.source, rest)
    return out


def _plus(a: Any, b: Any) -> Any:
    return b if a is None else a + b
