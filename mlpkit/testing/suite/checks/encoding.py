"""Examples and checks of encodings: what they learn, and how they encode columns of numbers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mlpkit.array import Array
from mlpkit.components.encoding import Encoding, FittedEncoding, TrainingColumns
from mlpkit.components.graph import Graph
from mlpkit.errors import ModelFileError, NotExportableError
from mlpkit.testing.suite.check import CheckFailure, NotApplicable, checks_examples
from mlpkit.testing.suite.comparison import Arrays, check_close, check_same_bits, evaluated
from mlpkit.testing.suite.example import Example

ENCODED: Final = "the encoded rows"
COLUMNS: Final = ("even", "skewed", "few numbers", "all equal", "often missing")


class EncodingExample(Example):
    """An encoding, fitted on columns of several kinds, with missing numbers."""

    sample = "[{'limit': 3.0}]"

    @cached_property
    def numbers(self) -> NDArray[np.float64]:
        """The training rows."""
        random, rows = self.random("training rows"), 100
        columns = [random.normal(size=rows), random.lognormal(size=rows) * 1e3, random.integers(0, 3, rows)]
        numbers = np.stack([*columns, np.full(rows, 2.0), random.normal(5, 0.1, rows)], axis=1)
        numbers[random.random(rows) < 0.5, -1] = np.nan
        return numbers

    @cached_property
    def targets(self) -> NDArray[np.float64]:
        """The targets of the training rows."""
        return np.where(self.numbers[:, :1] > 0, 1.0, self.numbers[:, 1:2] / 1e3)

    @cached_property
    def fitted(self) -> FittedEncoding:
        """The encoding, fitted."""
        return self.fit(self.make())

    @property
    def rows(self) -> NDArray[np.float64]:
        """Rows to encode, some outside the range of the training rows, without missing numbers."""
        rows = np.where(np.isnan(self.numbers), 5.0, self.numbers)
        return np.concatenate([rows[:20], rows[:3] * 4 - 7])

    def fit(self, encoding: Encoding, rows_together: int = 64) -> FittedEncoding:
        """Fit an encoding on the training rows, in chunks."""
        numbers = self.numbers.copy()

        def parts() -> Iterator[Array]:
            for begin in range(0, len(numbers), rows_together):
                yield numbers[begin : begin + rows_together]

        columns = TrainingColumns(len(numbers), len(COLUMNS), parts, self.targets.copy)
        return FittedEncoding.fit(encoding, COLUMNS, columns)

    def exercise(self) -> Arrays:
        """Fit a new object, and encode rows."""
        return {ENCODED: np.array(self.fit(self.make()).encode(self.rows))}


@checks_examples("encoding")
def encoded_rows_have_the_declared_features(example: EncodingExample) -> None:
    """Does ``encode`` return a row per row, with a finite number for each name that ``features`` returns?

    The network's input shape follows from the names.
    """
    fitted = example.fitted
    names = fitted.features()
    if len(names) != len(COLUMNS):
        raise CheckFailure(
            f"features returned names for {len(names)} columns", expected=f"one list for each of {len(COLUMNS)}"
        )
    for rows in (example.rows, example.rows[:1], example.rows[:0]):
        found = fitted.encode(rows)
        if not isinstance(found, np.ndarray) or found.shape != (len(rows), fitted.width):
            raise CheckFailure(
                f"encode returned {np.shape(found)} for {len(rows)} rows",
                expected=f"an array of shape {(len(rows), fitted.width)}, as features says",
            )
        if not np.isfinite(found).all():
            raise CheckFailure("an encoded number is infinite or not a number", expected="finite numbers")


@checks_examples("encoding")
def encoding_a_row_needs_no_others(example: EncodingExample) -> None:
    """Does a row get the same bits alone and among others, and are the rows unchanged?

    A prediction must not depend on the other rows.
    """
    rows = example.rows
    together = np.array(example.fitted.encode(rows))
    alone = np.concatenate([example.fitted.encode(rows[i : i + 1].copy()) for i in range(len(rows))])
    check_same_bits({ENCODED: alone}, {ENCODED: together}, "for single rows", "learn only in fit")
    if not np.array_equal(rows, example.rows):
        raise CheckFailure("encode changed the rows", expected="unchanged rows")


@checks_examples("encoding")
def fit_depends_on_the_numbers_alone(example: EncodingExample) -> None:
    """Does ``fit`` learn the same, up to rounding, from rows in chunks of other sizes, and keep nothing in self?

    One object may encode several groups of columns.
    """
    encoding = example.make()
    before = repr(vars(encoding))
    found = example.fit(encoding, rows_together=7)
    check_close(
        {ENCODED: found.encode(example.rows)},
        {ENCODED: example.fitted.encode(example.rows)},
        "with rows in other chunks",
        "combine the results of all chunks",
        tolerance=1e-9,
    )
    if repr(vars(encoding)) != before:
        raise CheckFailure(
            f"fit changed {', '.join(sorted(vars(encoding)))}", expected="the learned values to be returned"
        )


@checks_examples("encoding")
def what_was_learned_can_be_saved(example: EncodingExample) -> None:
    """Does ``fit`` return arrays of finite numbers that give the same bits after saving and loading?

    A model file contains them.
    """
    learned = example.fitted.learned
    for name, values in learned.items():
        if not isinstance(name, str) or not isinstance(values, np.ndarray) or not np.isfinite(values).all():
            raise CheckFailure(f"fit returned {values!r} as {name!r}", expected="arrays of finite numbers by name")
    state = json.loads(json.dumps(example.fitted.state()))
    try:
        loaded = FittedEncoding.from_state(example.make(), state)
    except ModelFileError as error:
        raise CheckFailure(str(error), expected="encode to work with what fit returned, as float64") from error
    expected = {ENCODED: np.array(example.fitted.encode(example.rows))}
    check_same_bits({ENCODED: loaded.encode(example.rows)}, expected, "after loading", "return float64 from fit")


@checks_examples("encoding")
def onnx_describes_encode(example: EncodingExample) -> None:
    """If it has ``onnx``, does the graph compute what ``encode`` returns?

    Exporters read only the graph.
    """
    fitted, rows = example.fitted, example.rows
    graph = Graph(np.dtype(np.float32), (len(COLUMNS),))
    try:
        graph.outputs["encoded"] = fitted.onnx(graph, graph.feed("numbers", "float64", (len(COLUMNS),)))
    except NotExportableError as error:
        raise NotApplicable(str(error)) from error
    found = evaluated(graph, {"numbers": rows}, "encoded")
    remedy = "use operators for the steps of encode, in the same order, in float64"
    check_close({ENCODED: found}, {ENCODED: fitted.encode(rows)}, "in the graph", remedy, tolerance=1e-9)
