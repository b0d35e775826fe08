"""What encodings make of numbers."""

from __future__ import annotations

from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from requirements import Optional

import mlpkit
from mlpkit import Encoding, FittedEncoding, Graph, ModelFileError, ParameterError, TrainingColumns
from mlpkit.graph.evaluator import evaluate
from mlpkit_plugins.datasets.csv import Csv
from mlpkit_plugins.encodings.min_max import MinMax
from mlpkit_plugins.encodings.no_encoding import NoEncoding
from mlpkit_plugins.encodings.piecewise_linear import PiecewiseLinear
from mlpkit_plugins.encodings.quantile import Quantile
from mlpkit_plugins.encodings.robust_smooth_clip import RobustSmoothClip
from mlpkit_plugins.encodings.standardize import Standardize
from mlpkit_plugins.functions.normal_quantile import normal_quantile

MinMaxScaler = Optional("sklearn.preprocessing", "MinMaxScaler")
QuantileTransformer = Optional("sklearn.preprocessing", "QuantileTransformer")
StandardScaler = Optional("sklearn.preprocessing", "StandardScaler")

RNG = np.random.default_rng(3)
NUMBERS = np.stack([RNG.normal(5, 2, 400), RNG.lognormal(0, 2, 400), RNG.integers(0, 4, 400)], axis=1)


def fitted(encoding, numbers=NUMBERS, together=64):
    def parts():
        return (numbers[begin : begin + together] for begin in range(0, len(numbers), together))

    names = [f"c{i}" for i in range(numbers.shape[1])]
    return FittedEncoding.fit(encoding, names, TrainingColumns(*numbers.shape, parts))


NEW = np.concatenate([NUMBERS[:50], NUMBERS[:50] * 3 - 4])


def test_standardize_is_scikit_learns():
    expected = StandardScaler().fit(NUMBERS).transform(NEW)
    np.testing.assert_allclose(fitted(Standardize()).encode(NEW), expected, rtol=1e-12, atol=1e-12)


def test_min_max_is_scikit_learns():
    np.testing.assert_allclose(fitted(MinMax()).encode(NEW), MinMaxScaler().fit(NUMBERS).transform(NEW), atol=1e-12)


@pytest.mark.parametrize("output", ["uniform", "normal"])
def test_quantile_is_scikit_learns(output):
    count = len(NUMBERS) // 30
    peer = QuantileTransformer(n_quantiles=count, output_distribution=output, subsample=None).fit(NUMBERS)
    found = fitted(Quantile(output=output, noise=0.0)).encode(NEW)
    np.testing.assert_allclose(found, peer.transform(NEW), atol=1e-8)


def test_none_changes_nothing():
    np.testing.assert_array_equal(fitted(NoEncoding()).encode(NEW), NEW)


def test_robust_smooth_clip_by_hand():
    numbers = np.array([[0.0, 0, 7], [1, 0, 7], [2, 0, 7], [3, 0, 7], [4, 10, 7]])
    found = fitted(RobustSmoothClip(limit=3), numbers).encode(np.array([[6.0, 5, 100], [2, 0, 7]]))
    z = np.array([[4 / 2, 5 / 5, 0], [0, 0, 0]])  # quartiles 1 and 3; half of 10; no range at all
    np.testing.assert_allclose(found, z / np.sqrt(1 + (z / 3) ** 2), rtol=1e-14)


def naive_piecewise_linear(x, edges):
    """Transcribe equation 1 of the paper for one number."""
    last = len(edges) - 2
    y = []
    for j in range(last + 1):
        z = (x - edges[j]) / (edges[j + 1] - edges[j])
        z = max(z, 0) if j > 0 else z
        y.append(min(z, 1) if j < last else z)
    return y


