"""Arrays of examples, and a split of them, read minibatch by minibatch."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mlpkit import Array, DataError
from mlpkit_plugins.arrays.array_targets import weight_array
from mlpkit_plugins.arrays.raw_rows import holds, too_large, written
from mlpkit_plugins.arrays.scaling import ROWS_TOGETHER, Scaling
from mlpkit_plugins.files.regular_file import regular_file
from mlpkit_plugins.formats.npz_file import npz_array
from mlpkit_plugins.formats.rows_on_disk import Rows
from mlpkit_plugins.kernels import take_rows


class Examples(NamedTuple):
    """Arrays with a row for each example: inputs, targets and perhaps weights; their names in messages, and files."""

    inputs: Rows
    targets: Rows
    inputs_name: str
    targets_name: str
    files: tuple[Path, ...]
    weights: NDArray[np.float64] | None = None

    def parts(self, rows: Array | range) -> Iterator[Array]:
        """Return the inputs of some rows, block by block."""
        return (self.inputs[chosen] for chosen in _parts(rows))

    def target_parts(self, rows: Array | range) -> Iterator[Array]:
        """Return the targets of some rows, block by block."""
        return (self.targets[chosen] for chosen in _parts(rows))


def npz_examples(path: Path, name: str, inputs: str, targets: str, weights: str | None = None) -> Examples:
    """Open inputs, targets and perhaps weights, and read their headers."""
    with regular_file(path, name) as file:
        x, t = (npz_array(file, array, name) for array in (inputs, targets))
        examples = Examples(x, t, f"{name}, array '{inputs}'", f"{name}, array '{targets}'", (path,))
        if weights is None:
            return examples
        values, count = npz_array(file, weights, name)[:], t.shape[0] if t.shape else 0
    return examples._replace(weights=weight_array(values, count, f"{name}, array '{weights}'"))


class ArraySplit:
    """Some rows of two arrays; ``largest`` has upper bounds on the absolute values of inputs and targets."""

    def __init__(self, examples: Examples, rows: Array | range, scaling: Scaling, largest: tuple[float, float]) -> None:
        self._examples = examples
        self._inputs = examples.inputs
        self._targets = examples.targets
        self._rows = rows
        self._scaling = scaling
        self._largest = scaling.largest(largest[0]), largest[1]
        self._held_by: set[object] = set()

    def __len__(self) -> int:
        """Return the number of examples."""
        return len(self._rows)

    def take(self, indices: Array, out: tuple[Array, ...]) -> None:
        """Read the examples at ``indices`` into ``out``.

        Raises:
            DataError: a number of the arrays is too large for the dtype of ``out``, or a file was changed.
        """
        x, t, *weights = out
        if (x.dtype, t.dtype) not in self._held_by:
            self._check_range(x.dtype, t.dtype)
        rows = indices + self._rows.start if isinstance(self._rows, range) else self._rows[indices]
        if isinstance(self._inputs, np.ndarray) and self._is_unchanged(x):
            take_rows(self._inputs, rows, x)
        else:
            self._scaling.write(self._inputs[rows], x)
        t[...] = self._targets[rows].reshape(t.shape)
        if weights:
            weights[0][...] = 1.0 if self._examples.weights is None else self._examples.weights[rows]

    def _is_unchanged(self, x: Array) -> bool:
        """Whether inputs have the shape and dtype of ``x``, and are not scaled."""
        same = self._inputs.dtype == x.dtype and self._inputs.shape[1:] == x.shape[1:]
        scaling = self._scaling
        return same and scaling.means is None and not scaling.encodings and scaling.divide_by == 1

    def _check_range(self, inputs: np.dtype[Any], targets: np.dtype[Any]) -> None:
        """Check that all scaled numbers fit into these dtypes; usually the bounds prove it."""
        examples = self._examples
        if not holds(inputs, np.array(self._largest[0])):
            self._check_each_number(inputs, examples.inputs, examples.inputs_name, self._scaling)
        if not holds(targets, np.array(self._largest[1])):
            scaling = Scaling(examples.targets.shape[1:])
            self._check_each_number(targets, examples.targets, examples.targets_name, scaling)
        self._held_by.add((inputs, targets))

    def _check_each_number(self, dtype: np.dtype[Any], array: Rows, name: str, scaling: Scaling) -> None:
        for chosen in _parts(self._rows):
            raw = array[chosen]
            scaled = np.empty(raw.shape, dtype)
            with np.errstate(over="ignore"):
                scaling.write(raw, scaled)
            wrong = np.argwhere(~np.isfinite(scaled))
            if len(wrong):
                place = tuple(map(int, wrong[0]))
                example = np.arange(array.shape[0])[chosen][place[0]]
                number, of_it = float(raw[place]), float(scaling.scaled(raw)[place])
                message = too_large(dtype, number, of_it, "leave out the example")
                raise DataError(name, f"example {example}{written(list(place[1:]))}: {message}")


def _parts(rows: Array | range) -> Iterator[Array | slice]:
    """Yield blocks of rows, as slices or arrays."""
    for begin in range(0, len(rows), ROWS_TOGETHER):
        part = rows[begin : begin + ROWS_TOGETHER]
        yield slice(part.start, part.stop) if isinstance(part, range) else part
