"""The source of a table: a file, or columns in memory, that is read in chunks of rows."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mlpkit import Array, DataError
from mlpkit_plugins.formats.texts import shown_text
from mlpkit_plugins.splits.positions import text_key
from mlpkit_plugins.tables.categories import MISSING, Codebook, NoCharactersError
from mlpkit_plugins.tables.columns import EXPECTED, Chunk, ColumnReader, Columns, WrongTextError, seconds_of
from mlpkit_plugins.tables.text_numbers import wrong_text


class Texts(NamedTuple):
    """A column of a block of rows as texts.

    Args:
        texts: texts, in the order of their first rows; two may be equal.
        positions: the position of each row's text, the number of texts if it is missing, shape (rows,).
    """

    texts: Sequence[str]
    positions: NDArray[np.integer[Any]]

    def first(self, index: int) -> int:
        """Return the first row of the block that has a text."""
        return int((self.positions == index).argmax())


class TableSource(ABC):
    """A table that is read in chunks of rows.

    A subclass implements ``blocks``, which yields blocks of rows with their numbers in the file as ``rows``, and gives
    columns of them, by position in ``Columns.names_in_file``, as numbers or texts.

    Args:
        name: its name in messages.
        header: the names of the columns.
        most_rows: an upper bound on the number of rows.
        missing: texts that mean a missing value.

    Attributes:
        kind: its kind in messages: ``file`` or ``table``.
        header_row: the row that holds the names; None if there isn't one.
        no_characters: what is wrong with a text whose bytes aren't valid characters.
    """

    kind = "file"
    header_row: int | None = None
    no_characters = "has bytes that are not valid characters"

    def __init__(self, name: str, header: Sequence[str], most_rows: int, missing: Collection[str]) -> None:
        self.name = name
        self.header = tuple(header)
        self.most_rows = most_rows
        self.missing = frozenset(missing)

    @property
    @abstractmethod
    def checksum(self) -> str:
        """The SHA-256 of the content."""

    def values(self) -> Mapping[str, Sequence[Any] | Array]:
        """Return all columns, unchanged."""
        return self.rows(self.header)

    @abstractmethod
    def rows(self, names: Sequence[str], numbers: NDArray[np.int64] | None = None) -> dict[str, list[Any]]:
        """Return all rows, or some by ascending numbers, unchanged, column by column; no others are kept in memory."""

    def texts(self, names: Sequence[str]) -> Iterator[tuple[NDArray[np.int64], Sequence[Sequence[str]]]]:
        """Return rows as texts, block by block: their numbers in the file, and each column; missing ones are empty."""
        for block in self.blocks(Columns((), tuple(names))):
            found = [self.texts_of(block, index, name) for index, name in enumerate(names)]
            yield block.rows, [np.array([*texts, ""], object).take(positions).tolist() for texts, positions in found]

    @abstractmethod
    def blocks(self, columns: Columns) -> Iterator[Any]:
        """Yield the rows of some columns, block by block."""

    @abstractmethod
    def plain_numbers(self, block: Any, index: int, name: str, columns: Columns) -> NDArray[np.float64]:
        """Return a column of numbers that has no reader; NaN for missing values."""

    @abstractmethod
    def texts_of(self, block: Any, index: int, name: str, reader: ColumnReader | None = None) -> Texts:
        """Return a column as texts, dates as its reader expects them."""

    def chunks(self, columns: Columns, codebooks: Sequence[Codebook]) -> Iterator[Chunk]:
        """Return the rows, chunk by chunk; new texts are added to the codebooks, one per column of texts.

        Raises:
            DataError: the file is damaged, or a value doesn't fit its column.
            ParameterError: the target doesn't hold what ``predict`` says.
        """
        names, count = columns.names_in_file, len(columns.all_numbers)
        for block in self.blocks(columns):
            numbers = self.all_numbers(block, columns)
            codes = np.empty((len(block.rows), len(codebooks)), np.int32)
            for index, book in enumerate(codebooks, count):
                codes[:, index - count] = self.codes(block, index, names[index], book)
            weights = keys = None
            if columns.weight is not None:
                weights = self.plain_numbers(block, count + len(codebooks), columns.weight, columns)
            if columns.key is not None:
                keys = self._keys(block, len(names) - 1, columns.key, times=columns.key_is_time)
            yield Chunk(block.rows, numbers, codes, keys, weights)

    def all_numbers(self, block: Any, columns: Columns) -> NDArray[np.float64]:
        """Return the columns of numbers, shape (rows, columns)."""
        numbers = np.empty((len(block.rows), len(columns.all_numbers)))
        for index, name in enumerate(columns.all_numbers):
            read = self._read if name in columns.readers else self.plain_numbers
            numbers[:, index] = read(block, index, name, columns)
        return numbers

    def _read(self, block: Any, index: int, name: str, columns: Columns) -> NDArray[np.float64]:
        """Return the numbers that a reader makes of texts."""
        reader = columns.readers[name]
        found = self.texts_of(block, index, reader.column, reader)
        try:
            numbers = reader.numbers(found.texts, self.missing)
        except WrongTextError as error:
            raise wrong_text(self.name, int(block.rows[found.first(error.index)]), columns, name, error) from error
        return np.append(numbers, np.nan).take(found.positions)

    def codes(self, block: Any, index: int, name: str, book: Codebook) -> NDArray[np.int32]:
        """Return the codes of a column of texts."""
        found = self.texts_of(block, index, name)
        try:
            codes = book.codes(found.texts)
        except NoCharactersError as error:
            row = int(block.rows[found.first(error.index)])
            message = f"{shown_text(found.texts[error.index])} {self.no_characters}"
            raise DataError(self.name, message, row=row, column=name) from error
        return np.append(codes, np.int32(MISSING)).take(found.positions)

    def _keys(self, block: Any, index: int, name: str, *, times: bool) -> NDArray[np.uint64]:
        """Return a number for each row: a hash of its text, or the bits of its time in seconds."""
        found = self.texts_of(block, index, name)
        texts = [*found.texts, ""] if (found.positions == len(found.texts)).any() else found.texts
        if not times:
            return np.fromiter(map(text_key, texts), np.uint64, len(texts)).take(found.positions)
        seconds = np.empty(len(texts))
        for place, text in enumerate(texts):
            try:
                seconds[place] = seconds_of(text)
            except ValueError as error:
                wrong = f"{shown_text(text)} is not a time; expected {EXPECTED}"
                wrong = wrong if text.strip() else "the time is missing"
                message = f"{wrong}; write one, or split by another column"
                raise DataError(self.name, message, row=int(block.rows[found.first(place)]), column=name) from error
        return seconds.view(np.uint64).take(found.positions)
