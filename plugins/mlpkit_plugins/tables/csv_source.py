"""A table from a CSV file."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from mlpkit import DataError
from mlpkit_plugins.formats.csv_fields import FieldBlock
from mlpkit_plugins.formats.csv_file import Block, CsvFile, Numbers
from mlpkit_plugins.tables.columns import ColumnReader, Columns
from mlpkit_plugins.tables.source import TableSource, Texts
from mlpkit_plugins.tables.text_numbers import (
    NotANumberError,
    NumberFormat,
    Place,
    check_numbers,
    numbers_among,
    numbers_of,
    without,
    wrong_number,
)


class CsvSource(TableSource):
    """The columns of a CSV file, as numbers and as codes of texts."""

    def __init__(self, file: CsvFile, missing: Collection[str], written: NumberFormat) -> None:
        super().__init__(file.name, file.header, file.most_rows, missing)
        self._file = file
        self._written = written
        self._numbers_mean_missing = bool(numbers_among(self.missing))
        self.header_row = file.header_row
        self.no_characters = f"{self.no_characters}; {file.remedy_for_encoding}"

    @property
    def checksum(self) -> str:
        """The SHA-256 of the file."""
        return self._file.checksum

    def rows(self, names: Sequence[str], numbers: NDArray[np.int64] | None = None) -> dict[str, list[str]]:
        """Return rows as the texts of the file, column by column."""
        columns: dict[str, list[str]] = {name: [] for name in names}
        for block in self._file.blocks_with(Numbers([], self._written.decimal, self.missing), names):
            chosen = None if numbers is None else np.flatnonzero(np.isin(block.rows, numbers))
            for index, name in enumerate(names):
                columns[name] += block.texts(index) if chosen is None else block.some_texts(index, chosen)
        return columns

    def blocks(self, columns: Columns) -> Iterator[Block | FieldBlock]:
        """Yield the rows, block by block, plain numbers parsed."""
        are_plain = not self._written.symbols and not self._written.thousands
        numbers = (*columns.all_numbers, *(() if columns.weight is None else (columns.weight,))) if are_plain else ()
        plain = [name for name in numbers if name not in columns.readers]
        return self._file.blocks_with(Numbers(plain, self._written.decimal, self.missing), columns.names_in_file)

    def texts_of(self, block: Block | FieldBlock, index: int, name: str, reader: ColumnReader | None = None) -> Texts:
        """Return the distinct texts of a column."""
        texts, positions, _ = block.distinct(index)
        return Texts(texts, np.arange(len(texts)) if isinstance(positions, slice) else positions)

    def all_numbers(self, block: Block | FieldBlock, columns: Columns) -> NDArray[np.float64]:
        """Return the columns of numbers, at once if all are plain."""
        plain = None if columns.readers else self._plain(block, range(len(columns.all_numbers)))
        return super().all_numbers(block, columns) if plain is None else plain

    def _plain(self, block: Block | FieldBlock, indices: Sequence[int]) -> NDArray[np.float64] | None:
        """Return the numbers of some columns if all are plain, shape (rows, columns)."""
        numbers = block.numbers(indices)
        return without(numbers, self.missing) if numbers is not None and self._numbers_mean_missing else numbers

    def plain_numbers(self, block: Block | FieldBlock, index: int, name: str, columns: Columns) -> NDArray[np.float64]:
        """Return a column of numbers that has no reader."""
        if (plain := self._plain(block, [index])) is not None:
            return plain[:, 0]
        texts = block.texts(index)
        try:
            return without(numbers_of(texts, self.missing, self._written), self.missing)
        except NotANumberError as error:
            other_texts = [text for other in block.columns[: len(columns.all_numbers)] for text in other]
            place = Place(self.name, int(block.rows[error.index]), name, self._written, other_texts)
            if not columns.trained and name in columns.numbers:
                pairs = zip(columns.numbers, block.columns, strict=False)
                plain_columns = [pair for pair in pairs if pair[0] not in columns.readers]
                check_numbers(self.name, plain_columns, columns, self.missing)
            raise wrong_number(place, columns, self._whole_column(name, texts), texts[error.index], error) from error

    def _whole_column(self, name: str, texts: Sequence[str]) -> Sequence[str]:
        """Return all texts of a column but missing ones; ``texts`` if the rest of the file is damaged."""
        try:
            distinct = {text for block in self._file.blocks([name]) for text in block.columns[0]}
        except DataError:
            distinct = set(texts)
        return [text for text in distinct if text.strip() not in self.missing]
