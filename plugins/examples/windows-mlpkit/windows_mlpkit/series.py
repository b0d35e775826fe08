"""The data set series."""

import csv
from dataclasses import KW_ONLY
from hashlib import sha256
from itertools import pairwise, product
from pathlib import Path
from typing import Annotated

import numpy as np
from annotated_types import Ge, Gt, Lt

from mlpkit import (
    ColumnName,
    DataError,
    Dataset,
    Description,
    FilePath,
    ParameterError,
    ShapeError,
    Values,
    ValuesScaling,
    did_you_mean,
)

EXAMPLE = Path(__file__).parent / "load.csv"
Count = Annotated[int, Ge(1)]


class Series(Dataset):
    """Windows over the time series in the columns of a CSV file, each with the values that follow it.

        x = (value - mean) / std of the steps from s to s + window - 1,  s = 0, stride, 2 stride, ...
        t = the target in the steps from s + window to s + window + horizon - 1

    The first steps are for training, and give mean and deviation; the steps after them are for validation, and the
    last ones for testing. A window belongs to the split that has all its targets, so none has a target of another.

    Args:
        file: the file, with a header and a row for each step, the earliest first.
        target: the column to predict.
        inputs: the columns to learn from; by default the target alone.
        window: steps that an example looks back.
        horizon: steps that it predicts.
        stride: steps from one example to the next.
        validation: share of the steps for validation.
        test: share of the steps for testing.
    """

    file: FilePath
    target: ColumnName
    _: KW_ONLY
    inputs: list[ColumnName] = []
    window: Count = 24
    horizon: Count = 1
    stride: Count = 1
    validation: Annotated[float, Gt(0), Lt(1)] = 0.15
    test: Annotated[float, Gt(0), Lt(1)] = 0.15

    def __post_init__(self):
        if self.validation + self.test >= 1:
            raise ParameterError("test", "nothing is left to train on", expected="less than 1 with validation")
        self.columns = self.inputs or [self.target]

    @classmethod
    def table_columns(cls, parameters):
        """Return the names in the header."""
        return read_rows(parameters["file"])[0] if "file" in parameters else []

    def describe(self):
        """Read the file, and find the windows of each split."""
        self._expect_columns()
        self.values, self.targets = self._read(self.file)
        steps = len(self.values)
        cuts = [0, round((1 - self.validation - self.test) * steps), round((1 - self.test) * steps), steps]
        starts = self._starts(steps)
        first, last = starts + self.window, starts + self.window + self.horizon
        self.splits = {}
        for name, (begin, end) in zip(("train", "validation", "test"), pairwise(cuts), strict=True):
            self.splits[name] = WindowSplit(self, starts[(first >= begin) & (last <= end)])
            if not len(self.splits[name]):
                message = f"the {end - begin} steps for {name} hold no window with its targets"
                raise ParameterError("window", message, remedy="set a smaller window, horizon or stride")
        self.train = slice(0, cuts[1])
        target = self.targets[self.train]
        scaling = ValuesScaling([target.mean()] * self.horizon, [target.std() or 1.0] * self.horizon)
        sizes = {name: len(split) for name, split in self.splits.items()}
        return Description((self.window, len(self.columns)), Values((self.horizon,), scaling), sizes)

    def _expect_columns(self):
        if not Path(self.file).is_file():
            raise ParameterError("file", f"{self.file} is not a file", expected="a CSV file")
        header = read_rows(self.file)[0]
        for parameter, names in (("target", [self.target]), ("inputs", self.inputs)):
            for name in names:
                if name not in header:
                    message = f"{self.file} has no column {name!r}"
                    raise ParameterError(parameter, message, remedy=did_you_mean(name, header))

    def _read(self, path):
        numbers = read_numbers(path, [*self.columns, self.target])
        return numbers[:, :-1], numbers[:, -1]

    def _starts(self, steps):
        return np.arange(0, steps - self.window - self.horizon + 1, self.stride)

    def open(self, seed):
        """Scale the inputs."""
        if not hasattr(self, "mean"):
            train = self.values[self.train]
            self.mean, self.std = train.mean(axis=0), train.std(axis=0)
            self.std[self.std == 0] = 1
        return self.splits

    def encode(self, raw):
        """Scale windows."""
        expected = (self.window, len(self.columns))
        if raw.shape[1:] != expected:
            raise ShapeError(f"a window has shape {raw.shape[1:]}", expected=f"steps and columns, {expected}")
        return (raw - self.mean) / self.std

    def onnx(self, graph):
        """Describe encode."""
        shape = (self.window, len(self.columns))
        x = graph.feed("x", "float64", shape, meaning=f"steps of {', '.join(self.columns)}, the earliest first")
        return graph.op("Div", graph.op("Sub", x, self.mean), self.std)

    def encoder_state(self):
        """Return the scale."""
        return {"mean": self.mean.tolist(), "std": self.std.tolist()}

    def load_encoder_state(self, state):
        """Take the scale of a saved model."""
        self.mean, self.std = np.array(state["mean"]), np.array(state["std"])

    def read(self, path):
        """Read the windows of a file, of which the last ends with the last row."""
        values = read_numbers(path, self.columns)
        return windows(values, self._ends(path, len(values)) - self.window, self.window)

    def row_names(self, path):
        """Return the last row of each window."""
        return [f"{path}, to row {end + 1}" for end in self._ends(path, len(read_numbers(path, [])))]

    def _ends(self, path, steps):
        if steps < self.window:
            raise DataError(path, f"has {steps} steps, but a window takes {self.window}")
        return np.arange(steps, self.window - 1, -self.stride)[::-1]

    def read_examples(self, source):
        """Read the windows of a file whose targets are known."""
        values, targets = self._read(source)
        starts = self._starts(len(values))
        return windows(values, starts, self.window), windows(targets, starts + self.window, self.horizon)

    def raw_rows(self, split, indices):
        """Return windows before they are scaled."""
        return windows(self.values, self.splits[split].starts[indices], self.window)

    def example_sources(self, split, indices):
        """Return the rows of each window."""
        starts = self.splits[split].starts[indices]
        return [f"{self.file}, rows {start + 2} to {start + 1 + self.window}" for start in starts]

    def target_names(self):
        """Return the target's name, with the number of steps ahead."""
        return [f"{self.target}+{ahead}" for ahead in range(1, self.horizon + 1)]

    def fingerprint(self):
        """Return the checksum of the file."""
        return sha256(Path(self.file).read_bytes()).hexdigest()

    def why_not_exchangeable(self):
        """Return that time passes."""
        return "windows overlap, and those held out are later than those for training"

    @classmethod
    def examples(cls):
        """Show the series that comes with the package."""
        return [{"file": str(EXAMPLE), "target": "load", "inputs": ["load", "temperature"], "horizon": 3, "stride": 7}]


class WindowSplit:
    """A split: windows that start at certain steps."""

    def __init__(self, series, starts):
        self.series = series
        self.starts = starts

    def __len__(self):
        return len(self.starts)

    def take(self, indices, out):
        """Cut the windows at these positions, and scale them."""
        x, t = out
        series, starts = self.series, self.starts[indices]
        x[...] = series.encode(windows(series.values, starts, series.window))
        t[...] = windows(series.targets, starts + series.window, series.horizon)


def windows(values, starts, length):
    """Return parts of a series, shape (starts, length, ...)."""
    return values[np.add.outer(starts, np.arange(length))]


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
