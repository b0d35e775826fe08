"""What arrays most likely hold, so that a first spec trains well."""

from __future__ import annotations

import numpy as np
import pytest

from mlpkit import DataError, ParameterError
from mlpkit_plugins.arrays import first_spec
from mlpkit_plugins.arrays.array_split import Examples
from mlpkit_plugins.arrays.first_spec import choose_arrays, guess_inputs, guess_target, propose_for_arrays
from mlpkit_plugins.datasets.npy import Npy
from mlpkit_plugins.first_networks.convolutions import ImageInputs

RNG = np.random.default_rng(0)
MANY = np.arange(1000)


@pytest.mark.parametrize(
    ("targets", "predict"),
    [
        (MANY % 2, "classes"),
        (MANY % 2 == 1, "classes"),
        (MANY % 2 * 7, "classes"),
        (MANY[:19] % 2, "classes"),
        (MANY[:30] % 3, "classes"),
        (MANY[:29] % 3, "values"),
        (MANY % 20 * 2, "classes"),
        (MANY % 21 * 2, "values"),
        (MANY % 100, "classes"),
        (MANY % 100 + 1, "classes"),
        (MANY % 100 + 2, "values"),
        (MANY % 101, "values"),
        (MANY, "values"),
        (MANY % 2 * 1.0, "values"),
        (MANY % 7 * 0.5, "values"),
        ((MANY % 3)[:, None], "classes"),
        (RNG.integers(0, 2, (1000, 4)), "labels"),
        (RNG.integers(0, 3, (1000, 4)), "values"),
        (RNG.normal(size=(1000, 4)), "values"),
    ],
)
def test_what_targets_are(targets, predict):
    assert guess_target(targets, "t").predict == predict


