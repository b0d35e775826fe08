"""The operators that C knows, beside the reference evaluator."""

import numpy as np
import pytest
from c_models import MACHINES, machine, model_with

from mlpkit import ML_DOMAIN, Graph, NotExportableError
from mlpkit.graph.evaluator import OPERATORS as KNOWN
from mlpkit.graph.evaluator import evaluate
from mlpkit_plugins.exporters.c.operators import OPERATORS, VIEWS
from mlpkit_plugins.exporters.c_file import CFile, compute_c

F32, INT64, BOOL, F64 = 1, 7, 9, 11
RNG = np.random.default_rng(0)
ROWS = 6

FEEDS = {
    "x": RNG.normal(size=(ROWS, 5)).astype(np.float32),
    "z": RNG.normal(size=(ROWS, 5)).astype(np.float32),
    "positive": RNG.uniform(0.1, 3, size=(ROWS, 5)).astype(np.float32),
    "gaps": np.where(RNG.random((ROWS, 4)) < 0.5, np.nan, RNG.normal(size=(ROWS, 4))),
    "matrix": RNG.normal(size=(ROWS, 3, 4)).astype(np.float32),
    "images": RNG.normal(size=(ROWS, 2, 5, 6)).astype(np.float32),
    "numbers": RNG.integers(0, 4, size=(ROWS, 3)),
    "number": RNG.integers(0, 4, size=ROWS),
    "town": np.array(["Bern", "", "Zürich", 'a "b" ??/ \\', "elsewhere", "Bern"]),
}
WEIGHTS = RNG.normal(size=(5, 3)).astype(np.float32)
WIDE = RNG.normal(size=(5, 70)).astype(np.float32)
DEEP = RNG.normal(size=(70, 600)).astype(np.float32)
FILTERS = RNG.normal(size=(3, 2, 3, 2)).astype(np.float32)
ROW = RNG.normal(size=5).astype(np.float32)
TWO = [RNG.uniform(0.5, 1.5, 2).astype(np.float32) for _ in range(4)]
GRID = RNG.normal(size=(3, 4)).astype(np.float32)
SMALL = np.full(5, 1e-4, np.float32)


def one(operator, feed="x", **attributes):
    return lambda graph, x: graph.op(operator, x[feed], **attributes)


def two(operator, first="x", second="z"):
    return lambda graph, x: graph.op(operator, x[first], x[second])


