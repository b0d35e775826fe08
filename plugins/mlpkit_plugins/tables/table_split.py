"""A split of a table, encoded row by row as minibatches ask for them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mlpkit_plugins.tables.encoder import TableEncoder
    from mlpkit_plugins.tables.table import Table


class TableSplit:
    """Some rows of a table.

    Args:
        table: the table, its codes those of the encoder.
        rows: positions of the rows.
        encoder: encodes inputs.
    """

    def __init__(self, table: Table, rows: NDArray[Any], encoder: TableEncoder) -> None:
        self._table = table
        self._rows = rows
        self._encoder = encoder
        self._inputs = len(encoder.numbers)

    def __len__(self) -> int:
        """Return the number of examples."""
        return len(self._rows)

    def take(self, indices: NDArray[Any], out: tuple[NDArray[Any], NDArray[Any]]) -> None:
        """Write the examples at ``indices`` into ``out``, and read no others.

        Args:
            indices: positions in this split, in any order, repeats allowed.
            out: arrays for inputs, shape (rows, width), and targets: shape (rows,) for classes, else (rows, columns).
        """
        x, t = out
        rows = self._rows.take(indices)
        numbers, codes = self._table.numbers.take(rows, axis=0), self._table.codes.take(rows, axis=0)
        self._encoder.write(numbers[:, : self._inputs], codes, x)
        t[...] = codes[:, -1] if self._table.columns.target_class is not None else numbers[:, self._inputs :]
