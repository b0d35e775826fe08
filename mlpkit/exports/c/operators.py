"""The operators that C knows: for each a function that returns the statements that compute it.

Each follows the operator's page in ONNX's documentation, for opset 17. Statements round once each, so that no
processor keeps more digits than ``float`` has.
"""

from __future__ import annotations

from dataclasses import replace
from math import prod
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from mlpkit.components.graph import ML_DOMAIN
from mlpkit.exports.c.step import broadcast, loops, row_major
from mlpkit.exports.c.syntax import literal, type_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from mlpkit.exports.c.step import Operand, Step

    Operator = Callable[[Step], list[str]]


def elementwise(expression: str) -> Operator:
    """Return an operator that computes each element from those of its inputs, which are stretched to one shape.

    Args:
        expression: the element in C; ``{0}``, ``{1}``, ... stand for the inputs' elements, ``{zero}`` for 0, and
            names in braces for attributes.
    """

    def one_to_one(step: Step) -> list[str]:
        values = [operand for operand in step.inputs if operand is not None]
        number = step.input(0).dtype.type
        words = {name: literal(number(value)) for name, value in step.node.attributes.items()}
        if "{zero}" in expression:
            words["zero"] = literal(number(0))
        return _assigned(step, values, lambda elements: expression.format(*elements, **words))

    return one_to_one


def mathematical(name: str) -> Operator:
    """Return an operator that applies a mathematical function to each element.

    Args:
        name: its name in C for ``double``.
    """

    def one_to_one(step: Step) -> list[str]:
        function = step.function(name)
        values = [operand for operand in step.inputs if operand is not None]
        return _assigned(step, values, lambda elements: f"{function}({', '.join(elements)})")

    return one_to_one


def called(function: str, **defaults: float) -> Operator:
    """Return an operator that applies a function of mlpkit's to each element, in float32.

    Args:
        function: its name in C.
        defaults: its further arguments: attributes of the operator, with their values if they aren't given.
    """

    def one_to_one(step: Step) -> list[str]:
        given = step.node.attributes
        arguments = [literal(np.float32(given.get(name, value))) for name, value in defaults.items()]
        return _assigned(step, [step.floats(0)], lambda x: f"{function}({', '.join([*x, *arguments])})")

    return one_to_one


def _assigned(step: Step, values: list[Operand], element: Callable[[list[str]], str]) -> list[str]:
    """Return the loops that set the output's elements.

    Args:
        step: the step.
        values: the operands, stretched to the shape of the output.
        element: makes an expression of the operands' elements.
    """
    y = step.output
    strides = [row_major(y.shape), *(_strides(step, operand) for operand in values)]
    elements = [operand.at(f"{{{number}}}") for number, operand in enumerate(values, 1)]
    return loops(y.shape, strides, f"{y.at('{0}')} = {element(elements)};")


def _strides(step: Step, operand: Operand) -> tuple[int, ...]:
    """Return how far apart an operand's elements are along the axes of the output of one example."""
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


def leaky_relu(step: Step) -> list[str]:
    """Return x where x > 0, else alpha x."""
    alpha = literal(np.float32(step.node.attributes.get("alpha", 0.01)))
    return _assigned(step, [step.floats(0)], lambda x: f"{x[0]} > 0.0f ? {x[0]} : {alpha} * {x[0]}")


def global_pool(begin: str, combined: str, finished: str = "{0}") -> Operator:
    """Return an operator that makes one pixel of all pixels of a channel.

    Args:
        begin: as for ``reduce``.
        combined: the same.
        finished: the same.
    """
    along = reduce(begin, combined, finished)

    def statements(step: Step) -> list[str]:
        axes = list(range(2, 1 + len(step.floats(0).shape)))
        return along(replace(step, node=step.node._replace(attributes={"axes": axes})))

    return statements


def total(step: Step) -> list[str]:
    """Return the sum of any number of inputs."""
    values = [operand for operand in step.inputs if operand is not None]
    if len(values) == 1:
        return _assigned(step, values, lambda x: x[0])
    lines = []
    for number, operand in enumerate(values[1:]):
        lines += _assigned(step, [step.output if number else values[0], operand], lambda x: f"{x[0]} + {x[1]}")
    return lines