CASES = {
    **{name: one(name) for name in ["Abs", "Ceil", "Cos", "Elu", "Erf", "Exp"]},
    **{name: one(name) for name in ["Floor", "HardSigmoid", "HardSwish", "LeakyRelu", "LogSoftmax"]},
    **{name: one(name) for name in ["Neg", "Reciprocal", "Relu", "Round", "Selu", "Sigmoid"]},
    **{name: one(name) for name in ["Sign", "Sin", "Softmax", "Softplus", "Softsign", "Tanh"]},
    **{name: one(name, "positive") for name in ["Log", "Sqrt"]},
    **{name: two(name) for name in ["Add", "Div", "Equal", "Greater", "GreaterOrEqual", "Less", "LessOrEqual"]},
    **{name: two(name) for name in ["Max", "Min", "Mul", "PRelu", "Sub"]},
    "Add of a row": lambda g, x: g.op("Add", x["x"], ROW),
    "Add of images and channels": lambda g, x: g.op("Add", x["images"], RNG.normal(size=(2, 1, 1)).astype(np.float32)),
    "Add of the same": lambda g, x: g.op("Add", x["x"], x["x"]),
    "And": lambda g, x: g.op("And", g.op("Greater", x["x"], 0.0), g.op("Greater", x["z"], 0.0)),
    "ArgMax": one("ArgMax", axis=1, keepdims=0),
    "ArgMax, axis kept": one("ArgMax", axis=-1),
    "AveragePool": one("AveragePool", "images", kernel_shape=[2, 3], strides=[1, 2]),
    "BatchNormalization": lambda g, x: g.op("BatchNormalization", x["images"], *TWO, epsilon=0.01),
    "BatchNormalization of features": lambda g, x: g.op("BatchNormalization", x["x"], ROW, ROW, ROW, SMALL),
    "Cast to float32": one("Cast", "gaps", to=F32),
    "Cast to int64": lambda g, x: g.op("Cast", g.op("Mul", x["x"], 3.0), to=INT64),
    "Cast to truth values": one("Cast", "numbers", to=BOOL),
    "Cast of fractions to truth values": one("Cast", to=BOOL),
    "Cast of truth values": lambda g, x: g.op("Cast", g.op("IsNaN", x["gaps"]), to=F32),
    "Cast to float64": one("Cast", to=F64),
    "Clip": lambda g, x: g.op("Clip", x["x"], -0.5, 0.5),
    "Clip from above": lambda g, x: g.op("Clip", x["x"], None, 0.5),
    "Clip from below": lambda g, x: g.op("Clip", x["x"], 0.5),
    "Clip without bounds": one("Clip"),
    "Concat": lambda g, x: g.op("Concat", x["x"], x["z"], axis=1),
    "Concat of images": lambda g, x: g.op("Concat", x["images"], x["images"], axis=-2),
    "Concat of columns": lambda g, x: g.op("Concat", *[g.op("Unsqueeze", x["number"], np.array([1]))] * 2, axis=1),
    "Conv": lambda g, x: g.op("Conv", x["images"], FILTERS, TWO[0][[0, 0, 1]]),
    "Conv, padded": lambda g, x: g.op("Conv", x["images"], FILTERS, strides=[2, 1], pads=[1, 2, 1, 2]),
    "Div of integers": lambda g, x: g.op("Div", g.op("Sub", x["numbers"], 2), 2),
    "Equal of integers": lambda g, x: g.op("Equal", g.op("Unsqueeze", x["number"], np.array([1])), np.arange(4)),
    "Add of a tiny integer": lambda g, x: g.op("Add", x["numbers"], np.array(-(2**63))),
    "Expand": lambda g, x: g.op("Expand", g.op("Unsqueeze", x["x"], np.array([2])), np.array([1, 5, 4])),
    "Flatten": one("Flatten", "images"),
    "Gather of columns": lambda g, x: g.op("Gather", x["x"], np.array([3, 0, -1]), axis=1),
    "Gather of a column": lambda g, x: g.op("Gather", x["matrix"], np.array([2]), axis=2),
    "Gather of channels": lambda g, x: g.op("Gather", x["images"], np.array([1, 0, 1]), axis=1),
    "Gather of rows of images": lambda g, x: g.op("Gather", x["images"], np.array([[4, -4]]), axis=2),
    "Gather of rows of a table": lambda g, x: g.op("Gather", RNG.normal(size=(4, 2)), x["numbers"]),
    "Gather of numbers": lambda g, x: g.op("Gather", np.array([1.5, 2, -3, 4]), x["number"]),
    "Gemm": lambda g, x: g.op("Gemm", x["x"], WEIGHTS, TWO[0][[0, 1, 1]]),
    "Gemm, many columns": lambda g, x: g.op("Gemm", x["x"], WIDE),
    "Gemm, many rows": lambda g, x: g.op("Gemm", g.op("Gemm", g.op("Gemm", x["x"], WIDE), DEEP), DEEP, transB=1),
    "Gemm, transposed": lambda g, x: g.op("Gemm", x["x"], WEIGHTS.T.copy(), transB=1),
    "Gemm, one bias": lambda g, x: g.op("Gemm", x["x"], WEIGHTS, np.ones((1, 1), np.float32)),
    "GlobalAveragePool": one("GlobalAveragePool", "images"),
    "Identity": one("Identity"),
    "IsNaN": one("IsNaN", "gaps"),
    "LabelEncoder": lambda g, x: g.op(
        "LabelEncoder",
        x["town"],
        domain=ML_DOMAIN,
        keys_strings=["Bern", "Zürich", 'a "b" ??/ \\', ""],
        values_int64s=[3, 1, 4, -1],
        default_int64=7,
    ),
    "LabelEncoder to texts": lambda g, x: g.op(
        "LabelEncoder",
        x["number"],
        domain=ML_DOMAIN,
        keys_int64s=[0, 1, 3],
        values_strings=["*/", "Genève", "%d\n"],
        default_string="none",
    ),
    "LabelEncoder to numbers": lambda g, x: g.op(
        "LabelEncoder", x["town"], domain=ML_DOMAIN, keys_strings=["Bern"], values_floats=[0.1], default_float=-0.7
    ),
    "LabelEncoder to 1 or, by default, -1": lambda g, x: g.op(
        "LabelEncoder", x["town"], domain=ML_DOMAIN, keys_strings=["Bern"], values_int64s=[1]
    ),
    "LabelEncoder to texts with the default": lambda g, x: g.op(
        "LabelEncoder", x["number"], domain=ML_DOMAIN, keys_int64s=[2], values_strings=["two"]
    ),
    "LabelEncoder to numbers with the default": lambda g, x: g.op(
        "LabelEncoder", x["number"], domain=ML_DOMAIN, keys_int64s=[2], values_floats=[2.5]
    ),
    "LayerNormalization": lambda g, x: g.op("LayerNormalization", x["matrix"], GRID, GRID, axis=1, epsilon=0.01),
    "LayerNormalization without shift": lambda g, x: g.op("LayerNormalization", x["x"], ROW, axis=1),
    "LayerNormalization of little": lambda g, x: g.op("LayerNormalization", g.op("Mul", x["x"], 0.003), ROW),
    "MatMul": lambda g, x: g.op("MatMul", x["matrix"], RNG.normal(size=(4, 2)).astype(np.float32)),
    "MatMul of matrices": lambda g, x: g.op(
        "MatMul", g.op("Unsqueeze", x["matrix"], np.array([2])), RNG.normal(size=(3, 4, 2)).astype(np.float32)
    ),
    "MaxPool": one("MaxPool", "images", kernel_shape=[2, 2], strides=[2, 1], pads=[1, 0, 0, 1]),
    "Max of three": lambda g, x: g.op("Max", x["x"], x["z"], 0.25),
    "Max of one": one("Max"),
    "Not": lambda g, x: g.op("Not", g.op("Greater", x["x"], 0.0)),
    "Or": lambda g, x: g.op("Or", g.op("Greater", x["x"], 0.0), g.op("Greater", x["z"], 0.0)),
    "Pad": lambda g, x: g.op("Pad", x["images"], np.array([0, 0, 1, 2, 0, 1, 0, 1]), 0.5),
    "Pad with zeros": lambda g, x: g.op("Pad", x["x"], np.array([0, 1, 0, 2])),
    "Pow": lambda g, x: g.op("Pow", x["positive"], 1.5),
    "ReduceMax": one("ReduceMax", "matrix", axes=[1]),
    "ReduceMean": one("ReduceMean", "matrix", axes=[1, 2], keepdims=0),
    "ReduceMin": one("ReduceMin", "matrix", axes=[-1]),
    "ReduceSum": lambda g, x: g.op("ReduceSum", x["matrix"], np.array([2])),
    "Reshape": lambda g, x: g.op("Reshape", x["images"], np.array([0, 5, -1])),
    "Slice": lambda g, x: g.op(
        "Slice", x["images"], np.array([1, 0]), np.array([5, 99]), np.array([2, 3]), np.array([2, 3])
    ),
    "Slice of columns": lambda g, x: g.op("Slice", x["x"], np.array([1]), np.array([-1]), np.array([1])),
    "Softmax of rows": one("Softmax", "matrix"),
    "Sign of integers": lambda g, x: g.op("Sign", g.op("Sub", x["numbers"], 2)),
    "Squeeze": lambda g, x: g.op("Squeeze", g.op("Unsqueeze", x["x"], np.array([2])), np.array([2])),
    "Tile": lambda g, x: g.op("Tile", x["matrix"], np.array([1, 2, 3])),
    "Transpose": one("Transpose", "images", perm=[0, 3, 1, 2]),
    "Unsqueeze": lambda g, x: g.op("Unsqueeze", x["x"], np.array([1])),
    "Where": lambda g, x: g.op("Where", g.op("IsNaN", x["gaps"]), np.array([1.0, 2, 3, 4]), x["gaps"]),
    "of what is constant": lambda g, x: g.op("Mul", x["x"], g.op("Sqrt", g.op("Add", np.float32(3.0), ROW * ROW))),
}

