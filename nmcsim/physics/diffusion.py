"""Diffusion of lithium in a layered crystal."""

from __future__ import annotations

from typing import Any

import ufl

__all__ = ["in_layers"]


def in_layers(gradient: Any, ratio_c: float) -> Any:
    """The gradient as a crystal with its c-axis along z conducts it: diag(1, 1, D_c/D_ab) gradient.

    Parameters
    ----------
    gradient : UFL vector of dimension 2 (the ab-plane) or 3
    ratio_c : float
        D_c / D_ab; 0 in the paper.

    References
    ----------
    Lun et al., Supplementary Information, Eq. 9.
    """
    if gradient.ufl_shape == (3,):
        return ufl.as_vector((gradient[0], gradient[1], ratio_c * gradient[2]))
    return gradient
