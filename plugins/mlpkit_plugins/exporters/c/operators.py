"""The supported operators in C, each with a function that returns its statements.

They follow ONNX's documentation of opset 17.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from math import prod
from typing import Any, Final

import numpy as np

from mlpkit import ML_DOMAIN, Array
from mlpkit.graph import Int8Weights, exact_int8_weights
from mlpkit_plugins.exporters.c.step import Operand, Operator, Step, broadcast, loops, row_major
from mlpkit_plugins.exporters.c.syntax import INDENT, literal, type_of


def elementwise(expression: str, **defaults: float) -> Operator:
    """Return an operator that computes each element from the elements of its inputs, with broadcasting.

    In the expression in C, ``{0}``, ``{1}``, ... are the inputs' elements, ``{zero}`` is 0, and names in braces are
    attributes, with their default values.
    """

    def one_to_one(step: Step) -> list[str]:
        values = [operand for operand in step.inputs if operand is not None]
        if step.input(0).dtype.kind in "UO":
            raise step.refused("on texts")
        number = step.input(0).dtype.type
        attributes = {"zero": 0, **defaults, **step.node.attributes}
        words = {name: literal(number(value)) for name, value in attributes.items() if f"{{{name}}}" in expression}
        return assigned(step, values, lambda elements: expression.format(*elements, **words))

    return one_to_one


def mathematical(name: str) -> Operator:
    """Return an operator that applies a mathematical function, by its name in C for ``double``, to each element."""

    def one_to_one(step: Step) -> list[str]:
        function = step.function(name)
        values = [operand for operand in step.inputs if operand is not None]
        return assigned(step, values, lambda elements: f"{function}({', '.join(elements)})")

    return one_to_one


def called(function: str, **defaults: float) -> Operator:
    """Return an operator that applies a function of mlpkit's in C to each element, and to attributes with defaults."""

    def one_to_one(step: Step) -> list[str]:
        attributes = step.node.attributes
        arguments = [literal(np.float32(attributes.get(name, value))) for name, value in defaults.items()]
        return assigned(step, [step.floats()], lambda x: f"{function}({', '.join([*x, *arguments])})")

    return one_to_one


def assigned(step: Step, values: list[Operand], element: Callable[[list[str]], str]) -> list[str]:
    """Return the loops that set the output's elements to expressions of those of values, which are broadcast."""
    y = step.output
    strides = [row_major(y.shape), *(_strides(step, operand) for operand in values)]
    elements = [operand.at(f"{{{number}}}") for number, operand in enumerate(values, 1)]
    return loops(y.shape, strides, f"{y.at('{0}')} = {element(elements)};")


def _strides(step: Step, operand: Operand) -> tuple[int, ...]:
    """Return the strides of an operand along the axes of one example's output."""
    shape, to = operand.shape, step.output.shape
    if operand.constant is None:
        if len(shape) != len(to):
            raise step.refused("on arrays with different numbers of axes")
        return broadcast(shape, to)
    if len(shape) == len(to) + 1:
        if shape[0] != 1:
            raise step.refused("with an array that has an element per example")
        shape = shape[1:]
    return broadcast(shape, to)


def folded(expression: str) -> Operator:
    """Return an operator that combines inputs pairwise, with ``{0}`` and ``{1}`` in the expression for two elements."""

    def statements(step: Step) -> list[str]:
        first, *others = (operand for operand in step.inputs if operand is not None)
        lines = [] if others else assigned(step, [first], lambda x: x[0])
        for number, operand in enumerate(others):
            so_far = step.output if number else first
            lines += assigned(step, [so_far, operand], lambda x: expression.format(*x))
        return lines

    return statements


def clip(step: Step) -> list[str]:
    """Return x clipped to the second and the third input; NaN stays NaN."""
    bounds = [(sign, step.fixed(number)) for number, sign in ((1, "<"), (2, ">")) if step.has(number)]
    lines, source = [], step.varying(0)
    for sign, bound in bounds:
        lines += assigned(step, [source], _bounded(sign, literal(bound.reshape(-1)[0])))
        source = step.output
    return lines or assigned(step, [source], lambda x: x[0])


