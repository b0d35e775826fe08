"""Uses of each of ONNX's operators that mlpkit knows, for exporters: operator, inputs, attributes."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from mlpkit.components.graph import ML_DOMAIN, Graph


class Case(NamedTuple):
    """A use of an operator."""

    operator: str
    inputs: tuple[Any, ...]
    attributes: dict[str, Any]
    domain: str = ""

    def __str__(self):
        shapes = "-".join("x".join(map(str, np.shape(each))) for each in self.inputs if each is not None)
        return f"{self.operator}-{shapes}-{'-'.join(self.attributes)}"


RNG = np.random.default_rng(0)


def _floats(*shape, low=-3.0, high=3.0):
    return RNG.uniform(low, high, shape).astype(np.float32)


def _ints(*values):
    return np.array(values, np.int64)


def _case(operator, *inputs, **attributes):
    return Case(operator, inputs, attributes)


X, BESIDE, ROW = _floats(2, 3, 4), _floats(2, 3, 4), _floats(4)
IMAGES, ONE_AXIS, VOLUMES = _floats(2, 4, 6, 5), _floats(2, 3, 9), _floats(1, 2, 4, 3, 5)
CHANNELS = [_floats(4, low=0.5) for _ in range(4)]
SPECIAL = np.array([0, -0.0, 0.5, 1.5, 2.5, -0.5, -1.5, np.inf, -np.inf, np.nan, 1e-20, 1e20, 30, -30], np.float32)
EQUAL = np.array([[1, 3, 3], [2, 2, 1]], np.float32)
WHOLE, DIVISORS = _ints(7, -7, 7, -7, 6), _ints(2, 2, -2, -2, 3)
TRUTHS = [np.array([True, True, False, False]), np.array([True, False, True, False])]

ELEMENTWISE = (
    *("Abs", "Ceil", "Elu", "Erf", "Exp", "Floor", "HardSigmoid", "HardSwish", "Identity", "IsNaN", "LeakyRelu"),
    *("Neg", "Reciprocal", "Relu", "Round", "Selu", "Sigmoid", "Sign", "Softplus", "Softsign", "Tanh"),
)
REDUCTIONS = ("Max", "Mean", "Min")

CASES = (
    *(_case(name, x) for name in ELEMENTWISE for x in (X, SPECIAL)),
    *(_case(name, X) for name in ("Cos", "Sin")),
    *(_case(name, np.abs(X)) for name in ("Log", "Sqrt")),
    _case("Erf", np.linspace(-7, 7, 301)),
    *(_case(name, X, alpha=0.3) for name in ("Elu", "LeakyRelu")),
    _case("HardSigmoid", X, alpha=0.5, beta=0.1),
    _case("Selu", X, alpha=1.5, gamma=2.0),
    *(_case(name, X, other) for name in ("Add", "Sub", "Mul", "Div") for other in (BESIDE, ROW, np.float32(2.5))),
    *(_case(name, X, BESIDE, ROW) for name in ("Max", "Min")),
    *(_case(name, WHOLE, DIVISORS) for name in ("Div", "Add", "Equal", "Less", "Max")),
    _case("Div", SPECIAL[:, np.newaxis], np.array([0, 2, -1], np.float32)),
    _case("Pow", np.abs(X), ROW),
    _case("Pow", X, _ints(2)),
    _case("PRelu", X, ROW),
    *(_case(name, EQUAL, EQUAL[:1]) for name in ("Equal", "Greater", "GreaterOrEqual", "Less", "LessOrEqual")),
    _case("Equal", np.array(["a", "b", "ä"]), np.array(["a", "c", "ä"])),
    *(_case(name, *TRUTHS) for name in ("And", "Or")),
    _case("Not", TRUTHS[0]),
    _case("Clip", X, np.float32(-1), np.float32(0.5)),
    _case("Clip", X, None, np.float32(0.5)),
    _case("Clip", X),
    *(_case("Cast", X, to=to) for to in (1, 7, 9, 11)),
    _case("Cast", WHOLE, to=8),
    _case("Where", EQUAL > 2, EQUAL, np.float32(-1)),
    _case("Gemm", _floats(2, 3), _floats(3, 4), ROW),
    _case("Gemm", _floats(3, 2), _floats(4, 3), _floats(2, 1), alpha=0.5, beta=2.0, transA=1, transB=1),
    _case("Gemm", _floats(2, 3), _floats(3, 4)),
    *(_case("MatMul", _floats(*a), _floats(*b)) for a, b in [((2, 3), (3, 4)), ((3,), (3, 4)), ((2, 3), (3,))]),
    *(_case("MatMul", _floats(*a), _floats(*b)) for a, b in [((2, 3, 4), (4, 5)), ((2, 1, 3, 4), (5, 4, 2))]),
    _case("Conv", IMAGES, _floats(3, 4, 3, 2), _floats(3)),
    _case("Conv", IMAGES, _floats(6, 2, 3, 3), strides=[2, 1], pads=[1, 0, 2, 1], dilations=[1, 2], group=2),
    _case("Conv", IMAGES, _floats(3, 4, 1, 1), pads=[2, 2, 2, 2]),
    _case("Conv", ONE_AXIS, _floats(2, 3, 4), strides=[2]),
    _case("Conv", VOLUMES, _floats(2, 2, 2, 2, 2)),
    *(_case(pool, IMAGES, kernel_shape=[3, 2], strides=[2, 2]) for pool in ("MaxPool", "AveragePool")),
    *(
        _case(pool, IMAGES, kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 0, 1])
        for pool in ("MaxPool", "AveragePool")
    ),
    *(_case(pool, ONE_AXIS, kernel_shape=[2]) for pool in ("MaxPool", "AveragePool")),
    _case("MaxPool", IMAGES, kernel_shape=[2, 2], dilations=[2, 1]),
    _case("GlobalAveragePool", IMAGES),
    _case("BatchNormalization", IMAGES, *CHANNELS, epsilon=0.01),
    _case("BatchNormalization", _floats(3, 4), *CHANNELS),
    _case("LayerNormalization", X, _floats(3, 4), _floats(3, 4), axis=1, epsilon=0.1),
    _case("LayerNormalization", X, ROW),
    *(_case(name, X * 20) for name in ("Softmax", "LogSoftmax")),
    *(_case(name, X, axis=1) for name in ("Softmax", "LogSoftmax")),
    *(_case(f"Reduce{name}", X) for name in REDUCTIONS),
    *(_case(f"Reduce{name}", X, axes=[-1, 0], keepdims=0) for name in REDUCTIONS),
    *(_case("ReduceSum", X, _ints(*axes), keepdims=0) for axes in ([1], [0, -1])),
    _case("ReduceSum", X),
    *(_case("ArgMax", EQUAL, axis=1, **how) for how in ({}, {"keepdims": 0})),
    *(_case("Flatten", X, axis=axis) for axis in (0, 1, 2, -1)),
    _case("Reshape", X, _ints(0, -1)),
    _case("Reshape", X, _ints(4, 3, 2)),
    _case("Transpose", X),
    _case("Transpose", X, perm=[1, 0, 2]),
    _case("Squeeze", _floats(1, 3, 1)),
    _case("Squeeze", _floats(1, 3, 1), _ints(-1)),
    _case("Unsqueeze", X, _ints(0, -1)),
    _case("Expand", _floats(3, 1), _ints(2, 1, 4)),
    _case("Tile", X, _ints(2, 1, 3)),
    _case("Concat", X, BESIDE, axis=-1),
    _case("Concat", X, BESIDE[:, :1], axis=1),
    _case("Concat", np.array(["a"]), np.array(["b", "c"]), axis=0),
    _case("Slice", X, _ints(1), _ints(3), _ints(1)),
    _case("Slice", X, _ints(-1, 3), _ints(-(2**40), 0), _ints(1, 2), _ints(-1, -2)),
    _case("Slice", X, _ints(0, 0), _ints(2**60, -1)),
    _case("Gather", X, _ints(2, 0, -1), axis=1),
    _case("Gather", X, np.array(1)),
    _case("Gather", np.array(["a", "b"]), np.array([[1, 0], [1, 1]])),
    _case("Pad", X, _ints(0, 1, 2, 1, 0, 1), np.float32(7)),
    _case("Pad", X, _ints(0, -1, 2, 0, 0, -1)),
    *(_case("Pad", X, _ints(0, 2, 1, 1, 0, 3), mode=mode) for mode in ("edge",)),
    _case("Pad", X, _ints(1, 2, 1, 0, 1, 3), mode="reflect"),
    Case(
        "LabelEncoder",
        (np.array(["b", "", "a", "strange", "</script>"]),),
        {"keys_strings": ["a", "b", "", "</script>"], "values_int64s": [0, 1, -1, 7], "default_int64": 5},
        ML_DOMAIN,
    ),
    Case("LabelEncoder", (_ints(2, 0, 9),), {"keys_int64s": [0, 2], "values_strings": ["zero", "zwei ✓"]}, ML_DOMAIN),
    Case("LabelEncoder", (np.array(["a", "b"]),), {"keys_strings": ["a"], "values_floats": [0.25]}, ML_DOMAIN),
    Case(
        "LabelEncoder",
        (np.array([1, np.nan, 2], np.float32),),
        {"keys_floats": [1.0, float("nan")], "values_floats": [0.5, 3.0], "default_float": -2.0},
        ML_DOMAIN,
    ),
)


def graph_of_cases() -> tuple[Graph, list[str]]:
    """Return a graph that uses the operators of all cases, and the name of each case's value."""
    graph = Graph(np.dtype(np.float32))
    names = []
    for case in CASES:
        inputs = (None if each is None else np.asarray(each) for each in case.inputs)
        names.append(graph.op(case.operator, *inputs, domain=case.domain, **case.attributes).name)
    return graph, names
