"""Artificial rows for testing an exported file."""

from __future__ import annotations

import numpy as np
import pytest

from mlpkit import ML_DOMAIN, Graph, Values
from mlpkit.components.exporter import ModelGraph
from mlpkit.graph.probes import probe_rows

KNOWN = {"x": np.array([10.0, 11.0, np.nan, 14.0, np.inf]), "pixels": np.array([[2.0, 5.0], [np.nan, 4.0]])}
UNKNOWN = "a text that no training row has"


def rows_of(describe, known=KNOWN):
    """Return the rows for a model whose encoded input a function describes."""
    graph = Graph(np.dtype("float32"))
    encoded = describe(graph)
    model = ModelGraph(graph, Values((1,)), encoded, encoded, encoded, None, None, {})
    rows, again = probe_rows(model, known), probe_rows(model, known)
    assert all(np.array_equal(rows[name], again[name], equal_nan=rows[name].dtype.kind == "f") for name in rows)
    return rows


def without_missing(graph, x):
    return graph.op("Where", graph.op("IsNaN", x), np.zeros(1), x)


def of_texts(choices):
    def describe(graph):
        town = graph.feed("town", "str", choices=choices)
        return graph.op("LabelEncoder", town, domain=ML_DOMAIN, keys_strings=["b", "c"], values_floats=[1.0, 2.0])

    return describe


def test_every_text_is_there_and_one_that_no_row_has():
    rows = rows_of(of_texts(("a", "b")))
    assert rows["town"][:6].tolist() == ["a", "b", "c", "", UNKNOWN, "a"]
    assert len(rows["town"]) == 64
    many = tuple(map(str, range(100)))
    assert rows_of(of_texts(many))["town"].tolist() == [*many, "b", "c", "", UNKNOWN]


def test_numbers_lie_around_those_of_real_rows_and_one_in_seven_is_missing():
    def describe(graph):
        return without_missing(graph, graph.feed("x", "float64"))

    x = rows_of(describe)["x"]
    missing = np.flatnonzero(np.isnan(x))
    assert (len(x), missing[0] < 7, set(np.diff(missing))) == (64, True, {7})
    there = x[~np.isnan(x)]
    real = np.isin(there, [10, 11, 14])
    assert 16 < real.sum() < 40
    assert 10 - 4 * np.std([10, 11, 14]) < there.min() < 10
    assert 14 < there.max() < 14 + 4 * np.std([10, 11, 14])


@pytest.mark.parametrize(("typical", "mean", "std"), [((500.0, 20.0), 500, 20), (None, 0, 1)])
def test_without_real_rows_they_lie_around_what_is_typical(typical, mean, std):
    def describe(graph):
        return without_missing(graph, graph.feed("x", "float64", typical=typical))

    for known in (None, {"x": np.array([np.nan])}, {"y": np.zeros(3)}):
        x = rows_of(describe, known)["x"]
        assert abs(np.nanmean(x) - mean) < std / 2
        assert 0.7 * std < np.nanstd(x) < 1.4 * std


def test_arrays_fill_the_range_of_real_ones_and_whole_numbers_that_of_their_type():
    feeds = {"pixels": ("float32", (2,)), "grey": ("uint8", (3, 3)), "flag": ("bool", ()), "count": ("int64", ())}

    def describe(graph):
        values = [graph.feed(name, *feed) for name, feed in feeds.items()]
        return graph.cast(values[0], "float64")

    rows = rows_of(describe)
    assert {name: (array.dtype.name, array.shape[1:]) for name, array in rows.items()} == feeds
    pixels, grey = rows["pixels"], rows["grey"]
    assert 2 <= pixels.min() < 2.1
    assert 4.9 < pixels.max() <= 5
    assert (grey.min() < 5, grey.max() > 250) == (True, True)
    assert [set(rows[name].tolist()) for name in ("flag", "count")] == [{False, True}, {0, 1}]


def test_numbers_that_a_raw_input_is_compared_with_are_there():
    def describe(graph):
        x = graph.feed("x", "float64")
        for number in (np.array(-7.0), np.array([99.0]), np.array([[1.0], [2.0]])):
            graph.op("Equal", x, number)
        graph.op("Greater", x, np.array(50.0))
        return without_missing(graph, x)

    x = rows_of(describe)["x"]
    assert x[:2].tolist() == [-7, 99]
    assert 50 not in x


def test_rows_that_are_not_encoded_as_finite_numbers_are_left_out():
    def describe(graph):
        graph.feed("town", "str", choices=("a", "b"))
        return graph.op("Unsqueeze", graph.op("Identity", graph.feed("x", "float64")), np.array([1]))

    rows = rows_of(describe)
    assert np.isfinite(rows["x"]).all()
    assert len(rows["town"]) == len(rows["x"]) in {54, 55}
