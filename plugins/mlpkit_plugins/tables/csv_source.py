"""A table from a CSV file."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from mlpkit import DataError
from mlpkit_plugins.formats.csv_fields import FieldBlock
from mlpkit_plugins.formats.csv_file import Block, CsvFile, Numbers
from mlpkit_plugins.formats.shown_text import shown_text
from mlpkit_plugins.tables.categories import Codebook, NoCharactersError
from mlpkit_plugins.tables.readers import NotATimeError, WrongTextError
from mlpkit_plugins.tables.row_keys import keys_of, no_time
from mlpkit_plugins.tables.source import Chunk, Columns
from mlpkit_plugins.tables.text_numbers import NotANumberError, NumberFormat, numbers_among, numbers_of, without
from mlpkit_plugins.tables.wrong_number import Place, check_numbers, wrong_number, wrong_text


class CsvSource:
    """The columns of a CSV file, as numbers and as codes of texts.

    Args:
        file: the CSV file.
        missing: texts that mean a missing value.
        written: the format of numbers.
    """

    def __init__(self, file: CsvFile, missing: Collection[str], written: NumberFormat) -> None:
        self.kind = "file"
        self._file = file
        self._written = written
        self._missing = frozenset(missing)
        self._numbers_mean_missing = bool(numbers_among(self._missing))
        self.name = file.name
        self.header = file.header
        self.header_row = file.header_row
        self.most_rows = file.most_rows
        self.checksum = file.checksum

    def values(self) -> dict[str, list[str]]:
        """Return all columns as the texts of the file."""
        columns: dict[str, list[str]] = {name: [] for name in self.header}
        for block in self._file.blocks(self.header):
            for name, texts in zip(self.header, block.columns, strict=True):
                columns[name] += texts
        return columns

    def rows(self, names: Sequence[str], numbers: NDArray[np.int64]) -> dict[str, list[str]]:
        """Return some rows as the texts of the file, column by column."""
        columns: dict[str, list[str]] = {name: [] for name in names}
        for block in self._file.blocks_with(Numbers([], self._written.decimal, self._missing), names):
            chosen = np.flatnonzero(np.isin(block.rows, numbers))
            for index, name in enumerate(names):
                columns[name] += block.some_texts(index, chosen)
        return columns

    def chunks(self, columns: Columns, codebooks: Sequence[Codebook]) -> Iterator[Chunk]:
        """Return the rows, chunk by chunk."""
        names = columns.names_in_file
        count = len(columns.all_numbers)
        for block in self._file.blocks_with(self._plain_numbers(columns), names):
            rows = len(block.rows)
            codes = np.empty((rows, len(codebooks)), np.int32)
            numbers = self._all_numbers(block, columns)
            for index, book in enumerate(codebooks):
                codes[:, index] = self._codes(block, count + index, names[count + index], book)
            weights = None
            if columns.weight is not None:
                weights = self._numbers(block, count + len(codebooks), columns.weight, columns)
            yield Chunk(block.rows, numbers, codes, self._keys(block, columns), weights)

    def texts(self, names: Sequence[str]) -> Iterator[tuple[NDArray[np.int64], Sequence[Sequence[str]]]]:
        """Return the rows as texts, block by block: their numbers in the file, and the texts of each column."""
        for block in self._file.blocks(names):
            yield block.rows, block.columns

    def _plain_numbers(self, columns: Columns) -> Numbers:
        """Return the columns of numbers that the file can parse itself."""
        are_plain = not self._written.symbols and not self._written.thousands
        numbers = (*columns.all_numbers, *(() if columns.weight is None else (columns.weight,))) if are_plain else ()
        return Numbers([name for name in numbers if name not in columns.readers], self._written.decimal, self._missing)

    def _all_numbers(self, block: Block | FieldBlock, columns: Columns) -> NDArray[np.float64]:
        names = columns.all_numbers
        if not columns.readers and (plain := self._plain(block, range(len(names)))) is not None:
            return plain
        numbers = np.empty((len(block.rows), len(names)))
        for index, name in enumerate(names):
            numbers[:, index] = self._numbers(block, index, name, columns)
        return numbers

    def _plain(self, block: Block | FieldBlock, indices: Sequence[int]) -> NDArray[np.float64] | None:
        """Return the numbers of some columns if all are plain, shape (rows, columns)."""
        numbers = block.numbers(indices)
        return without(numbers, self._missing) if numbers is not None and self._numbers_mean_missing else numbers

    def _numbers(self, block: Block | FieldBlock, index: int, name: str, columns: Columns) -> NDArray[np.float64]:
        if name not in columns.readers and (plain := self._plain(block, [index])) is not None:
            return plain[:, 0]
        texts = block.texts(index)
        if name in columns.readers:
            try:
                return columns.readers[name].numbers(texts, self._missing)
            except WrongTextError as error:
                raise wrong_text(self.name, int(block.rows[error.index]), columns, name, error) from error
        try:
            return without(numbers_of(texts, self._missing, self._written), self._missing)
        except NotANumberError as error:
            other_texts = [text for other in block.columns[: len(columns.all_numbers)] for text in other]
            place = Place(self.name, int(block.rows[error.index]), name, self._written, other_texts)
            if not columns.trained and name in columns.numbers:
                pairs = zip(columns.numbers, block.columns, strict=False)
                plain_columns = [pair for pair in pairs if pair[0] not in columns.readers]
                check_numbers(self.name, plain_columns, columns, self._missing)
            raise wrong_number(place, columns, self._whole_column(name, texts), texts[error.index], error) from error

    def _whole_column(self, name: str, texts: Sequence[str]) -> Sequence[str]:
        """Return all texts of a column but missing ones; ``texts`` if the rest of the file is damaged."""
        try:
            distinct = {text for block in self._file.blocks([name]) for text in block.columns[0]}
        except DataError:
            distinct = set(texts)
        return [text for text in distinct if text.strip() not in self._missing]

    def _keys(self, block: Block | FieldBlock, columns: Columns) -> NDArray[np.uint64] | None:
        if columns.key is None:
            return None
        texts = block.texts(len(columns.names_in_file) - 1)
        try:
            return keys_of(texts, times=columns.key_is_time)
        except NotATimeError as error:
            raise no_time(self.name, int(block.rows[error.index]), columns.key, texts[error.index]) from error

    def _codes(self, block: Block | FieldBlock, index: int, name: str, book: Codebook) -> NDArray[np.int32]:
        texts, positions, firsts = block.distinct(index)
        try:
            return book.codes(texts)[positions]
        except NoCharactersError as error:
            what = f"{shown_text(texts[error.index])} has bytes that are not valid characters"
            message = f"{what}; {self._file.remedy_for_encoding}"
            raise DataError(self.name, message, row=int(block.rows[firsts[error.index]]), column=name) from error
