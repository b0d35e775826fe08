"""Checks of the description of a data set's encoder, and of the raw rows on which an exported model is tested."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from mlpkit.components.graph import Graph
from mlpkit.errors import NotExportableError
from mlpkit.testing.suite.check import CheckFailure, NotApplicable, checks_examples
from mlpkit.testing.suite.checks.dataset import INPUTS, DatasetExample
from mlpkit.testing.suite.comparison import check_close, evaluated

if TYPE_CHECKING:
    from mlpkit.components.dataset import RawRows


@checks_examples("dataset")
def raw_rows_are_those_of_the_split(example: DatasetExample) -> None:
    """If it has ``raw_rows``, does ``encode`` turn them into the inputs that ``take`` writes for the same positions?

    An exported model is tested on raw rows.
    """
    for name, split in example.splits.items():
        indices = example.some_rows(name)
        expected = example.take(split, indices, "float32")[INPUTS]
        found = _encoded(example, _raw_rows(example, name, indices))
        remedy = "return the rows at these positions before encoding, or columns if column_names has names"
        check_close({INPUTS: found}, {INPUTS: expected}, f"from raw_rows of {name}", remedy, tolerance=1e-6)


@checks_examples("dataset")
def example_sources_are_those_of_the_split(example: DatasetExample) -> None:
    """If it has ``example_sources``, does it return a text per position, whatever the other positions are?

    ``mlpkit trace`` names the rows that a loss comes from.
    """
    for name in example.splits:
        indices = example.some_rows(name)
        sources = example.dataset.example_sources(name, indices)
        if sources is None:
            return
        backward = example.dataset.example_sources(name, indices[::-1])
        if list(sources) != list(backward or ())[::-1]:
            message = f"example_sources of {name} returned other values for the same positions in another order"
            raise CheckFailure(message, expected="a text for each of the positions, in their order")
        if len(sources) != len(indices) or not all(isinstance(source, str) for source in sources):
            message = f"example_sources of {name} returned {len(sources)} values for {len(indices)} positions"
            raise CheckFailure(message, expected="a text for each")


@checks_examples("dataset")
def example_keys_fit_the_splits(example: DatasetExample) -> None:
    """If it has ``example_keys``, does it return a whole number for each example of a split?

    Copies of an example stay in one fold of an ensemble.
    """
    for name, split in example.splits.items():
        keys = example.dataset.example_keys(name)
        if keys is not None and (np.shape(keys) != (len(split),) or np.asarray(keys).dtype.kind not in "iu"):
            message = f"example_keys of {name} returned {np.asarray(keys).dtype} numbers of shape {np.shape(keys)}"
            raise CheckFailure(message, expected=f"whole numbers of shape ({len(split)},)")


@checks_examples("dataset")
def onnx_describes_how_inputs_are_encoded(example: DatasetExample) -> None:
    """If it has ``onnx`` and ``raw_rows``, does the graph compute the same from ``feeds`` as ``encode``?

    Exporters read only the graph.
    """
    raw = _raw_rows(example, "train", example.some_rows("train"))
    graph = Graph(np.dtype(np.float32), example.description.input_shape)
    try:
        graph.outputs["encoded"] = graph.encode(example.dataset)
    except NotExportableError as error:
        raise NotApplicable(str(error)) from error
    if isinstance(raw, Mapping):
        feeds = example.dataset.feeds(raw)
    else:
        feeds = {name: raw.reshape(len(raw), *feed.shape).astype(feed.dtype) for name, feed in graph.feeds.items()}
    missing = graph.feeds.keys() - feeds.keys()
    if missing:
        remedy = "return from feeds an array for each input that onnx declares, under its name"
        raise CheckFailure(f"feeds has no {', '.join(sorted(missing))}", expected="all inputs", remedy=remedy)
    found = evaluated(graph, feeds, "encoded")
    remedy = "use operators for the steps of encode, in the same order and dtypes"
    expected = {INPUTS: _encoded(example, raw)}
    check_close(
        {INPUTS: found.astype(np.float32)}, expected, "in the graph that onnx describes", remedy, tolerance=1e-6
    )


def _raw_rows(example: DatasetExample, split: str, indices: NDArray[np.int64]) -> RawRows:
    example.splits  # noqa: B018 - raw rows are available only after the data is opened
    raw = example.dataset.raw_rows(split, indices)
    if raw is None:
        raise NotApplicable("it has no raw rows")
    return raw


def _encoded(example: DatasetExample, raw: RawRows) -> NDArray[np.float32]:
    array = example.dataset.from_columns(raw) if isinstance(raw, Mapping) else np.array(raw)
    return np.asarray(example.dataset.encode(array), np.float32)