def one_hot(step: Step) -> list[str]:
    """Return along a new last axis the second of two values at an element's number, and the first elsewhere."""
    step.expect(axis=-1)
    number, y = step.varying(0), step.output
    depth = int(step.fixed(1).ravel()[0])
    off, on = map(literal, step.fixed(2).ravel())
    index = number.at("{1}")
    chosen = f"{index} == (int64_t){{2}} || {index} + {depth} == (int64_t){{2}}"
    shape = (number.size, depth)
    return loops(shape, [row_major(shape), (1, 0), (0, 1)], f"{y.at('{0}')} = {chosen} ? {on} : {off};")


def pad(step: Step) -> list[str]:
    """Return x with elements of one value around it."""
    step.expect(mode="constant")
    x, y, pads = step.varying(0), step.output, step.fixed(1).ravel()
    rank = len(x.shape)
    if pads.size != 2 * rank + 2 or pads[0] or pads[rank + 1] or pads.min() < 0:
        raise step.refused("on the batch axis, or with negative padding")
    value = literal(step.fixed(2).ravel()[0] if step.has(2) else x.dtype.type(0))
    strides = row_major(y.shape)
    first = sum(int(before) * stride for before, stride in zip(pads[1:], strides, strict=False))
    lines = loops(y.shape, [strides], f"{y.at('{0}')} = {value};")
    return lines + loops(x.shape, [strides, row_major(x.shape)], f"{y.at(f'{first} + {{0}}')} = {x.at('{1}')};")


def extreme(sign: str) -> Operator:
    """Return ``Max`` or ``Min``, of any number of inputs; NaN if one of them is."""

    def statements(step: Step) -> list[str]:
        def element(elements: list[str]) -> str:
            first, second = elements
            return f"{first} {sign} {second} || {first} != {first} ? {first} : {second}"

        lines = []
        values = [operand for operand in step.inputs if operand is not None]
        if len(values) == 1:
            return _assigned(step, values, lambda elements: elements[0])
        for number, operand in enumerate(values[1:]):
            lines += _assigned(step, [step.output if number else values[0], operand], element)
        return lines

    return statements


def clip(step: Step) -> list[str]:
    """Return x, at least the second input and at most the third; NaN stays NaN."""
    bounds = [(sign, step.fixed(number)) for number, sign in ((1, "<"), (2, ">")) if step.has(number)]
    lines, source = [], step.varying(0)
    for sign, bound in bounds:
        lines += _assigned(step, [source], _bounded(sign, literal(bound.reshape(-1)[0])))
        source = step.output
    return lines or _assigned(step, [source], lambda x: x[0])


def _bounded(sign: str, bound: str) -> Callable[[list[str]], str]:
    return lambda x: f"{x[0]} {sign} {bound} ? {bound} : {x[0]}"


def cast(step: Step) -> list[str]:
    """Return x as another type; whatever isn't zero is true."""
    x, y = step.varying(0), step.output
    if x.dtype.kind in "UO" or y.dtype.kind in "UO":
        raise step.refused("on texts")
    if y.dtype == np.bool_:
        return _assigned(step, [x], lambda elements: f"{elements[0]} != 0")
    return _assigned(step, [x], lambda elements: f"({type_of(y.dtype)}){elements[0]}")


def equal(step: Step) -> list[str]:
    """Return whether two elements are equal; texts too."""
    values = [step.input(0), step.input(1)]
    if values[0].dtype.kind in "UO":
        return _assigned(step, values, lambda elements: f"strcmp({elements[0]}, {elements[1]}) == 0")
    return _assigned(step, values, lambda elements: f"{elements[0]} == {elements[1]}")


def gemm(step: Step) -> list[str]:
    """Return A B + C, B transposed if that is said."""
    step.expect(alpha=1, beta=1, transA=0)
    x, weights = step.floats(0), step.fixed(1)
    transposed = step.node.attributes.get("transB", 0)
    name = step.array("transposed", weights.T) if transposed else step.input(1).name
    lines = _products(step, x, weights.T if transposed else weights, name)
    if not step.has(2):
        return lines
    bias, y = step.input(2), step.output
    if bias.constant is not None and bias.size == y.size:
        return [*lines, f"add_bias({y.pointer}, {bias.name}, {y.size}, 1);"]
    return lines + _assigned(step, [y, bias], lambda elements: f"{elements[0]} + {elements[1]}")


