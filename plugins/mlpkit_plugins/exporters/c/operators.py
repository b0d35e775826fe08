"""The supported operators in C, each with a function that returns its statements.

They follow ONNX's documentation of opset 17.
"""

from __future__ import annotations

from typing import Final

from mlpkit import ML_DOMAIN
from mlpkit_plugins.exporters.c.elementwise import called, cast, clip, elementwise, folded, leaky_relu, mathematical
from mlpkit_plugins.exporters.c.products import average_pool, conv, gemm, matmul, max_pool
from mlpkit_plugins.exporters.c.reductions import (
    arg_max,
    batch_norm,
    global_average_pool,
    layer_norm,
    normalized,
    reduce,
    reduce_mean,
)
from mlpkit_plugins.exporters.c.shapes import concat, expand, gather, label_encoder, pad, slice_, tile, transpose
from mlpkit_plugins.exporters.c.step import Operator

ONE_TO_ONE: Final[dict[str, Operator]] = {
    "Abs": mathematical("fabs"),
    "Add": elementwise("{0} + {1}"),
    "And": elementwise("{0} && {1}"),
    "BatchNormalization": batch_norm,
    "Cast": cast,
    "Ceil": mathematical("ceil"),
    "Clip": clip,
    "Cos": mathematical("cos"),
    "Div": elementwise("{0} / {1}"),
    "Elu": called("elu", alpha=1.0),
    "Equal": elementwise("{0} == {1}"),
    "Erf": mathematical("erf"),
    "Exp": mathematical("exp"),
    "Floor": mathematical("floor"),
    "Greater": elementwise("{0} > {1}"),
    "GreaterOrEqual": elementwise("{0} >= {1}"),
    "HardSigmoid": called("hard_sigmoid", alpha=0.2, beta=0.5),
    "HardSwish": called("hard_swish"),
    "IsNaN": elementwise("{0} != {0}"),
    "LayerNormalization": layer_norm,
    "LeakyRelu": leaky_relu,
    "Less": elementwise("{0} < {1}"),
    "LessOrEqual": elementwise("{0} <= {1}"),
    "Log": mathematical("log"),
    "LogSoftmax": normalized("log_softmax"),
    "Mul": elementwise("{0} * {1}"),
    "Neg": elementwise("-{0}"),
    "Not": elementwise("!{0}"),
    "Or": elementwise("{0} || {1}"),
    "PRelu": elementwise("{0} < {zero} ? {1} * {0} : {0}"),
    "Pow": mathematical("pow"),
    "Reciprocal": elementwise("1 / {0}"),
    "Relu": elementwise("{0} <= {zero} ? {zero} : {0}"),
    "Round": mathematical("rint"),
    "Selu": called("selu", alpha=1.67326319217681884765625, gamma=1.05070102214813232421875),
    "Sigmoid": mathematical("sigmoid"),
    "Sign": elementwise("{0} > {zero} ? 1 : {0} < {zero} ? -1 : {0}"),
    "Sin": mathematical("sin"),
    "Softmax": normalized("softmax"),
    "Softplus": mathematical("softplus"),
    "Softsign": called("softsign"),
    "Sqrt": mathematical("sqrt"),
    "Sub": elementwise("{0} - {1}"),
    "Tanh": mathematical("tanh"),
    "Where": elementwise("{0} ? {1} : {2}"),
}
"""Operators that can overwrite their first input with their result, if both have the same shape and dtype."""

OPERATORS: Final[dict[tuple[str, str], Operator]] = {
    **{("", name): function for name, function in ONE_TO_ONE.items()},
    ("", "ArgMax"): arg_max,
    ("", "AveragePool"): average_pool,
    ("", "Concat"): concat,
    ("", "Conv"): conv,
    ("", "Expand"): expand,
    ("", "Gather"): gather,
    ("", "Gemm"): gemm,
    ("", "MatMul"): matmul,
    ("", "GlobalAveragePool"): global_average_pool,
    ("", "Max"): folded("{0} > {1} || {0} != {0} ? {0} : {1}"),
    ("", "MaxPool"): max_pool,
    ("", "Min"): folded("{0} < {1} || {0} != {0} ? {0} : {1}"),
    ("", "Pad"): pad,
    ("", "ReduceMax"): reduce("-INFINITY", "{1} > {0} || {1} != {1} ? {1} : {0}"),
    ("", "ReduceMean"): reduce_mean,
    ("", "ReduceMin"): reduce("INFINITY", "{1} < {0} || {1} != {1} ? {1} : {0}"),
    ("", "ReduceSum"): reduce("{zero}", "{0} + {1}"),
    ("", "Slice"): slice_,
    ("", "Tile"): tile,
    ("", "Transpose"): transpose,
    (ML_DOMAIN, "LabelEncoder"): label_encoder,
}
"""The supported operators, by domain and name."""

VIEWS: Final = frozenset({"Flatten", "Identity", "Reshape", "Squeeze", "Unsqueeze"})
"""Operators that change only the shape of an example."""
