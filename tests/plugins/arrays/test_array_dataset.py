"""What a data set of arrays tells of its arrays, and of new examples."""

from __future__ import annotations

import numpy as np
import pytest
from data import taken

from mlpkit import DataError, Graph, RawArray, ShapeError
from mlpkit.graph.evaluator import evaluate
from mlpkit_plugins.arrays.array_split import Examples
from mlpkit_plugins.datasets.in_memory import InMemory
from mlpkit_plugins.datasets.npy import Npy

X = np.arange(24, dtype=np.int16).reshape(8, 3) - 5
T = np.arange(8) % 3


@pytest.fixture
def saved(tmp_path, monkeypatch):
    """Return a data set of files of eight examples, and of two more for testing."""
    monkeypatch.chdir(tmp_path)
    for name, array in {"x": X, "t": T, "test_x": X[:2] * 2.5, "test_t": T[:2]}.items():
        np.save(f"{name}.npy", array)

    def build(**options):
        return Npy("x.npy", "t.npy", **{"validation": 0.25, "test": ("test_x.npy", "test_t.npy"), **options})

    return build


def test_arrays_are_described_over_all_files(saved):
    assert saved().raw_arrays() == [
        RawArray("x.npy", "input", "int16, float64", (3,), -12.5, 18.0),
        RawArray("t.npy", "target", "int64", (), 0.0, 2.0),
    ]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({}, ""),
        ({"split": "in_order"}, "examples are split in their order, and later ones may differ"),
        ({"split": "in_order", "validation": 0}, ""),
    ],
)
def test_later_examples_may_differ_if_they_are_split_in_order(saved, options, said):
    assert saved(**options).why_not_exchangeable() == said


def test_raw_rows_and_their_sources_are_those_of_the_split(saved):
    dataset = saved(split="in_order")
    assert dataset.example_sources("validation", np.array([1, 0])) == ["x.npy, example 7", "x.npy, example 6"]
    np.testing.assert_array_equal(dataset.raw_rows("validation", np.array([1, 0])), X[[7, 6]])
    assert dataset.example_sources("test", np.array([1])) == ["test_x.npy, example 1"]
    np.testing.assert_array_equal(dataset.raw_rows("test", np.array([1])), X[1:2] * 2.5)


@pytest.mark.parametrize(
    ("predict", "t", "shape"),
    [
        ("classes", np.array([2, 0]), (2,)),
        ("classes", np.array([[2], [0]]), (2,)),
        ("labels", np.array([[1, 0], [1, 1]]), (2, 2)),
        ("values", np.array([0.5, 3]), (2, 1)),
        ("values", np.arange(6.0).reshape(2, 3), (2, 3)),
    ],
)
@pytest.mark.parametrize("weights", [None, np.array([0.5, 2])])
def test_new_examples_are_raw_inputs_and_targets_in_the_shape_of_training(saved, predict, t, shape, weights):
    found = saved(predict=predict).examples_in(Examples(X[:2], t, "new x", "new t", (), weights))
    np.testing.assert_array_equal(found[0], X[:2])
    np.testing.assert_array_equal(found[1], t.reshape(shape))
    assert found[2:] == (() if weights is None else (weights,))


@pytest.mark.parametrize(
    ("x", "t", "message"),
    [
        (X, T[:2], "new t: has 2 targets for the 8 examples of new x"),
        (X[:0], T[:0], "new x: has the shape (0, 3); expected a row for each example"),
        (X, np.zeros((8, 0)), "new t: has the shape (8, 0); expected a row for each example"),
        (X, np.float64(1), "new t: has the shape (); expected a row for each example"),
        (
            np.zeros((1200, 3)),
            np.zeros(1300, int),
            "new t: has 1,300 targets for the 1,200 examples of new x",
        ),
    ],
)
def test_new_examples_that_do_not_belong_together_are_refused(saved, x, t, message):
    with pytest.raises(DataError) as caught:
        saved().examples_in(Examples(x, t, "new x", "new t", ()))
    assert str(caught.value) == message


def test_targets_of_new_examples_are_finite(saved):
    with pytest.raises(DataError, match=r"^new t: example 1 is nan; expected finite numbers"):
        saved(predict="values").examples_in(Examples(X[:2], np.array([0, np.nan]), "new x", "new t", ()))


