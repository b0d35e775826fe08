"""The scaling of arrays: what comes back from a file, what is plainly raw, and encodings of elements."""

from __future__ import annotations

import numpy as np
import pytest

from mlpkit import FittedEncoding, Graph, ModelFileError, ParameterError, TrainingColumns
from mlpkit.graph.evaluator import evaluate
from mlpkit_plugins.arrays.scaling import Scaling
from mlpkit_plugins.datasets.in_memory import InMemory
from mlpkit_plugins.encodings.min_max import MinMax
from mlpkit_plugins.encodings.piecewise_linear import PiecewiseLinear
from mlpkit_plugins.encodings.robust_smooth_clip import RobustSmoothClip
from mlpkit_plugins.encodings.standardize import Standardize

LEARNED = {"raw_shape": [2, 1], "means": [1.0, -2], "stds": [0.5, 4]}


def test_a_scaling_comes_back_from_its_state():
    scaling = Scaling.from_state(LEARNED, 3.0)
    assert (scaling.raw_shape, scaling.divide_by) == ((2, 1), 3.0)
    assert scaling.state() == LEARNED
    np.testing.assert_allclose(scaling.scaled(np.array([[[6.0], [18]]])), [[[(2 - 1) / 0.5], [(6 + 2) / 4]]])
    plain = Scaling.from_state({"raw_shape": [3, 2]}, 4.0)
    assert (plain.raw_shape, plain.divide_by, plain.is_learned) == ((3, 2), 4.0, False)


@pytest.mark.parametrize(
    "change",
    [
        {"raw_shape": [2, True]},
        {"raw_shape": [2.0, 1]},
        {"raw_shape": [2, 0]},
        {"raw_shape": [2, -1]},
        {"raw_shape": [2, 2]},
        {"raw_shape": 2},
        {"stds": [0.5, 0]},
        {"stds": [0.5, -4]},
        {"stds": [0.5]},
        {"means": [1.0, float("nan")]},
        {"means": [1.0, "2"]},
        {"means": [1.0, 2, 3]},
    ],
)
def test_a_state_that_no_scaling_has_is_refused(change):
    with pytest.raises(
        ModelFileError, match=r"the encoder of the arrays is {.*}, which no data set of this kind writes"
    ):
        Scaling.from_state(LEARNED | change, 1.0)


def test_means_and_deviations_are_those_of_all_parts():
    x = np.random.default_rng(2).normal([[3, -7]], [[2, 0.5]], (50, 1, 2))
    fitted = Scaling((1, 2), 4.0).fitted([x[:11], x[11:12], x[12:]])
    np.testing.assert_allclose(fitted.means, x.mean(axis=0) / 4, rtol=1e-12)
    np.testing.assert_allclose(fitted.stds, x.std(axis=0) / 4, rtol=1e-12)


def test_an_element_whose_deviation_is_next_to_nothing_beside_its_mean_is_only_centred():
    x = np.array([0.0, 1, 1, 0]) + np.array([[1], [-1]]) * [0, 0.9e-12, 3e-12, 1e-20]
    np.testing.assert_allclose(Scaling((4,)).fitted([x]).stds, [1, 1, 3e-12, 1e-20], rtol=1e-3)


def test_the_first_element_without_a_finite_deviation_is_named():
    x = np.zeros((2, 2, 2))
    x[:, [0, 1], [1, 0]] = [[1e200], [-1e200]]
    with pytest.raises(ValueError, match=r"^element \[0, 1\] of the examples has no finite standard deviation$"):
        Scaling((2, 2)).fitted([x])


def encoded(**options):
    """Return a data set of five examples of shape (2, 2), whose second element is far from the others."""
    dataset = InMemory(**options)
    x = np.array([[[1.0, 90], [3, 4]], [[2, 30], [5, 9]], [[7, 60], [0, 1]], [[4, 50], [8, 2]], [[6, 40], [9, 3]]])
    dataset.hold({"train": (x, [0, 1, 0, 1, 1])})
    dataset.open(0)
    return dataset, x


def test_an_encoding_of_numbers_is_fitted_on_each_element():
    dataset, x = encoded(numbers=MinMax(), divide_by=2.0, flatten=True)
    least, greatest = x.min(axis=0), x.max(axis=0)
    expected = ((x - least) / (greatest - least)).reshape(5, 4)
    np.testing.assert_allclose(dataset.encode(x), expected, rtol=1e-6)
    again = InMemory(numbers=MinMax(), divide_by=2.0, flatten=True)
    again.load_encoder_state(dataset.encoder_state())
    np.testing.assert_array_equal(again.encode(x), dataset.encode(x))


