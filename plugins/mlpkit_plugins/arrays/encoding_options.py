"""What a spec says of how numbers and categories are encoded, whatever they come from."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from pkgutil import resolve_name
from typing import TYPE_CHECKING, Annotated

from annotated_types import Ge

from mlpkit import (
    CategoryEncoding,
    CategoryEncodingLike,
    Encoding,
    EncodingLike,
    FittedCategoryEncoding,
    ParameterError,
)
from mlpkit_plugins import mlpkit_components

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlpkit import TrainingCategories


@cache
def category_encodings() -> Mapping[str, type[CategoryEncoding]]:
    """Return the encodings of categories that come with mlpkit, by name.

    A data set built in Python may be given their names, though it looks up no plugins.
    """
    declared = [each for each in mlpkit_components() if each.kind == CategoryEncoding.kind]
    return {each.name: resolve_name(str(each.target)) for each in declared}


@dataclass(kw_only=True, eq=False)
class NumbersOption:
    """How numbers are encoded.

    Args:
        numbers: how the inputs that are numbers are encoded; by default as ``standardize`` says.
    """

    numbers: EncodingLike | None = None

    @property
    def for_numbers(self) -> Encoding | None:
        """The encoding of numbers; None if ``standardize`` says what becomes of them.

        Raises:
            ParameterError: the data set was built in Python, with a name in place of an encoding.
        """
        return built_encoding("numbers", self.numbers)


@dataclass(kw_only=True, eq=False)
class ColumnOptions(NumbersOption):
    """How columns of numbers and of categories are encoded.

    Args:
        numbers_by_column: the encoding of single columns of numbers.
        categories: how the inputs that are categories are encoded: ``one_hot``, an element for each category;
            ``index``, the place of the category, for an embedding; ``ordinal``, its place as a number, encoded as
            numbers are; ``sign``, 1 or -1 for two categories; or another encoding of categories.
        categories_by_column: the same for single columns.
        most_one_hot: a one-hot column with more categories than this is an ``index`` instead.
        sign_of_two: make a one-hot column of two categories a ``sign``.
        encode_one_hot: encode what one-hot columns and signs become in the way that ``numbers`` says.
    """

    numbers_by_column: dict[str, EncodingLike] = field(default_factory=dict)
    categories: CategoryEncodingLike = "one_hot"
    categories_by_column: dict[str, CategoryEncodingLike] = field(default_factory=dict)
    most_one_hot: Annotated[int, Ge(1)] | None = None
    sign_of_two: bool = False
    encode_one_hot: bool = False

    def encoding_of(self, name: str) -> Encoding | None:
        """Return the encoding of a column of numbers; None if ``standardize`` says what becomes of it.

        Raises:
            ParameterError: the data set was built in Python, with a name in place of an encoding.
        """
        chosen = self.numbers_by_column.get(name)
        return self.for_numbers if chosen is None else built_encoding("numbers_by_column", chosen)

    @property
    def for_categories(self) -> Encoding | None:
        """The encoding of what one-hot columns and signs become; None for as it is."""
        return self.for_numbers if self.encode_one_hot else None

    def category_encoding_of(self, name: str, count: int) -> CategoryEncoding:
        """Return the encoding of a column of so many categories.

        Raises:
            ParameterError: the data set was built in Python, and the name of its encoding is not that of a built-in.
        """
        chosen = self.categories_by_column.get(name, self.categories)
        own = category_encodings()
        if isinstance(chosen, str) and chosen in own:
            chosen = own[chosen]()
        if not isinstance(chosen, own["one_hot"]):
            return self._expect_built(name, chosen)
        if self.most_one_hot is not None and count > self.most_one_hot:
            return own["index"]()
        return own["sign"]() if self.sign_of_two and count == 2 else chosen

    def fitted_on(self, column: TrainingCategories) -> FittedCategoryEncoding:
        """Return the encoding of a column of categories, fitted on the training rows.

        Raises:
            ParameterError: the encoding is not for such a column.
        """
        encoding = self.category_encoding_of(column.name, len(column.categories))
        try:
            return FittedCategoryEncoding.fit(encoding, column)
        except ParameterError as error:
            parameter = self._parameter_for(column.name)
            raise ParameterError(parameter, error.message, expected=error.expected, remedy=error.remedy) from error

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

    def _expect_built(self, name: str, chosen: CategoryEncodingLike) -> CategoryEncoding:
        """Return an encoding that is no name any more."""
        if isinstance(chosen, CategoryEncoding):
            return chosen
        message = f"{chosen!r} is a name, which a data set built in Python can't look up"
        expected = f"an encoding, such as Index(), or one of {', '.join(category_encodings())}"
        raise ParameterError(self._parameter_for(name), message, expected=expected)

    def _parameter_for(self, name: str) -> str:
        return "categories_by_column" if name in self.categories_by_column else "categories"


def built_encoding(parameter: str, chosen: EncodingLike | None) -> Encoding | None:
    """Return an encoding of numbers that is no name any more."""
    if chosen is None or isinstance(chosen, Encoding):
        return chosen
    message = f"{chosen!r} is a name, which a data set built in Python can't look up"
    raise ParameterError(parameter, message, expected="an encoding, such as Standardize()")
