"""Exports of calibrated networks compute what ``predict`` does."""

from __future__ import annotations

import numpy as np
import pytest
from built_in_exporters import EXPORTERS
from requirements import require_components_of

import mlpkit
from mlpkit.graph.evaluator import evaluate
from mlpkit.graph.model_graph import network_graph

CLASSES = {"file": "example:flowers.csv", "target": "species", "categorical": ["soil"], "missing": "fill"}
TWO = {"file": "example:loans.csv", "target": "paid_back", "categorical": ["purpose"]}
LABELS = {"file": "example:weather.csv", "target": ["rain", "wind", "fog"], "predict": "labels", "ignore": ["day"]}
DATA = {
    "classes": (CLASSES, [{"Affine": {"units": "auto"}}, "SoftmaxWithLoss"]),
    "two classes": (TWO, [{"Affine": {"units": 1}}, "SigmoidWithLoss"]),
    "labels": (LABELS, [{"Affine": {"units": 3}}, "SigmoidWithLoss"]),
}


KINDS = ("temperature", "isotonic")


def trained(of, kind, folder):
    data, layers = DATA[of]
    spec = {
        "mlpkit": 1,
        "data": {"csv": {**data, "validation": 0.4, "test": 0.2}},
        "layers": layers,
        "training": {"optimizer": {"sgd": {"learning_rate": 2.0}}, "batch_size": 16, "epochs": 3},
        "calibration": kind,
    }
    return mlpkit.run(mlpkit.load_spec(spec), folder / "run")


@pytest.fixture(scope="module", params=[("labels", "temperature"), ("classes", "isotonic")], ids=str)
def run(request, tmp_path_factory):
    return trained(*request.param, tmp_path_factory.mktemp("run"))


@pytest.mark.parametrize("of", DATA)
@pytest.mark.parametrize("kind", KINDS)
def test_the_graph_has_the_calibrated_prediction(of, kind, tmp_path):
    network = trained(of, kind, tmp_path).network
    x = np.random.default_rng(0).normal(size=(200, *network.input_shape)).astype(np.float32)
    graph = network_graph(network)
    assert "calibration" in {node.made_by for node in graph.nodes}
    found = evaluate(graph, {"x": x})["prediction"]
    np.testing.assert_allclose(found, network.predict(x), rtol=1e-4, atol=1e-6)
    with network.adjustments.calibration.set_aside():
        assert np.abs(network.predict(x) - found).max() > 0.01


@pytest.mark.parametrize("exporter", EXPORTERS)
def test_a_file_is_proved_to_give_the_calibrated_probabilities(run, tmp_path, exporter):
    require_components_of(exporter)
    exported = mlpkit.export(run, tmp_path / f"model.{exporter}")
    assert exported.rows > 0
    assert not exported.warning
