"""Proving that an exported file computes what the model does, before it is kept."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from mlpkit.array import Array
from mlpkit.components.exporter import Exporter, ModelGraph
from mlpkit.components.target import Classes, Labels
from mlpkit.errors import ExportError
from mlpkit.graph.evaluator import evaluate
from mlpkit.graph.model_graph import LABEL
from mlpkit.graph.probes import probe_rows
from mlpkit.network.component_errors import check_returned, component_errors
from mlpkit.network.sequential import Sequential

Arrays: TypeAlias = "Mapping[str, Array]"
"""Arrays by name, all with as many rows."""

TOLERANCE: Final = 1e-5
"""How far a probability may be off; and a value, as a share of the largest in its column."""

TOLERANCE_MADE_UP: Final = 1e-4
"""The same for made-up rows, which may be far from all that the network was trained on, and for values inside."""

MOST_PROBABILITIES: Final = 1 << 22
"""Most probabilities that names of classes are compared on: of more than 2,048 classes, some names are left out."""


class KnownRows(NamedTuple):
    """Rows whose prediction is known: raw inputs by name, encoded, what ``predict`` returns, and their origin."""

    feeds: Arrays
    encoded: Array
    prediction: Array
    place: str

    def one(self, row: int) -> KnownRows:
        """Return one of the rows."""
        only = slice(row, row + 1)
        return KnownRows(_row(self.feeds, row), self.encoded[only], self.prediction[only], self.place)


def prove(exporter: Exporter, file: Path, model: ModelGraph, network: Sequential, rows: KnownRows | None) -> int:
    """Check that a file computes what the model does, and return for how many known rows it gives the same bits.

    Rows whose prediction is known come first; then rows made up so that every category and missing value occurs,
    against the evaluator. An ``ExportError`` names the row, and a layer if the exporter shows values.
    """
    proof = _Proof(exporter, file, model, network)
    exact = 0 if rows is None else proof.on_known_rows(rows)
    feeds = probe_rows(model, None if rows is None else rows.feeds)
    if len(next(iter(feeds.values()))):
        proof.on_made_up_rows(feeds)
        if exporter.shows_values:
            proof.inside(feeds)
    if exporter.shows_values:
        proof.of_class_names()
    return exact


def outputs_of(model: ModelGraph, prediction: Array, network: Sequential) -> dict[str, Array]:
    """Return what a model's outputs are if that is its prediction; logits are left out."""
    found, coverage = {}, network.adjustments.coverage
    regions = coverage.regions(prediction) if coverage is not None and coverage.is_fitted else {}
    for name, value in model.graph.outputs.items():
        if name.endswith(LABEL):
            found[name] = _labels(model, prediction)
        elif value == model.prediction:
            found[name] = prediction
        elif name.removeprefix("predicted_") in regions:
            found[name] = regions[name.removeprefix("predicted_")]
    return found


def _labels(model: ModelGraph, prediction: Array) -> Array:
    if isinstance(model.target, Labels):
        return (prediction >= 0.5).astype(np.int64)
    numbers: Array = prediction.argmax(axis=1)
    return numbers if model.class_names is None else np.array(model.class_names, object)[numbers]


class _WrongValue(NamedTuple):
    """The first value inside the graph that a file computes differently."""

    made_by: str
    operator: str
    row: int
    found: Array
    expected: Array