def test_guesses_come_from_different_rows_of_all_parts_in_their_order(monkeypatch):
    monkeypatch.setattr(first_spec, "ELEMENTS_SEEN", 600)
    x, taken = RNG.normal(size=(1000, 2)) + 5, []

    class Rows:
        shape, dtype = x.shape, x.dtype

        def __getitem__(self, rows):
            taken.append(rows)
            return x[rows]

    assert guess_inputs(Rows(), "x") == ((2,), "2 numbers each, standardized", 1.0, True, None)
    (rows,) = taken
    assert len(rows) == 300
    assert (np.diff(rows) > 0).all()
    assert set(rows // 100) == {*range(10)}


@pytest.mark.parametrize("name", ["x_test.npy", "t_test.npy"])
def test_the_files_of_other_splits_are_opened_before_they_are_named(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    for split in ("", "_test"):
        np.save(f"x{split}.npy", RNG.normal(size=(60, 3)))
        np.save(f"t{split}.npy", np.arange(60) % 2)
    assert Npy.propose({"train": "x.npy"}, None).spec["data"]["npy"]["test"] == ("x_test.npy", "t_test.npy")
    (tmp_path / name).write_bytes(b"text")
    for files in ({}, {"test": "x_test.npy"}):
        with pytest.raises(DataError, match=f"^{name}"):
            Npy.propose({"train": "x.npy", **files}, None)


def test_classes_are_counted():
    guess = guess_target(np.array([3] * 30 + [1] * 10 + [2] * 20), "t")
    assert guess.target.counts == {"1": 10, "2": 20, "3": 30}
    assert guess.text == "3 classes: 1 17%, 2 33%, 3 50%"


@pytest.mark.parametrize(
    ("targets", "text"),
    [
        (MANY * 0.5, "values from 0 to 499.5"),
        (MANY % 2 * 0.5, "values from 0 to 0.5"),
        (MANY % 2 * 1.0, "values from 0 to 1; if they are classes, save them with .astype(int)"),
        (MANY * 1.0, "values from 0 to 999"),
        (RNG.integers(0, 2, (1000, 4)), "4 labels"),
        (RNG.normal(size=(1000, 3)), "3 values each"),
    ],
)
def test_targets_are_described(targets, text):
    assert guess_target(targets, "t").text == text


@pytest.mark.parametrize(
    ("targets", "message"),
    [
        (np.full(9, 3.0), "t: every target is 3, so there is nothing to predict"),
        (np.ones((9, 2, 3)), r"t: has the shape \(9, 2, 3\); expected a target, or a row of targets, for each example"),
    ],
)
def test_targets_that_teach_nothing_are_refused(targets, message):
    with pytest.raises(DataError, match=message):
        guess_target(targets, "t")


def test_a_data_set_of_classes_has_no_values():
    assert guess_target(MANY % 101, "t", are_classes=True).predict == "classes"


@pytest.mark.parametrize(
    ("inputs", "divide_by", "standardize"),
    [
        (RNG.integers(0, 256, (100, 784)).astype(np.uint8), 255, False),
        (RNG.integers(0, 5, (100, 4)).astype(np.uint8), 1, True),
        (RNG.integers(0, 17, (100, 64)) * RNG.integers(0, 2, (100, 64)) * 1.0, 1, True),
        (RNG.normal(size=(100, 5)) * [1, 10, 100, 1e3, 1e4], 1, True),
        (RNG.random((100, 28, 28)), RNG.random, False),
        (RNG.random((100, 28, 28)) * 2 - 1, 1, False),
        (RNG.integers(0, 256, (100, 28, 28)), 255, False),
        (RNG.normal(size=(100, 28, 28)) * 100, 1, True),
        (RNG.random((100, 50, 3)) * [1, 100, 1e4], 1, True),
        (RNG.normal(size=100), 1, True),
    ],
)
def test_how_inputs_are_scaled(inputs, divide_by, standardize):
    guess = guess_inputs(inputs, "x")
    assert guess.divide_by == pytest.approx(inputs.max() if callable(divide_by) else divide_by)
    assert guess.standardize == standardize


def filled(shape, *values):
    """An array whose elements go through some values."""
    return np.resize(np.array(values), shape)


@pytest.mark.parametrize(
    ("inputs", "divide_by"),
    [
        (filled((50, 64), 128, 1).astype(np.uint8), 255),
        (filled((50, 64), 127, 1).astype(np.uint8), None),
        (filled((50, 9, 9), 128, 0), 255),
        (filled((50, 9, 9), 128, 1), 255),
        (filled((50, 9, 9), 127, 0), 127),
        (filled((50, 9, 9), 255, 0), 255),
        (filled((50, 9, 9), 256, 0), 256),
        (filled((50, 9, 9), 128, 0.5), 128),
        (filled((50, 9, 9), -1.5, 1.5), 1),
        (filled((50, 9, 9), -1.6, 1), None),
        (filled((50, 9, 9), -1, 1.6), None),
        (filled((50, 64), -1.5, 1.5), None),
        (filled((50, 64), 0, 3, 3, 3), None),
        (filled((50, 3, 3), [[0, 25, 100]] * 3), 100),
        (filled((50, 3, 3), [[0, 24, 100]] * 3), None),
    ],
)
def test_numbers_of_one_unit_from_zero_on_are_divided_by_the_largest(inputs, divide_by):
    guess = guess_inputs(inputs, "x")
    assert (guess.divide_by, guess.standardize) == (divide_by or 1, not divide_by)


@pytest.mark.parametrize(
    ("inputs", "text"),
    [
        (RNG.normal(size=100), "a number each, standardized"),
        (RNG.normal(size=(100, 1200)), "1,200 numbers each, standardized"),
        (RNG.normal(size=(100, 50, 3)), "50 x 3 numbers each, standardized"),
        (filled((50, 8, 9), 0, 255), "images of 8 by 9 pixels, from 0 to 255, divided by 255"),
        (filled((50, 8, 9), 0, 1), "images of 8 by 9 pixels, from 0 to 1"),
        (filled((50, 8, 9), -1, 1), "images of 8 by 9 pixels, from -1 to 1"),
        (filled((50, 2), 0, 7), "2 numbers each, standardized"),
    ],
)
def test_inputs_are_described(inputs, text):
    assert guess_inputs(inputs, "x").text == text


def test_the_border_of_images_is_the_median_of_all_four_sides():
    x = np.random.default_rng(0).integers(0, 256, (4, 11, 9))
    sides = np.concatenate([x[:, 0].ravel(), x[:, 10].ravel(), x[:, :, 0].ravel(), x[:, :, 8].ravel()])
    assert guess_inputs(x, "x").images.border == np.median(sides) / 255


def test_inputs_that_are_all_the_same_are_refused():
    with pytest.raises(DataError, match="x: every number is 3, so there is nothing to learn from"):
        guess_inputs(np.full((50, 4), 3.0), "x")


def test_a_data_set_of_bytes_divides_dark_images_too():
    dark = RNG.integers(0, 9, (50, 20, 20)).astype(np.uint8)
    assert guess_inputs(dark, "x", are_bytes=True).text == "images of 20 by 20 pixels, from 0 to 8, divided by 255"


@pytest.mark.parametrize(
    ("shape", "images"),
    [
        ((28, 28), ImageInputs(1, 28, 28, are_planes=True)),
        ((8, 8), ImageInputs(1, 8, 8, are_planes=True)),
        ((7, 28), None),
        ((10, 40), None),
        ((20, 30, 1), ImageInputs(1, 20, 30, are_planes=True)),
        ((1, 20, 30), ImageInputs(1, 20, 30)),
        ((3, 20, 30), ImageInputs(3, 20, 30)),
        ((20, 30, 3), None),
        ((2, 20, 30), None),
        ((784,), None),
    ],
)
def test_what_images_are(shape, images):
    x = RNG.integers(0, 256, (50, *shape)).astype(np.uint8)
    x[..., [0, -1]] = 0
    if len(shape) > 1:
        x.reshape(50, -1, *shape[-2:])[:, :, [0, -1]] = 0
    if shape[-1] == 1:
        x[:, :, [0, -1]] = x[:, [0, -1]] = 0
        x[:, 1:-1, 1:-1] = 200
    assert guess_inputs(x, "x").images == images


def test_a_guess_about_many_rows_looks_at_some(monkeypatch):
    monkeypatch.setattr("mlpkit_plugins.arrays.first_spec.ELEMENTS_SEEN", 1)
    x = RNG.integers(0, 256, (5000, 4)).astype(np.uint8)
    assert guess_inputs(x, "x").divide_by == 255


@pytest.mark.parametrize(
    ("shapes", "target", "found"),
    [
        ({"x": (9, 2), "t": (9,)}, None, ("x", "t")),
        ({"data": (9, 2), "target": (9,), "ids": (9,)}, None, ("data", "target")),
        ({"x_train": (9, 2), "y_train": (9,), "x_test": (3, 2), "y_test": (3,)}, None, ("x_train", "y_train")),
        ({"x": (9, 2), "y": (9,), "x_test": (3, 2), "y_test": (3,)}, None, ("x", "y")),
        ({"a": (9, 2), "b": (9,)}, "b", ("a", "b")),
        ({"a": (9, 2), "b": (9, 5), "c": (9,), "d": (4, 99)}, "c", ("b", "c")),
        ({"a": (9, 2), "b": (9, 5), "c": None, "d": (4, 99)}, "c", ("d", "c")),
        ({"a": (9, 2), "b": (9, 5), "c": (), "d": (4, 99)}, "c", ("d", "c")),
        ({"a": (9, 2), "n": (), "c": (9,)}, "c", ("a", "c")),
    ],
)
def test_which_arrays_are_taken(shapes, target, found):
    assert choose_arrays(shapes, "own.npz", target)[:2] == found


def test_no_array_fits_the_targets():
    message = (
        r"own.npz: holds a \(8, 2\), b \(9,\), c \(no numbers\); expected another one of numbers, with as many rows"
    )
    with pytest.raises(DataError, match=message):
        choose_arrays({"a": (8, 2), "b": (9,), "c": None}, "own.npz", "b")


def test_arrays_of_other_splits_are_found():
    shapes = {"x": (9, 2), "y": (9,), "x_test": (3, 2), "y_test": (3,), "x_val": (2, 2), "ids": (9,), "names": None}
    found = choose_arrays(shapes, "own.npz", None)
    assert found.splits == {"test": ("x_test", "y_test")}


@pytest.mark.parametrize(
    ("shapes", "target", "message", "expected", "remedy"),
    [
        (
            {"a": (9, 2), "b": (9,)},
            None,
            "no array was named to predict",
            "one of a (9, 2), b (9,)",
            "",
        ),
        (
            {"a": (9, 2), "b": (9,), "c": (9,)},
            None,
            "no array was named to predict",
            "one of a (9, 2), b (9,), c (9,)",
            "",
        ),
        (
            {"x": (9, 2), "t": (9,), "data": (9, 2), "target": (9,)},
            None,
            "no array was named to predict",
            "one of x (9, 2), t (9,), data (9, 2), target (9,)",
            "",
        ),
        (
            {"data": (9, 2), "target": (9,), "ids": None},
            "targt",
            "there is no array 'targt' in own.npz",
            "one of data (9, 2), target (9,), ids (no numbers)",
            "did you mean 'target'?",
        ),
    ],
)
def test_targets_that_are_not_clear_are_asked_for(shapes, target, message, expected, remedy):
    with pytest.raises(ParameterError) as caught:
        choose_arrays(shapes, "own.npz", target)
    assert (caught.value.parameter, caught.value.message, caught.value.remedy) == ("target", message, remedy)
    assert caught.value.expected == expected


@pytest.mark.parametrize(
    ("shapes", "target", "message"),
    [
        (
            {"a": (9, 2)},
            None,
            "holds a (9, 2); expected one of inputs and one of targets: np.savez('own.npz', x=x, t=t)",
        ),
        ({}, None, "holds no array; expected one of inputs and one of targets: np.savez('own.npz', x=x, t=t)"),
        (
            {"a": (9, 2), "b": (9, 2), "c": (9,)},
            "c",
            "the inputs may be in 'a' or 'b'; save the right one as x: np.savez('xt.npz', x=data['a'], t=data['c'])",
        ),
    ],
)
def test_arrays_that_are_not_enough_or_too_many_are_named(shapes, target, message):
    with pytest.raises(DataError) as caught:
        choose_arrays(shapes, "own.npz", target)
    assert str(caught.value) == f"own.npz: {message}"


NOISE = np.random.default_rng(1)
BYTES = NOISE.integers(0, 256, (600, 9, 10)).astype(np.uint8)


@pytest.mark.parametrize(
    ("inputs", "are_bytes", "meaning", "first"),
    [
        (NOISE.normal(size=600), False, {"predict": "classes", "standardize": True}, "Affine"),
        (NOISE.normal(size=(600, 5)), False, {"predict": "classes", "standardize": True}, "Affine"),
        (
            NOISE.normal(3, 9, (600, 2, 3)),
            False,
            {"predict": "classes", "flatten": True, "standardize": True},
            "Affine",
        ),
        (BYTES, False, {"predict": "classes", "divide_by": 255}, "Reshape"),
        (BYTES[:, :7], False, {"predict": "classes", "flatten": True, "divide_by": 255}, "Affine"),
        (BYTES / 102, False, {"predict": "classes", "divide_by": 2.5}, "Reshape"),
        (BYTES / 255, False, {"predict": "classes"}, "Reshape"),
        (BYTES, True, {"flatten": False}, "Reshape"),
        (BYTES[:, :7], True, {}, "Affine"),
    ],
)
def test_a_first_spec_says_what_arrays_hold(inputs, are_bytes, meaning, first):
    targets = np.arange(600) % 3
    examples = Examples(inputs, targets, "x", "t", ())
    given = {"file": "own.npz", "test": "other.npz"}
    found = [("test", "x_test and t_test")]
    proposal = propose_for_arrays("npz", given, examples, ("x", "t"), found, are_bytes=are_bytes, files=["own.npz"])
    assert proposal.spec["data"] == {"npz": {**given, **meaning}}
    layer = proposal.spec["layers"][0]
    assert next(iter(layer)) == first
    assert proposal.comments[()] == "Predicts t from x."
    text = guess_inputs(inputs, "x", are_bytes=are_bytes).text
    classes = "3 classes: 0 33%, 1 33%, 2 33%"
    assert list(proposal.decisions[:4]) == [
        *found,
        ("examples", "600"),
        ("inputs", f"x: {text}"),
        ("target", f"t: {classes}"),
    ]
    said = {"predict": classes, "divide_by": text, "standardize": text}
    for key, comment in said.items():
        assert proposal.comments.get(("data", "npz", key)) == (comment if key in meaning else None)
    assert list(proposal.files) == ["own.npz"]


@pytest.mark.parametrize(
    ("given", "count", "held_out"),
    [
        ({}, 600, {}),
        ({}, 499, {"validation": 0.2, "test": 0.2}),
        ({"test": "b.npz"}, 499, {"validation": 0.2}),
        ({"test": "b.npz", "validation": "c.npz"}, 499, {}),
    ],
)
def test_a_first_spec_holds_out_more_of_few_examples(given, count, held_out):
    examples = Examples(NOISE.normal(size=(count, 2)), np.arange(count) % 2, "x", "t", ())
    parameters = propose_for_arrays("npz", given, examples, ("x", "t"), []).spec["data"]["npz"]
    assert {name: share for name, share in parameters.items() if name in ("validation", "test")} == given | held_out