@pytest.mark.parametrize("damage", ["places", "fewer", "more", "shape"])
def test_a_damaged_state_of_encodings_is_refused(damage):
    dataset, _ = encoded(numbers=MinMax())
    state = dataset.encoder_state()
    ((places, fitted),) = state["scaling"]["encodings"]
    changed = {
        "places": [[places[::-1], fitted]],
        "fewer": [],
        "more": [[places, fitted]] * 2,
        "shape": [[places, fitted, 1]],
    }
    state["scaling"]["encodings"] = changed[damage]
    with pytest.raises(ModelFileError):
        InMemory(numbers=MinMax()).load_encoder_state(state)


@pytest.mark.parametrize(("shape", "divide_by"), [((5,), 1.0), ((5,), 4.0), ((5, 1), 4.0)])
@pytest.mark.parametrize("places", [[(3, 1), (0,)], [(4,), (2, 0), (3, 1)]])
def test_groups_of_elements_are_encoded_in_their_places(shape, divide_by, places):
    x = np.random.default_rng(1).normal(size=(30, *shape))
    encodings = [Standardize(), MinMax(), RobustSmoothClip()]
    groups = list(zip(encodings, places, strict=False))
    scaling = Scaling(shape, divide_by).encoded(groups, 30, lambda: iter([x[:11], x[11:]]))
    flat = x.reshape(30, 5) / divide_by
    expected = flat.copy()
    for encoding, chosen in groups:
        columns = TrainingColumns(30, len(chosen), lambda chosen=chosen: iter([flat[:, list(chosen)]]))
        fitted = FittedEncoding.fit(encoding, list("abc"[: len(chosen)]), columns)
        expected[:, chosen] = fitted.encode(flat[:, list(chosen)])
    np.testing.assert_allclose(scaling.scaled(x), expected.reshape(x.shape), rtol=1e-12)
    graph = Graph(np.dtype("float64"), shape)
    graph.outputs["y"] = scaling.onnx(graph, graph.feed("x", "float64", shape))
    np.testing.assert_allclose(evaluate(graph, {"x": x})["y"], scaling.scaled(x), rtol=1e-12)
    again = Scaling.from_state(scaling.state(), divide_by, groups)
    np.testing.assert_array_equal(again.scaled(x), scaling.scaled(x))


def test_an_encoding_that_makes_several_elements_of_a_number_is_for_tables():
    with pytest.raises(ParameterError) as caught:
        encoded(numbers=PiecewiseLinear(bins=3))
    assert str(caught.value) == (
        "numbers: the encoding PiecewiseLinear makes several elements of a number; expected an encoding that makes "
        "one; for PiecewiseLinear, take the data from a csv or parquet file"
    )


def test_a_name_of_an_encoding_is_for_specs():
    with pytest.raises(ParameterError) as caught:
        encoded(numbers="min_max")
    assert str(caught.value) == (
        "numbers: 'min_max' is a name, which a data set built in Python can't look up; expected an encoding, such as "
        "Standardize()"
    )


def test_raw_examples_are_distinguished_from_standardized_ones():
    rng = np.random.default_rng(0)
    x = rng.normal([500.0, -30], [20, 2], (50, 2))
    dataset = InMemory(standardize=True, divide_by=4.0)
    dataset.hold({"train": (x, np.arange(50) % 2)})
    dataset.open(0)
    assert dataset.why_perhaps_not_encoded(dataset.encode(x)) == ""
    found = dataset.why_perhaps_not_encoded(x)
    assert found == f"row 0, counted from 0, holds {x[0, 0]:g}, but encoding standardizes"
    assert InMemory().why_perhaps_not_encoded(x) == ""
    plain, raw = encoded(divide_by=4.0)
    assert plain.why_perhaps_not_encoded(1000 * raw) == ""


@pytest.mark.parametrize(
    ("raw", "divide_by", "said"),
    [
        (np.array([[0, 2]], np.uint8), 4.0, "they are bytes such as 2, but encoding divides by 4"),
        (np.array([[0, 1]], np.uint8), 4.0, ""),
        (np.array([[0, 2]], np.uint8), 1.0, ""),
        (np.array([[0, 2]], np.int16), 4.0, ""),
    ],
)
def test_bytes_are_not_what_a_division_returns(raw, divide_by, said):
    assert Scaling((2,), divide_by).why_not_written(raw) == said


@pytest.mark.parametrize(
    ("scaling", "largest"),
    [
        (Scaling((2,)), 6.0),
        (Scaling((2,), 4.0), 6.0),
        (Scaling((2,), 0.5), 12.0),
        (Scaling((2,), 2.0, np.array([1.0, -5]), np.array([4.0, 0.5])), (3 + 5) / 0.5),
    ],
)
def test_a_bound_holds_before_and_after_scaling(scaling, largest):
    assert scaling.largest(6.0) == largest