def test_inputs_of_other_files_have_the_shape_of_those_for_training(saved):
    np.save("test_x.npy", np.zeros((2, 4)))
    with pytest.raises(DataError) as caught:
        saved().describe()
    assert str(caught.value) == "test_x.npy: has the shape (2, 4); expected (examples, 3)"


@pytest.mark.parametrize(
    ("test", "message"), [([0, 2], None), ([1, 1], None), ([3, 0], "test_t.npy: has 4 classes; expected 3 classes")]
)
def test_other_files_have_no_class_beyond_those_of_training(saved, test, message):
    np.save("test_t.npy", np.array(test))
    if message is None:
        assert saved().describe().sizes == {"train": 6, "validation": 2, "test": 2}
    else:
        with pytest.raises(DataError) as caught:
            saved().describe()
        assert str(caught.value) == message


def test_raw_inputs_of_a_number_each_need_no_axis(saved, tmp_path):
    np.save("x.npy", X[:, 0] * 1.0)
    dataset = saved(test=0.25, divide_by=4.0)
    dataset.open(0)
    np.testing.assert_array_equal(dataset.encode(np.array([2.0, 6])), [[0.5], [1.5]])
    np.testing.assert_array_equal(dataset.encode(np.array([[2.0], [6]])), [[0.5], [1.5]])


@pytest.mark.parametrize(
    ("x", "raw", "expected"),
    [(X, (6,), "(rows, 3)"), (X, (2, 4), "(rows, 3)"), (X[:, 0], (2, 2), "(rows, 1)"), (X, (2, 3, 1), "(rows, 3)")],
)
def test_inputs_of_another_shape_are_not_encoded(saved, x, raw, expected):
    np.save("x.npy", x)
    with pytest.raises(ShapeError) as caught:
        saved(test=0.25).encode(np.zeros(raw))
    assert str(caught.value) == f"inputs of shape {raw} don't fit the data set; expected {expected}"


@pytest.mark.parametrize("split", ["shuffle", "in_order"])
def test_another_file_whose_classes_have_other_shares_is_warned_about_by_its_name(saved, split):
    np.save("x.npy", np.zeros((300, 3)))
    np.save("t.npy", np.arange(300) % 2)
    np.save("test_x.npy", np.zeros((100, 3)))
    np.save("test_t.npy", (np.arange(100) % 10 == 0).astype(int))
    dataset = saved(split=split, validation=0)
    (warning,) = dataset.warnings()
    assert warning.parameter == "test"
    assert warning.message.endswith("class '0' is 50% of train, 90% of test; 1 more class differs")
    assert warning.remedy == "give test examples that are drawn like the training examples"
    np.save("t.npy", np.arange(300) % 2 * 1.0)
    np.save("test_t.npy", np.zeros(100))
    assert saved(split=split, predict="values").warnings() == []


def test_what_scales_inputs_and_targets_is_proposed_unless_it_is_set(saved):
    assert saved().input_scaling() == {"standardize": True}
    assert saved(standardize=True).input_scaling() == {}
    assert saved().target_scaling() == {}
    assert saved(predict="values").target_scaling() == {}
    assert saved(predict="values", scale_target="none").target_scaling() == {"scale_target": "standardize"}
    assert saved(scale_target="none").target_scaling() == {}


def test_values_are_clipped_to_those_of_training_rows_alone(saved):
    t = np.array([[5.0, -1], [2, 8], [9, 3], [4, 4], [7, 0], [6, 2], [-50, 1], [1, 90]])
    np.save("t.npy", t)
    np.save("test_t.npy", t[:2] * 100)
    dataset = saved(predict="values", clip_predictions=True, split="in_order")
    assert dataset.describe().target.scaling.bounds == ((2, -1), (9, 8))
    assert saved(predict="values").describe().target.scaling.bounds is None


def test_the_checksum_depends_on_the_content_of_each_file(saved):
    found = set()
    for name in (None, "x", "t", "test_x", "test_t"):
        before = None if name is None else np.load(f"{name}.npy")
        if before is not None:
            np.save(f"{name}.npy", 1 - before if name.endswith("t") and before.max() < 2 else before[::-1])
        dataset = saved()
        assert dataset.fingerprint() == ""
        dataset.open(0)
        found.add(dataset.fingerprint())
        if before is not None:
            np.save(f"{name}.npy", before)
    assert len(found) == 5