def _bounded(sign: str, bound: str) -> Callable[[list[str]], str]:
    return lambda x: f"{x[0]} {sign} {bound} ? {bound} : {x[0]}"


def cast(step: Step) -> list[str]:
    """Return x as another type; any number but zero is true."""
    x, y = step.varying(0), step.output
    if x.dtype.kind in "UO" or y.dtype.kind in "UO":
        raise step.refused("on texts")
    if y.dtype == np.bool_:
        return assigned(step, [x], lambda elements: f"{elements[0]} != 0")
    return assigned(step, [x], lambda elements: f"({type_of(y.dtype)}){elements[0]}")


def gemm(step: Step) -> list[str]:
    """Return A B + C, with B transposed if ``transB`` is set."""
    step.check(alpha=1, beta=1, transA=0)
    x, weights = step.floats(), step.fixed(1)
    transposed = step.node.attributes.get("transB", 0)
    name = step.array("transposed", weights.T) if transposed else step.input(1).name
    lines = _products(step, x, weights.T if transposed else weights, name)
    if not step.has(2):
        return lines
    bias, y = step.input(2), step.output
    if bias.constant is not None and bias.size == y.size:
        return [*lines, f"add_bias({y.pointer}, {bias.name}, {y.size}, 1);"]
    return lines + assigned(step, [y, bias], lambda elements: f"{elements[0]} + {elements[1]}")


def matmul(step: Step) -> list[str]:
    """Return A B, where B is a constant matrix, or a constant matrix for each matrix of A."""
    x, weights = step.floats(), step.fixed(1)
    if weights.ndim == 3 and x.shape[:-1] == (len(weights), 1):
        return _products_of_matrices(step, x, weights)
    if weights.ndim != 2:
        raise step.refused(f"with an array of {weights.ndim} axes as its second input")
    return _products(step, x, weights, step.input(1).name)


def _products_of_matrices(step: Step, x: Operand, weights: Array) -> list[str]:
    """Return the product of each matrix of x, which has one row, and its matrix of weights."""
    _check_finite(step, weights)
    matrices, inputs, outputs = weights.shape
    step.multiplications = weights.size
    left, right, y = f"{x.name} + {inputs} * i", f"{step.input(1).name} + {inputs * outputs} * i", step.output.name
    return _repeated(matrices, f"dense({left}, {right}, {y} + {outputs} * i, {inputs}, {outputs});")


def _products(step: Step, x: Operand, weights: Array, name: str) -> list[str]:
    """Return the products of each row of x and the weights."""
    _check_finite(step, weights)
    inputs, outputs = weights.shape
    rows, y = x.size // inputs, step.output
    step.multiplications = rows * weights.size
    function, int8 = "dense", _int8_weights(step, weights, axis=1)
    if int8 is not None:
        function, name = "dense_int8", _named(step, int8)
    if rows == 1:
        return [f"{function}({x.pointer}, {name}, {y.pointer}, {inputs}, {outputs});"]
    return _repeated(
        rows, f"{function}({x.name} + {inputs} * i, {name}, {y.name} + {outputs} * i, {inputs}, {outputs});"
    )


def _int8_weights(step: Step, weights: Array, axis: int) -> Int8Weights | None:
    """Return weights as integers with scales, if the model is quantized and they are exact; otherwise None."""
    return exact_int8_weights(weights, axis) if step.quantized else None


def _named(step: Step, weights: Int8Weights) -> str:
    """Add integers and scales to the file, and return their names."""
    return f"{step.array('int8', weights.numbers)}, {step.array('scales', weights.scales)}"


def _check_finite(step: Step, weights: Array) -> None:
    """Raise ``NotExportableError`` if a weight isn't finite, since products with zeros are left out."""
    if not np.isfinite(weights).all():
        raise step.refused("with a weight that is infinite or not a number")


