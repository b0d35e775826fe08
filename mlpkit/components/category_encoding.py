"""Category encodings: how a column of categories becomes what a network takes, fitted on the training rows."""

from __future__ import annotations

import reprlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, NamedTuple, TypeAlias

import numpy as np

from mlpkit.components.component import Component
from mlpkit.components.encoding import UNUSABLE, learned_from_plain
from mlpkit.components.input_columns import InputColumn
from mlpkit.components.schema.component_types import OfKind
from mlpkit.errors import ModelFileError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mlpkit.components.encoding import Learned
    from mlpkit.components.graph import Graph, Value


@dataclass(frozen=True, eq=False)
class TrainingCategories:
    """A column of categories of the training rows, which an encoding is fitted on.

    Args:
        name: the column's name.
        categories: its categories, in numerical or alphabetical order; ``other``, for all that are rare, comes last.
        codes: the category of each row, as its position in ``categories``; -1 if it is missing; shape (rows,).
        targets: returns the targets of the rows, or None if they are unknown. Classes are numbers, in the order of the
            classes, shape (rows,); values and labels have the shape (rows, count).
    """

    name: str
    categories: Sequence[str]
    codes: NDArray[Any]
    targets: Callable[[], NDArray[Any] | None] = lambda: None


class CategoryEncoding(Component):
    """Turns a column of categories into what a network takes, with what it learned from the training rows.

    The object keeps nothing: each method gets what ``fit`` returned as ``learned``, and the column's ``categories``. A
    category is given as its code, its position among the column's categories; a missing or an unknown one is -1.

    If ``fit`` returns an array ``codebook``, with a row for each category and a last one for the code -1, the author
    need not write anything else: ``encode`` and ``onnx`` look up rows of it.

    Attributes:
        holds: what a column becomes: ``one_hot``, elements that show which category it is; ``numbers``, which the data
            set encodes as its other numbers; or ``categories``, indices for an embedding: integers from 1 up, and 0 for
            the code -1.
    """

    kind: ClassVar[str] = "category_encoding"
    holds: ClassVar[Literal["one_hot", "numbers", "categories"]] = "one_hot"

    def fit(self, column: TrainingCategories) -> Learned:
        """Return what the other methods need to know of the training rows, by default nothing.

        That is arrays of finite numbers by name.

        Raises:
            ParameterError: the encoding is not for such a column.
        """
        return {}

    def encode(self, codes: NDArray[Any], categories: Sequence[str], learned: Learned) -> NDArray[Any]:
        """Return the encoded rows, shape (rows, width): numbers or truth values; by default rows of the codebook.

        If the column becomes ``numbers``, NaN marks a missing one, as it may be for the code -1.

        Args:
            codes: the codes of the rows' categories, shape (rows,).
            categories: the column's categories.
            learned: what ``fit`` returned.
        """
        rows: NDArray[Any] = learned["codebook"][codes]
        return rows

    def features(self, column: str, categories: Sequence[str], learned: Learned) -> Sequence[str]:
        """Return the names of the elements; by default the column's name, with a number each if there are several."""
        (width,) = self.encode(np.empty(0, np.int32), categories, learned).shape[1:]
        return (column,) if width == 1 else [f"{column} ({place})" for place in range(width)]

    def onnx(self, graph: Graph, codes: Value, categories: Sequence[str], learned: Learned) -> Value:
        """Describe ``encode`` in operators, and return the encoded rows; by default rows of the codebook.

        Args:
            graph: where to add the operators.
            codes: the codes of the rows' categories, int64, shape (rows,).
            categories: the column's categories.
            learned: what ``fit`` returned.

        Raises:
            NotExportableError: the encoding can't be described.
        """
        places = graph.op("Where", graph.op("Less", codes, 0), len(categories), codes)
        return graph.op("Gather", learned["codebook"], places)


CategoryEncodingLike: TypeAlias = Annotated[CategoryEncoding | str | Mapping[str, Any], OfKind("category_encoding")]
"""A category encoding, its name, or a mapping from its name to its parameters."""


class FittedCategoryEncoding(NamedTuple):
    """A category encoding of a column, with what it learned of it.

    Args:
        encoding: the encoding.
        column: the column's name.
        categories: its categories.
        learned: what the encoding's ``fit`` returned.
    """

    encoding: CategoryEncoding
    column: str
    categories: tuple[str, ...]
    learned: Learned

    @classmethod
    def fit(cls, encoding: CategoryEncoding, column: TrainingCategories) -> FittedCategoryEncoding:
        """Fit an encoding on a column of the training rows."""
        return cls(encoding, column.name, tuple(column.categories), dict(encoding.fit(column)))

    def encode(self, codes: NDArray[Any]) -> NDArray[Any]:
        """Return the encoded rows, shape (rows, width).

        Args:
            codes: the codes of the rows' categories, -1 for a missing or an unknown one, shape (rows,).
        """
        return self.encoding.encode(codes, self.categories, self.learned)

    def features(self) -> tuple[str, ...]:
        """Return the names of the elements that the column becomes."""
        return tuple(self.encoding.features(self.column, self.categories, self.learned))

    def inputs(self) -> list[InputColumn]:
        """Return what the column is in an example."""
        holds, features = self.encoding.holds, self.features()
        if holds == "one_hot":
            return [InputColumn(self.column, holds, len(features))] if features else []
        if holds == "numbers":
            return [InputColumn(name, holds) for name in features]
        largest = self.encode(np.arange(-1, len(self.categories))).max(axis=0)
        return [InputColumn(name, holds, values=int(index) + 1) for name, index in zip(features, largest, strict=True)]

    def onnx(self, graph: Graph, codes: Value) -> Value:
        """Describe ``encode`` in operators, and return the encoded rows."""
        return self.encoding.onnx(graph, codes, self.categories, self.learned)

    def state(self) -> dict[str, Any]:
        """Return what was learned as plain data; nothing if nothing was."""
        return {name: values.tolist() for name, values in self.learned.items()}

    @classmethod
    def from_state(
        cls, encoding: CategoryEncoding, column: str, categories: Sequence[str], state: object
    ) -> FittedCategoryEncoding:
        """Take back what ``state`` returned, with the encoding and the column of the spec.

        Raises:
            ModelFileError: it didn't return that, or the encoding can't use it.
        """
        some = np.array(sorted({-1, min(0, len(categories) - 1), len(categories) - 1}))
        try:
            learned = learned_from_plain(state)
            fitted = cls(encoding, column, tuple(categories), learned)
            sound = np.shape(fitted.encode(some)) == (len(some), len(fitted.features()))
            sound &= len(learned.get("codebook", range(len(categories) + 1))) == len(categories) + 1
        except UNUSABLE:
            sound = False
        if not sound:
            who = f"what the encoding {encoding.registered_name} learned of the column '{column}'"
            raise ModelFileError(f"{who} is {reprlib.repr(state)}, which it can't use")
        return fitted
