"""Proving that an exported file computes what the model does, before it is kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from mlpkit.components.target import Classes, Labels
from mlpkit.errors import ExportError
from mlpkit.exports.evaluator import evaluate
from mlpkit.exports.model_graph import LABEL
from mlpkit.exports.probes import probe_rows

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from mlpkit.components.graph import Node
    from mlpkit.exports.formats import Arrays, Format
    from mlpkit.exports.model_graph import ModelGraph
    from mlpkit.network.sequential import Sequential

TOLERANCE: Final = 1e-5
"""How far a number may be off, as a share of the largest number in its column, or in its array inside the graph."""

ROWS_TOGETHER: Final = 256
"""Rows whose values inside the graph are compared at a time."""


class KnownRows(NamedTuple):
    """Rows whose prediction is known.

    Args:
        feeds: the raw inputs, by name.
        encoded: the same rows as the network takes them.
        prediction: what ``predict`` returns for them.
        place: what they are, such as ``the test split``.
    """

    feeds: Arrays
    encoded: NDArray[Any]
    prediction: NDArray[Any]
    place: str


def prove(form: Format, file: Path, model: ModelGraph, network: Sequential, rows: KnownRows | None) -> None:
    """Make sure that a file computes what the model does.

    First, on rows whose prediction is known: labels must be equal, and numbers differ by no more than rounding. Then,
    against the evaluator, on rows made up so that every category and missing value occurs.

    Args:
        form: the format of the file.
        file: the file.
        model: what was written to it.
        network: the network.
        rows: rows whose prediction is known; None if there are none.

    Raises:
        ExportError: the file computes something else; the message names a row, and a layer as far as the format shows
            what happens inside.
        EngineMissingError: there is nothing at hand to run the file.
    """
    if rows is not None:
        _prove_predictions(form, file, model, network, rows)
    feeds = probe_rows(model, None if rows is None else rows.feeds)
    _prove_outputs(form, file, model, feeds)
    if form.shows_values:
        _prove_values(form, file, model, feeds)
        _prove_class_names(form, file, model)


def outputs_of(model: ModelGraph, prediction: NDArray[Any]) -> dict[str, NDArray[Any]]:
    """Return what a model's outputs are if that is its prediction.

    Args:
        model: the model.
        prediction: what ``predict`` returns.
    """
    found = {}
    for name, value in model.graph.outputs.items():
        if value == model.prediction:
            found[name] = prediction
        elif name.endswith(LABEL):
            found[name] = _labels(model, prediction)
    return found


def _labels(model: ModelGraph, prediction: NDArray[Any]) -> NDArray[Any]:
    if isinstance(model.target, Labels):
        return (prediction >= 0.5).astype(np.int64)
    numbers: NDArray[Any] = prediction.argmax(axis=1)
    return numbers if model.class_names is None else np.array(model.class_names, object)[numbers]


def _prove_predictions(form: Format, file: Path, model: ModelGraph, network: Sequential, rows: KnownRows) -> None:
    expected = outputs_of(model, rows.prediction)
    found = form.compute(file, model, rows.feeds, tuple(expected))
    for name, value in expected.items():
        row = _differing(found[name], value, _ties(model, rows.prediction) if name.endswith(LABEL) else None)
        if row is not None:
            feeds, one = _row(rows.feeds, row), slice(row, row + 1)
            culprit = _culprit_in_file(form, file, model, feeds) or _culprit_in_graph(
                model, network, feeds, rows.encoded[one], rows.prediction[one]
            )
            place = f"row {row} of {rows.place}, counted from 0"
            raise _refusal(file, culprit, place, name, found[name][row], value[row])


def _prove_outputs(form: Format, file: Path, model: ModelGraph, feeds: Arrays) -> None:
    known = evaluate(model.graph, feeds)
    prediction = known[model.prediction.name]
    found = form.compute(file, model, feeds, tuple(model.graph.outputs))
    for name in model.graph.outputs:
        row = _differing(found[name], known[name], _ties(model, prediction) if name.endswith(LABEL) else None)
        if row is not None:
            place, culprit = _made_up(feeds, row), _culprit_in_file(form, file, model, _row(feeds, row))
            raise _refusal(file, culprit, place, name, found[name][row], known[name][row])


def _prove_values(form: Format, file: Path, model: ModelGraph, feeds: Arrays) -> None:
    """Compare what each operator computes, so that a wrong weight shows behind a unit that is silent."""
    for part in _parts(feeds):
        wrong = _first_wrong_value(form, file, model, part)
        if wrong is not None:
            node, row, found, expected = wrong
            raise _refusal(file, node.made_by, _made_up(part, row), node.operator, found[row], expected[row])


def _prove_class_names(form: Format, file: Path, model: ModelGraph) -> None:
    """Make each class the most probable one, so that the name of one that is never predicted is compared, too."""
    if not isinstance(model.target, Classes) or model.class_names is None:
        return
    labels = [name for name in model.graph.outputs if name.endswith(LABEL)]
    certain = np.eye(model.target.count, dtype=model.graph.dtype)
    found = form.compute(file, model, {model.prediction.name: certain}, labels)
    for name in labels:
        row = _differing(found[name], np.array(model.class_names, object))
        if row is not None:
            raise _refusal(file, "", f"class {row}, counted from 0", name, found[name][row], model.class_names[row])


def _culprit_in_file(form: Format, file: Path, model: ModelGraph, feeds: Arrays) -> str:
    """Return the layer, or the data set, that the file computes differently; empty if that doesn't show."""
    wrong = _first_wrong_value(form, file, model, feeds) if form.shows_values else None
    return "" if wrong is None else wrong[0].made_by