def conv(step: Step) -> list[str]:
    """Return the convolution of images with rectangular patches."""
    x, weights, y = step.floats(), step.fixed(1), step.output
    if weights.ndim != 4:
        raise step.refused(f"on arrays of {weights.ndim} axes")
    step.check(dilations=[1, 1], group=1)
    _check_finite(step, weights)
    by_column = weights.transpose(0, 3, 1, 2)
    step.multiplications = weights.size * prod(y.shape[1:])
    images, to = f"{x.pointer}, {_size(x)}", f"{y.pointer}, {_size(y)}, {_patches(step, weights.shape[2:])}"
    int8 = _int8_weights(step, by_column, axis=0)
    if int8 is None:
        lines = [f"convolve({images}, {step.array('by_column', by_column)}, {to});"]
    else:
        call = f"convolve_int8({images}, {_named(step, int8)}, {to}, unpacked);"
        lines = ["{", f"{INDENT}float unpacked[{weights[0].size}];", f"{INDENT}{call}", "}"]
        step.stack = weights[0].nbytes
    if step.has(2):
        name = step.array("bias", step.fixed(2))
        lines.append(f"add_bias({y.pointer}, {name}, {y.shape[0]}, {prod(y.shape[1:])});")
    return lines


def max_pool(step: Step) -> list[str]:
    """Return the largest pixel of each patch."""
    return _pooled(step, "largest_pixel", dilations=[1, 1])


def average_pool(step: Step) -> list[str]:
    """Return the mean pixel of each patch."""
    return _pooled(step, "mean_pixel", pads=[0, 0, 0, 0])


def _pooled(step: Step, function: str, **supported: list[int]) -> list[str]:
    x, y, size = step.floats(), step.output, step.node.attributes["kernel_shape"]
    if len(size) != 2:
        raise step.refused(f"on arrays of {2 + len(size)} axes")
    step.check(**supported)
    return [f"pool({x.pointer}, {_size(x)}, {y.pointer}, {_size(y)}, {_patches(step, size)}, {function});"]


def _size(x: Operand) -> str:
    return f"(Images){{{', '.join(map(str, x.shape))}}}"


def _patches(step: Step, size: tuple[int, ...]) -> str:
    strides = step.node.attributes.get("strides", [1, 1])
    above, left = step.node.attributes.get("pads", [0, 0, 0, 0])[:2]
    return f"(Patches){{{', '.join(map(str, (*size, *strides, above, left)))}}}"


def reduce(first: str, combined: str, finished: str = "{0}") -> Operator:
    """Return an operator that reduces the elements along some axes to one, in their order.

    It starts with ``first``, combines the result so far, ``{0}``, with the next element, ``{1}``, and turns the last
    into ``finished``, in which ``{count}`` is the number of elements.
    """

    def statements(step: Step) -> list[str]:
        x, y = step.varying(0), step.output
        axes = step.fixed(1).ravel() if step.has(1) else step.node.attributes["axes"]
        reduced = sorted(step.own_axis(int(axis)) for axis in axes)
        kept = [axis for axis in range(len(x.shape)) if axis not in reduced]
        strides = row_major(x.shape)
        kept_shape, reduced_shape = (tuple(x.shape[axis] for axis in part) for part in (kept, reduced))
        to = row_major(kept_shape)
        begin = first.format(zero=literal(x.dtype.type(0)))
        lines = loops(kept_shape, [to], f"{y.at('{0}')} = {begin};")
        shape = (*kept_shape, *reduced_shape)
        y_strides = (*to, *[0] * len(reduced))
        x_strides = tuple(strides[axis] for axis in (*kept, *reduced))
        element = combined.format(y.at("{0}"), x.at("{1}"))
        lines += loops(shape, [y_strides, x_strides], f"{y.at('{0}')} = {element};")
        if finished != "{0}":
            count = literal(x.dtype.type(prod(reduced_shape)))
            lines += loops(kept_shape, [to], f"{y.at('{0}')} = {finished.format(y.at('{0}'), count=count)};")
        return lines

    return statements


reduce_mean = reduce("{zero}", "{0} + {1}", "{0} / {count}")


def global_average_pool(step: Step) -> list[str]:
    """Return the mean of all pixels of a channel."""
    axes = list(range(2, 1 + len(step.floats().shape)))
    return reduce_mean(replace(step, node=step.node._replace(attributes={"axes": axes})))


def arg_max(step: Step) -> list[str]:
    """Return the number of the first largest element along the last axis."""
    x, y = step.floats(), step.output
    if step.axis(0) != len(x.shape) - 1 or x.size != x.shape[-1]:
        raise step.refused("on more than one row")
    return [f"{y.at('0')} = (int64_t)largest_at({x.pointer}, {x.size});"]


