"""The places of arrays in one flat array."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import pairwise
from typing import Any, NamedTuple, TypeVar

import numpy as np

from mlpkit.array import Array
from mlpkit.components.parameter import Parameter, StepFactors, gapped_size, padded_view
from mlpkit.errors import NotEnoughMemoryError
from mlpkit.system import GET_MEMORY

T = TypeVar("T")

ALIGNMENT = 16
"""Elements; each array starts at a multiple, so that vector instructions find float32 at 64 bytes."""

BLOCK = 262_144
"""Elements of a block: with its gradient and two slots it stays in a cache of a few megabytes."""


class FlatLayout(NamedTuple):
    """Offsets of named arrays in a flat array.

    Args:
        offsets: where each array starts, in elements, by path.
        shapes: the shape of each, by path.
        size: length of the whole.
        factors: what weight decay and learning rate are multiplied by for each, by path; empty for state.
        frozen: paths of the arrays that training leaves as they are.
    """

    offsets: Mapping[str, int]
    shapes: Mapping[str, tuple[int, ...]]
    size: int
    factors: Mapping[str, StepFactors]
    frozen: frozenset[str] = frozenset()

    @classmethod
    def of_parameters(cls, parameters: Iterable[Parameter]) -> FlatLayout:
        """Lay out parameters, equal factors together and decaying ones first, otherwise in order."""
        together: dict[StepFactors, list[Parameter]] = {}
        for parameter in parameters:
            together.setdefault(parameter.factors, []).append(parameter)
        groups = sorted(together, key=lambda factors: factors.decay == 0)
        ordered = [parameter for factors in groups for parameter in together[factors]]
        layout = cls.of_shapes({parameter.path: parameter.shape for parameter in ordered})
        return layout._replace(factors={parameter.path: parameter.factors for parameter in ordered})

    @classmethod
    def of_shapes(cls, shapes: Mapping[str, tuple[int, ...]]) -> FlatLayout:
        """Lay out arrays in their order, from the shape of each by path."""
        offsets: dict[str, int] = {}
        end = 0
        for path, shape in shapes.items():
            offsets[path] = end
            end += -(-gapped_size(shape) // ALIGNMENT) * ALIGNMENT  # rounded up
        return cls(offsets, shapes, end, {})

    def zeros(self, dtype: np.dtype[Any]) -> Array:
        """Allocate a flat array, aligned in memory, of zeros, or raise ``NotEnoughMemoryError``."""
        alignment = ALIGNMENT * dtype.itemsize
        try:
            raw = np.zeros(self.size * dtype.itemsize + alignment, np.uint8)
        except (MemoryError, ValueError) as error:  # the second if no process could address so much
            msg = f"not enough memory for {self.size:,} numbers of {dtype.itemsize} bytes; {GET_MEMORY}"
            raise NotEnoughMemoryError(msg) from error
        start = -raw.ctypes.data % alignment
        return raw[start : start + self.size * dtype.itemsize].view(dtype)

    def view(self, flat: Array, path: str) -> Array:
        """Return the array of that path as a view of the flat array."""
        begin, end = self.extent(path)
        return padded_view(flat[begin:end], self.shapes[path])

    def trained(self) -> list[tuple[int, int]]:
        """Return start and end of each stretch of the flat array that training changes."""
        return [(begin, end) for begin, end, _ in self.trained_with(dict.fromkeys(self.offsets))]

    def trained_with(self, values: Mapping[str, T]) -> list[tuple[int, int, T]]:
        """Return the same, cut where the value of arrays, by path, changes; and the value of each stretch."""
        edges = pairwise([*self.offsets.values(), self.size])
        stretches: list[tuple[int, int, T]] = []
        for path, (begin, end) in zip(self.offsets, edges, strict=True):
            if path in self.frozen:
                continue
            joins = stretches and stretches[-1][1:] == (begin, values[path])
            stretches.append((stretches.pop()[0] if joins else begin, end, values[path]))
        return stretches

    def trained_blocks(self) -> list[tuple[int, int]]:
        """Cut what ``trained`` returns into blocks."""
        return [block for stretch in self.trained() for block in blocks(*stretch)]

    def extent(self, path: str) -> tuple[int, int]:
        """Return start and end of an array in the flat array; between its rows there may be gaps, which stay 0."""
        begin = self.offsets[path]
        return begin, begin + gapped_size(self.shapes[path])


def blocks(begin: int, end: int) -> list[tuple[int, int]]:
    """Cut a part of a flat array into blocks that stay in cache, and return start and end of each."""
    return [(first, min(first + BLOCK, end)) for first in range(begin, end, BLOCK)]
