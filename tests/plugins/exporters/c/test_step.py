"""Operands and loops of a program in C."""

from __future__ import annotations

import re

import numpy as np
import pytest

from mlpkit import NotExportableError
from mlpkit.graph import Node
from mlpkit_plugins.exporters.c.step import Operand, Step, broadcast, loops, row_major
from mlpkit_plugins.exporters.c.syntax import Names

F32 = np.dtype(np.float32)


def indices_of(lines):
    """Return the indices that loops in C go through, by running them in Python."""
    head, program, found = re.compile(r"for \(size_t (\w+) = 0; \1 < (\d+); \1\+\+\) {"), [], []
    depth = len(lines) // 2
    for i, line in enumerate(lines[: depth + 1]):
        assert line.startswith(4 * i * " " + line.lstrip())
        name, count = head.fullmatch(line.lstrip()).groups() if i < depth else ("", "")
        program.append(i * " " + (f"for {name} in range({count}):" if name else f"found.append(({line.lstrip()}))"))
    assert lines[depth + 1 :] == [4 * i * " " + "}" for i in reversed(range(depth))]
    exec("\n".join(program), {"found": found})
    return found


LOOPS = [
    ((2, 3, 4), [(12, 4, 1), (0, 1, 3)], [], 3),
    ((2, 3, 4), [(12, 4, 1), (12, 4, 1)], [5], 1),
    ((2, 3, 4), [(12, 4, 1), (24, 4, 1)], [0, 7], 2),
    ((2, 3, 4), [(0, 0, 0), (12, 4, 1)], [], 1),
    ((2, 1, 4), [(4, 9, 1)], [], 1),
    ((1, 1), [(3, 1), (1, 1)], [2], 0),
    ((), [(), ()], [0, 6], 0),
    ((2, 3, 2, 3), [(1, 2, 6, 12)], [1], 4),
    ((2, 2, 2, 2, 3), [(1, 2, 4, 8, 16)], [], 5),
]


@pytest.mark.parametrize(("shape", "strides", "begins", "depth"), LOOPS)
def test_loops_go_through_all_elements_with_as_few_loops_as_there_can_be(shape, strides, begins, depth):
    places = ", ".join(f"{{{i}}}" for i in range(len(strides)))
    lines = loops(shape, strides, f"{places},", begins)
    firsts = [*begins, 0, 0]
    assert indices_of(lines) == [
        tuple(int(firsts[i] + np.dot(at, each)) for i, each in enumerate(strides)) for at in np.ndindex(*shape)
    ]
    assert len(lines) == 2 * depth + 1


def test_an_index_has_no_terms_that_change_nothing():
    lines = loops((2, 3), [(3, 1), (0, 2), (0, 0), (0, 0)], "y[{0}] = a[{1}] + b[{2}] + c[{3}];", [0, 4, 0, 5])
    assert lines[:2] == ["for (size_t i = 0; i < 2; i++) {", "    for (size_t j = 0; j < 3; j++) {"]
    assert lines[2:] == ["        y[3 * i + j] = a[4 + 2 * j] + b[0] + c[5];", "    }", "}"]


@pytest.mark.parametrize("shape", [(), (3,), (2, 3, 4), (2, 1, 5)])
def test_strides_are_numpy_s(shape):
    array = np.zeros(shape)
    assert row_major(shape) == tuple(stride // 8 for stride in array.strides)
    wide = np.broadcast_to(array, (7, *(6 if size == 1 else size for size in shape)))
    assert broadcast(shape, wide.shape) == tuple(stride // 8 for stride in wide.strides)


def test_an_operand_is_a_variable_a_pointer_or_a_number():
    one, many = Operand("a", (1, 1), F32), Operand("in->b", (2, 3), F32)
    constant, constants = (
        Operand("c", array.shape, F32, array) for array in (np.full((1, 1), 2.5, np.float32), np.ones(3, np.float32))
    )
    assert [each.size for each in (one, many, constant, constants)] == [1, 6, 1, 3]
    assert [each.pointer for each in (one, many, constant, constants)] == ["&a", "in->b", "c", "c"]
    assert [each.at("i + 1") for each in (one, many, constant, constants)] == ["a", "in->b[i + 1]", "2.5f", "c[i + 1]"]


X, W = Operand("x", (2, 3), F32), Operand("w", (4,), F32, np.arange(4, dtype=np.float32))


def step_of(*inputs, made_by="Odd1", **attributes):
    return Step(Node("Op", (), ("y",), attributes, "", made_by), [*inputs], X, {}, Names(["Odd1_w"]))


def wide(kind):
    return X._replace(dtype=np.dtype(kind))


REFUSED = {
    "an input that is left out": (lambda: step_of(X, None).input(1), "without its input 2"),
    "too few inputs": (lambda: step_of(X).fixed(1), "without its input 2"),
    "a constant": (lambda: step_of(W).floats(), "with an input 1 that doesn't change"),
    "float64": (lambda: step_of(wide("f8")).floats(), "on float64"),
    "a value": (lambda: step_of(W, X).fixed(1), "with an input 2 that is computed for each example"),
    "another attribute": (lambda: step_of(X, group=2).check(pads=[0, 0], group=1), "with group = 2"),
    "a list of another length": (lambda: step_of(X, pads=[0]).check(pads=[0, 0]), "with pads = [0]"),
    "the batch": (lambda: step_of(X).own_axis(0), "along the batch axis"),
    "the batch from behind": (lambda: step_of(X).own_axis(-3), "along the batch axis"),
    "the batch by an attribute": (lambda: step_of(X, axis=0).axis(), "along the batch axis"),
    "a function of integers": (lambda: step_of(wide("i8")).function("exp"), "on int64"),
    "a function of mlpkit's in float64": (lambda: step_of(wide("f8")).function("sigmoid"), "on float64"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_a_step_refuses_is_said_with_the_layer(what):
    refused, message = REFUSED[what]
    with pytest.raises(NotExportableError) as caught:
        refused()
    end = "which can't be written in C; export the model to .onnx, or write the layer in other operators"
    assert str(caught.value) == f"Odd1 uses the operator Op {message}, {end}"
    assert caught.value.made_by == "Odd1"
    assert str(step_of(X, made_by="").refused("so")).startswith("the graph uses the operator Op so, ")


def test_a_step_knows_its_inputs_axes_and_functions():
    step = step_of(W, X, None, axis=2)
    assert (step.varying(1), step.fixed(0).tolist()) == (X, [0, 1, 2, 3])
    assert [step.has(number) for number in range(4)] == [True, True, False, False]
    assert (step.axis(), step_of(X).axis(), step_of(X).axis(1)) == (1, 1, 0)
    assert [step.own_axis(axis) for axis in (1, 2, -1, -2)] == [0, 1, 1, 0]
    assert step.check(group=1, axis=2) is None
    assert [step_of(wide(kind)).function("exp") for kind in ("f4", "f8")] == ["mlpkit_expf", "exp"]
    assert [step_of(wide(kind)).function("floor") for kind in ("f4", "f8")] == ["floorf", "floor"]
    assert step.array("w", np.arange(6).reshape(2, 3).T) == "Odd1_w_2"
    assert step.arrays["Odd1_w_2"].flags.c_contiguous
