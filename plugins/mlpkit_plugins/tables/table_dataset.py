"""The base of the data sets that read tables."""

from __future__ import annotations

import hashlib
from abc import abstractmethod
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from mlpkit import Classes, DataError, Dataset, Description, Labels, ModelFileError, RawColumn, ShapeError, Values
from mlpkit_plugins.formats.encoder_state import are_names
from mlpkit_plugins.formats.texts import writes_number
from mlpkit_plugins.splits.shares import warnings_about_sizes
from mlpkit_plugins.tables.categories import MISSING, are_finite_numbers
from mlpkit_plugins.tables.columns import Columns, DatePart
from mlpkit_plugins.tables.encoder import TableEncoder, encoder_from, state_of
from mlpkit_plugins.tables.memory_source import IN_MEMORY, MemorySource
from mlpkit_plugins.tables.options import TableOptions, check_columns
from mlpkit_plugins.tables.table import RawSplit, Table, numbers_in, raw_texts, without_numbers
from mlpkit_plugins.tables.table_split import Part, TableSplit, keys_of_examples, split_rows, warnings_about_split
from mlpkit_plugins.tables.targets import (
    check_classes,
    check_classes_listed,
    check_labels,
    check_probabilities,
    target_scaling,
    warnings_about_lonely_classes,
    warnings_about_missing,
    warnings_about_numbers,
    without_rare_classes,
)
from mlpkit_plugins.tables.text_numbers import NumberFormat
from mlpkit_plugins.tables.untrained import far_outside, translate, unlisted_in, warnings_about_unlisted

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from numpy.typing import NDArray

    from mlpkit import Array, DataWarning, Graph, Target, Value, ValuesScaling
    from mlpkit_plugins.tables.source import TableSource


_LOSSES: Final = {
    "classes": "a loss on classes, such as SoftmaxWithLoss",
    "labels": "a loss on labels, such as SigmoidWithLoss",
    "probabilities": "a loss on classes, such as SoftmaxWithLoss",
    "values": "a loss on real values, such as MeanSquaredError",
}


