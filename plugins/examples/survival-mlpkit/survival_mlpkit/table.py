"""The data set table."""

import csv
from dataclasses import KW_ONLY
from hashlib import sha256
from itertools import product
from pathlib import Path
from typing import Annotated

import numpy as np
from annotated_types import Ge, Lt

from mlpkit import ColumnName, DataError, Dataset, Description, FilePath, InputColumn, ParameterError, did_you_mean
from survival_mlpkit.survival_times import SurvivalTimes

ROSSI = Path(__file__).parent / "rossi.csv"
SPLITS = ("train", "validation", "test")
Share = Annotated[float, Ge(0), Lt(1)]


class SurvivalTable(Dataset):
    """Rows of a CSV file: numbers to learn from, a time, and whether an event ended it.

        x = (number - mean) / std,  with the mean and deviation of the training rows

    Args:
        file: the file, with a header; every column in use holds numbers.
        time: the column with the times.
        event: the column with 1 if the event happened at that time, and 0 if the observation ended before it.
        ignore: columns that aren't inputs.
        unit: the unit of the times, for messages.
        validation: share of the rows for validation.
        test: share of the rows for testing.
        split_seed: another number gives another split, at random.
    """

    target_types = (SurvivalTimes,)

    file: FilePath
    time: ColumnName
    event: ColumnName
    _: KW_ONLY
    ignore: list[ColumnName] = []
    unit: str = ""
    validation: Share = 0.1
    test: Share = 0.1
    split_seed: Annotated[int, Ge(0)] = 0

    def __post_init__(self):
        if self.validation + self.test >= 1:
            raise ParameterError("test", "nothing is left to train on", expected="less than 1 with validation")

    @classmethod
    def table_columns(cls, parameters):
        """Return the names in the header."""
        return read_rows(parameters["file"])[0] if "file" in parameters else []

    def describe(self):
        """Read the file, and draw the rows of each split."""
        self._expect_columns()
        self.raw, self.targets = self.read_examples(self.file)
        rows = len(self.raw)
        cuts = np.rint([(1 - self.validation - self.test) * rows, (1 - self.test) * rows]).astype(int)
        parts = np.split(np.random.default_rng(self.split_seed).permutation(rows), cuts)
        self.parts = {split: part for split, part in zip(SPLITS, parts, strict=True) if len(part)}
        columns = tuple(InputColumn(name, "numbers") for name in self.inputs)
        sizes = {split: len(part) for split, part in self.parts.items()}
        return Description((len(columns),), SurvivalTimes(self.unit), sizes, columns=columns)

    def _expect_columns(self):
        if not Path(self.file).is_file():
            raise ParameterError("file", f"{self.file} is not a file", expected="a CSV file")
        header = read_rows(self.file)[0]
        for parameter, names in (("time", [self.time]), ("event", [self.event]), ("ignore", self.ignore)):
            for name in names:
                if name not in header:
                    message = f"{self.file} has no column {name!r}"
                    raise ParameterError(parameter, message, remedy=did_you_mean(name, header))
        self.inputs = [name for name in header if name not in (self.time, self.event, *self.ignore)]

    def open(self, seed):
        """Scale the inputs."""
        if not hasattr(self, "mean"):
            train = self.raw[self.parts["train"]]
            self.mean, self.std = train.mean(axis=0), train.std(axis=0)
            self.std[self.std == 0] = 1
        x = self.encode(self.raw)
        return {name: ArraySplit(x[part], self.targets[part]) for name, part in self.parts.items()}

    def encode(self, raw):
        """Scale rows."""
        return (raw - self.mean) / self.std

    def onnx(self, graph):
        """Describe encode."""
        x = graph.feed("x", "float64", (len(self.inputs),), meaning=", ".join(self.inputs))
        return graph.op("Div", graph.op("Sub", x, self.mean), self.std)

    def encoder_state(self):
        """Return columns and scale."""
        return {"inputs": self.inputs, "mean": self.mean.tolist(), "std": self.std.tolist()}

    def load_encoder_state(self, state):
        """Take columns and scale."""
        self.inputs, self.mean, self.std = state["inputs"], np.array(state["mean"]), np.array(state["std"])

    def fingerprint(self):
        """Return the checksum of the file."""
        return sha256(Path(self.file).read_bytes()).hexdigest()

    def feature_names(self):
        """Return the names of the columns."""
        return self.inputs

    def column_names(self):
        """Return the same."""
        return self.inputs

    def from_columns(self, columns):
        """Return rows."""
        for name in self.inputs:
            if name not in columns:
                raise DataError("the columns", f"have no {name!r}", column=name)
        return np.column_stack([np.asarray(columns[name], float) for name in self.inputs])

    def read(self, path):
        """Read the inputs of a file to predict for."""
        return read_numbers(path, self.inputs)

    def read_examples(self, source):
        """Read inputs and targets of a file."""
        numbers = read_numbers(source, [*self.inputs, self.time, self.event])
        return numbers[:, :-2], numbers[:, -2:]

    def raw_rows(self, split, indices):
        """Return rows before they are scaled."""
        return self.raw[self.parts[split]][indices]

    def example_sources(self, split, indices):
        """Return the row of the file, counted from 1, the header's."""
        return [f"{self.file}, row {row + 2}" for row in self.parts[split][indices]]

    @classmethod
    def examples(cls):
        """Show the table that comes with the package."""
        return [{"file": str(ROSSI), "time": "week", "event": "arrest", "unit": "weeks"}]


class ArraySplit:
    """A split in memory."""

    def __init__(self, inputs, targets):
        self.inputs = inputs
        self.targets = targets

    def __len__(self):
        return len(self.inputs)

    def take(self, indices, out):
        """Copy the examples at these positions."""
        x, t = out
        x[...] = self.inputs[indices]
        t[...] = self.targets[indices]


def read_rows(path):
    """Return the rows of a CSV file, of which the first is the header."""
    try:
        with Path(path).open(newline="", encoding="utf-8-sig") as file:
            return [*csv.reader(file)] or [[]]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(path, f"can't be read: {error}") from error


def read_numbers(path, names):
    """Return columns of a CSV file, shape (rows, names); raise `DataError` at the place of what is no number."""
    header, *rows = read_rows(path)
    numbers = np.empty((len(rows), len(names)))
    for (i, row), (j, name) in product(enumerate(rows), enumerate(names)):
        try:
            numbers[i, j] = float(row[header.index(name)])
        except (ValueError, IndexError):
            raise DataError(path, "expected a column with numbers", row=i + 2, column=name) from None
    return numbers
