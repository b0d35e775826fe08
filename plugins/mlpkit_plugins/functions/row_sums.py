"""Sums along the rows of a minibatch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlpkit_plugins.kernels import feature_sums

if TYPE_CHECKING:
    from numpy.typing import NDArray


def sum_rows(x: NDArray[Any], out: NDArray[Any]) -> None:
    """Set out to the sum of the rows of x.

    Args:
        x: shape (rows, ...).
        out: shape of a row; contiguous.
    """
    feature_sums(x.reshape(len(x), out.size), out.reshape(-1))