OF_MATH_H = {"Log", "LogSoftmax", "Pow"}
"""Operators that use functions of each machine's ``math.h``, whose last bits differ."""


@pytest.fixture(scope="module")
def everything(tmp_path_factory):
    """A file that computes all cases, with the outputs that the evaluator gives."""
    graph = Graph(np.dtype(np.float32))
    dtypes = {name: "str" if array.dtype.kind == "U" else array.dtype.name for name, array in FEEDS.items()}
    x = {name: graph.feed(name, dtypes[name], array.shape[1:]) for name, array in FEEDS.items()}
    model = model_with(graph, {name: case(graph, x) for name, case in CASES.items()})
    file = tmp_path_factory.mktemp("everything") / "everything.c"
    CFile().write(model, file)
    return file, model, evaluate(graph, FEEDS)


def expect_same(found, expected, name):
    assert found[name].shape == expected[name].shape, name
    if expected[name].dtype.kind == "f":
        largest = max(1, np.nanmax(np.abs(expected[name])))
        np.testing.assert_allclose(found[name], expected[name], rtol=0, atol=2e-6 * largest, err_msg=name)
    else:
        assert found[name].tolist() == expected[name].tolist(), name


def test_every_operator_has_a_case(everything):
    _, model, _ = everything
    assert {node.operator for node in model.graph.nodes} == {name for _, name in OPERATORS} | VIEWS


