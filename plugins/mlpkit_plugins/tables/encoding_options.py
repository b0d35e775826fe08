"""The parameters that set the encodings of numbers and categories."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pkgutil import resolve_name
from typing import Annotated

from annotated_types import Ge

from mlpkit import (
    CategoryEncoding,
    CategoryEncodingLike,
    ColumnName,
    Encoding,
    EncodingLike,
    FittedCategoryEncoding,
    ParameterError,
    TrainingCategories,
)
from mlpkit_plugins import mlpkit_components


@cache
def category_encodings() -> Mapping[str, type[CategoryEncoding]]:
    """Return the built-in encodings of categories, by name.

    A data set built in Python takes these names, but doesn't look up plugins.
    """
    declared = [each for each in mlpkit_components() if each.kind == CategoryEncoding.kind]
    return {each.name: resolve_name(str(each.target)) for each in declared}


@dataclass(kw_only=True, eq=False)
class ColumnOptions:
    """The encodings of columns of numbers and categories.

    Args:
        numbers: the encoding of numeric inputs; by default ``standardize`` decides.
        numbers_by_column: the encoding of single columns of numbers.
        categories: the encoding of inputs that are categories: ``one_hot``, an element for each category; ``index``,
            the position of the category, for an embedding; ``ordinal``, its position as a number, encoded like all
            numbers; ``sign``, 1 or -1 for two categories; or another encoding of categories.
        categories_by_column: the same for single columns.
        most_one_hot: a one-hot column with more categories than this becomes an ``index``.
        sign_of_two: make a one-hot column of two categories a ``sign``.
        encode_one_hot: apply the encoding ``numbers`` to one-hot columns and signs, too.
    """

    numbers: EncodingLike | None = None
    numbers_by_column: dict[ColumnName, EncodingLike] = field(default_factory=dict)
    categories: CategoryEncodingLike = "one_hot"
    categories_by_column: dict[ColumnName, CategoryEncodingLike] = field(default_factory=dict)
    most_one_hot: Annotated[int, Ge(1)] | None = None
    sign_of_two: bool = False
    encode_one_hot: bool = False

    @property
    def for_numbers(self) -> Encoding | None:
        """The encoding of numbers; None if ``standardize`` applies."""
        return built_encoding("numbers", self.numbers)

    def encoding_of(self, name: str) -> Encoding | None:
        """Return the encoding of a column of numbers; None if ``standardize`` applies."""
        chosen = self.numbers_by_column.get(name)
        return self.for_numbers if chosen is None else built_encoding("numbers_by_column", chosen)

    @property
    def for_categories(self) -> Encoding | None:
        """The encoding applied to one-hot columns and signs; None to leave them unchanged."""
        return self.for_numbers if self.encode_one_hot else None

    def category_encoding_of(self, name: str, count: int) -> CategoryEncoding:
        """Return the encoding of a column with ``count`` categories."""
        chosen = self.categories_by_column.get(name, self.categories)
        own = category_encodings()
        if isinstance(chosen, str) and chosen in own:
            chosen = own[chosen]()
        if not isinstance(chosen, own["one_hot"]):
            return self._built(name, chosen)
        if self.most_one_hot is not None and count > self.most_one_hot:
            return own["index"]()
        return own["sign"]() if self.sign_of_two and count == 2 else chosen

    def fitted_on(self, column: TrainingCategories) -> FittedCategoryEncoding:
        """Return the encoding of a column of categories, fitted on the training rows."""
        encoding = self.category_encoding_of(column.name, len(column.categories))
        try:
            return FittedCategoryEncoding.fit(encoding, column)
        except ParameterError as error:
            parameter = self._parameter_for(column.name)
            raise ParameterError(parameter, error.message, expected=error.expected, remedy=error.remedy) from error

    def check_numbers(self) -> None:
        """Check that ``numbers`` is set if another parameter refers to it."""
        if self.numbers is None and self.numbers_by_column:
            message = "the other columns have no encoding"
            remedy = "set numbers: standardize for them"
            raise ParameterError("numbers_by_column", message, expected="numbers, too", remedy=remedy)
        if self.numbers is None and self.encode_one_hot:
            message = "it applies the encoding numbers, which isn't set"
            raise ParameterError("encode_one_hot", message, expected="numbers, too", remedy="set numbers: standardize")

    def _built(self, name: str, chosen: CategoryEncodingLike) -> CategoryEncoding:
        """Check that an encoding of categories is an object, not a name."""
        if isinstance(chosen, CategoryEncoding):
            return chosen
        message = f"{chosen!r} is a name, which a data set built in Python can't look up"
        expected = f"an encoding, such as Index(), or one of {', '.join(category_encodings())}"
        raise ParameterError(self._parameter_for(name), message, expected=expected)

    def _parameter_for(self, name: str) -> str:
        return "categories_by_column" if name in self.categories_by_column else "categories"


def built_encoding(parameter: str, chosen: EncodingLike | None) -> Encoding | None:
    """Check that an encoding of numbers is an object, not a name."""
    if chosen is None or isinstance(chosen, Encoding):
        return chosen
    message = f"{chosen!r} is a name, which a data set built in Python can't look up"
    raise ParameterError(parameter, message, expected="an encoding, such as Standardize()")
