"""From a form in UFL to compiled code that knows none of its numbers.

FFCx writes numbers into the code: another area, temperature or flux ratio would be another program
to compile. Here each number of a form becomes a constant first, so that whatever a sweep varies,
each structure of the equations is compiled once.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import ufl
from ufl.classes import BesselFunction, Power, RealValue
from ufl.corealg.traversal import unique_post_traversal

from nmcsim.runtime import dolfinx

__all__ = ["compiled", "without_numbers"]

STRUCTURE = frozenset({-1.0, 0.0, 1.0})
"""Numbers that UFL itself writes and simplifies; a parameter that takes one is one more variant."""


def compiled(form: Any, **options: Any) -> Any:
    """`dolfinx.fem.form` of a form whose numbers have become constants.

    Parameters
    ----------
    form : ufl.Form
    **options
        As of `dolfinx.fem.form`: ``entity_maps``, ``jit_options``, ...

    Returns
    -------
    dolfinx.fem.Form
    """
    return dolfinx.fem.form(without_numbers(form), **options)


def without_numbers(form: Any) -> Any:
    """The form with a `dolfinx.fem.Constant` in place of each number in an integrand.

    Equal numbers of one integral share a constant, so that no subexpression is computed twice.
    """
    return ufl.Form([i.reconstruct(_free(i.integrand(), i.ufl_domain())) for i in form.integrals()])


def _free(integrand: Any, domain: Any) -> Any:
    """An integrand without numbers."""
    constants: dict[float, Any] = {}
    done: dict[Any, Any] = {}
    for node in unique_post_traversal(integrand):
        new = node
        if isinstance(node, RealValue) and float(node) not in STRUCTURE:
            value = float(node)
            if value not in constants:
                constants[value] = dolfinx.fem.Constant(domain, np.float64(value))
            new = constants[value]
        elif node.ufl_operands:
            operands = [done[operand] for operand in node.ufl_operands]
            kept = _STRUCTURAL.get(type(node))
            if kept is not None:
                operands[kept] = node.ufl_operands[kept]
            if any(a is not b for a, b in zip(operands, node.ufl_operands, strict=True)):
                new = node._ufl_expr_reconstruct_(*operands)
        done[node] = new
    return done[integrand]


# the degree of quadrature depends on an exponent, and the code of a Bessel function on its order
_STRUCTURAL = {Power: 1} | dict.fromkeys(BesselFunction.__subclasses__(), 0)