def batch_norm(step: Step) -> list[str]:
    """Return (x - mean) / √(variance + epsilon) gamma + beta, feature by feature."""
    x, y = step.floats(), step.output
    gamma, beta, mean = (step.input(number).name for number in (1, 2, 3))
    epsilon = x.dtype.type(step.node.attributes.get("epsilon", 1e-5))
    scale = step.array("scale", 1 / np.sqrt(step.fixed(4) + epsilon))
    sizes = f"{x.shape[0]}, {prod(x.shape[1:])}"
    return [f"batch_norm({x.pointer}, {mean}, {scale}, {gamma}, {beta}, {y.pointer}, {sizes});"]


def layer_norm(step: Step) -> list[str]:
    """Return (x - mean) / √(variance + epsilon) gamma + beta, with mean and variance of all elements."""
    step.check(stash_type=1)
    if step.axis() != 0:
        raise step.refused("along some of the axes")
    x, y, beta = step.floats(), step.output, step.input(2) if step.has(2) else None
    gamma, epsilon = step.input(1).name, literal(np.float32(step.node.attributes.get("epsilon", 1e-5)))
    shift = step.array("beta", np.zeros(x.size, x.dtype)) if beta is None else beta.name
    return [f"layer_norm({x.pointer}, {gamma}, {shift}, {y.pointer}, {x.size}, {epsilon});"]