def test_piecewise_linear_is_the_papers_equation():
    each = fitted(PiecewiseLinear(bins=5))
    edges = [np.unique(np.quantile(column, np.linspace(0, 1, 6))) for column in NUMBERS.T]
    expected = [np.concatenate([naive_piecewise_linear(x, e) for x, e in zip(row, edges, strict=True)]) for row in NEW]
    np.testing.assert_allclose(each.encode(NEW), expected, rtol=1e-9, atol=1e-12)
    assert [len(names) for names in each.features()] == [5, 5, 3]


def test_piecewise_linear_of_a_tree_bends_where_the_target_changes():
    targets = np.where(NUMBERS[:, 0] > 6, 5.0, 0.0) + NUMBERS[:, 2]
    numbers = np.where(NUMBERS[:, [0, 2]] < 1, np.nan, NUMBERS[:, [0, 2]])
    columns = TrainingColumns(400, 2, lambda: [numbers], lambda: targets[:, np.newaxis])
    each = FittedEncoding.fit(PiecewiseLinear(bins=2, edges="tree"), ["a", "b"], columns)
    below, above = (np.nanmax(numbers[numbers[:, 0] <= 6, 0]), np.nanmin(numbers[numbers[:, 0] > 6, 0]))
    edges = each.learned["edge"][each.learned["column"] == 0]
    np.testing.assert_allclose(edges, [np.nanmin(numbers[:, 0]), (below + above) / 2])
    assert [len(names) for names in each.features()] == [2, 2]


def test_piecewise_linear_of_a_tree_needs_targets():
    with pytest.raises(ParameterError, match="take the data from a csv or parquet file"):
        fitted(PiecewiseLinear(edges="tree"))


@pytest.mark.parametrize("encoding", [Standardize(), MinMax(), Quantile(), Quantile(output="uniform", noise=0.0)])
@given(numbers=arrays(float, (40, 2), elements=st.floats(-1e6, 1e6)))
def test_the_order_of_numbers_stays(encoding, numbers):
    each = fitted(encoding, numbers)
    ordered = np.sort(numbers, axis=0)
    assert (np.diff(each.encode(ordered), axis=0) >= -1e-9).all()


SMALL_AND_LARGE = NUMBERS * [0.01, 1, 1e6]


@pytest.mark.parametrize(
    "encoding",
    [
        Standardize(), MinMax(), NoEncoding(), RobustSmoothClip(), RobustSmoothClip(limit=0.5), PiecewiseLinear(bins=5),
        Quantile(), Quantile(output="uniform", noise=0.0), Quantile(output="uniform", quantiles=3, noise=0.1),
    ],
    ids=repr,
)  # fmt: skip
def test_a_graph_computes_what_is_encoded(encoding):
    each = fitted(encoding, SMALL_AND_LARGE)
    ends = np.quantile(SMALL_AND_LARGE, np.linspace(0, 1, 14), axis=0)  # where quantiles and bins begin
    numbers = np.concatenate([SMALL_AND_LARGE[:40], ends, ends[[0, -1]] * [[-3], [1 + 1e-9]]])
    graph = Graph(np.dtype(float), (3,))
    columns = [graph.op("Unsqueeze", graph.feed(name, "float64"), np.array([1])) for name in each.columns]
    graph.outputs["y"] = each.onnx(graph, graph.op("Concat", *columns, axis=1))
    found = evaluate(graph, dict(zip(each.columns, numbers.T, strict=True)))["y"]
    np.testing.assert_allclose(found, each.encode(numbers), rtol=1e-9, atol=1e-12)


def test_a_missing_number_counts_for_nothing():
    incomplete = np.full((800, 3), np.nan)
    incomplete[::2] = NUMBERS
    for encoding in (Standardize(), MinMax(), RobustSmoothClip()):
        expected = fitted(encoding).encode(NEW)
        np.testing.assert_allclose(fitted(encoding, incomplete).encode(NEW), expected, rtol=1e-9, atol=1e-12)