def matmul(step: Step) -> list[str]:
    """Return A B, with B a matrix that doesn't change."""
    weights = step.fixed(1)
    if weights.ndim != 2:
        raise step.refused(f"with an array of {weights.ndim} axes as its second input")
    return _products(step, step.floats(0), weights, step.input(1).name)


def _products(step: Step, x: Operand, weights: NDArray[Any], name: str) -> list[str]:
    """Return the products of each row of x and the weights."""
    expect_finite(step, weights)
    inputs, outputs = weights.shape
    rows, y = x.size // inputs, step.output
    step.multiplications = rows * weights.size
    if rows == 1:
        return [f"dense({x.pointer}, {name}, {y.pointer}, {inputs}, {outputs});"]
    call = f"dense({x.name} + {inputs} * i, {name}, {y.name} + {outputs} * i, {inputs}, {outputs});"
    return [f"for (size_t i = 0; i < {rows}; i++) {{", f"    {call}", "}"]


def expect_finite(step: Step, weights: NDArray[Any]) -> None:
    """Make sure that weights are numbers, since products with zeros are left out.

    Raises:
        NotExportableError: one is infinite or NaN.
    """
    if not np.isfinite(weights).all():
        raise step.refused("with a weight that is infinite or not a number")


def conv(step: Step) -> list[str]:
    """Return the convolution of images with square or oblong patches."""
    step.expect(auto_pad="NOTSET", dilations=[1, 1], group=1)
    x, weights, y = step.floats(0), step.fixed(1), step.output
    if weights.ndim != 4:
        raise step.refused(f"on arrays of {weights.ndim} axes")
    expect_finite(step, weights)
    name = step.array("by_column", weights.transpose(0, 3, 1, 2))
    arguments = f"{_images(x)}, {name}, {y.pointer}, {_size(y)}, {_patches(step, weights.shape[2:])}"
    step.multiplications = weights.size * prod(y.shape[1:])
    lines = [f"convolve({x.pointer}, {arguments});"]
    if step.has(2):
        name = step.array("bias", step.fixed(2))
        lines.append(f"add_bias({y.pointer}, {name}, {y.shape[0]}, {prod(y.shape[1:])});")
    return lines


def max_pool(step: Step) -> list[str]:
    """Return the largest pixel of each patch."""
    step.expect(auto_pad="NOTSET", ceil_mode=0, dilations=[1, 1])
    return _pooled(step, "max_pool")


def average_pool(step: Step) -> list[str]:
    """Return the mean pixel of each patch."""
    step.expect(auto_pad="NOTSET", ceil_mode=0, pads=[0, 0, 0, 0])
    return _pooled(step, "average_pool")


def _pooled(step: Step, function: str) -> list[str]:
    x, y, size = step.floats(0), step.output, step.node.attributes["kernel_shape"]
    if len(size) != 2:
        raise step.refused(f"on arrays of {2 + len(size)} axes")
    return [f"{function}({x.pointer}, {_images(x)}, {y.pointer}, {_size(y)}, {_patches(step, size)});"]


def _images(x: Operand) -> str:
    return _size(x)


def _size(x: Operand) -> str:
    return f"(Images){{{', '.join(map(str, x.shape))}}}"


def _patches(step: Step, size: tuple[int, ...]) -> str:
    strides = step.node.attributes.get("strides", [1, 1])
    above, left = step.node.attributes.get("pads", [0, 0, 0, 0])[:2]
    return f"(Patches){{{', '.join(map(str, (*size, *strides, above, left)))}}}"


def batch_norm(step: Step) -> list[str]:
    """Return (x - mean) / √(variance + epsilon) gamma + beta, feature by feature."""
    step.expect(training_mode=0)
    x, y = step.floats(0), step.output
    gamma, beta, mean = (step.input(number).name for number in (1, 2, 3))
    epsilon = x.dtype.type(step.node.attributes.get("epsilon", 1e-5))
    scale = step.array("scale", 1 / np.sqrt(step.fixed(4) + epsilon))
    sizes = f"{x.shape[0]}, {prod(x.shape[1:])}"
    return [f"batch_norm({x.pointer}, {mean}, {scale}, {gamma}, {beta}, {y.pointer}, {sizes});"]


