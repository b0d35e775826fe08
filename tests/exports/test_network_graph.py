"""A network as a graph of operators."""

import numpy as np
import pytest

from mlpkit import Layer, NotExportableError, Sequential
from mlpkit.exports.evaluator import evaluate
from mlpkit.exports.network_graph import network_graph
from mlpkit.layers import Affine, Relu, SoftmaxWithLoss


class Doubled(Layer):
    def forward(self, x):
        return 2 * x

    def backward(self, dy):
        return 2 * dy


def test_a_graph_computes_what_predict_does():
    network = Sequential([Affine(5), Relu(), Affine(3), SoftmaxWithLoss()], input_shape=(4,), seed=0)
    x = np.random.default_rng(0).normal(size=(6, 4)).astype(np.float32)

    outputs = evaluate(network_graph(network), {"x": x})

    np.testing.assert_allclose(outputs["prediction"], network.predict(x), rtol=1e-5)


def test_a_layer_without_onnx_is_refused_by_name():
    network = Sequential([Doubled(), Affine(3), SoftmaxWithLoss()], input_shape=(4,))

    with pytest.raises(
        NotExportableError, match=r"^layer Doubled1 \(Doubled\) can't be exported: it has no method onnx"
    ):
        network_graph(network)
