"""Rows that lie further apart in memory than they are long, where that makes matrix products faster.

Where rows begin at multiples of 2 KiB, the same columns of many rows compete for the same few places in a cache, and
products of matrices lose 4 to 7 % of their speed. A gap of a cache line between rows ends that.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from numpy.typing import NDArray

COMPETING = 512
"""Elements; rows compete if their length is a multiple: in float32, of 2 KiB."""

GAP = 16
"""Elements; in float32 a cache line."""


def row_stride(shape: tuple[int, ...]) -> int:
    """Return how many elements rows, along the last axis, should lie apart: their length, or a little more.

    Args:
        shape: shape of the array.
    """
    length = shape[-1] if shape else 1
    return length + GAP if len(shape) > 1 and length and length % COMPETING == 0 else length


def with_gaps(memory: NDArray[Any], shape: tuple[int, ...]) -> NDArray[Any]:
    """Return the array whose rows lie in memory that far apart.

    Args:
        memory: contiguous, of ``gapped_size(shape)`` elements.
        shape: shape of the array.
    """
    stride = row_stride(shape)
    if not shape or stride == shape[-1]:
        return memory.reshape(shape)
    return memory.reshape(*shape[:-1], stride)[..., : shape[-1]]


def gapped_size(shape: tuple[int, ...]) -> int:
    """Return the elements of memory that an array takes if its rows lie that far apart."""
    size = row_stride(shape)
    for length in shape[:-1]:
        size *= length
    return size
