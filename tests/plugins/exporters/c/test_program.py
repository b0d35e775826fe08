"""A graph as a program in C: its statements, and the memory of its values."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlpkit import ML_DOMAIN, Graph, NotExportableError
from mlpkit_plugins.exporters.c.program import Lifetime, offsets, program, signature
from mlpkit_plugins.exporters.c.syntax import array_definition

F64 = 11
SHAPES = {"x": (3,), "rows": (4, 3), "images": (2, 5, 4)}


def test_a_graph_is_written_with_names_memory_and_arrays(golden):
    graph = Graph(np.dtype(np.float32))
    x, town, gap = graph.feed("x", "float32", (2, 3)), graph.feed("in", "str"), graph.feed("gap", "float64")
    weights, bias = np.arange(6, dtype=np.float32).reshape(3, 2) + 0.5, np.arange(1, 5, dtype=np.float32)
    shift = np.array([[0.5, -0.5]], np.float32)

    def dense(graph):
        return graph.op("Add", graph.op("MatMul", graph.input, graph.constant("Dense1.W", weights)), shift)

    def turned(graph):
        return graph.op("Transpose", graph.input, perm=[0, 2, 1])

    columns = x
    for path, onnx in {"Dense1": dense, "Turned1": turned}.items():
        layer = SimpleNamespace(kind="layer", path=path, registered_name=path[:-1], onnx=onnx)
        columns = graph.describe(layer, columns)
    columns = graph.op("Flatten", columns)
    positive = graph.op("Relu", columns)
    moved = graph.op("Add", positive, bias)
    doubled = graph.op("Mul", graph.op("Add", moved, graph.op("Sqrt", bias * bias)), bias.copy())
    keys = {"keys_strings": ["Ulm", "Bonn"], "values_int64s": [2, 5], "default_int64": -1}
    number = graph.op("LabelEncoder", town, domain=ML_DOMAIN, **keys)
    wide = graph.op("Neg", graph.op("Cast", moved, to=F64))
    unused = graph.op("Exp", columns)
    outputs = {
        "out": graph.op("Concat", doubled, positive, axis=1),
        "number": number,
        "known": graph.op("Not", graph.op("IsNaN", gap)),
        "same": number,
        "as it came": x,
        "wide": graph.op("Identity", wide),
    }

    found = program(graph, outputs)

    members = {**found.inputs, **found.outputs}
    lines = [
        found.statements,
        *(array_definition(name, array) for name, array in found.arrays.items()),
        *(f"{name!r}: {each.name} of {each.shape}, {each.dtype}" for name, each in members.items()),
        *(f"{name}: {each.name or '-'} after {found.after[name]}" for name, each in found.places.items()),
        f"{found.work} numbers, {found.stack} bytes, {found.multiplications} multiplications",
    ]
    golden(Path(__file__).with_name("program.txt"), "\n".join(lines) + "\n")
    assert unused.name not in found.places


def test_weights_that_are_integers_times_scales_are_written_as_such(golden):
    graph = Graph(np.dtype(np.float32))
    x, rows, images = (graph.feed(name, "float32", shape) for name, shape in SHAPES.items())
    weights = np.float32([[127, 0.25], [-64, 31.75], [3, -8.5]])
    filters = np.float32([[[[127, -3, 5]], [[1, 2, 4]]], [[[0.5, 63.5, -1]], [[0, 8, 2.5]]]])
    bias = np.float32([0.5, -1.5])
    outputs = {
        "row": graph.op("Gemm", x, weights, bias),
        "turned": graph.op("Gemm", x, weights.T.copy(), bias[:1], transB=1),
        "rows": graph.op("MatMul", rows, weights),
        "images": graph.op("Conv", images, filters, bias, strides=[2, 1], pads=[0, 1, 0, 2]),
        "inexact": graph.op("Gemm", x, weights + np.float32(0.125)),
        "matrices": graph.op("MatMul", graph.op("Unsqueeze", rows, np.array([2])), np.ones((4, 3, 2), np.float32)),
    }
    texts = []
    for quantized in (False, True):
        found = program(graph, outputs, quantized=quantized)
        arrays = (array_definition(name, array) for name, array in found.arrays.items())
        counts = f"{found.work} numbers, {found.stack} bytes, {found.multiplications} multiplications"
        texts.append("\n".join([found.statements, *arrays, counts]) + "\n")
    golden(Path(__file__).with_name("products.txt"), "\n".join(texts))


def test_a_program_without_a_large_value_needs_no_work_memory():
    graph = Graph(np.dtype(np.float32))
    found = program(graph, {"y": graph.op("Neg", graph.feed("x", "float32"))})
    assert (found.statements, found.work, found.stack) == (
        "    (void)work;\n\n    /* Neg */\n    out->y = -in->x;",
        0,
        0,
    )
    assert signature("m") == "void m_predict(const m_inputs *in, m_outputs *out, float *work)"


def test_an_output_that_is_constant_is_refused():
    graph = Graph(np.dtype(np.float32))
    graph.feed("x", "float32")
    y = graph.op("Neg", np.ones((2, 3), np.float32))
    with pytest.raises(NotExportableError, match=r"^the output y doesn't depend on any input$"):
        program(graph, {"y": y})


PLACED = {
    "none": ({}, {}, 0),
    "one": ({"a": (5, 0, 1)}, {"a": 0}, 5),
    "one after the other": ({"a": (4, 0, 1), "b": (3, 2, 3)}, {"a": 0, "b": 0}, 4),
    "needed in the same step": ({"a": (4, 0, 2), "b": (3, 2, 3)}, {"a": 0, "b": 4}, 7),
    "the first again": ({"a": (5, 0, 1), "b": (3, 1, 2), "c": (4, 2, 4)}, {"a": 0, "b": 5, "c": 0}, 8),
    "the largest first": ({"a": (1, 0, 1), "b": (5, 1, 2), "c": (4, 2, 5)}, {"a": 5, "b": 0, "c": 5}, 9),
    "in order": (
        {"a": (3, 0, 1), "b": (3, 1, 2), "c": (1, 2, 5), "d": (4, 3, 5)},
        {"a": 0, "b": 3, "c": 0, "d": 1},
        6,
    ),
    "in a gap of the same size": (
        {"a": (5, 0, 1), "b": (4, 0, 9), "c": (3, 0, 9), "d": (5, 2, 9)},
        {"a": 0, "b": 5, "c": 9, "d": 0},
        12,
    ),
    "in no gap that is too small": (
        {"a": (6, 0, 1), "b": (5, 0, 9), "c": (4, 2, 9), "d": (3, 2, 9)},
        {"a": 0, "b": 6, "c": 0, "d": 11},
        14,
    ),
}


@pytest.mark.parametrize("name", PLACED)
def test_values_are_placed_in_as_little_memory_as_either_order_takes(name):
    lifetimes, places, size = PLACED[name]
    assert offsets({each: Lifetime(*of) for each, of in lifetimes.items()}) == (places, size)


@given(st.lists(st.tuples(st.integers(1, 9), st.integers(0, 6), st.integers(0, 4)), max_size=8))
def test_values_that_are_needed_together_have_memory_apart(drawn):
    lifetimes = {str(i): Lifetime(size, first, first + steps) for i, (size, first, steps) in enumerate(drawn)}
    places, size = offsets(lifetimes)
    memory = {name: {*range(place, place + lifetimes[name].size)} for name, place in places.items()}
    assert size == max((max(each) + 1 for each in memory.values()), default=0)
    for one, other in combinations(lifetimes, 2):
        steps = [{*range(each.first, each.last + 1)} for each in (lifetimes[one], lifetimes[other])]
        assert lifetimes[one].meets(lifetimes[other]) == bool(steps[0] & steps[1])
        assert not (steps[0] & steps[1] and memory[one] & memory[other])
