"""Orthogonal rows or columns."""

from __future__ import annotations

from math import prod
from typing import Annotated, Any

import numpy as np
from annotated_types import Gt

from mlpkit import Array, Fans, Initializer


class Orthogonal(Initializer):
    """Random matrix with orthogonal columns, or rows if there are fewer rows; it keeps the lengths of vectors.

        A = Q R,  A_ij ~ N(0, 1)
        W = gain Q diag(sign R_ii),  so that  WᵀW = gain² 1

    where Q has orthonormal columns and R is upper triangular. The signs make every such W equally probable. A matrix
    with more columns than rows is the transpose of one with more rows, and then WWᵀ = gain² 1. In an array of more or
    fewer than two axes, the last axis counts columns, and all others together count rows.

    Args:
        gain: the length of each column; √2 compensates for rectified linear units.

    Source: Saxe, McClelland and Ganguli, Exact Solutions to the Nonlinear Dynamics of Learning in Deep Linear Neural
        Networks (2014); the signs: Mezzadri, How to Generate Random Matrices from the Classical Compact Groups (2007).
    """

    gain: Annotated[float, Gt(0)] = 1.0

    def __call__(self, shape: tuple[int, ...], fans: Fans, rng: np.random.Generator, dtype: np.dtype[Any]) -> Array:
        """Draw an orthogonal matrix."""
        rows, columns = prod(shape[:-1]), prod(shape[-1:])
        A = rng.normal(size=(max(rows, columns), min(rows, columns)))
        Q, R = np.linalg.qr(A)
        W = Q * (self.gain * np.where(R.diagonal() < 0, -1.0, 1.0))
        return (W if rows >= columns else W.T).reshape(shape).astype(dtype)

    @classmethod
    def examples(cls) -> list[tuple[dict[str, Any], tuple[int, ...]]]:
        """Show it on tall weights, on wide weights, and on filters."""
        return [({}, (6, 3)), ({}, (3, 6)), ({"gain": 1.5}, (3, 3, 2, 4))]