def test_normal_quantile_is_that_of_the_standard_library():
    shares = np.concatenate([np.geomspace(1e-10, 0.5, 200), 1 - np.geomspace(1e-10, 0.5, 200)])
    expected = [NormalDist().inv_cdf(float(share)) for share in shares]
    np.testing.assert_allclose(normal_quantile(shares), expected, rtol=1e-12, atol=1e-12)


def test_columns_are_joined_in_blocks_that_memory_holds(monkeypatch):
    monkeypatch.setattr("mlpkit.components.encoding.NUMBERS_TOGETHER", 400)
    expected = np.quantile(NUMBERS, [0.1, 0.5], axis=0)
    columns = TrainingColumns(*NUMBERS.shape, lambda: [NUMBERS[:150], NUMBERS[150:]])
    assert len(list(columns.blocks())) == 3
    np.testing.assert_array_equal(columns.quantiles([0.1, 0.5]), expected)


@pytest.mark.parametrize(
    "state",
    [
        {},
        {"columns": ["a"]},
        {"columns": ["a"], "learned": {"mean": [0.0]}},
        {"columns": ["a"], "learned": {"mean": [0.0, 1.0], "std": [1.0]}},
        {"columns": ["a"], "learned": {"mean": [float("nan")], "std": [1.0]}},
        {"columns": ["a"], "learned": {"mean": ["x"], "std": [1.0]}},
        "nothing",
    ],
)
def test_a_damaged_state_is_refused(state):
    with pytest.raises(ModelFileError, match=r"what the encoding Standardize learned is .*, which it can't use"):
        FittedEncoding.from_state(Standardize(), state)


def test_one_object_serves_several_groups_of_columns():
    encoding = Standardize()
    first, second = fitted(encoding), fitted(encoding, NUMBERS * 2)
    assert not np.allclose(first.encode(NEW), second.encode(NEW))
    assert isinstance(first.encoding, Encoding)


@pytest.mark.parametrize("edges", ["quantiles", "tree"])
def test_arrays_refuse_several_elements_of_a_number_with_one_advice_that_works(tmp_path, edges):
    numbers = PiecewiseLinear(2, edges=edges)
    layers = [{"Affine": {"units": "auto"}}, "MeanSquaredError"]
    with pytest.raises(ParameterError, match=r"take the data from a csv or parquet file$"):
        mlpkit.fit(NUMBERS, NUMBERS[:, 0], numbers=numbers, layers=layers, epochs=1, quiet=True)
    np.savetxt(tmp_path / "t.csv", NUMBERS, delimiter=",", header="t,a,b", comments="")
    dataset = Csv(str(tmp_path / "t.csv"), "t", predict="values", numbers=numbers)
    assert dataset.describe().input_shape[0] > 2


def test_bins_are_named_by_column_and_edge_and_a_column_of_equal_or_missing_numbers_has_one():
    numbers = np.array([[1, 7, np.nan], [2, 7, np.nan], [4.5, 7, np.nan]])
    each = fitted(PiecewiseLinear(bins=2), numbers)
    assert each.features() == [("c0 from 1 (0)", "c0 from 2 (1)"), ("c1 from 7 (0)",), ("c2 from 0 (0)",)]
    np.testing.assert_allclose(each.encode(np.array([[3, 9, 5], [0.5, 6, -5]])), [[1, 0.4, 2, 5], [-0.5, 0, -1, -5]])


