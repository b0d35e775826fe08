"""A split of an array of examples, read when minibatches ask for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mlpkit_plugins.arrays.scaling import Scaling
    from mlpkit_plugins.formats.rows_on_disk import Rows


class ArraySplit:
    """Some rows of two arrays.

    Args:
        inputs: the examples.
        targets: what is to be predicted for each.
        rows: positions of the rows.
        scaling: what is done to inputs.
    """

    def __init__(self, inputs: Rows, targets: Rows, rows: NDArray[Any] | range, scaling: Scaling) -> None:
        self._inputs = inputs
        self._targets = targets
        self._rows = rows
        self._scaling = scaling

    def __len__(self) -> int:
        """Return the number of examples."""
        return len(self._rows)

    def take(self, indices: NDArray[Any], out: tuple[NDArray[Any], NDArray[Any]]) -> None:
        """Write the examples at ``indices`` into ``out``, and read no others.

        Args:
            indices: positions in this split, in any order, repeats allowed.
            out: arrays for inputs, shape (rows, *input_shape), and targets.
        """
        x, t = out
        rows = indices + self._rows.start if isinstance(self._rows, range) else self._rows[indices]
        self._scaling.write(self._inputs[rows], x)
        t[...] = self._targets[rows].reshape(t.shape)