def layer_norm(step: Step) -> list[str]:
    """Return (x - mean) / √(variance + epsilon) gamma + beta, with mean and variance of all elements."""
    step.expect(axis=1, stash_type=1)
    x, y, beta = step.floats(0), step.output, step.input(2) if step.has(2) else None
    gamma, epsilon = step.input(1).name, literal(np.float32(step.node.attributes.get("epsilon", 1e-5)))
    shift = step.array("beta", np.zeros(x.size, x.dtype)) if beta is None else beta.name
    return [f"layer_norm({x.pointer}, {gamma}, {shift}, {y.pointer}, {x.size}, {epsilon});"]


def normalized(function: str) -> Operator:
    """Return an operator that applies a function to the elements along the last axis.

    Args:
        function: its name in C.
    """

    def statements(step: Step) -> list[str]:
        x, y = step.floats(0), step.output
        if step.axis() != len(x.shape) - 1:
            raise step.refused("along another axis than the last")
        return _row_by_row(x, y, function)

    return statements


def _row_by_row(x: Operand, y: Operand, function: str) -> list[str]:
    """Return a call of a function for each row along the last axis."""
    length = x.shape[-1]
    if x.size == length:
        return [f"{function}({x.pointer}, {y.pointer}, {length});"]
    rows = x.size // length
    call = f"{function}({x.pointer} + {length} * i, {y.pointer} + {length} * i, {length});"
    return [f"for (size_t i = 0; i < {rows}; i++) {{", f"    {call}", "}"]


def arg_max(step: Step) -> list[str]:
    """Return the number of the largest element along the last axis, the first one if several are equal."""
    step.expect(select_last_index=0)
    x, y = step.floats(0), step.output
    if step.axis(0) != len(x.shape) - 1 or x.size != x.shape[-1]:
        raise step.refused("on more than one row")
    return [f"{y.at('0')} = (int64_t)largest_at({x.pointer}, {x.size});"]


def label_encoder(step: Step) -> list[str]:
    """Return the value that belongs to a key, or the default."""
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
    """Return the keys or the values of a LabelEncoder, and the name of their type in its default's name."""
    name = next(name for name in attributes if name.startswith(prefix))
    return attributes[name], name.removeprefix(prefix).rstrip("s")


def gather(step: Step) -> list[str]:
    """Return the elements with given numbers along an axis."""
    table, numbers, y = step.input(0), step.input(1), step.output
    if table.constant is not None:
        return _looked_up(step, table, numbers)
    axis = step.axis(0)
    indices = step.fixed(1).reshape(-1) % table.shape[axis]
    chosen = step.array("chosen", indices.astype(np.int64))
    before, after = prod(table.shape[:axis]), prod(table.shape[axis + 1 :])
    number = f"{chosen}[{{1}}]" if indices.size > 1 else str(indices[0])
    if indices.size == 1:
        del step.arrays[chosen]
    source = table.at(f"({{2}}) + {after} * {number}")
    return loops(
        (before, indices.size, after),
        [row_major((before, indices.size, after)), (0, 1, 0), (table.shape[axis] * after, 0, 1)],
        f"{y.at('{0}')} = {source};",
    )


def _looked_up(step: Step, table: Operand, numbers: Operand) -> list[str]:
    """Return rows of a table that doesn't change."""
    step.expect(axis=0)
    if numbers.constant is not None:
        raise step.refused("on arrays that don't change")
    each, y = prod(table.shape[1:]), step.output
    index = f"{numbers.at('{1}')}"
    position = f"{each} * {index} + {{2}}" if each > 1 else index
    shape = (numbers.size, each)
    return loops(shape, [row_major(shape), (1, 0), (0, 1)], f"{y.at('{0}')} = {table.name}[{position}];")


def concat(step: Step) -> list[str]:
    """Return arrays one after the other along an axis."""
    y, axis, lines, begin = step.output, step.axis(), [], 0
    width = prod(y.shape[axis:])
    for operand in filter(None, step.inputs):
        shape = operand.shape[1:] if operand.constant is not None else operand.shape
        before, part = prod(shape[:axis]), prod(shape[axis:])
        to = y.at(f"{begin} + {{0}}" if before * part > 1 else str(begin))
        lines += loops(
            (before, part),
            [(width, 1), (part, 1)],
            f"{to} = {operand.at('{1}')};",
        )
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


def slice_(step: Step) -> list[str]:
    """Return a part of an array along each of some axes."""
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
    index = f"{first} + {{1}}" if first else "{1}"
    return loops(y.shape, [row_major(y.shape), tuple(strides)], f"{y.at('{0}')} = {x.at(index)};")


