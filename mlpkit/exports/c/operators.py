"""The operators that C knows: for each a function that returns the statements that compute it.

Each follows the operator's page in ONNX's documentation, for opset 17.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from mlpkit.components.graph import ML_DOMAIN
from mlpkit.exports.c.elementwise import (
    called,
    cast,
    clip,
    elementwise,
    folded,
    is_inf,
    leaky_relu,
    mathematical,
    mean,
    modulo,
    thresholded_relu,
)
from mlpkit.exports.c.normalizations import batch_norm, instance_norm, layer_norm, lp_norm, normalized
from mlpkit.exports.c.products import average_pool, conv, gemm, matmul, max_pool
from mlpkit.exports.c.reductions import extreme, global_pool, log_sum_exp, reduce
from mlpkit.exports.c.shapes import (
    concat,
    depth_to_space,
    expand,
    gather,
    label_encoder,
    one_hot,
    pad,
    slice_,
    space_to_depth,
    tile,
    transpose,
)

if TYPE_CHECKING:
    from mlpkit.exports.c.step import Operator

ONE_TO_ONE: Final[dict[str, Operator]] = {
    "Abs": mathematical("fabs"),
    "Acos": mathematical("acos"),
    "Acosh": mathematical("acosh"),
    "Add": elementwise("{0} + {1}"),
    "And": elementwise("{0} && {1}"),
    "Asin": mathematical("asin"),
    "Asinh": mathematical("asinh"),
    "Atan": mathematical("atan"),
    "Atanh": mathematical("atanh"),
    "BatchNormalization": batch_norm,
    "Cast": cast,
    "Ceil": mathematical("ceil"),
    "Celu": called("celu", alpha=1.0),
    "Clip": clip,
    "Cos": mathematical("cos"),
    "Cosh": mathematical("cosh"),
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
    "Hardmax": normalized("hardmax"),
    "IsInf": is_inf,
    "IsNaN": elementwise("{0} != {0}"),
    "LayerNormalization": layer_norm,
    "LeakyRelu": leaky_relu,
    "Less": elementwise("{0} < {1}"),
    "LessOrEqual": elementwise("{0} <= {1}"),
    "Log": mathematical("log"),
    "LogSoftmax": normalized("log_softmax"),
    "Mod": modulo,
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
    "Sinh": mathematical("sinh"),
    "Softmax": normalized("softmax"),
    "Softplus": mathematical("softplus"),
    "Softsign": called("softsign"),
    "Sqrt": mathematical("sqrt"),
    "Sub": elementwise("{0} - {1}"),
    "Tan": mathematical("tan"),
    "Tanh": mathematical("tanh"),
    "ThresholdedRelu": thresholded_relu,
    "Where": elementwise("{0} ? {1} : {2}"),
    "Xor": elementwise("!{0} != !{1}"),
}
"""Operators that may write what they compute over their first input, if both have the same shape and dtype."""

OPERATORS: Final[dict[tuple[str, str], Operator]] = {
    **{("", name): function for name, function in ONE_TO_ONE.items()},
    ("", "ArgMax"): extreme("largest_at"),
    ("", "ArgMin"): extreme("smallest_at"),
    ("", "AveragePool"): average_pool,
    ("", "Concat"): concat,
    ("", "Conv"): conv,
    ("", "DepthToSpace"): depth_to_space,
    ("", "Expand"): expand,
    ("", "Gather"): gather,
    ("", "Gemm"): gemm,
    ("", "InstanceNormalization"): instance_norm,
    ("", "LpNormalization"): lp_norm,
    ("", "MatMul"): matmul,
    ("", "GlobalAveragePool"): global_pool("{zero}", "{0} + {1}", "{0} / {count}"),
    ("", "GlobalMaxPool"): global_pool("-INFINITY", "{1} > {0} || {1} != {1} ? {1} : {0}"),
    ("", "Max"): folded("{0} > {1} || {0} != {0} ? {0} : {1}"),
    ("", "MaxPool"): max_pool,
    ("", "Mean"): mean,
    ("", "Min"): folded("{0} < {1} || {0} != {0} ? {0} : {1}"),
    ("", "OneHot"): one_hot,
    ("", "Pad"): pad,
    ("", "ReduceL1"): reduce("{zero}", "{0} + ({1} < 0 ? -{1} : {1})"),
    ("", "ReduceL2"): reduce("{zero}", "{0} + squared({1})", "rounded_sqrt({0})", of_floats=True),
    ("", "ReduceLogSum"): reduce("{zero}", "{0} + {1}", "logf({0})", of_floats=True),
    ("", "ReduceLogSumExp"): log_sum_exp,
    ("", "ReduceMax"): reduce("-INFINITY", "{1} > {0} || {1} != {1} ? {1} : {0}"),
    ("", "ReduceMean"): reduce("{zero}", "{0} + {1}", "{0} / {count}"),
    ("", "ReduceMin"): reduce("INFINITY", "{1} < {0} || {1} != {1} ? {1} : {0}"),
    ("", "ReduceProd"): reduce("{one}", "{0} * {1}"),
    ("", "ReduceSum"): reduce("{zero}", "{0} + {1}"),
    ("", "ReduceSumSquare"): reduce("{zero}", "{0} + squared({1})", of_floats=True),
    ("", "Slice"): slice_,
    ("", "SpaceToDepth"): space_to_depth,
    ("", "Sum"): folded("{0} + {1}"),
    ("", "Tile"): tile,
    ("", "Transpose"): transpose,
    (ML_DOMAIN, "LabelEncoder"): label_encoder,
}
"""The operators that C knows, by domain and name."""

VIEWS: Final = frozenset({"Dropout", "Flatten", "Identity", "Reshape", "Squeeze", "Unsqueeze"})
"""Operators that leave an example's elements as they are, in their order."""
