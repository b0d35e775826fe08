"""What stands in an ONNX file: versions, inputs and outputs, and where it came from."""

from __future__ import annotations

import json
import sys

import numpy as np
import onnx
import pytest
from hypothesis import HealthCheck, given, settings
from random_networks import random_inputs, random_networks
from requirements import require_package

import mlpkit
from mlpkit import Layer, NotExportableError, Sequential
from mlpkit.errors import EngineMissingError, ExportError
from mlpkit.graph.model_graph import bare_network
from mlpkit.layers import Affine, LayerNorm, Relu, SoftmaxWithLoss
from mlpkit.verbs.export.export import export
from mlpkit_plugins.exporters.onnx_file import OnnxFile

TYPES = {onnx.TensorProto.DOUBLE: "double", onnx.TensorProto.STRING: "string", onnx.TensorProto.FLOAT: "float"}


@pytest.fixture
def proto(towns, tmp_path):
    return onnx.load(export(towns, tmp_path / "model.onnx").file)


def shapes(values):
    """Return type and shape of inputs or outputs by name."""
    return {
        each.name: (
            TYPES[each.type.tensor_type.elem_type],
            [axis.dim_param or axis.dim_value for axis in each.type.tensor_type.shape.dim],
        )
        for each in values
    }


def test_inputs_say_what_to_put_into_them(proto):
    said = {each.name: each.doc_string for each in proto.graph.input}

    vector = "of shape (rows,), a vector and not (rows, 1)"
    assert said["age"] == f"number: float64 {vector}; NaN if it is missing; 1 and 0 for yes and no"
    clock = "seconds since 1970-01-01 00:00 on the clock that the date shows"
    assert said["when"] == f"date: float64 {vector}; {clock}; NaN if it is missing"
    assert said["shop"] == f"category: str {vector}; as in the file, without blanks around it; empty if it is missing"


def test_columns_go_in_and_labels_come_out(proto):
    assert shapes(proto.graph.input) == {
        "age": ("double", ["rows"]),
        "price": ("double", ["rows"]),
        "size": ("string", ["rows"]),
        "when": ("double", ["rows"]),
        "town": ("string", ["rows"]),
        "shop": ("string", ["rows"]),
    }
    assert shapes(proto.graph.output) == {"label": ("string", ["rows"]), "probabilities": ("float", ["rows", 3])}


def test_it_says_what_it_came_from(proto, towns):
    (said,) = proto.metadata_props
    found = json.loads(said.value)

    assert said.key == "mlpkit-provenance"
    assert (found["run"], found["name"], found["mlpkit"]) == ("run", "towns", mlpkit.__version__)
    lock = json.loads((towns / "lock.json").read_text())
    assert (found["spec"], found["data"]) == (lock["spec_hash"], lock["data_checksum"])
    (when,) = (each for each in found["inputs"] if each["name"] == "when")
    assert when == {
        "name": "when",
        "dtype": "float64",
        "shape": [],
        "kind": "date",
        "meaning": "seconds since 1970-01-01 00:00 on the clock that the date shows; NaN if it is missing",
    }


def written(network, tmp_path):
    model = bare_network(network, {"name": "bare"})
    OnnxFile().write(model, tmp_path / "m.onnx")
    return model, tmp_path / "m.onnx"


def network_of(*layers):
    return Sequential([*layers, Affine(3), SoftmaxWithLoss()], input_shape=(4,), target=mlpkit.Classes(3))


class Padded(Layer):
    """A layer that pads by nothing, with an operator that has changed since."""

    def forward(self, x):
        return x

    def backward(self, dy):
        return dy

    def onnx(self, graph):
        return graph.op("Pad", graph.input, np.zeros(4, int))


@pytest.mark.parametrize(("layers", "opset"), [([Relu()], 14), ([LayerNorm()], 17), ([Padded()], 13)])
def test_the_oldest_version_that_has_the_operators(tmp_path, layers, opset):
    _, file = written(network_of(*layers), tmp_path)

    proto = onnx.load(file)

    assert proto.ir_version == 8
    assert {each.domain: each.version for each in proto.opset_import} == {"": opset}