def test_a_tree_of_a_column_that_is_missing_or_the_same_has_one_bin():
    numbers = np.array([[np.nan, 3.0, i] for i in range(8)])
    columns = TrainingColumns(8, 3, lambda: [numbers], lambda: np.arange(8) // 4)
    each = FittedEncoding.fit(PiecewiseLinear(4, edges="tree", fewest_rows=2), ["a", "b", "c"], columns)
    assert each.features() == [("a from 0 (0)",), ("b from 3 (0)",), ("c from 0 (0)", "c from 3.5 (1)")]


@pytest.mark.parametrize(("rows", "most", "count"), [(329, 1000, 10), (330, 1000, 11), (400, 12, 12), (90, 2, 2)])
def test_thirty_rows_give_a_quantile(rows, most, count):
    learned = fitted(Quantile(quantiles=most, noise=0), NUMBERS[:rows]).learned
    np.testing.assert_allclose(learned["quantiles"], np.quantile(NUMBERS[:rows], np.linspace(0, 1, count), axis=0))
    assert learned["shares"].shape == (count, 3)


def test_noise_of_quantiles_is_smaller_for_numbers_far_apart():
    numbers = np.array([[5.0, 8 * (i % 2), 5.0] for i in range(20_000)])
    first, same, other = (fitted(Quantile(noise=noise, seed=seed), numbers).learned["quantiles"] for noise, seed in [
        (2, 0), (2, 0), (2, 1)
    ])  # fmt: skip
    np.testing.assert_array_equal(first, same)
    assert not np.array_equal(first, other)
    sixth = NormalDist().inv_cdf(1 / 6)
    assert np.quantile(first[:, 0], 1 / 6) == pytest.approx(5 + sixth, abs=0.05)  # noise of 2 / 2
    assert np.quantile(first[:, 1], 1 / 12) == pytest.approx(sixth / 2, abs=0.05)  # of 2 / 4
    assert not np.array_equal(first[:, 0], first[:, 2])


def test_uniform_quantiles_reach_0_and_1_only_at_the_ends_and_normal_ones_stay_finite():
    numbers = np.linspace(0, 1, 400)[:, np.newaxis]
    at = np.array([[-3.0], [0.0], [1e-9], [1 - 1e-9], [1.0], [3.0]])
    uniform, normal = (fitted(Quantile(output=o, noise=0), numbers).encode(at)[:, 0] for o in ("uniform", "normal"))
    np.testing.assert_allclose(uniform, np.clip(at[:, 0], 0, 1), rtol=1e-12, atol=1e-15)
    last = NormalDist().inv_cdf(1 - 1e-7)
    np.testing.assert_allclose(normal, [-last, -last, -last, last, last, last], rtol=1e-9)


def edges_of_tree(targets):
    """Return the edges of bins of ascending numbers, by a tree of the usual size."""
    numbers = np.arange(len(targets), dtype=float)[:, np.newaxis]
    columns = TrainingColumns(len(targets), 1, lambda: [numbers], lambda: np.asarray(targets, float)[:, np.newaxis])
    return FittedEncoding.fit(PiecewiseLinear(edges="tree"), ["a"], columns).learned["edge"].tolist()


def test_a_bin_of_the_usual_tree_has_64_rows_and_explains_a_ten_thousandth_of_the_variance():
    assert edges_of_tree([5] * 64 + [0] * 64) == [0, 63.5]
    assert edges_of_tree([5] * 63 + [0] * 64) == [0]
    for step, edges in ((0.0290, [0, 499.5, 749.5]), (0.0275, [0, 499.5])):  # a share of step ** 2 / 8
        assert edges_of_tree([-1] * 500 + [1 - step / 2] * 250 + [1 + step / 2] * 250) == edges


def test_without_parameters_there_are_48_bins_1000_quantiles_and_a_limit_of_3():
    many = np.random.default_rng(5).normal(size=(30_300, 1))
    assert len(fitted(PiecewiseLinear(), many[:500]).features()[0]) == 48
    found = fitted(Quantile(), many, together=1 << 14)
    assert found.learned["quantiles"].shape == (1000, 1)
    noise = 1e-3 / many.std() * np.random.default_rng(0).standard_normal(many.shape)
    np.testing.assert_allclose(found.learned["quantiles"], np.quantile(many + noise, np.linspace(0, 1, 1000), axis=0))
    assert fitted(RobustSmoothClip(), many[:500]).encode(np.array([[1e9]])) == pytest.approx(3)
