"""The data set of arrays in memory."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from data import taken

import mlpkit
from mlpkit_plugins.datasets.in_memory import InMemory
from mlpkit_plugins.encodings.min_max import MinMax

T = [0, 1, 0, 1]
X = np.arange(8.0).reshape(4, 2)


def held(x, t=T, **options):
    dataset = InMemory(**options)
    dataset.hold({"train": (x, t)})
    return dataset


def message_of(x, t=T, **options):
    with pytest.raises(mlpkit.MlpkitError) as caught:
        taken(held(x, t, **options))
    return str(caught.value)


@pytest.mark.parametrize("options", [{}, {"standardize": True}, {"predict": "values"}])
def test_the_encoder_comes_back_from_its_state(options):
    dataset = held(X, **options)
    taken(dataset)
    again = InMemory(**options)
    again.load_encoder_state(dataset.encoder_state())
    assert np.array_equal(again.encode(X), dataset.encode(X))
    assert again.labels() == dataset.labels()


@pytest.mark.parametrize(
    "state",
    [
        {},
        {"scaling": {}, "more": 1},
        {"scaling": {"raw_shape": [2]}, "classes": []},
        {"scaling": {"raw_shape": [2]}, "classes": [1, "a"]},
        {"scaling": {"raw_shape": [2]}, "classes": ["a", "a"]},
        {"scaling": {"raw_shape": [2]}, "classes": [[1]]},
        {"scaling": {"raw_shape": [2]}, "classes": 3},
    ],
)
def test_a_damaged_state_is_refused(state):
    with pytest.raises(mlpkit.ModelFileError):
        InMemory().load_encoder_state(state)


@pytest.mark.parametrize(
    ("x", "t", "said"),
    [
        ([["a", "b"]] * 4, T, "x: holds <U1; expected numbers; texts can be columns of a data frame"),
        (X.astype("datetime64[s]"), T, "x: holds datetime64[s]; expected numbers; turn it into numbers"),
        (SimpleNamespace(toarray=None), T, "x: is a sparse matrix; expected an array: write .toarray()"),
        ([[1], [1, 2], [3], [4]], T, "x: is not an array of numbers: "),
        (np.array([[1, "a"]] * 4, object), T, "x: is not an array of numbers: could not convert string to float: 'a'"),
        (X, T[:3], "t: has 3 targets for the 4 examples of x"),
        (X, None, "t: is None; expected a target for each example"),
        (X, [None, "a", "b", "a"], "t: holds values of the types NoneType and str; leave out"),
        (X, [1j] * 4, "t: holds complex128; expected classes or numbers"),
        (X, [X, X, X, X], "t: has the shape (4, 4, 2); expected a class for each example"),
        (np.where(X > 6, np.nan, X), T, "x: example 3, element 1 is nan; expected finite numbers; put a number there"),
    ],
)
def test_what_it_cannot_take_is_named(x, t, said):
    assert message_of(x, t, predict="classes").startswith(said)


def test_a_class_of_another_split_must_be_one_of_training():
    dataset = InMemory()
    dataset.hold({"train": (X, list("abab")), "validation": (X, list("abca"))})
    with pytest.raises(mlpkit.DataError) as caught:
        dataset.describe()
    assert str(caught.value) == (
        "t of validation: the target of example 2 is 'c', a class that no training example has"
    )


@pytest.mark.parametrize("classes", [["c", "a", "b"], [3, 1, 2], [0.5, 1.5, 2.5], [False, True]])
def test_the_examples_may_lack_classes_that_are_given_and_they_stay_in_order(classes):
    last = classes[-1]
    dataset = held(np.ones((2, 1)), [last, last], classes=classes)
    _, t = taken(dataset)
    assert t.tolist() == [len(classes) - 1] * 2
    assert dataset.describe().target == mlpkit.Classes(len(classes))
    assert dataset.describe().target.ordered
    assert dataset.labels() == tuple(classes)
    assert dataset.warnings() == []


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"classes": ["a", "b"]}, "t: the target of example 0 is 0, which is not in classes"),
        ({"classes": ["a", 1]}, "classes: they are of the types int and str; expected texts, numbers or truth values"),
        ({"classes": []}, "classes: the list is empty; expected texts, numbers or truth values, all of one type"),
        (
            {"classes": [0, 1], "predict": "values"},
            "classes: they are listed, but predict is values; expected none, or predict: cla",
        ),
    ],
)
def test_classes_that_do_not_fit_are_refused(options, said):
    assert said in message_of(np.ones((4, 1)), **options)


def test_a_class_without_a_number_is_refused():
    said = message_of(X, [0.0, 1.0, float("nan"), 1.0], predict="classes")
    assert said == "t: the target of example 2 is nan; leave out the example"


def test_the_checksum_is_of_the_arrays():
    first, second, third = held(X), held(X.copy()), held(X + 1)
    assert first.fingerprint() == ""
    for dataset in (first, second, third):
        dataset.describe()
        dataset.open(0)
    assert first.fingerprint() == second.fingerprint() != third.fingerprint()


def test_the_checksum_tells_inputs_targets_weights_types_and_splits_apart():
    found = []
    for examples in (
        {"train": (X, T)},
        {"train": (X, T[::-1])},
        {"train": (X, T, [1, 2, 1, 1])},
        {"train": (X, T, [1, 1, 2, 1])},
        {"train": (X.astype(np.int64), T)},
        {"train": (X.reshape(4, 2, 1), T)},
        {"train": (X, T), "validation": (X, T)},
        {"train": (X, T), "test": (X, T)},
    ):
        dataset = InMemory()
        dataset.hold(examples)
        dataset.open(0)
        found.append(dataset.fingerprint())
    assert len(set(found)) == len(found)


@pytest.mark.parametrize(
    "options", [{"standardize": True}, {"numbers": MinMax(), "divide_by": 2.0}], ids=["std", "own"]
)
def test_a_loaded_scaling_stays_when_other_examples_are_opened(options):
    trained, used = held(X, **options), InMemory(**options)
    trained.open(0)
    used.load_encoder_state(trained.encoder_state())
    used.hold({"train": (X * 3 + 1, T)})
    used.open(0)
    np.testing.assert_array_equal(used.encode(X), trained.encode(X))
    assert used.input_scaling() == {}
    far = held(X + 4200, **options)
    far.describe()
    assert far.warnings() == []


def test_classes_that_are_listed_twice_are_one_and_only_texts_have_no_order():
    assert held(X, list("baba"), classes=list("cabac")).labels() == ("c", "a", "b")
    for t, is_ordered in ((list("abab"), False), ([3, 1, 3, 1], True), ([True, False] * 2, True)):
        assert held(X, t).describe().target.ordered is is_ordered


def test_weights_of_another_number_of_targets_are_an_error_about_these():
    dataset = InMemory()
    dataset.hold({"train": (X, T[:3], [1, 0, 2])})
    with pytest.raises(mlpkit.DataError, match=r"^t: has \d targets for the 4 examples of x$"):
        dataset.describe()


def test_examples_of_a_split_without_weights_count_once():
    dataset = InMemory()
    dataset.hold({"train": (X, T, [3, 0, 0.5, 2]), "validation": (X, T)})
    description = dataset.describe()
    assert (description.weighted, description.sizes) == (True, {"train": 3, "validation": 4})
    for name, weights in (("train", [3, 0.5, 2]), ("validation", [1] * 4)):
        out = np.empty((len(weights), 2)), np.empty(len(weights), np.int64), np.empty(len(weights))
        dataset.open(0)[name].take(np.arange(len(weights)), out)
        assert out[2].tolist() == weights


def test_no_examples_no_description():
    with pytest.raises(mlpkit.DataError, match="the examples were passed in Python and aren't in a file"):
        InMemory().describe()


@pytest.mark.parametrize("options", [{}, {"split": "in_order"}])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_rows_are_read_in_any_order(dtype, order, options):
    x = np.asarray(np.random.default_rng(0).normal(size=(20, 3)), dtype, order=order)
    dataset = held(x, x[:, 0], test=0.5, **options)
    dataset.describe()
    for split in dataset.open(0).values():
        indices = np.array([9, 0, 3, 3])
        out, t = np.empty((4, 3), "float32"), np.empty((4, 1), "float32")
        split.take(indices, (out, t))
        whole, whole_t = np.empty((10, 3), "float32"), np.empty((10, 1), "float32")
        split.take(np.arange(10), (whole, whole_t))
        assert np.array_equal(out, whole[indices])
        assert np.array_equal(out[:, :1], t)
        assert {row.tobytes() for row in whole} <= {row.tobytes() for row in x.astype("float32")}


def test_arrays_are_not_copied():
    dataset = held(X)
    dataset.describe()
    assert dataset._examples["train"].inputs is X


UNIT = np.random.default_rng(0).normal(size=(60, 3))


@pytest.mark.parametrize(
    ("x", "options", "said"),
    [
        (UNIT, {}, None),
        (UNIT * 9 + 1, {}, None),
        (UNIT * [1, 1, 0], {}, None),
        (UNIT + np.array([0, 0, 4200]), {}, "column 2 of x, counted from 0, has the mean 4200 and the standard dev"),
        (UNIT * [1, 800, 30], {}, "column 1 of x, counted from 0, has the mean "),
        (UNIT * [1, 1e-4, 1], {}, "column 1 of x, counted from 0, has the mean "),
        ((UNIT + np.array([0, 0, 4200])), {"standardize": True}, None),
        ((UNIT * 255), {"divide_by": 255.0}, None),
        (
            (UNIT.reshape(60, 3, 1) + np.array([[0], [99], [0]])),
            {"flatten": True},
            "element [1, 0] of x, counted from 0, has the",
        ),
    ],
)
def test_numbers_far_from_unit_scale_are_told_with_the_argument(x, options, said):
    dataset = held(x, [0, 1, 1] * 20, **options)
    dataset.describe()
    found = dataset.warnings()
    assert [each.parameter for each in found] == [] if said is None else ["standardize"]
    if said is not None:
        assert found[0].message.startswith(said)
        assert found[0].remedy == "pass standardize=True to scale inputs"
        again = held(x, [0, 1, 1] * 20, standardize=True, **options)
        again.describe()
        assert not again.warnings()


@pytest.mark.parametrize(
    ("t", "given", "loss"),
    [
        (T, {}, "SoftmaxWithLoss"),
        ([0.5, 1, 2, 0], {}, "MeanSquaredError"),
        ([0.5, 1, 2, 0], {"predict": "auto"}, "MeanSquaredError"),
        (T, {"predict": "values"}, "MeanSquaredError"),
        ([[0, 1], [1, 1], [0, 0], [1, 0]], {}, "SigmoidWithLoss"),
    ],
)
def test_the_layers_to_begin_with_end_in_the_loss_of_the_targets(t, given, loss):
    assert InMemory.layers_for({"train": (X, t)}, given)[-1] == loss


def test_arrays_keep_the_given_parameters_and_frames_have_a_data_set_of_their_own():
    assert InMemory.parameters_for({"train": (X, T)}, {"test": 0.2}) == {"test": 0.2}
    assert InMemory.parameters_for({"train": ({"a": [1, 2]}, [0, 1])}, {"test": 0.2}) is None
