"""Encodings: how columns of numbers become what a network takes, fitted on the training rows."""

from __future__ import annotations

import reprlib
from abc import abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Final, NamedTuple, TypeAlias

import numpy as np

from mlpkit.components.component import Component
from mlpkit.components.schema.component_types import OfKind
from mlpkit.errors import ModelFileError, NotExportableError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mlpkit.components.graph import Graph, Value

    Learned = Mapping[str, NDArray[Any]]
    """What an encoding learned from the training rows: arrays of finite numbers, by name."""

NUMBERS_TOGETHER: Final = 1 << 22
"""Numbers of some columns that are in memory at once; in float64, 32 megabytes."""


@dataclass(frozen=True, eq=False)
class TrainingColumns:
    """Columns of numbers of the training rows, which an encoding is fitted on.

    They may be larger than memory: ``parts`` goes through the rows some at a time, as often as it is asked to.

    Args:
        rows: number of rows.
        columns: number of columns.
        parts: returns the rows in order, some at a time: arrays of float64, shape (some rows, columns), NaN where a
            number is missing.
        targets: returns the targets of the rows, or None if they are unknown, such as those of arrays. Classes are
            numbers, in the order of the classes, shape (rows,); values and labels have the shape (rows, count).
    """

    rows: int
    columns: int
    parts: Callable[[], Iterable[NDArray[Any]]]
    targets: Callable[[], NDArray[Any] | None] = lambda: None

    def blocks(self) -> Iterator[tuple[slice, NDArray[Any]]]:
        """Go through the columns, some at a time: which they are, and all their rows, shape (rows, some columns)."""
        together = max(NUMBERS_TOGETHER // max(self.rows, 1), 1)
        for begin in range(0, self.columns, together):
            columns = slice(begin, begin + together)
            yield columns, np.concatenate([part[:, columns] for part in self.parts()])

    def quantiles(self, shares: Sequence[float] | NDArray[Any]) -> NDArray[Any]:
        """Return quantiles of each column, shape (shares, columns), by linear interpolation; 0 if all are missing.

        Args:
            shares: the share of the numbers below each quantile, from 0 to 1.
        """
        found = np.zeros((len(shares), self.columns))
        for columns, numbers in self.blocks():
            present = ~np.isnan(numbers).all(axis=0)
            found[:, columns][:, present] = np.nanquantile(numbers[:, present], shares, axis=0)
        return found


class Encoding(Component):
    """Turns columns of numbers into what a network takes, with what it learned from the training rows.

    The object keeps nothing: each method gets what ``fit`` returned as ``learned``. Missing numbers are filled in
    before: only ``fit`` sees them, as NaN.
    """

    kind: ClassVar[str] = "encoding"

    @abstractmethod
    def fit(self, columns: TrainingColumns) -> Learned:
        """Return what ``encode`` needs to know of the training rows, as arrays of finite numbers by name."""

    @abstractmethod
    def encode(self, numbers: NDArray[Any], learned: Learned) -> NDArray[Any]:
        """Return the encoded rows, shape (rows, width); elements of a column are adjacent, in the order of the columns.

        Args:
            numbers: finite numbers in float64, shape (rows, columns); must be left as they are.
            learned: what ``fit`` returned.
        """

    def features(self, columns: Sequence[str], learned: Learned) -> Sequence[Sequence[str]]:
        """Return for each column the names of the elements that it becomes; by default one, with the column's name."""
        return [(name,) for name in columns]

    def onnx(self, graph: Graph, numbers: Value, learned: Learned) -> Value:
        """Describe ``encode`` in operators, and return the encoded rows, in float64.

        Args:
            graph: where to add the operators.
            numbers: finite numbers in float64, shape (rows, columns).
            learned: what ``fit`` returned.

        Raises:
            NotExportableError: the encoding doesn't describe itself, as by default.
        """
        raise NotExportableError(
            f"the encoding {self.registered_name} can't be exported: it has no method onnx; export the network alone "
            "with --network-only"
        )


EncodingLike: TypeAlias = Annotated[Encoding | str | Mapping[str, Any], OfKind("encoding")]
"""An encoding, its name, or a mapping from its name to its parameters."""


class FittedEncoding(NamedTuple):
    """An encoding of some columns, with what it learned of them.

    Args:
        encoding: the encoding.
        columns: names of the columns.
        learned: what its ``fit`` returned.
    """

    encoding: Encoding
    columns: tuple[str, ...]
    learned: Learned

    @classmethod
    def fit(cls, encoding: Encoding, columns: Sequence[str], training: TrainingColumns) -> FittedEncoding:
        """Fit an encoding on columns of the training rows, by their names."""
        return cls(encoding, tuple(columns), dict(encoding.fit(training)))

    def encode(self, numbers: NDArray[Any]) -> NDArray[Any]:
        """Return the encoded rows, shape (rows, width), of finite numbers in float64, shape (rows, columns)."""
        return self.encoding.encode(numbers, self.learned)

    def features(self) -> list[tuple[str, ...]]:
        """Return for each column the names of the elements that it becomes."""
        return [tuple(names) for names in self.encoding.features(self.columns, self.learned)]

    @property
    def width(self) -> int:
        """How many elements the columns become."""
        return len(list(chain(*self.features())))

    def onnx(self, graph: Graph, numbers: Value) -> Value:
        """Describe ``encode`` in operators, and return the encoded rows, in float64."""
        return self.encoding.onnx(graph, numbers, self.learned)

    def state(self) -> dict[str, Any]:
        """Return columns and what was learned as plain data."""
        return {"columns": list(self.columns), "learned": {name: a.tolist() for name, a in self.learned.items()}}

    @classmethod
    def from_state(cls, encoding: Encoding, state: object) -> FittedEncoding:
        """Take back what ``state`` returned, with the encoding of the spec.

        Raises:
            ModelFileError: it didn't return that, or the encoding can't use it.
        """
        try:
            columns = tuple(map(str, state["columns"]))  # type: ignore[index]
            fitted = cls(encoding, columns, learned_from_plain(state["learned"]))  # type: ignore[index]
            with np.errstate(all="ignore"):
                sound = np.shape(fitted.encode(np.zeros((1, len(columns))))) == (1, fitted.width)
        except UNUSABLE:
            sound = False
        if not sound:
            name = encoding.registered_name
            raise ModelFileError(f"what the encoding {name} learned is {reprlib.repr(state)}, which it can't use")
        return fitted


UNUSABLE: Final = (TypeError, ValueError, KeyError, IndexError, AttributeError)
"""What an encoding raises that is given what it didn't learn."""


def learned_from_plain(plain: Any) -> Learned:
    """Return what an encoding learned, as ``fit`` returned it, from lists of numbers by name, or raise ``UNUSABLE``."""
    return {str(name): np.asarray_chkfinite(numbers, np.float64) for name, numbers in plain.items()}
