"""Targets in arrays: their kind, their classes, and the layers to begin with."""

from __future__ import annotations

import numpy as np
import pytest

from mlpkit import DataError, ModelFileError
from mlpkit_plugins.arrays.array_targets import (
    class_numbers,
    classes_from_plain,
    classes_of,
    kind_of_target,
    layers_to_begin_with,
    names_of,
    target_array,
)


@pytest.mark.parametrize(
    ("targets", "kind"),
    [
        ([0.0, 1], "values"),
        ([[0.0], [1]], "values"),
        ([0, 1], "classes"),
        ([True, False], "classes"),
        ([[3], [2]], "classes"),
        (["a", "b"], "classes"),
        ([[1, 0], [1, 1]], "labels"),
        ([[True, False]], "labels"),
        ([[1, 0], [1, 2]], "values"),
        ([[1, 0], [1, -1]], "values"),
        ([[[1], [0]]], "values"),
        ([["a", "b"]], "values"),
    ],
)
def test_the_kind_goes_by_type_and_shape(targets, kind):
    assert kind_of_target(np.array(targets)) == kind


@pytest.mark.parametrize(
    ("predict", "loss"), [("classes", "SoftmaxWithLoss"), ("labels", "SigmoidWithLoss"), ("values", "MeanSquaredError")]
)
def test_a_small_perceptron_ends_in_the_loss_of_its_target(predict, loss):
    first, activation, last, found = layers_to_begin_with(predict)
    assert (first, activation, last) == ({"Affine": {"units": 64}}, "Relu", {"Affine": {"units": "auto"}})
    assert found == loss


@pytest.mark.parametrize(
    ("classes", "names"),
    [
        ((0, 1, 2), None),
        ((0,), None),
        ((1, 2), ("1", "2")),
        ((1, 0), ("1", "0")),
        ((0.0, 1.0), ("0.0", "1.0")),
        ((False, True), ("False", "True")),
        (("0", "1"), ("0", "1")),
    ],
)
def test_the_numbers_from_0_need_no_names(classes, names):
    assert names_of(classes) == names


@pytest.mark.parametrize(
    ("targets", "classes", "numbers"),
    [
        (["dog", "cat", "dog"], ("cat", "dog"), [1, 0, 1]),
        ([[7], [3], [7]], (3, 7), [1, 0, 1]),
        ([0.5, -1.5], (-1.5, 0.5), [1, 0]),
        ([True, False], (False, True), [1, 0]),
        (np.array([np.str_("b"), "a"], object), ("a", "b"), [1, 0]),
    ],
)
def test_classes_are_numbered_in_their_order(targets, classes, numbers):
    found = classes_of(target_array(targets, "t"), "t")
    assert found == classes
    assert {type(each) for each in found} == {type(classes[0])}
    assert class_numbers(target_array(targets, "t"), classes, "t", "unknown").tolist() == numbers
    assert classes_from_plain(list(found)) == classes


@pytest.mark.parametrize(
    ("targets", "classes", "message"),
    [
        (
            ["cat", "dgo", "fly"],
            ("cat", "dog"),
            "t: the target of example 1 is 'dgo', which is new; did you mean 'dog'?",
        ),
        ([3, 7, 9, 8], (3, 7), "t: the target of example 2 is 9, which is new"),
        (
            np.array([b"a"], object),
            ("a",),
            "t: holds values of the type bytes; expected texts, numbers or truth values",
        ),
        (
            np.array(["a", 1], object),
            ("a",),
            "t: holds values of the types int and str; leave out the examples without a class, or give all classes "
            "one type",
        ),
        (
            np.eye(2),
            (0, 1),
            "t: has the shape (2, 2); expected a class for each example; if rows are one-hot, give t.argmax(1); if "
            "several labels apply at once, predict='labels'",
        ),
        ([1.0, np.inf, np.nan], (1.0,), "t: the target of example 1 is inf; leave out the example"),
    ],
)
def test_a_target_that_is_not_a_class_is_named(targets, classes, message):
    with pytest.raises(DataError) as caught:
        class_numbers(target_array(targets, "t"), classes, "t", "which is new")
    assert str(caught.value) == message


@pytest.mark.parametrize("plain", [[], [1, "a"], [1, 1], [None], [[1]], [True, 1], 3, {"a": 1}])
def test_classes_that_no_model_has_are_refused(plain):
    with pytest.raises(ModelFileError, match="the encoder of the arrays has the classes "):
        classes_from_plain(plain)
