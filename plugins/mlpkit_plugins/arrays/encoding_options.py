"""What a spec says of how numbers and categories are encoded, whatever they come from."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Literal, TypeAlias, cast

from annotated_types import Ge

from mlpkit import EncodingLike, ParameterError

if TYPE_CHECKING:
    from mlpkit import Encoding

Written: TypeAlias = Literal["one_hot", "index", "ordinal"]
"""How a spec says that categories are written."""

Form: TypeAlias = Literal["one_hot", "sign", "index", "ordinal"]
"""How a column of categories is written."""


@dataclass(kw_only=True, eq=False)
class NumbersOption:
    """How numbers are encoded.

    Args:
        numbers: how the inputs that are numbers are encoded; by default as ``standardize`` says.
    """

    numbers: EncodingLike | None = None


@dataclass(kw_only=True, eq=False)
class ColumnOptions(NumbersOption):
    """How columns of numbers and of categories are encoded.

    Args:
        numbers_by_column: the encoding of single columns of numbers.
        categories: how the inputs that are categories are written: ``one_hot``, an element for each category;
            ``index``, the place of the category, for an embedding; ``ordinal``, its place as a number, encoded as
            numbers are. Categories are in numerical or alphabetical order; a missing one is all zeros, the index 0, or
            the mean.
        categories_by_column: the same for single columns.
        most_one_hot: a one-hot column with more categories than this is written as an index instead.
        sign_of_two: write a one-hot column of two categories as one element: 1 and -1, 0 if it is missing.
        encode_one_hot: encode what one-hot columns are written as in the way that ``numbers`` says.
    """

    numbers_by_column: dict[str, EncodingLike] = field(default_factory=dict)
    categories: Written = "one_hot"
    categories_by_column: dict[str, Written] = field(default_factory=dict)
    most_one_hot: Annotated[int, Ge(1)] | None = None
    sign_of_two: bool = False
    encode_one_hot: bool = False

    def encoding_of(self, name: str) -> Encoding | None:
        """Return the encoding of a column of numbers; None if ``standardize`` says what becomes of it."""
        return cast("Encoding | None", self.numbers_by_column.get(name, self.numbers))

    @property
    def for_categories(self) -> Encoding | None:
        """The encoding of what one-hot columns are written as; None for as it is."""
        return cast("Encoding", self.numbers) if self.encode_one_hot else None

    def form_of(self, name: str, count: int) -> Form:
        """Return how a column of so many categories is written."""
        form = self.categories_by_column.get(name, self.categories)
        if form == "one_hot" and self.most_one_hot is not None and count > self.most_one_hot:
            return "index"
        return "sign" if form == "one_hot" and self.sign_of_two and count == 2 else form

    def expect_numbers(self) -> None:
        """Make sure that ``numbers`` is there if something refers to it.

        Raises:
            ParameterError: it is not.
        """
        if self.numbers is None and self.numbers_by_column:
            message = "nothing says how the other columns are encoded"
            remedy = "set numbers: standardize for the others"
            raise ParameterError("numbers_by_column", message, expected="numbers, too", remedy=remedy)
        if self.numbers is None and self.encode_one_hot:
            message = "nothing says how they are encoded"
            raise ParameterError("encode_one_hot", message, expected="numbers, too", remedy="set numbers: standardize")