@pytest.mark.parametrize("options", [{"divide_by": 4.0}, {"flatten": True, "divide_by": 4.0}])
def test_inputs_are_encoded_without_opening_the_files_first(saved, options):
    np.testing.assert_array_equal(saved(**options).encode(X), X / np.float32(4))
    dataset = saved(**options)
    graph = Graph(np.dtype("float32"), (3,))
    graph.outputs["y"] = dataset.onnx(graph)
    np.testing.assert_array_equal(evaluate(graph, {"x": X.astype(np.float32)})["y"], X / np.float32(4))


@pytest.mark.parametrize(
    ("options", "t", "message"),
    [
        ({}, [0, 1, 2, 0, 1, 2, -1, 0], "the target of example 6 is -1; expected numbers of classes from 0; "),
        (
            {},
            [0, 1, 2, 0, 1, 2**31, 1, 0],
            "the target of example 5 is 2147483648; expected numbers of classes from 0; ",
        ),
        ({"predict": "labels"}, [[0, 1]] * 7 + [[1, 2]], "the target of example 7 is 2; expected 0 or 1"),
        (
            {"predict": "values", "scale_target": "log"},
            [[1.0, 2]] * 7 + [[3, -0.5]],
            "the target of example 7, element 1: -0.5 has no logarithm, ",
        ),
    ],
)
def test_a_target_is_named_by_its_position_in_the_whole_array(saved, monkeypatch, options, t, message):
    monkeypatch.setattr("mlpkit_plugins.arrays.raw_rows._VALUES_TOGETHER", 3)
    np.save("t.npy", np.array(t))
    np.save("test_t.npy", np.array(t)[:2])
    with pytest.raises(DataError) as caught:
        saved(**options).describe()
    assert str(caught.value).startswith(f"t.npy: {message}")


@pytest.mark.parametrize("together", [1, 2, 4096])
@pytest.mark.parametrize("seed", range(3))
def test_a_number_that_is_too_large_is_named_by_its_position_in_the_file(saved, monkeypatch, together, seed):
    monkeypatch.setattr("mlpkit_plugins.arrays.array_split.ROWS_TOGETHER", together)
    x = X * 1.0
    x[5, 1] = 1e39
    np.save("x.npy", x)
    splits = saved(validation=0.5, split_seed=seed).open(0)
    said = []
    for name in ("train", "validation"):
        try:
            splits[name].take(np.arange(1), (np.empty((1, 3), np.float32), np.empty(1, np.int64)))
        except DataError as error:
            said.append(str(error))
    (message,) = said
    assert message.startswith("x.npy: example 5, element 1: 1e+39 is too large for float32, ")


@pytest.mark.parametrize("options", [{}, {"divide_by": 2.0}, {"flatten": True}, {"standardize": True}])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("raw", ["int16", "float64"])
@pytest.mark.parametrize("in_file", [True, False])
def test_examples_are_taken_scaled_in_the_dtype_of_the_network(saved, options, dtype, raw, in_file):
    x = (np.arange(48).reshape(8, 2, 3) ** 2 % 31 - 5).astype(raw)
    np.save("x.npy", x)
    dataset = saved(split="in_order", test=0, **options)
    if not in_file:
        dataset = InMemory(split="in_order", validation=0.25, **options)
        dataset.hold({"train": (x, T)})
    shape = dataset.describe().input_shape
    taken = np.empty((3, *shape), dtype), np.empty(3, np.int64)
    dataset.open(0)["train"].take(np.array([4, 0, 4]), taken)
    train = x[:6].astype(float)
    scaled = (
        (train - train.mean(axis=0)) / train.std(axis=0)
        if "standardize" in options
        else x / options.get("divide_by", 1)
    )
    np.testing.assert_allclose(taken[0], scaled[[4, 0, 4]].reshape(taken[0].shape), rtol=1e-6, atol=1e-7)
    assert taken[1].tolist() == T[[4, 0, 4]].tolist()
    assert shape == ((6,) if "flatten" in options else (2, 3))


@pytest.mark.parametrize("divide_by", [1.0, 2.0])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_inputs_are_divided_in_every_dtype(saved, divide_by, dtype):
    np.save("x.npy", X.astype(dtype))
    dataset = saved(split="in_order", test=0.25, divide_by=divide_by)
    np.testing.assert_array_equal(taken(dataset, dtype=dtype)[0], X[:4] / divide_by)