def test_c_knows_every_operator_that_mlpkit_knows():
    assert OPERATORS.keys() | {("", name) for name in VIEWS} == KNOWN.keys()


@pytest.mark.parametrize(
    "name", [pytest.param(each, marks=pytest.mark.long) if "," in each else each for each in MACHINES]
)
def test_operators_compute_what_the_evaluator_does(everything, name, tmp_path):
    file, model, expected = everything

    found = compute_c(file, model, FEEDS, list(CASES), machine(name, tmp_path))

    for case in CASES:
        expect_same(found, expected, case)


@pytest.mark.long
@pytest.mark.parametrize("name", MACHINES)
def test_operators_give_the_same_bits_on_every_machine(everything, name, tmp_path):
    file, model, _ = everything
    cases = [case for case in CASES if case not in OF_MATH_H]

    found = compute_c(file, model, FEEDS, cases, machine(name, tmp_path))
    expected = compute_c(file, model, FEEDS, cases)

    assert [case for case in cases if found[case].tobytes() != expected[case].tobytes()] == []


REFUSED = {
    "float64 in a product": (
        lambda g, x: g.op("Gemm", g.op("Cast", x["x"], to=F64), WEIGHTS.astype(np.float64)),
        "the graph uses the operator Gemm on float64, which can't be written in C; export the model to .onnx, or write "
        "the layer in other operators",
    ),
    "a product of two values": (
        lambda g, x: g.op("MatMul", x["matrix"], g.op("Transpose", x["matrix"], perm=[0, 2, 1])),
        "the graph uses the operator MatMul with an input 2 that is computed for each example",
    ),
    "a sum over examples": (
        lambda g, x: g.op("ReduceSum", x["matrix"], np.array([0])),
        "ReduceSum_2 isn't computed example by example, and C computes one at a time",
    ),
    "rows repeated": (
        lambda g, x: g.op("Tile", x["x"], np.array([2, 1])),
        "Tile_2 isn't computed example by example",
    ),
    "groups of channels": (
        lambda g, x: g.op("Conv", x["images"], FILTERS[:2, :1], group=2),
        "the graph uses the operator Conv with group = 2",
    ),
    "an infinite weight": (
        lambda g, x: g.op("Gemm", x["x"], WEIGHTS * np.float32(np.inf)),
        "the graph uses the operator Gemm with a weight that is infinite or not a number",
    ),
    "roots of integers": (
        lambda g, x: g.op("Sqrt", g.op("Cast", x["x"], to=INT64)),
        "the graph uses the operator Sqrt on int64, which can't be written in C",
    ),
    "a sigmoid in float64": (
        lambda g, x: g.op("Sigmoid", g.op("Cast", x["x"], to=F64)),
        "the graph uses the operator Sigmoid on float64, which can't be written in C",
    ),
    "texts": (
        lambda g, x: g.op("Equal", x["town"], np.array(["Bern"])),
        "the graph uses the operator Equal on texts",
    ),
    "a slice backwards": (
        lambda g, x: g.op("Slice", x["x"], np.array([-1]), np.array([-(2**40)]), np.array([1]), np.array([-1])),
        "the graph uses the operator Slice backwards",
    ),
    "a slice backwards along the last of two axes": (
        lambda g, x: g.op("Slice", x["matrix"], *(np.array(n) for n in ([0, 2], [2, 0], [1, 2], [1, -2]))),
        "the graph uses the operator Slice backwards",
    ),
    "numbers as texts": (lambda g, x: g.op("Cast", x["x"], to=8), "the graph uses the operator Cast on texts"),
    "a bias of each example": (
        lambda g, x: g.op("Add", x["x"], np.ones((2, 5), np.float32)),
        "the graph uses the operator Add with an array that has an element per example",
    ),
    "examples taken for channels": (
        lambda g, x: g.op("Add", x["images"], g.op("ReduceMean", x["images"], axes=[1], keepdims=0)),
        "the graph uses the operator Add on arrays with different numbers of axes",
    ),
    "a factor of a product": (
        lambda g, x: g.op("Gemm", x["x"], WEIGHTS, alpha=2.0),
        "the graph uses the operator Gemm with alpha = 2.0",
    ),
    "a factor of a bias": (
        lambda g, x: g.op("Gemm", x["x"], WEIGHTS, WEIGHTS[0], beta=0.5),
        "the graph uses the operator Gemm with beta = 0.5",
    ),
    "a matrix for rows": (
        lambda g, x: g.op("MatMul", x["matrix"], np.ones((1, 4, 2), np.float32)),
        "the graph uses the operator MatMul with an array of 3 axes as its second input",
    ),
    "an infinite weight of a matrix": (
        lambda g, x: g.op(
            "MatMul", g.op("Unsqueeze", x["matrix"], np.array([2])), np.full((3, 4, 2), np.float32(np.inf))
        ),
        "the graph uses the operator MatMul with a weight that is infinite or not a number",
    ),
    "a filter that is not a number": (
        lambda g, x: g.op("Conv", x["images"], FILTERS * np.float32(np.nan)),
        "the graph uses the operator Conv with a weight that is infinite or not a number",
    ),
    "filters with gaps": (
        lambda g, x: g.op("Conv", x["images"], FILTERS, dilations=[1, 2]),
        "the graph uses the operator Conv with dilations = [1, 2]",
    ),
    "a convolution along one axis": (
        lambda g, x: g.op("Conv", x["matrix"], FILTERS[:, :1, 0].repeat(3, axis=1), dilations=[1]),
        "the graph uses the operator Conv on arrays of 3 axes",
    ),
    "a convolution along three axes": (
        lambda g, x: g.op("Conv", g.op("Unsqueeze", x["images"], np.array([4])), FILTERS[..., None], dilations=[1] * 3),
        "the graph uses the operator Conv on arrays of 5 axes",
    ),
    "a pool along one axis": (
        lambda g, x: g.op("MaxPool", x["matrix"], kernel_shape=[2], dilations=[1]),
        "the graph uses the operator MaxPool on arrays of 3 axes",
    ),
    "a pool with gaps": (
        lambda g, x: g.op("MaxPool", x["images"], kernel_shape=[2, 2], dilations=[2, 1]),
        "the graph uses the operator MaxPool with dilations = [2, 1]",
    ),
    "a padded mean": (
        lambda g, x: g.op("AveragePool", x["images"], kernel_shape=[2, 2], pads=[0, 1, 0, 0]),
        "the graph uses the operator AveragePool with pads = [0, 1, 0, 0]",
    ),
    "a mean over everything": (
        lambda g, x: g.op("ReduceMean", x["matrix"]),
        "ReduceMean_1 isn't computed example by example",
    ),
    "the largest of each row": (
        lambda g, x: g.op("ArgMax", x["matrix"], axis=-1),
        "the graph uses the operator ArgMax on more than one row",
    ),
    "the largest of each column": (
        lambda g, x: g.op("ArgMax", x["matrix"], axis=1),
        "the graph uses the operator ArgMax on more than one row",
    ),
    "each row normalized": (
        lambda g, x: g.op("LayerNormalization", x["matrix"], GRID[0]),
        "the graph uses the operator LayerNormalization along some of the axes",
    ),
    "shares of a column": (
        lambda g, x: g.op("Softmax", x["matrix"], axis=1),
        "the graph uses the operator Softmax along an axis that isn't the last",
    ),
    "shares of all examples": (
        lambda g, x: g.op("Softmax", x["x"], axis=0),
        "the graph uses the operator Softmax along the batch axis",
    ),
    "two examples": (
        lambda g, x: g.op("Gather", x["x"], np.array([0, 1])),
        "the graph uses the operator Gather along the batch axis",
    ),
    "columns of a table": (
        lambda g, x: g.op("Gather", np.ones((2, 3), np.float32), g.op("ArgMax", x["x"], axis=1, keepdims=0), axis=1),
        "the graph uses the operator Gather with axis = 1",
    ),
    "channels for examples": (
        lambda g, x: g.op("Transpose", x["images"], perm=[1, 0, 2, 3]),
        "the graph uses the operator Transpose on the batch axis",
    ),
    "the first examples": (
        lambda g, x: g.op("Slice", x["x"], np.array([0]), np.array([2])),
        "the graph uses the operator Slice along the batch axis",
    ),
    "edges repeated": (
        lambda g, x: g.op("Pad", x["x"], np.array([0, 1, 0, 1]), mode="edge"),
        "the graph uses the operator Pad with elements of x around it",
    ),
    "less than nothing around it": (
        lambda g, x: g.op("Pad", x["x"], np.array([0, 0, 0, -1])),
        "the graph uses the operator Pad on the batch axis, or with negative padding",
    ),
    "an example moved": (
        lambda g, x: g.op("Pad", x["x"], np.array([1, 0, -1, 0])),
        "the graph uses the operator Pad on the batch axis, or with negative padding",
    ),
    "floating-point keys": (
        lambda g, x: g.op("LabelEncoder", x["x"], domain=ML_DOMAIN, keys_floats=[1.0], values_int64s=[1]),
        "the graph uses the operator LabelEncoder on floating-point numbers",
    ),
    "a bound that changes": (
        lambda g, x: g.op("Clip", x["x"], g.op("ReduceMin", x["x"], axes=[1])),
        "the graph uses the operator Clip with an input 2 that is computed for each example",
    ),
    "a constant in front": (
        lambda g, x: g.op("MatMul", np.ones((2, 2), np.float32), x["x"]),
        "the graph uses the operator MatMul with an input 1 that doesn't change",
    ),
    "a short integer": (
        lambda g, x: g.op("Cast", x["x"], to=3),
        "Cast_1 is int8; C knows float32, float64, int64",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_c_does_not_know_is_refused_by_name(name, tmp_path):
    case, message = REFUSED[name]
    graph = Graph(np.dtype(np.float32))
    x = {each: graph.feed(each, FEEDS[each].dtype.name, FEEDS[each].shape[1:]) for each in ("x", "matrix", "images")}
    x["town"] = graph.feed("town", "str")

    with pytest.raises(NotExportableError) as error:
        CFile().write(model_with(graph, {"y": case(graph, x)}), tmp_path / "model.c")

    assert str(error.value).startswith(message)


def test_values_that_are_not_float32_are_counted_as_bytes_of_stack(tmp_path):
    graph = Graph(np.dtype(np.float32))
    negative = graph.op("Neg", graph.op("Cast", graph.feed("numbers", "int64", (3,)), to=F64))
    CFile().write(model_with(graph, {"y": graph.op("Cast", negative, to=F32)}), tmp_path / "model.c")
    text = (tmp_path / "model.c").read_text("ascii")
    assert " * RAM: 0 bytes of work memory, 24 of inputs, 24 of outputs, 2,072 of stack.\n" in text


def test_texts_are_counted_with_their_pointers(tmp_path):
    graph = Graph(np.dtype(np.float32))
    towns = {"keys_strings": ["Bern", "Zürich"], "values_int64s": [3, 1], "default_int64": 7}
    number = graph.op("LabelEncoder", graph.feed("town", "str"), domain=ML_DOMAIN, **towns)
    codes = {"keys_int64s": [1, 3], "values_strings": ["ZH", "BE"], "default_string": "?"}
    code = graph.op("LabelEncoder", number, domain=ML_DOMAIN, **codes)
    CFile().write(model_with(graph, {"number": number, "code": code}), tmp_path / "model.c")
    text = (tmp_path / "model.c").read_text("ascii")
    texts, numbers = (8 + 1 + 4) + (8 + 1 + 7) + 2 * (8 + 1 + 2) + (8 + 1 + 1), (3 + 2) * 8
    assert f" * Flash, without code: {texts + numbers} bytes.\n" in text
    assert " * RAM: 0 bytes of work memory, 8 of inputs, 24 of outputs, 2,048 of stack.\n" in text
