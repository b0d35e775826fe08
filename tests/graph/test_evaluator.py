"""The reference evaluator, against the onnx package's own test vectors."""

from __future__ import annotations

import re

import numpy as np
import pytest
from node_vectors import Vector, vectors_of
from requirements import require_package

from mlpkit import ML_DOMAIN, Graph, NotExportableError
from mlpkit.components.graph import Node
from mlpkit.graph.evaluator import OPERATORS, evaluate

onnx = require_package("onnx")

LEFT_OUT = {
    "AveragePool": {r"dilations": "came with opset 19"},
    "BatchNormalization": {r"training_mode": "training"},
    "Cast": {r"FLOAT8|FLOAT4|INT4|INT2|BFLOAT16": "types that came after opset 17, or that NumPy doesn't have"},
    "Identity": {r"sequence|opt": "no arrays"},
    "LabelEncoder": {r"tensor": "came with version 4 of the domain"},
    "Pad": {r"_axes": "came with opset 18"},
    "ReduceMax": {r"empty_set": "came with opset 20"},
    "ReduceMin": {r"empty_set": "came with opset 20"},
}
"""The vectors that are left out, by the operator and a part of their name, and why."""

REFUSED = {
    *("allowzero", "auto_pad", "ceil_mode", "count_include_pad", "noop_with_empty_axes"),
    *("select_last_index", "storage_order"),
}
"""Attributes that no component of mlpkit uses."""


def computed(operator: str, domain: str, vector) -> np.ndarray:
    """Return what the evaluator makes of a vector."""
    graph = Graph(np.dtype("float32"))
    names = tuple("" if each is None else f"input {i}" for i, each in enumerate(vector.inputs))
    graph.nodes.append(Node(operator, names, ("output",), vector.attributes, domain, ""))
    return evaluate(graph, {name: x for name, x in zip(names, vector.inputs, strict=True) if name})["output"]


@pytest.mark.parametrize(("domain", "operator"), OPERATORS, ids=[name for _, name in OPERATORS])
def test_an_operator_does_what_onnx_says(domain, operator):
    reasons = LEFT_OUT.get(operator, {})
    found = vectors_of(operator, domain)
    vectors = [each for each in found if not any(re.search(part, each.name) for part in reasons)]
    assert vectors
    assert all(any(re.search(part, each.name) for each in found) for part in reasons)
    for vector in vectors:
        if REFUSED & vector.attributes.keys():
            with pytest.raises(NotExportableError, match="unexpected keyword argument"):
                computed(operator, domain, vector)
            continue
        y = computed(operator, domain, vector)
        assert y.dtype.kind == vector.output.dtype.kind, vector.name
        assert y.dtype == vector.output.dtype or y.dtype.kind == "U", vector.name
        assert y.shape == vector.output.shape, vector.name
        if y.dtype.kind == "f":
            np.testing.assert_allclose(y, vector.output, rtol=1e-5, atol=1e-6, err_msg=vector.name)
        else:
            np.testing.assert_array_equal(y, vector.output, err_msg=vector.name)


@pytest.mark.parametrize("number", [*range(1, 8), *range(9, 14)])
def test_types_have_their_numbers_in_onnx(number):
    y = computed("Cast", "", Vector("", {"to": number}, (np.float32([[0, 1]]),), np.zeros(0)))
    assert y.dtype == onnx.helper.tensor_dtype_to_np_dtype(number)
    assert y.tolist() == [[0, 1]]


def test_integers_become_texts_and_back():
    texts = computed("Cast", "", Vector("", {"to": onnx.TensorProto.STRING}, (np.array([-7, 30]),), np.zeros(0)))
    assert (texts.dtype.kind, texts.tolist()) == ("U", ["-7", "30"])
    assert computed("Cast", "", Vector("", {"to": onnx.TensorProto.INT64}, (texts,), np.zeros(0))).tolist() == [-7, 30]


@pytest.mark.parametrize(
    ("a", "b", "quotient"), [(7, 2, 3), (-7, 2, -3), (7, -2, -3), (-7, -2, 3), (6, 3, 2), (2**62 + 1, 1, 2**62 + 1)]
)
def test_the_quotient_of_integers_is_truncated_towards_zero(a, b, quotient):
    y = computed("Div", "", Vector("", {}, (np.array([a]), np.array([b])), np.zeros(0)))
    assert (y.dtype, y.tolist()) == (np.int64, [quotient])


def described(*uses: tuple) -> Graph:
    """Return a graph of a layer ``Odd1`` that takes a float32 input ``x`` through operators."""
    graph = Graph(np.dtype("float32"))
    y = graph.feed("x", "float32", (3,))
    for operator, *inputs in uses:
        y = graph.op(operator, y, *inputs)
    graph.nodes = [node._replace(made_by="Odd1") for node in graph.nodes]
    graph.outputs["y"] = y
    return graph


X = {"x": np.ones((2, 3), np.float32)}


def test_an_unknown_operator_is_answered_with_the_nearest():
    with pytest.raises(
        NotExportableError, match=r"^Odd1 uses the operator RELU, which mlpkit .* did you mean 'Relu'\?$"
    ):
        evaluate(described(("RELU",)), X)


def test_an_operator_like_no_other_is_looked_up_in_the_reference():
    with pytest.raises(NotExportableError, match=r"doesn't know; expected an operator listed in the reference$"):
        evaluate(described(("QLinearConv",)), X)


def test_inputs_of_an_operator_have_one_type():
    with pytest.raises(NotExportableError, match=r"^Odd1 gives Mul .* with Cast$") as caught:
        evaluate(described(("Mul", 2)), X)
    assert str(caught.value) == (
        "Odd1 gives Mul inputs of float32 and int64; expected one type, as in ONNX; write 2.0 for 2, or convert one "
        "with Cast"
    )


def test_what_an_operator_can_not_take_is_said_with_the_layer():
    with pytest.raises(NotExportableError, match=r"^Odd1 uses Reshape in a way that fails: cannot reshape"):
        evaluate(described(("Reshape", np.array([7, 3]))), X)


def test_a_float_has_the_networks_dtype_and_an_output_its_name():
    graph = described(("Add", 0.5), ("Exp",))
    y = evaluate(graph, X)["y"]
    assert y.dtype == np.float32
    np.testing.assert_allclose(y, np.exp(1.5), rtol=1e-6)


def test_extreme_inputs_give_no_warning():
    x = {"x": np.array([[-1e30, 0, 1e30]], np.float32)}
    np.testing.assert_array_equal(evaluate(described(("Sigmoid",)), x)["y"], [[0, 0.5, 1]])
    np.testing.assert_array_equal(
        evaluate(described(("Softplus",)), x)["y"][0, [0, 2]], np.array([0, 1e30], np.float32)
    )


def encoded(x, **attributes):
    return computed("LabelEncoder", ML_DOMAIN, Vector("", attributes, (np.array(x),), np.zeros(0))).tolist()


def test_categories_are_found_among_the_keys():
    sizes = {"keys_strings": ["small", "large"], "values_floats": [0.5, 2.0]}
    assert encoded(["large", "small", "huge"], **sizes) == [2.0, 0.5, 0.0]
    assert encoded(["large", "huge"], **sizes, default_float=9.0) == [2.0, 9.0]
    names = {"keys_int64s": [0, 1], "values_strings": ["no", "yes"]}
    assert encoded([[1], [0], [2]], **names) == [["yes"], ["no"], ["_Unused"]]
    floats = {"keys_floats": [0.1, np.nan], "values_int64s": [1, 2]}
    assert encoded(np.float32([0.1, np.nan, 3]), **floats) == [1, 2, -1]
