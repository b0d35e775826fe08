"""A network as a graph of operators."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from random_networks import random_inputs, random_networks

from mlpkit import Layer, NotExportableError, Sequential
from mlpkit.graph.evaluator import evaluate
from mlpkit.graph.model_graph import network_graph
from mlpkit.layers import Affine, SoftmaxWithLoss


class Doubled(Layer):
    def forward(self, x):
        return 2 * x

    def backward(self, dy):
        return 2 * dy


def expect_the_graph_to_predict(network):
    x = random_inputs(network)
    outputs = evaluate(network_graph(network), {"x": x})
    expected = network.predict(x)
    assert outputs["prediction"].dtype == expected.dtype
    assert outputs["prediction"].shape == expected.shape
    bound = 1e-5 if network.dtype == "float32" else 1e-11
    np.testing.assert_allclose(outputs["prediction"], expected, rtol=0, atol=bound * max(1, np.abs(expected).max()))


@settings(max_examples=20, deadline=None)
@given(random_networks())
def test_a_graph_computes_what_predict_does(network):
    expect_the_graph_to_predict(network)


@pytest.mark.long
@settings(max_examples=500, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(random_networks())
def test_graphs_of_many_networks_compute_what_predict_does(network):
    expect_the_graph_to_predict(network)


def test_a_layer_without_onnx_is_refused_by_name():
    network = Sequential([Doubled(), Affine(3), SoftmaxWithLoss()], input_shape=(4,))

    with pytest.raises(
        NotExportableError, match=r"^layer Doubled1 \(Doubled\) can't be exported: it has no method onnx"
    ):
        network_graph(network)