def reduce(first: str, combined: str, finished: str = "{0}") -> Operator:
    """Return an operator that makes one element of all along some axes, in their order.

    Args:
        first: what to begin with.
        combined: the result so far, ``{0}``, and the next element, ``{1}``.
        finished: the result in the end; ``{count}`` stands for the number of elements.
    """

    def statements(step: Step) -> list[str]:
        x, y = step.varying(0), step.output
        given = step.fixed(1).ravel() if step.has(1) else step.node.attributes.get("axes")
        if given is None:
            raise step.refused("along all axes, the batch axis too")
        reduced = sorted(step.own_axis(int(axis)) for axis in given)
        kept = [axis for axis in range(len(x.shape)) if axis not in reduced]
        strides = row_major(x.shape)
        kept_shape, reduced_shape = (tuple(x.shape[axis] for axis in axes) for axes in (kept, reduced))
        to = row_major(kept_shape)
        begin = first.format(zero=literal(x.dtype.type(0)), one=literal(x.dtype.type(1)))
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


ONE_TO_ONE: Final[dict[str, Operator]] = {
    "Abs": mathematical("fabs"),
    "Acos": mathematical("acos"),
    "Add": elementwise("{0} + {1}"),
    "And": elementwise("{0} && {1}"),
    "Asin": mathematical("asin"),
    "Atan": mathematical("atan"),
    "BatchNormalization": batch_norm,
    "Cast": cast,
    "Ceil": mathematical("ceil"),
    "Celu": called("celu", alpha=1.0),
    "Clip": clip,
    "Cos": mathematical("cos"),
    "Cosh": mathematical("cosh"),
    "Div": elementwise("{0} / {1}"),
    "Elu": called("elu", alpha=1.0),
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
    "Sin": mathematical("sin"),
    "Sinh": mathematical("sinh"),
    "Softmax": normalized("softmax"),
    "Softplus": mathematical("softplus"),
    "Softsign": called("softsign"),
    "Sqrt": mathematical("sqrt"),
    "Sub": elementwise("{0} - {1}"),
    "Tan": mathematical("tan"),
    "Tanh": mathematical("tanh"),
    "Where": elementwise("{0} ? {1} : {2}"),
    "Xor": elementwise("!{0} != !{1}"),
}
"""Operators that may write what they compute over their first input, if both have the same shape and dtype."""

OPERATORS: Final[dict[tuple[str, str], Operator]] = {
    **{("", name): function for name, function in ONE_TO_ONE.items()},
    ("", "ArgMax"): arg_max,
    ("", "AveragePool"): average_pool,
    ("", "Concat"): concat,
    ("", "Conv"): conv,
    ("", "Equal"): equal,
    ("", "Gather"): gather,
    ("", "Gemm"): gemm,
    ("", "MatMul"): matmul,
    ("", "GlobalAveragePool"): global_pool("{zero}", "{0} + {1}", "{0} / {count}"),
    ("", "GlobalMaxPool"): global_pool("-INFINITY", "{1} > {0} || {1} != {1} ? {1} : {0}"),
    ("", "Max"): extreme(">"),
    ("", "MaxPool"): max_pool,
    ("", "Min"): extreme("<"),
    ("", "OneHot"): one_hot,
    ("", "Pad"): pad,
    ("", "ReduceMax"): reduce("-INFINITY", "{1} > {0} || {1} != {1} ? {1} : {0}"),
    ("", "ReduceMean"): reduce("{zero}", "{0} + {1}", "{0} / {count}"),
    ("", "ReduceMin"): reduce("INFINITY", "{1} < {0} || {1} != {1} ? {1} : {0}"),
    ("", "ReduceProd"): reduce("{one}", "{0} * {1}"),
    ("", "ReduceSum"): reduce("{zero}", "{0} + {1}"),
    ("", "Slice"): slice_,
    ("", "Sum"): total,
    ("", "Transpose"): transpose,
    (ML_DOMAIN, "LabelEncoder"): label_encoder,
}
"""The operators that C knows, by domain and name."""

VIEWS: Final = frozenset({"Dropout", "Flatten", "Identity", "Reshape", "Squeeze", "Unsqueeze"})
"""Operators that leave an example's elements as they are, in their order."""
