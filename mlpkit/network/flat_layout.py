"""Where each array lies in one flat array."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from mlpkit.components.parameter import gapped_size, padded_view

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import NDArray

    from mlpkit.components.parameter import Parameter, State

ALIGNMENT = 16
"""Elements; each array begins at a multiple, so that vector instructions find float32 at 64 bytes."""

BLOCK = 262_144
"""Elements of a block: with its gradient and two slots it stays in a cache of a few megabytes."""


class FlatLayout(NamedTuple):
    """Offsets of named arrays in a flat array.

    Args:
        offsets: where each array begins, in elements, by path.
        shapes: the shape of each, by path.
        decaying: length of the part that weight decay applies to, which lies first.
        size: length of the whole.
        frozen: paths of the arrays that training leaves as they are.
    """

    offsets: Mapping[str, int]
    shapes: Mapping[str, tuple[int, ...]]
    decaying: int
    size: int
    frozen: frozenset[str] = frozenset()

    @classmethod
    def of_parameters(cls, parameters: Iterable[Parameter]) -> FlatLayout:
        """Lay out parameters, those that decay first, otherwise in their order."""
        ordered = list(parameters)
        first = [parameter for parameter in ordered if parameter.decay]
        rest = [parameter for parameter in ordered if not parameter.decay]
        decaying = sum(_padded(parameter.shape) for parameter in first)
        return cls._of([*first, *rest], decaying)

    @classmethod
    def of_states(cls, states: Iterable[State]) -> FlatLayout:
        """Lay out state in its order."""
        return cls._of(list(states), 0)

    @classmethod
    def _of(cls, arrays: list[Parameter] | list[State] | list[Parameter | State], decaying: int) -> FlatLayout:
        offsets: dict[str, int] = {}
        end = 0
        for array in arrays:
            offsets[array.path] = end
            end += _padded(array.shape)
        return cls(offsets, {array.path: array.shape for array in arrays}, decaying, end)

    def zeros(self, dtype: np.dtype[Any]) -> NDArray[Any]:
        """Allocate a flat array, aligned in memory, of zeros."""
        alignment = ALIGNMENT * dtype.itemsize
        raw = np.zeros(self.size * dtype.itemsize + alignment, np.uint8)
        start = -raw.ctypes.data % alignment
        return raw[start : start + self.size * dtype.itemsize].view(dtype)

    def view(self, flat: NDArray[Any], path: str) -> NDArray[Any]:
        """Return the array of that path as a view of the flat array."""
        begin, end = self.extent(path)
        return padded_view(flat[begin:end], self.shapes[path])

    def trained(self, begin: int = 0, end: int | None = None) -> list[tuple[int, int]]:
        """Return begin and end of each stretch of the flat array, or of a part, that training changes.

        Args:
            begin: where the part begins, at an array's first element.
            end: where it ends.
        """
        edges = pairwise([*self.offsets.values(), self.size])
        stretches: list[tuple[int, int]] = []
        for path, (first, after) in zip(self.offsets, edges, strict=True):
            if path in self.frozen or not begin <= first < (self.size if end is None else end):
                continue
            joins = stretches and stretches[-1][1] == first
            stretches.append((stretches.pop()[0] if joins else first, after))
        return stretches

    def trained_blocks(self, begin: int = 0, end: int | None = None) -> list[tuple[int, int]]:
        """Cut what ``trained`` returns into blocks."""
        return [block for stretch in self.trained(begin, end) for block in blocks(*stretch)]

    def extent(self, path: str) -> tuple[int, int]:
        """Return begin and end of an array in the flat array; between its rows there may be gaps, which stay 0."""
        begin = self.offsets[path]
        return begin, begin + gapped_size(self.shapes[path])


def _padded(shape: tuple[int, ...]) -> int:
    return -(-gapped_size(shape) // ALIGNMENT) * ALIGNMENT


def blocks(begin: int, end: int) -> list[tuple[int, int]]:
    """Cut a part of a flat array into blocks that stay in cache, and return begin and end of each."""
    return [(first, min(first + BLOCK, end)) for first in range(begin, end, BLOCK)]