@dataclass(frozen=True)
class _Proof:
    """Compares a file with the model that was written to it; each method raises ``ExportError`` if they differ."""

    exporter: Exporter
    file: Path
    model: ModelGraph
    network: Sequential

    def on_known_rows(self, rows: KnownRows) -> int:
        """Compare outputs with what ``predict`` returns, and return how many rows have the same bits."""
        wanted = outputs_of(self.model, rows.prediction, self.network)
        found = self._computed(rows.feeds, wanted)
        for name, expected in wanted.items():
            row = self._wrong_row(name, found[name], expected, rows.prediction, TOLERANCE)
            if row is not None:
                one = rows.one(row)
                differs_from = self._culprit_in_file(one.feeds) or self._culprit_in_graph(one)
                place = f"row {row} of {rows.place}, counted from 0"
                raise self._refusal(place, differs_from, name, found[name][row], expected[row])
        return int(np.all([_same_bits(found[name], expected) for name, expected in wanted.items()], axis=0).sum())

    def on_made_up_rows(self, feeds: Arrays) -> None:
        """Compare outputs with the evaluator's."""
        known = evaluate(self.model.graph, feeds)
        found = self._computed(feeds, self.model.graph.outputs)
        prediction = known[self.model.prediction.name]
        for name in self.model.graph.outputs:
            row = self._wrong_row(name, found[name], known[name], prediction, TOLERANCE_MADE_UP)
            if row is not None:
                differs_from = self._culprit_in_file(_row(feeds, row))
                raise self._refusal(_made_up(feeds, row), differs_from, name, found[name][row], known[name][row])

    def inside(self, feeds: Arrays) -> None:
        """Compare what each operator computes, so that a wrong weight shows behind a unit that is silent."""
        wrong = self._first_wrong_value(feeds)
        if wrong is not None:
            place = _made_up(feeds, wrong.row)
            raise self._refusal(place, wrong.made_by, wrong.operator, wrong.found, wrong.expected)

    def of_class_names(self) -> None:
        """Make each class the most probable one in turn, to compare the name of one that is never predicted, too."""
        model = self.model
        if not isinstance(model.target, Classes) or model.class_names is None:
            return
        count = model.target.count
        classes = np.linspace(0, count - 1, min(count, max(1, MOST_PROBABILITIES // count))).astype(np.intp)
        certain = np.zeros((len(classes), count), model.graph.dtype)
        certain[np.arange(len(classes)), classes] = 1
        labels = [name for name in model.graph.outputs if name.endswith(LABEL)]
        for name, found in self._computed({model.prediction.name: certain}, labels).items():
            row = _differing(found, np.array(model.class_names, object)[classes])
            if row is not None:
                place = f"class {classes[row]}, counted from 0"
                raise self._refusal(place, "", name, found[row], model.class_names[classes[row]])

    def _computed(self, feeds: Arrays, names: Iterable[str]) -> Arrays:
        names, who = tuple(names), f"exporter {self.exporter.registered_name}"
        with component_errors(f"{who} failed in compute"):
            found = self.exporter.compute(self.file, self.model, feeds, names)
        check_returned(who, "compute", found, Mapping, "a mapping from names to arrays")
        for name in names:
            check_returned(who, f"compute for {name}", found.get(name), np.ndarray, "a NumPy array")
        return found

    def _wrong_row(self, name: str, found: Array, expected: Array, prediction: Array, tolerance: float) -> int | None:
        """Return the first row whose output is wrong; a label isn't, if another is as probable."""
        if found.shape != expected.shape:
            raise ExportError(
                f"{self.file.name} doesn't compute what the model does, and was not kept: {name} has the shape "
                f"{found.shape}; expected {expected.shape}"
            )
        if name.endswith(LABEL):
            return _differing(found, expected, but=_are_ties(self.model, prediction, tolerance))
        if name.endswith("set"):
            coverage = self.network.adjustments.coverage
            assert coverage is not None
            hang = coverage.hang_on_rounding(prediction, tolerance)
            return _differing(np.where(hang, expected, found), expected)
        if isinstance(self.model.target, Classes | Labels):
            return _differing(found, expected, tolerance)
        return _differing(found, expected, tolerance * _largest(expected, axis=0))

    def _culprit_in_file(self, feeds: Arrays) -> str:
        """Return the layer, or the data set, that the file computes differently; empty if that doesn't show."""
        wrong = self._first_wrong_value(feeds) if self.exporter.shows_values else None
        return "" if wrong is None else wrong.made_by

    def _first_wrong_value(self, feeds: Arrays) -> _WrongValue | None:
        nodes = [node for node in self.model.graph.nodes if node.made_by]
        known = evaluate(self.model.graph, feeds)
        values = self._computed(feeds, [node.outputs[0] for node in nodes])
        for node in nodes:
            found, expected = values[node.outputs[0]], known[node.outputs[0]]
            row = _differing(found, expected, TOLERANCE_MADE_UP * _largest(expected))
            if row is not None:
                return _WrongValue(node.made_by, node.operator, row, found[row], expected[row])
        return None

    def _culprit_in_graph(self, one: KnownRows) -> str:
        """Return what describes itself wrongly in ``onnx``: data set, layer or loss; empty if none does."""
        graph = self.model.graph
        known = evaluate(graph, one.feeds)
        last = {node.made_by.partition(".")[0]: known[node.outputs[0]] for node in graph.nodes if node.made_by}
        if _agrees(known[self.model.prediction.name], one.prediction):
            return ""
        x = one.encoded
        if not _agrees(known[self.model.encoded.name], x):
            return graph.nodes[0].made_by
        for layer in self.network.layers:
            x = layer.forward(x)
            if layer.path in last and not _agrees(last[layer.path], x):
                return layer.path
        return self.network.loss_layer.path

    def _refusal(self, place: str, differs_from: str, name: str, found: object, expected: object) -> ExportError:
        differs = f"{place}, differs from {differs_from} on" if differs_from else f"{place}, differs"
        gives = f"the file gives {_shown(found)} for {name}, and the model {_shown(expected)}"
        return ExportError(
            f"{self.file.name} doesn't compute what the model does, and was not kept: {differs}: {gives}"
        )


def _differing(
    found: Array,
    expected: Array,
    allowed: Array | float = 0.0,
    but: NDArray[np.bool_] | None = None,
) -> int | None:
    """Return the first row, except those in ``but``, that differs by more than is allowed; None without one."""
    if found.shape != expected.shape:
        return 0
    equal = np.asarray(found == expected)
    if expected.dtype.kind == "f":
        equal = equal | (np.abs(found - expected) <= allowed) | (np.isnan(found) & np.isnan(expected))
    wrong = ~equal.reshape(len(expected), -1).min(axis=1)
    if but is not None:
        wrong &= ~but
    return int(wrong.argmax()) if wrong.any() else None


def _same_bits(found: Array, expected: Array) -> NDArray[np.bool_]:
    """Return which rows are the same; of numbers, bit by bit."""
    same = np.asarray(found == expected)
    if expected.dtype.kind == "f":
        same &= np.signbit(found) == np.signbit(expected)
        same |= np.isnan(found) & np.isnan(expected)
    return np.asarray(same.reshape(len(expected), -1).all(axis=1))


def _agrees(found: Array, expected: Array) -> bool:
    return _differing(found, expected, TOLERANCE_MADE_UP * _largest(expected)) is None


def _largest(numbers: Array, axis: int | None = None) -> Any:
    """Return the largest finite magnitude of each column along an axis, or of the whole array."""
    if numbers.dtype.kind != "f":
        return 0.0
    return np.abs(np.where(np.isfinite(numbers), numbers, 0)).max(axis=axis, initial=0)


def _are_ties(model: ModelGraph, prediction: Array, tolerance: float) -> NDArray[np.bool_]:
    """Return the rows whose label hangs on rounding: two classes are as probable, or a label is as probable as not."""
    if isinstance(model.target, Labels):
        apart: Array = 2 * np.abs(prediction - 0.5).min(axis=1)
    else:
        apart = np.diff(np.sort(prediction, axis=1)[:, -2:])[:, 0]
    return np.asarray(apart <= 2 * tolerance)


def _row(feeds: Arrays, row: int) -> dict[str, Array]:
    return {name: array[row : row + 1] for name, array in feeds.items()}


def _made_up(feeds: Arrays, row: int) -> str:
    """Describe a made-up row by the first of its values, if they are numbers and texts."""
    shown = [f"{name}={array[row]}" for name, array in feeds.items() if array.ndim == 1]
    return f"a made-up row ({', '.join(shown[:4])}{', ...' if len(shown) > 4 else ''})" if shown else "a made-up row"


def _shown(value: object) -> str:
    return np.array2string(value, precision=7, threshold=8) if isinstance(value, np.ndarray) else str(value)
