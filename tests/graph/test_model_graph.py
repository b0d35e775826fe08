"""A model's graph: its inputs and outputs, whatever its columns are called."""

from __future__ import annotations

import csv

import numpy as np
import pytest
from requirements import Optional, require_package

import mlpkit
from mlpkit import Graph, NotExportableError
from mlpkit.graph.evaluator import evaluate
from mlpkit.graph.model_graph import bare_network, model_graph
from mlpkit.verbs.export.export import export

onnxruntime = Optional("onnxruntime")

NAMES = ("label", "csv/Cast_50", "probabilities", "value", "logits", "rows", "Affine1.W", "a b", "mlpkit-provenance")


@pytest.fixture
def trained(tmp_path):
    """Return a function that trains on a table whose columns have names that a graph may need for itself."""

    def train(target, **options):
        rng = np.random.default_rng(0)
        columns = {name: rng.normal(size=60).round(3).tolist() for name in NAMES}
        columns |= {"t": ["p", "q", "r"] * 20, "l": [0, 1] * 30, "m": [1, 0, 0] * 20, "v": rng.normal(size=60).tolist()}
        with (tmp_path / "t.csv").open("w", newline="") as file:
            csv.writer(file).writerows([list(columns), *zip(*columns.values(), strict=True)])
        losses = {"classes": "SoftmaxWithLoss", "labels": "SigmoidWithLoss", "values": "MeanSquaredError"}
        spec = {
            "mlpkit": 1,
            "data": {
                "csv": {
                    "file": str(tmp_path / "t.csv"),
                    "target": target,
                    "inputs": list(NAMES),
                    "validation": 0,
                    "test": 0.3,
                    **options,
                }
            },
            "layers": [{"Affine": {"units": "auto"}}, losses[options.get("predict", "classes")]],
            "training": {"optimizer": {"adam": {"learning_rate": 0.01}}, "epochs": 1},
        }
        return mlpkit.run(mlpkit.load_spec(spec), directory=tmp_path / "run")

    return train


@pytest.mark.parametrize(
    ("target", "options", "outputs"),
    [
        ("t", {}, ("predicted_label", "predicted_probabilities")),
        (["l", "m"], {"predict": "labels"}, ("predicted_label", "predicted_probabilities")),
        ("v", {"predict": "values"}, ("predicted_value",)),
    ],
)
def test_columns_may_have_any_name(trained, tmp_path, target, options, outputs):
    require_package("onnxruntime")
    trained(target, **options)

    found = export(tmp_path / "run", tmp_path / "model.onnx")

    assert (found.outputs, found.rows, found.warning) == (outputs, found.rows, "")
    assert found.rows > 5
    session = onnxruntime.InferenceSession(found.file)
    assert [each.name for each in session.get_inputs()] == list(NAMES)


def test_a_column_that_has_the_name_of_a_value_inside_is_refused():
    graph = Graph(np.dtype(np.float32))
    inside = graph.op("Abs", graph.feed("a", "float64"))

    with pytest.raises(
        NotExportableError, match=f"can't be called '{inside.name}'; rename its column, or leave it out"
    ):
        graph.feed(inside.name, "float64")


def test_a_value_inside_takes_no_name_of_a_column():
    names = [f"{operator}_{number}" for operator in ("Abs", "Constant") for number in range(1, 9)]
    graph = Graph(np.dtype(np.float32))
    feeds = [graph.feed(name, "float64") for name in names]

    values = {graph.op("Add", graph.op("Abs", feed), np.zeros(1)).name for feed in feeds}

    assert not (values | graph.constants.keys()) & {*names}


def test_labels_are_one_from_a_half_up(trained):
    run = trained(["l", "m"], predict="labels")
    model = model_graph(run.network, run.model._trained.dataset, {})
    rows = {name: np.linspace(-50, 50, 40) * (-1) ** i for i, name in enumerate(NAMES)}

    values = evaluate(model.graph, rows)

    assert set(values["predicted_label"].ravel().tolist()) == {0, 1}
    np.testing.assert_array_equal(values["predicted_label"], values["predicted_probabilities"] >= 0.5)


def test_provenance_gets_the_inputs(trained):
    run = trained("t")

    provenance = model_graph(run.network, run.model._trained.dataset, {"run": "x"}).provenance

    assert provenance["run"] == "x"
    assert [each["name"] for each in provenance["inputs"]] == list(NAMES)
    meaning = provenance["inputs"][0].pop("meaning")
    assert meaning.startswith("NaN if it is missing")
    assert provenance["inputs"][0] == {"name": "label", "dtype": "float64", "shape": [], "kind": "number"}
    assert "values" not in provenance


@pytest.mark.parametrize(("target", "values"), [(["v", "l"], ["v", "l"]), (["v"], None)])
def test_provenance_gets_the_names_of_several_values(trained, target, values):
    run = trained(target, predict="values")
    assert model_graph(run.network, run.model._trained.dataset, {}).provenance.get("values") == values
    assert bare_network(run.network, {}).provenance.get("values") is None
