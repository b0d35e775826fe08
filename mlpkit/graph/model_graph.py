"""A trained model as a graph of operators, from raw inputs to labels."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from mlpkit.components.dataset import Dataset
from mlpkit.components.exporter import ModelGraph
from mlpkit.components.graph import ML_DOMAIN, Graph, Value
from mlpkit.components.target import Classes, Labels, Target, Values
from mlpkit.errors import NotExportableError
from mlpkit.network.sequential import Sequential

LABEL: Final = "label"
"""Name of the output with each row's class, or with 0 or 1 for each label."""

PROBABILITIES: Final = "probabilities"
"""Name of the output with the probability of each class or label."""

VALUE: Final = "value"
"""Name of the output with values in the target's unit."""

LOGITS: Final = "logits"
"""Name of the output that the loss takes, of the graph of a network alone."""

PREDICTION: Final = "prediction"
"""Name of the output that ``predict`` returns, of the graph of a network alone."""


def model_graph(network: Sequential, dataset: Dataset, provenance: Mapping[str, Any]) -> ModelGraph:
    """Return the graph of a model: the data set's encoder, the network, and the decoding of its prediction.

    The outputs are ``label`` and ``probabilities`` if classes or labels are predicted, otherwise ``value``; with
    ``coverage`` also ``set``, a truth value for each class, or ``low`` and ``high``. An output whose name is also that
    of an input is called ``predicted_label``, and so on.
    """
    graph = Graph(network.dtype, network.input_shape)
    encoded = graph.cast(graph.encode(dataset), network.dtype)
    add_network(graph, network, encoded)
    logits, prediction = graph.outputs.pop(LOGITS), graph.outputs.pop(PREDICTION)
    assert network.target is not None
    names = dataset.class_names() if isinstance(network.target, Classes) else None
    outputs, coverage = _outputs(graph, network.target, prediction, names), network.adjustments.coverage
    if coverage is not None and coverage.is_fitted:
        outputs |= coverage.onnx_regions(graph, prediction)
        provenance = {**provenance, "coverage": coverage.share}
    for name, value in outputs.items():
        graph.outputs[f"predicted_{name}" if name in graph.feeds else name] = value
    predicted = network.replicas[0].prediction_names(dataset.target_names())
    for feed in graph.feeds.values():
        _require_unicode("column", feed.name)
        _require_unicode(f"category of '{feed.name}'", *feed.choices)
    _require_unicode("class", *(names or ()))
    origin = _with_columns(provenance, graph, predicted if isinstance(network.target, Values) else None)
    return ModelGraph(graph, network.target, encoded, logits, prediction, names, predicted, origin)


def _require_unicode(what: str, *names: str) -> None:
    """Raise ``NotExportableError`` if a name contains a surrogate."""
    for name in names:
        if any("\ud800" <= character <= "\udfff" for character in name):
            message = f"the {what} {name!a} contains half of a character, a surrogate, which files can't store"
            raise NotExportableError(f"{message}; rename it before training")


def network_graph(network: Sequential) -> Graph:
    """Return the graph of a network alone, from its encoded input ``x`` to ``logits`` and ``prediction``."""
    graph = Graph(network.dtype, network.input_shape)
    add_network(graph, network, graph.feed("x", network.dtype.name, network.input_shape))
    return graph


def add_network(graph: Graph, network: Sequential, x: Value) -> None:
    """Add a network to a graph that computes its encoded input x, with the outputs ``logits`` and ``prediction``."""
    graph.input = x
    logits = graph.chain(network.layers)
    if network.scaled is not None:
        logits = network.scaled.onnx(graph, logits)
    graph.outputs[LOGITS] = logits
    prediction, calibration = graph.describe(network.loss_layer, logits), network.adjustments.calibration
    if calibration is not None and calibration.is_fitted:
        prediction = graph.describe(calibration, prediction)
    graph.outputs[PREDICTION] = prediction


def bare_network(network: Sequential, provenance: Mapping[str, Any]) -> ModelGraph:
    """Return the graph of a network alone, from its encoded input ``x`` to ``logits`` and ``prediction``."""
    graph = network_graph(network)
    assert network.target is not None
    (encoded,) = map(Value, graph.feeds)
    logits, prediction = graph.outputs[LOGITS], graph.outputs[PREDICTION]
    predicted = network.replicas[0].prediction_names(None)
    origin = _with_columns(provenance, graph, predicted)
    return ModelGraph(graph, network.target, encoded, logits, prediction, None, predicted, origin)


def _outputs(graph: Graph, target: Target, prediction: Value, names: tuple[str, ...] | None) -> dict[str, Value]:
    if isinstance(target, Classes):
        label = graph.op("ArgMax", prediction, axis=1, keepdims=0)
        if names is not None:
            numbers = list(range(len(names)))
            label = graph.op(
                "LabelEncoder",
                label,
                domain=ML_DOMAIN,
                keys_int64s=numbers,
                values_strings=list(names),
                default_string="",
            )
        return {LABEL: label, PROBABILITIES: prediction}
    if isinstance(target, Labels):
        label = graph.cast(graph.op("GreaterOrEqual", prediction, 0.5), "int64")
        return {LABEL: label, PROBABILITIES: prediction}
    return {VALUE: prediction}


def _with_columns(provenance: Mapping[str, Any], graph: Graph, values: tuple[str, ...] | None) -> dict[str, Any]:
    """Add the table of inputs to provenance, and the names of the predicted values if there are several."""
    inputs = [
        {"name": feed.name, "dtype": feed.dtype, "shape": list(feed.shape), "kind": feed.kind, "meaning": feed.meaning}
        for feed in graph.feeds.values()
    ]
    named = {"values": list(values)} if values is not None and len(values) > 1 else {}
    return {**provenance, "inputs": inputs, **named}
