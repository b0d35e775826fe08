"""What a data set's encoder gives in operators, beside ``encode``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from mlpkit import Graph
from mlpkit.graph.evaluator import evaluate

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from mlpkit import Dataset


def graph_of(dataset: Dataset) -> Graph:
    """Return the graph of an encoder, with the output ``encoded``."""
    graph = Graph(np.dtype(dataset.dtype), dataset.describe().input_shape)
    graph.outputs["encoded"] = graph.encode(dataset)
    return graph


def encoded_in_graph(dataset: Dataset, feeds: Mapping[str, Any]) -> NDArray[Any]:
    """Return what the operators make of raw inputs."""
    return evaluate(graph_of(dataset), {name: np.asarray(values) for name, values in feeds.items()})["encoded"]
