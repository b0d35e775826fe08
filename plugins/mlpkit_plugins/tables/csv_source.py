"""A table from a CSV file."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mlpkit import DataError
from mlpkit_plugins.formats.csv_file import CsvFile
from mlpkit_plugins.formats.shown_text import shown_text
from mlpkit_plugins.tables.codebook import NoCharactersError
from mlpkit_plugins.tables.key_column import keys_of, no_time
from mlpkit_plugins.tables.source import Chunk
from mlpkit_plugins.tables.text_numbers import NotANumberError, numbers_of
from mlpkit_plugins.tables.times import NotATimeError
from mlpkit_plugins.tables.wrong_number import wrong_number

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from numpy.typing import NDArray

    from mlpkit_plugins.formats.csv_file import Block
    from mlpkit_plugins.tables.codebook import Codebook
    from mlpkit_plugins.tables.source import Columns


class CsvSource:
    """The columns of a CSV file, as numbers and as codes of texts.

    Args:
        file: the CSV file.
        missing: texts that mean a missing value.
        decimal: the character before decimals.
    """

    def __init__(self, file: CsvFile, missing: Collection[str], decimal: str) -> None:
        self._file = file
        self._decimal = decimal
        self._missing = frozenset(missing)
        self.name = file.name
        self.header = file.header
        self.header_row = file.header_row
        self.most_rows = file.most_rows
        self.checksum = file.checksum

    def chunks(self, columns: Columns, codebooks: Sequence[Codebook]) -> Iterator[Chunk]:
        """Return the rows, chunk by chunk.

        Args:
            columns: the columns to read.
            codebooks: one per column of texts; new texts are added to them.

        Raises:
            DataError: the file is not CSV, or a text doesn't fit its column.
            ParameterError: the target must hold numbers, but doesn't.
        """
        names = [*columns.all_numbers, *columns.all_categories, *([columns.key] if columns.key is not None else [])]
        count = len(columns.all_numbers)
        for block in self._file.blocks(names):
            rows = len(block.rows)
            numbers = np.empty((rows, count))
            codes = np.empty((rows, len(codebooks)), np.int32)
            for index, name in enumerate(columns.all_numbers):
                numbers[:, index] = self._numbers(block, index, name, columns)
            for index, book in enumerate(codebooks):
                codes[:, index] = self._codes(block, count + index, names[count + index], book)
            yield Chunk(block.rows, numbers, codes, self._keys(block, columns))

    def texts(self, names: Sequence[str]) -> Iterator[tuple[NDArray[np.int64], Sequence[Sequence[str]]]]:
        """Return the rows as texts, some at a time: their numbers in the file, and the texts of each column.

        Args:
            names: the columns to read.

        Raises:
            DataError: the file is not CSV.
        """
        for block in self._file.blocks(names):
            yield block.rows, block.columns

    def _numbers(self, block: Block, index: int, name: str, columns: Columns) -> NDArray[np.float64]:
        texts = block.columns[index]
        try:
            return numbers_of(texts, self._missing, decimal=self._decimal)
        except NotANumberError as error:
            row, commas = int(block.rows[error.index]), "set decimal: ',' if that is a decimal comma"
            if not columns.has_target:
                commas = "write a decimal point"
            raise wrong_number(self.name, row, name, columns, texts, error.index, commas) from error

    def _keys(self, block: Block, columns: Columns) -> NDArray[np.uint64] | None:
        if columns.key is None:
            return None
        texts = block.columns[-1]
        try:
            return keys_of(texts, times=columns.key_is_time)
        except NotATimeError as error:
            raise no_time(self.name, int(block.rows[error.index]), columns.key, texts[error.index]) from error

    def _codes(self, block: Block, index: int, name: str, book: Codebook) -> NDArray[np.int32]:
        texts = block.columns[index]
        try:
            return book.codes(texts)
        except NoCharactersError as error:
            what = f"{shown_text(texts[error.index])} has bytes that are not valid characters"
            message = f"{what}; {self._file.remedy_for_encoding}"
            raise DataError(self.name, message, row=int(block.rows[error.index]), column=name) from error