def normalized(function: str) -> Operator:
    """Return an operator that applies a function, by its name in C, to the elements along the last axis."""

    def statements(step: Step) -> list[str]:
        x, y = step.floats(), step.output
        if step.axis() != len(x.shape) - 1:
            raise step.refused("along an axis that isn't the last")
        length = x.shape[-1]
        if x.size == length:
            return [f"{function}({x.pointer}, {y.pointer}, {length});"]
        call = f"{function}({x.pointer} + {length} * i, {y.pointer} + {length} * i, {length});"
        return _repeated(x.size // length, call)

    return statements


def _repeated(count: int, statement: str) -> list[str]:
    """Return a loop around a statement about the i-th of some parts."""
    return [f"for (size_t i = 0; i < {count}; i++) {{", f"{INDENT}{statement}", "}"]


def gather(step: Step) -> list[str]:
    """Return the elements at some indices along an axis."""
    table, numbers, y = step.input(0), step.input(1), step.output
    if table.constant is not None:
        return _looked_up(step, table, numbers)
    axis = step.axis(0)
    indices = step.fixed(1).reshape(-1) % table.shape[axis]
    number = str(indices[0]) if indices.size == 1 else f"{step.array('chosen', indices)}[{{1}}]"
    before, after = prod(table.shape[:axis]), prod(table.shape[axis + 1 :])
    index = f"{after} * {number} + {{2}}" if after > 1 else f"{number} + {{2}}"
    shape = before, indices.size, after
    strides = [row_major(shape), (0, 1, 0), (table.shape[axis] * after, 0, 1)]
    return loops(shape, strides, f"{y.at('{0}')} = {table.at(index)};")


def _looked_up(step: Step, table: Operand, numbers: Operand) -> list[str]:
    """Return rows of a constant table."""
    step.check(axis=0)
    each, y = prod(table.shape[1:]), step.output
    row = numbers.at("{1}")
    index = f"{each} * {row} + {{2}}" if each > 1 else row
    shape = (numbers.size, each)
    return loops(shape, [row_major(shape), (1, 0), (0, 1)], f"{y.at('{0}')} = {table.name}[{index}];")


def concat(step: Step) -> list[str]:
    """Return arrays concatenated along an axis."""
    y, axis, lines, begin = step.output, step.axis(), [], 0
    width = prod(y.shape[axis:])
    for operand in map(step.varying, range(len(step.inputs))):
        before, part = prod(operand.shape[:axis]), prod(operand.shape[axis:])
        lines += loops((before, part), [(width, 1), (part, 1)], f"{y.at('{0}')} = {operand.at('{1}')};", [begin])
        begin += part
    return lines


def transpose(step: Step) -> list[str]:
    """Return an array with its axes in another order."""
    x, y = step.varying(0), step.output
    order = step.node.attributes.get("perm", list(range(len(x.shape) + 1))[::-1])
    if order[0] != 0:
        raise step.refused("on the batch axis")
    strides = row_major(x.shape)
    return loops(
        y.shape, [row_major(y.shape), tuple(strides[axis - 1] for axis in order[1:])], f"{y.at('{0}')} = {x.at('{1}')};"
    )


def tile(step: Step) -> list[str]:
    """Return x repeated along each axis."""
    x, y, repeats = step.varying(0), step.output, step.fixed(1).ravel().tolist()
    shape = tuple(length for pair in zip(repeats[1:], x.shape, strict=True) for length in pair)
    strides = tuple(stride for each in row_major(x.shape) for stride in (0, each))
    return loops(shape, [row_major(shape), strides], f"{y.at('{0}')} = {x.at('{1}')};")


def expand(step: Step) -> list[str]:
    """Return x repeated along axes of length 1."""
    return assigned(step, [step.varying(0)], lambda x: x[0])


def slice_(step: Step) -> list[str]:
    """Return a slice of an array along some axes."""
    x, y = step.varying(0), step.output
    starts, ends = (step.fixed(number).ravel() for number in (1, 2))
    axes = step.fixed(3).ravel() if step.has(3) else np.arange(starts.size)
    steps = step.fixed(4).ravel() if step.has(4) else np.ones_like(starts)
    first, strides = 0, list(row_major(x.shape))
    for start, end, each, by in zip(starts, ends, axes, steps, strict=True):
        axis = step.own_axis(int(each))
        begin, _, stride = slice(int(start), int(end), int(by)).indices(x.shape[axis])
        first += begin * strides[axis]
        strides[axis] *= stride
    if min(strides, default=0) < 0:
        raise step.refused("backwards")
    return loops(y.shape, [row_major(y.shape), tuple(strides)], f"{y.at('{0}')} = {x.at('{1}')};", [0, first])


def pad(step: Step) -> list[str]:
    """Return x padded with a constant."""
    if step.node.attributes.get("mode") in {"edge", "reflect"}:
        raise step.refused("with elements of x around it")
    x, y, pads = step.varying(0), step.output, step.fixed(1).ravel()
    rank = len(x.shape)
    if pads.size != 2 * rank + 2 or pads[0] or pads[rank + 1] or pads.min() < 0:
        raise step.refused("on the batch axis, or with negative padding")
    value = literal(step.fixed(2).ravel()[0] if step.has(2) else x.dtype.type(0))
    strides = row_major(y.shape)
    first = sum(int(before) * stride for before, stride in zip(pads[1:], strides, strict=False))
    lines = loops(y.shape, [strides], f"{y.at('{0}')} = {value};")
    return lines + loops(x.shape, [strides, row_major(x.shape)], f"{y.at('{0}')} = {x.at('{1}')};", [first])


def label_encoder(step: Step) -> list[str]:
    """Return the value of a key, or the default."""
    x, y, attributes = step.varying(0), step.output, step.node.attributes
    keys, kind = _listed(attributes, "keys_")
    values, value_kind = _listed(attributes, "values_")
    default = attributes.get(f"default_{value_kind}", {"string": "_Unused", "int64": -1, "float": -0.0}[value_kind])
    if kind == "float":
        raise step.refused("on floating-point numbers")
    at = {"string": "text_at", "int64": "integer_at"}[kind]
    key_names = step.array("keys", np.array(keys))
    table = np.array([*values, default], y.dtype if y.dtype.kind != "U" else None)
    value_names = step.array("values", table)
    return loops(
        x.shape,
        [row_major(x.shape)] * 2,
        f"{y.at('{0}')} = {value_names}[{at}({x.at('{1}')}, {key_names}, {len(keys)})];",
    )


def _listed(attributes: dict[str, Any], prefix: str) -> tuple[Any, str]:
    """Return the keys or values of a LabelEncoder, and the name of their type."""
    name = next(name for name in attributes if name.startswith(prefix))
    return attributes[name], name.removeprefix(prefix).rstrip("s")


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
    "LeakyRelu": elementwise("{0} > {zero} ? {0} : {alpha} * {0}", alpha=0.01),
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
