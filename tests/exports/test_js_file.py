"""A model as an ES module of JavaScript."""

import numpy as np
import pytest
from operator_cases import CASES, graph_of_cases

from mlpkit import Values
from mlpkit.exports.evaluator import OPERATORS, evaluate
from mlpkit.exports.js_engines import compute_js
from mlpkit.exports.js_file import known_operators, write_js
from mlpkit.exports.model_graph import ModelGraph


def model_of(graph, value):
    return ModelGraph(graph, Values(()), value, value, value, None, None, {"name": "by hand"})


@pytest.fixture(scope="module")
def values(tmp_path_factory):
    """What the evaluator and the engine of JavaScript compute for all cases."""
    graph, names = graph_of_cases()
    x = graph.feed("x", "float32")
    file = tmp_path_factory.mktemp("js") / "operators.js"
    model = model_of(graph, x)
    write_js(model, file)
    feeds = {"x": np.zeros(1, np.float32)}
    known, found = evaluate(graph, feeds), compute_js(file, model, feeds, names)
    return [(known[name], found[name]) for name in names]


@pytest.mark.parametrize("number", range(len(CASES)), ids=map(str, CASES))
def test_an_operator_computes_what_the_evaluator_does(values, number):
    expected, found = values[number]

    assert found.shape == expected.shape
    assert expected.dtype.kind in {found.dtype.kind, "U"}
    if expected.dtype.kind == "f":
        np.testing.assert_allclose(found, expected, rtol=2e-6, atol=1e-6)
    else:
        np.testing.assert_array_equal(found, expected)


def test_the_engine_knows_every_operator_that_mlpkit_knows():
    assert sorted(known_operators()) == sorted(name for _, name in OPERATORS)


def test_every_operator_has_a_case():
    assert {case.operator for case in CASES} == set(known_operators())