class TableDataset(TableOptions, Dataset):
    """A data set whose examples are the rows of a table.

    Sizes and categories aren't in a header, so ``describe`` reads the whole file, and ``open`` reuses the result. With
    the encoder of a saved model, columns, categories and classes are those of the model.

    A subclass implements ``table_of``.
    """

    _encoder: TableEncoder | None = None
    _order: tuple[str, ...] | None = None
    _splits: dict[str, TableSplit] | None = None
    _keys: dict[str, NDArray[np.uint64]] | None = None
    _fingerprint = ""
    _warnings: tuple[DataWarning, ...] = ()
    _target_scaling: ValuesScaling | None = None
    _seems_to_hold_values = False
    _is_loaded = False

    @property
    def number_format(self) -> NumberFormat:
        """The format of numbers that are texts."""
        return NumberFormat()

    @abstractmethod
    def table_of(self, split: str) -> TableSource:
        """Return the table of ``train``, or of a split with a separate file, not yet read."""

    def describe(self) -> Description:
        """Read the file, and return shapes, target and sizes."""
        if self._splits is None:
            self._splits = self._read()
        assert self._encoder is not None
        sizes = {name: len(split) for name, split in self._splits.items()}
        dates = {name for name, reader in self.readers.items() if isinstance(reader, DatePart)}
        return Description(
            (self._encoder.width,),
            self._target(),
            sizes,
            weighted=self.weight is not None,
            columns=self._encoder.columns(dates),
        )

    def warnings(self) -> tuple[DataWarning, ...]:
        """Return warnings about the target and the splits."""
        return self._warnings

    def why_not_exchangeable(self) -> str:
        """Return that rows are split by time, or by groups, if they are."""
        if not isinstance(self.split, dict) or not any(self.shares):
            return ""
        if self.splits_by_time:
            return f"rows are split by time ('{self.split_column}'), and later ones may differ"
        return f"rows are split by groups ('{self.split_column}'), and rows of a group are alike"

    def input_scaling(self) -> dict[str, Any]:
        """Return ``standardize``, unless it is set."""
        return {} if self.standardize or self.numbers is not None else {"standardize": True}

    def target_scaling(self) -> dict[str, Any]:
        """Return ``scale_target``, unless it is set or the targets aren't values."""
        return {"scale_target": "standardize"} if self.predict == "values" and self.scale_target == "none" else {}

    def target_remedy(self) -> str:
        """Return the advice for a loss that takes another kind of target."""
        name, fitting = self.targets[0], f"end the layers with {_LOSSES[self.predict]}"
        if self.predict != "classes":
            return f"{fitting}; or set predict: classes if the column '{name}' holds classes"
        if all(map(writes_number, self.class_names() or ())):
            remedy = f"set predict: values if the column '{name}' holds numbers to predict"
            return f"{remedy}; if it holds classes, {fitting}"
        return f"the column '{name}' holds texts, which are classes: {fitting}, or name another in target"

    def open(self, seed: int) -> Mapping[str, TableSplit]:
        """Return the splits by name; they depend on ``split_seed``, not on the spec's seed."""
        self.describe()
        assert self._splits is not None
        return self._splits

    def raw_columns(self) -> list[RawColumn]:
        """Return all columns of the files, unchanged."""
        return self.raw_columns_of(self._raw_splits())

    def columns_of_rows(
        self, names: Collection[str], source: Path | Mapping[str, Sequence[Any] | Array] | None = None
    ) -> list[RawColumn]:
        """Return some columns of the files, or of other examples, which are the split ``data``."""
        if source is None:
            return self.raw_columns_of(self._raw_splits(), names)
        table = self._examples(self.source_of(source), self._fitted_encoder())
        return self.raw_columns_of({"data": RawSplit(self.source_of(source), table.rows.tolist())}, names)

    def _raw_splits(self) -> dict[str, RawSplit]:
        splits = self.open(0)
        tables = {name: self.table_of(name) for name in ("train", *self.own_tables)}
        return {name: RawSplit(tables.get(name, tables["train"]), each.rows_in_file()) for name, each in splits.items()}

    def raw_columns_of(self, splits: Mapping[str, RawSplit], names: Collection[str] | None = None) -> list[RawColumn]:
        """Return columns of files, by default all, unchanged."""
        encoder = self._fitted_encoder()
        roles = {self.split_column: "split"} if self.split_column is not None and any(self.shares) else {}
        roles |= {self.weight: "weight"} if self.weight is not None else {}
        roles |= dict.fromkeys(self._columns_read(encoder), "input") | dict.fromkeys(self.targets, "target")
        targets = self.targets if self.predict in ("classes", "labels") else ()
        categories = (*encoder.categories, *self.ordinal, *targets)
        holds = dict.fromkeys(self.dates, "dates") | dict.fromkeys(categories, "categories")
        return [
            without_numbers(
                RawColumn(
                    *(name, roles.get(name, "left out"), texts, numbers_in(texts, self.number_format), codes),
                    holds=holds.get(name, ""),
                ),
                self.missing_numbers.get(name, ()),
            )
            for name, texts, codes in raw_texts(splits, names)
        ]

    def fingerprint(self) -> str:
        """Return a SHA-256 over the checksums of the files, once read; empty until then."""
        return self._fingerprint

    def encoder_state(self) -> dict[str, Any]:
        """Return means, deviations, categories and classes, learned from the training rows."""
        return {} if self._encoder is None else {**state_of(self._encoder), "order": list(self._order or ())}

    def load_encoder_state(self, state: Mapping[str, Any]) -> None:
        """Restore means, deviations, categories and classes."""
        encoder = encoder_from(state, self)
        if (encoder.classes is None) == self.predicts_classes:
            raise ModelFileError(f"the encoder of the table doesn't fit a data set of {self.predict}")
        order = state.get("order", [])
        if not are_names(order) or set(order) != set(self._columns_read(encoder)):
            raise ModelFileError("the encoder of the table doesn't order the columns that it encodes")
        self._encoder, self._order, self._splits = encoder, tuple(order), None
        self._is_loaded = True

    def column_names(self) -> tuple[str, ...] | None:
        """Return the names of the columns that are inputs, in the order of the file trained on."""
        return self._order

    def from_columns(self, columns: Mapping[str, Sequence[Any] | Array]) -> Array:
        """Turn columns in memory into raw inputs, as ``read`` does."""
        return self.raw_inputs(self._in_memory(columns))

    def examples_in(self, source: TableSource) -> tuple[Array, ...]:
        """Return raw inputs, targets and weights of a table, as ``read_examples`` does."""
        encoder = self._fitted_encoder()
        table = self._examples(source, encoder)
        raw, numbers, categories = self._translated(table, encoder), len(encoder.numbers), len(encoder.categories)
        targets = table.codes[:, categories] if self.predict == "classes" else table.numbers[:, numbers:]
        return (raw, targets) if table.weights is None else (raw, targets, table.weights)

    def _examples(self, source: TableSource, encoder: TableEncoder) -> Table:
        columns = replace(
            self._columns_of(encoder),
            target_numbers=() if self.predict == "classes" else self.targets,
            target_class=self.targets[0] if self.predict == "classes" else None,
            weight=self.weight,
        )
        check_columns(source, columns.names_in_file, {self.weight: "how much each row counts"})
        table = Table(source, columns, missing=self.missing)
        self._check_targets(table)
        if self.rare_classes is not None:
            without_rare_classes(table, self.rare_classes, encoder.classes)
        return table

    def read_examples(self, source: Path | Mapping[str, Sequence[Any] | Array]) -> tuple[Array, ...]:
        """Read raw inputs, targets and weights from a file, if the data set reads some, or from columns in memory."""
        if self.in_memory and isinstance(source, Path):
            return super().read_examples(source)
        return self.examples_in(self.source_of(source))

    def source_of(self, source: Path | Mapping[str, Sequence[Any] | Array]) -> TableSource:
        """Return the table of columns in memory, or in a file, not yet read."""
        assert not isinstance(source, Path)
        return self._in_memory(source)

    def remarks(self, raw: Array) -> list[str]:
        """Name the columns with numbers far outside the training range, and count their rows."""
        encoder = self._fitted_encoder()
        remarks = far_outside(raw[:, : len(encoder.numbers)], encoder, self.readers)
        return [f"{'; '.join(remarks)}; predictions far outside the range of training are guesses"] if remarks else []

    def encode(self, raw: Array) -> Array:
        """Encode raw inputs as ``read`` returns them."""
        encoder = self._fitted_encoder()
        if raw.ndim != 2 or raw.shape[1] != len(encoder.inputs) or raw.dtype.kind not in "biuf":
            message = f"inputs of shape {raw.shape} don't fit the table"
            raise ShapeError(message, expected=f"(rows, {len(encoder.inputs)}): {', '.join(encoder.inputs)}")
        for row, names in self.lacking(raw).items():
            message = "the value is missing; write one, or leave out the row"
            raise DataError(IN_MEMORY, message, row=row, column=names[0])
        values = np.where(np.isinf(raw), np.nan, raw.astype(np.float64))  # of an ordered category that isn't listed
        count = len(encoder.numbers)
        codes = np.where(np.isnan(values[:, count:]), MISSING, values[:, count:])
        for column, (name, categories) in zip(codes.T, encoder.categories.items(), strict=True):
            if not np.isin(column, np.arange(-1, len(categories))).all():
                expected = f"0 to {len(categories) - 1} for {', '.join(categories)}; -1 for any other"
                raise ShapeError(f"a number of the column '{name}' is not the code of a category", expected=expected)
        x = np.empty((len(raw), encoder.width), self.dtype)
        encoder.write(values[:, :count], codes.astype(np.int32), x)
        return x

    def onnx(self, graph: Graph) -> Value:
        """Describe the encoding of the columns, each of which is an input with its name in the file.

        Numbers are float64, NaN if missing; texts of categories are as in the file, without surrounding blanks; dates
        are seconds since 1970.
        """
        from mlpkit_plugins.tables.table_operators import TableInGraph  # noqa: PLC0415 - training describes nothing

        return TableInGraph(graph, self._fitted_encoder(), self).encoded()

    def raw_rows(self, split: str, indices: Array) -> Mapping[str, Sequence[Any]]:
        """Return the model's columns, unchanged, for some rows of a split."""
        table = self.table_of(split if split in self.own_tables else "train")
        numbers, places = np.unique(self.open(0)[split].rows_in_file(indices), return_inverse=True)
        columns = table.rows(self.column_names() or (), numbers)
        return {name: [values[place] for place in places.tolist()] for name, values in columns.items()}

    def example_sources(self, split: str, indices: Array) -> list[str]:
        """Return the table and the row of some examples of a split; rows of a file are counted from 1."""
        examples = self.open(0)[split]
        return [f"{examples.table.name}, row {row}" for row in examples.rows_in_file(indices)]

    def example_keys(self, split: str) -> NDArray[np.uint64] | None:
        """Return a number for each row of a split, which only copies of an example share.

        The files are read again, since these keys are rarely needed.
        """
        splits = self.open(0)
        if self._keys is None:
            first, _ = self._table("train", None)
            tables = {"train": first} | {name: self._table(name, first)[0] for name in self.own_tables}
            first.keys = None  # they are keys of groups or times
            keys = keys_of_examples([*tables.values()], self.shares)
            parts = np.split(keys, np.cumsum([len(table) for table in tables.values()])[:-1])
            of_tables = dict(zip(tables, parts, strict=True))
            self._keys = {name: of_tables.get(name, of_tables["train"])[each.rows] for name, each in splits.items()}
        return self._keys[split]

    def feeds(self, columns: Mapping[str, Sequence[Any] | Array]) -> dict[str, Array]:
        """Return columns as the inputs that ``onnx`` declares: dates as seconds, missing categories as empty texts."""
        from mlpkit_plugins.tables.table_operators import column_feeds  # noqa: PLC0415 - only exports need it

        return column_feeds(self._in_memory(columns), self._fitted_encoder(), self)

    def why_not_encoded(self, inputs: Array) -> str:
        """Return why inputs can't have been encoded, such as a missing number; empty if they may have been."""
        return self._fitted_encoder().why_not_written(inputs)

    def why_perhaps_not_encoded(self, inputs: Array) -> str:
        """Return why inputs probably weren't encoded: numbers in the raw range, far outside the encoded one."""
        return self._fitted_encoder().why_perhaps_not_written(inputs)

    def feature_names(self) -> tuple[str, ...] | None:
        """Return the names of the numeric columns, then ``column=category`` for each category."""
        return self._encoder.feature_names if self._encoder is not None else None

    def target_names(self) -> tuple[str, ...] | None:
        """Return the names of the target columns; None for classes, whose names ``class_names`` returns."""
        return None if self.predicts_classes else self.targets

    def class_names(self) -> tuple[str, ...] | None:
        """Return the names of the classes, as in the target column; None unless classes are predicted."""
        return self._encoder.classes if self._encoder is not None else None

    def _columns_read(self, encoder: TableEncoder) -> tuple[str, ...]:
        """Return the columns of the file from which the inputs are made."""
        return tuple(dict.fromkeys(self.in_file(encoder.inputs)))

    def _in_memory(self, columns: Mapping[str, Sequence[Any] | Array]) -> MemorySource:
        encoder = self._fitted_encoder()
        known = {**encoder.categories, self.targets[0]: encoder.classes or (), **self.ordinal}
        return MemorySource(columns, self.missing_texts, self.number_format, known)

    def raw_inputs(self, source: TableSource) -> Array:
        """Return the columns that the model takes, as ``from_columns`` does."""
        encoder = self._fitted_encoder()
        columns = self._columns_of(encoder)
        check_columns(source, columns.names_in_file)
        return self._translated(Table(source, columns, missing="fill"), encoder)

    def _columns_of(self, encoder: TableEncoder) -> Columns:
        """Return the columns that a trained model reads, without target and weight."""
        return Columns(
            encoder.numbers,
            tuple(encoder.categories),
            readers=self.readers,
            trained=True,
            in_python=self.in_memory,
            missing_numbers=self.missing_numbers,
        )

    def lacking(self, raw: Array) -> Mapping[int, Sequence[str]]:
        """Map each row with a missing value to its columns; empty if the encoder fills in missing values."""
        if self.missing in ("fill", "indicate"):
            return {}
        columns, absent = self.in_file(self._fitted_encoder().inputs), np.isnan(raw)
        return {
            row: tuple(dict.fromkeys(columns[place] for place in np.flatnonzero(absent[row])))
            for row in np.flatnonzero(absent.any(axis=1)).tolist()
        }

    def _translated(self, table: Table, encoder: TableEncoder) -> Array:
        """Return a table's numbers, then its categories by position: NaN if missing, -1 if unknown."""
        numbers, categories = len(encoder.numbers), len(encoder.categories)
        absent = table.codes == MISSING
        self._translate(table, encoder)
        codes = np.where(absent, np.nan, table.codes)
        return np.concatenate([table.numbers[:, :numbers], codes[:, :categories]], axis=1)

    def _translate(self, table: Table, encoder: TableEncoder) -> None:
        lenient, seem_values = self.unknown == "zeros", self._seems_to_hold_values
        translate(table, encoder, lenient=lenient, is_loaded=self._is_loaded, seem_values=seem_values)

    def _fitted_encoder(self) -> TableEncoder:
        if self._encoder is None:
            self.describe()
        assert self._encoder is not None
        return self._encoder

    def _target(self) -> Target:
        if self.predicts_classes:
            names, one_hot = self.class_names() or (), self.predict == "probabilities"
            return Classes(len(names), one_hot, ordered=self.classes is not None or are_finite_numbers(names))
        count = len(self.targets)
        return Labels(count) if self.predict == "labels" else Values((count,), self._target_scaling)

    def _read(self) -> dict[str, TableSplit]:
        """Read the files, split them, and encode them with the loaded model's encoder or a new one."""
        table, checksums = self._table("train", None)
        if self._encoder is None:
            check_classes(table)
            self._warnings = warnings_about_numbers(table)
            self._seems_to_hold_values = bool(self._warnings)
            self._warnings += warnings_about_lonely_classes(table)
            if self.missing != "drop":
                self._warnings += warnings_about_missing(table)
        positions = split_rows(table, self)
        parts = {name: Part(table, rows) for name, rows in positions.items()}
        for name in self.own_tables:
            other, checksum = self._table(name, table)
            parts[name] = Part(other, np.arange(len(other)))
            checksums += checksum
        if self._encoder is None:
            if self.predict == "values" and self.scale_target != "none":
                log, clip = self.scale_target == "log", self.clip_predictions
                self._target_scaling = target_scaling(table, positions["train"], log=log, clip=clip)
            self._encoder = TableEncoder.fit(table, positions["train"], self)
            read = frozenset(self._columns_read(self._encoder))
            self._order = tuple(name for name in table.header if name in read)
        for part in {id(part.table): part for part in parts.values()}.values():
            self._translate(part.table, self._encoder)
            self._warnings += warnings_about_unlisted(unlisted_in(part.table))
        self._fingerprint = _combined(checksums)
        self._warnings += warnings_about_sizes({name: len(part.rows) for name, part in parts.items()}, self.own_tables)
        if not self._is_loaded:
            self._warnings += warnings_about_split(
                parts, self, self._encoder.classes if self.predict == "classes" else None
            )
        splits = {name: TableSplit(part.table, part.rows, self._encoder) for name, part in parts.items()}
        return {name: splits[name] for name in ("train", "validation", "test") if name in splits}

    def _table(self, split: str, like: Table | None) -> tuple[Table, list[str]]:
        """Read the table of a split, with columns and classes ``like`` those of another; return it and its checksum."""
        source = self.table_of(split)
        if like is None:
            inputs = self._encoder.inputs if self._encoder is not None else None
            if inputs is not None:
                check_columns(source, self.in_file(inputs))
            columns = self.columns(source, inputs)
        else:
            columns = replace(like.columns, key=None, key_is_time=False)
            check_columns(source, columns.names_in_file)
        table = Table(source, columns, missing=self.missing)
        self._check_targets(table)
        if self.classes is not None and self.predict == "classes":
            check_classes_listed(table, self.classes)
        if self.rare_classes is not None:
            classes = like.texts[-1] if like is not None else self.class_names()
            without_rare_classes(table, self.rare_classes, classes)
        return table, [source.checksum]

    def _check_targets(self, table: Table) -> None:
        """Check that columns of labels or probabilities hold such."""
        if self.predict == "labels":
            check_labels(table)
        elif self.predict == "probabilities":
            check_probabilities(table)


def _combined(checksums: list[str]) -> str:
    return checksums[0] if len(checksums) == 1 else hashlib.sha256("".join(checksums).encode()).hexdigest()