def test_a_file_names_its_maker_its_model_its_steps_and_what_an_input_is(tmp_path):
    model, file = written(network_of(Affine(5)), tmp_path)

    proto = onnx.load(file)

    assert (proto.producer_name, proto.producer_version, proto.graph.name) == ("mlpkit", mlpkit.__version__, "bare")
    assert [each.doc_string for each in proto.graph.input] == ["number: float32 of shape (rows, 4)"]
    nodes = [(each.op_type, each.name) for each in proto.graph.node]
    outputs = [("Identity", "logits"), ("Identity", "prediction")]
    assert nodes == [*((each.operator, each.outputs[0]) for each in model.graph.nodes), *outputs]
    assert [*proto.graph.node[-1].input] == [model.prediction.name]


def test_the_version_of_the_operators_for_machine_learning_is_the_oldest_too(proto):
    assert {each.domain: each.version for each in proto.opset_import} == {"": 16, "ai.onnx.ml": 2}


def test_without_the_package_onnx_a_file_is_not_written_and_without_onnxruntime_not_computed(tmp_path, monkeypatch):
    model, file = written(network_of(Affine(5)), tmp_path)
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(
        EngineMissingError, match=r'^onnxruntime is missing; install it with: pip install "mlpkit\[onnx\]"$'
    ):
        OnnxFile().compute(file, model, {"x": np.zeros((1, 4), np.float32)}, ["prediction"])
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(
        mlpkit.UsageError, match=r"^writing \.onnx needs the package onnx; install it with: pip install "
    ):
        OnnxFile().write(model, tmp_path / "other.onnx")
    assert not (tmp_path / "other.onnx").exists()


class Odd(Layer):
    """A layer that uses an operator as a test says."""

    operator, attributes = "Relu", {}

    def forward(self, x):
        return x

    def backward(self, dy):
        return dy

    def onnx(self, graph):
        return graph.op(self.operator, graph.input, **self.attributes)


@pytest.mark.parametrize(
    ("operator", "attributes", "message"),
    [
        ("Rilu", {}, r"Odd1 uses the operator Rilu, which (mlpkit doesn't know|ONNX doesn't have)"),
        ("Gelu", {}, r"Odd1 uses the operator Gelu"),
        ("Relu", {"alpha": 0.5}, "Odd1 uses Relu in a way that fails|the operators are not what ONNX allows"),
    ],
)
def test_what_onnx_does_not_know(tmp_path, monkeypatch, operator, attributes, message):
    monkeypatch.setattr(Odd, "operator", operator)
    monkeypatch.setattr(Odd, "attributes", attributes)

    with pytest.raises(NotExportableError, match=message):
        written(network_of(Odd()), tmp_path)


def test_any_number_of_rows_and_any_value_inside(tmp_path):
    require_package("onnxruntime")
    network = network_of(Affine(5), Relu())
    model, file = written(network, tmp_path)
    x = np.random.default_rng(0).normal(size=(3000, 4)).astype(np.float32)
    inside = model.graph.nodes[1].outputs[0]

    found = OnnxFile().compute(file, model, {"x": x}, ["prediction", inside])
    after = OnnxFile().compute(file, model, {inside: found[inside]}, ["prediction"])

    np.testing.assert_allclose(found["prediction"], network.predict(x), atol=1e-6)
    np.testing.assert_array_equal(after["prediction"], found["prediction"])
    assert found[inside].min() == 0


def test_a_file_that_onnxruntime_can_not_run(tmp_path):
    require_package("onnxruntime")
    model, file = written(network_of(Relu()), tmp_path)
    file.write_bytes(file.read_bytes()[:100])

    with pytest.raises(ExportError, match=r"^onnxruntime can't run m\.onnx: "):
        OnnxFile().compute(file, model, {"x": np.zeros((1, 4), np.float32)}, ["prediction"])


def expect_onnxruntime_to_predict(network, folder):
    require_package("onnxruntime")
    x = random_inputs(network)
    model, file = written(network, folder)
    found = OnnxFile().compute(file, model, {"x": x}, ["prediction"])["prediction"]
    expected = network.predict(x)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5 * max(1, np.abs(expected).max()))


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(random_networks(dtypes=("float32",)))
def test_onnxruntime_predicts_as_a_random_network_does(tmp_path, network):
    expect_onnxruntime_to_predict(network, tmp_path)


@pytest.mark.long
@settings(
    max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(random_networks(dtypes=("float32",)))
def test_onnxruntime_predicts_as_many_random_networks_do(tmp_path, network):
    expect_onnxruntime_to_predict(network, tmp_path)
