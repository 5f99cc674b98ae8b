"""Sort the integrals of a residual by how they depend on the state.

Each integral of a block is one of

* ``source``   free of unknowns: assembled when a control changes,
* ``linear``   its derivatives do not depend on the state: assembled once, as matrices,
* ``product``  linear in an unknown and in a nodal law: sparse products with a constant tensor,
* ``general``  anything else: assembled at each evaluation.

A diffusion term in Kirchhoff form, a mass matrix with constant density and the row of a
scalar constraint are linear; a Butler-Volmer surface term is general.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
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
    product: dict[Any, Any] = field(default_factory=dict)  # (unknown, law) -> dF/du


def derivative(form: Any, coefficient: Any) -> Any:
    """Gateaux derivative of ``form``, expanded; None where it vanishes."""
    if coefficient not in form.coefficients():  # most do not occur: nothing to expand
        return None
    d = expand_derivatives(
        ufl.derivative(form, coefficient, ufl.TrialFunction(coefficient.function_space))
    )
    return None if d.empty() or all(isinstance(i.integrand(), Zero) for i in d.integrals()) else d


def split(
    form: Any,
    state: Sequence[Any],
    laws: Collection[Any] = (),
    controls: Collection[Any] = (),
) -> Split:
    """Sort the integrals of ``form``.

    Parameters
    ----------
    form : ufl.Form
    state : sequence of coefficients
        Those that move in time.
    laws : collection of coefficients
        Which of them are nodal laws whose products with unknowns are told apart.
    controls : collection of constants
        What may change: a product that contains one stays general.
    """
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
            pair = _product(derivatives, laws, moving)
            if pair is None or set(term.constants()) & set(controls):
                out.general = _plus(out.general, term)
            else:
                out.product[pair] = _plus(out.product.get(pair), derivatives[pair[0]])
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


def _product(
    derivatives: dict[Any, Any], laws: Collection[Any], moving: set[Any]
) -> tuple[Any, Any] | None:
    """The unknown and the law that a term is the product of, if it is one of cells."""
    if len(derivatives) != 2 or any(d is None for d in derivatives.values()):
        return None
    (a, b) = derivatives
    u, w = (b, a) if a in laws else (a, b)
    if w not in laws or u in laws:
        return None
    first, second = derivatives[u], derivatives[w]
    if any(i.integral_type() != "cell" for i in first.integrals()):
        return None
    if (moving & set(extract_coefficients(first))) != {w}:
        return None
    if (moving & set(extract_coefficients(second))) != {u}:
        return None
    mixed = derivative_of(first, w)
    if mixed is None or moving & set(extract_coefficients(mixed)):
        return None
    rest = expand_derivatives(replace(first, {w: ufl.zero()}))
    empty = rest.empty() or all(isinstance(i.integrand(), Zero) for i in rest.integrals())
    return (u, w) if empty else None


def derivative_of(form: Any, coefficient: Any) -> Any:
    """Derivative of a form that has arguments, in the direction of a coefficient; None if zero."""
    direction = ufl.Coefficient(coefficient.ufl_function_space())
    d = expand_derivatives(ufl.derivative(form, coefficient, direction))
    return None if d.empty() or all(isinstance(i.integrand(), Zero) for i in d.integrals()) else d


def _plus(a: Any, b: Any) -> Any:
    return b if a is None else a + b
