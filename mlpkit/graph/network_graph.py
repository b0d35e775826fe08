"""A network as a graph of operators."""

from __future__ import annotations

from mlpkit.components.graph import Graph, Value
from mlpkit.network.sequential import Sequential

LOGITS = "logits"
"""The name of the graph's output that the loss takes."""

PREDICTION = "prediction"
"""The name of the graph's output that ``predict`` returns."""


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