def _first_wrong_value(
    form: Format, file: Path, model: ModelGraph, feeds: Arrays
) -> tuple[Node, int, NDArray[Any], NDArray[Any]] | None:
    known = evaluate(model.graph, feeds)
    names = [node.outputs[0] for node in model.graph.nodes if node.made_by]
    found = form.compute(file, model, feeds, names)
    for node in model.graph.nodes:
        name = node.outputs[0]
        row = _differing(found[name], known[name], whole=True) if name in found else None
        if row is not None:
            return node, row, found[name], known[name]
    return None


def _culprit_in_graph(
    model: ModelGraph, network: Sequential, feeds: Arrays, encoded: NDArray[Any], prediction: NDArray[Any]
) -> str:
    """Return what describes itself wrongly in ``onnx``: the data set, a layer or the loss; empty if nothing does."""
    known = evaluate(model.graph, feeds)
    if _differing(known[model.prediction.name], prediction) is None:
        return ""
    last = {node.made_by.partition(".")[0]: node.outputs[0] for node in model.graph.nodes if node.made_by}
    if _differing(known[model.encoded.name], encoded) is not None:
        return model.graph.nodes[0].made_by
    for layer in network.layers:
        encoded = layer.forward(encoded)
        if layer.path in last and _differing(known[last[layer.path]], encoded) is not None:
            return layer.path
    return network.loss_layer.path


def _differing(
    found: NDArray[Any], expected: NDArray[Any], tied: NDArray[np.bool_] | None = None, *, whole: bool = False
) -> int | None:
    """Return the first row that differs by more than it may; None if none does.

    Args:
        found: what a file computes.
        expected: what it should compute.
        tied: the rows whose label may be another, since two classes are as probable; None for none.
        whole: whether numbers are compared with the largest of the array, not of their column.
    """
    if found.shape != expected.shape:
        return 0
    equal = np.asarray(found == expected)
    if expected.dtype.kind == "f":
        numbers = np.abs(np.where(np.isfinite(expected), expected, 0))
        largest = numbers.max(axis=None if whole else 0, initial=0)
        equal = equal | (np.abs(found - expected) <= TOLERANCE * largest) | (np.isnan(found) & np.isnan(expected))
    wrong = ~equal.reshape(len(expected), -1).min(axis=1)
    if tied is not None:
        wrong &= ~tied
    return int(wrong.argmax()) if wrong.any() else None


def _ties(model: ModelGraph, prediction: NDArray[Any]) -> NDArray[np.bool_]:
    """Return the rows whose label hangs on rounding: two classes are as probable, or a label is as probable as not."""
    if isinstance(model.target, Labels):
        apart: NDArray[Any] = 2 * np.abs(prediction - 0.5).min(axis=1)
    else:
        apart = np.diff(np.sort(prediction, axis=1)[:, -2:])[:, 0]
    return np.asarray(apart <= 2 * TOLERANCE)


def _parts(feeds: Arrays) -> Iterator[dict[str, NDArray[Any]]]:
    rows = len(next(iter(feeds.values())))
    for begin in range(0, rows, ROWS_TOGETHER):
        yield {name: array[begin : begin + ROWS_TOGETHER] for name, array in feeds.items()}


def _row(feeds: Arrays, row: int) -> dict[str, NDArray[Any]]:
    return {name: array[row : row + 1] for name, array in feeds.items()}


def _made_up(feeds: Arrays, row: int) -> str:
    """Describe a row that no one has seen by its values, as far as they are short."""
    shown = [f"{name}={array[row]}" for name, array in feeds.items() if array.ndim == 1]
    return f"a made-up row ({', '.join(shown[:4])}{', ...' if len(shown) > 4 else ''})" if shown else "a made-up row"


def _refusal(file: Path, culprit: str, place: str, name: str, found: object, expected: object) -> ExportError:
    differs = f"{place}, differs from {culprit} on" if culprit else f"{place}, differs"
    gives = f"the file gives {_shown(found)} for {name}, and the model {_shown(expected)}"
    return ExportError(f"{file.name} doesn't compute what the model does, and was not kept: {differs}: {gives}")


def _shown(value: object) -> str:
    return str(np.array2string(value, precision=7, threshold=8)) if isinstance(value, np.ndarray) else str(value)
