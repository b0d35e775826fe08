"""Arrays in .npy, .npz and IDX files: the right rows reach the network, and mistakes are found."""

from __future__ import annotations

import gzip
import resource
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from data import taken
from hypothesis import given
from hypothesis import strategies as st
from messages import message

from mlpkit import (
    Classes,
    DataError,
    DataWarning,
    Description,
    Labels,
    ModelFileError,
    ParameterError,
    ShapeError,
    Values,
    ValuesScaling,
)
from mlpkit_plugins.arrays.array_targets import counts_of_classes, warnings_about_classes
from mlpkit_plugins.datasets.idx import Idx
from mlpkit_plugins.datasets.npy import Npy
from mlpkit_plugins.datasets.npz import Npz
from mlpkit_plugins.splits.positions import split_at_random

NONE = {"validation": 0.0, "test": 0.0}


@pytest.fixture
def save(tmp_path, monkeypatch):
    """Return a function that writes arrays as x.npy and t.npy, and as data.npz, of the current folder."""
    monkeypatch.chdir(tmp_path)

    def saved(x, t, compressed=False, prefix=""):
        np.save(f"{prefix}x.npy", x)
        np.save(f"{prefix}t.npy", t)
        (np.savez_compressed if compressed else np.savez)(f"{prefix}data.npz", x=x, t=t)

    return saved


@pytest.fixture
def numbers():
    rng = np.random.default_rng(0)
    return rng.integers(0, 256, (40, 2, 3)).astype(np.uint8), rng.permutation(np.arange(40) % 4)


def both(**options):
    return Npy("x.npy", "t.npy", **options), Npz("data.npz", **options)


@pytest.mark.parametrize("compressed", [False, True])
def test_rows_as_they_are(save, numbers, compressed):
    save(*numbers, compressed=compressed)
    for dataset in both(**NONE):
        assert dataset.describe() == Description((2, 3), Classes(4), {"train": 40})
        x, t = taken(dataset, indices=[5, 0, 39, 5])
        np.testing.assert_array_equal(x, numbers[0][[5, 0, 39, 5]])
        np.testing.assert_array_equal(t, numbers[1][[5, 0, 39, 5]])


@pytest.mark.parametrize("dataset", both())
@pytest.mark.parametrize("file", ["new_x.npy", "new_data.npz"])
def test_new_examples_are_read_with_their_targets(save, numbers, dataset, file):
    x, t = numbers
    save(x, t)
    save(x[:7], t[3:10], prefix="new_")
    if isinstance(dataset, Npz) and file.endswith(".npy"):
        assert "is an .npy file, of one array" in message(lambda: dataset.read_examples(Path(file)), DataError)
        return
    inputs, targets = dataset.read_examples(Path(file))
    np.testing.assert_array_equal(inputs, x[:7])
    assert targets.tolist() == t[3:10].tolist()
    with pytest.raises(DataError, match=r"the rows: this data set doesn't read .* evaluate\(rows, targets\)"):
        dataset.read_examples({"x": [1, 2]})


def test_every_example_comes_into_one_split(save, numbers):
    x = np.arange(40.0)
    save(x, numbers[1])
    for split in ("shuffle", "in_order"):
        for dataset in both(split=split, validation=0.25, test=0.1):
            assert dataset.describe().sizes == {"train": 26, "validation": 10, "test": 4}
            parts = [taken(dataset, name) for name in ("train", "validation", "test")]
            found = np.concatenate([part[0][:, 0] for part in parts])
            assert sorted(found) == list(range(40))
            assert (found == np.arange(40)).all() == (split == "in_order")
            np.testing.assert_array_equal(np.concatenate([t for _, t in parts]), numbers[1][found.astype(int)])


def test_the_split_is_drawn_once(save, numbers, monkeypatch):
    drawn = []
    monkeypatch.setattr(
        "mlpkit_plugins.arrays.array_dataset.split_at_random",
        lambda *arguments: drawn.append(arguments) or split_at_random(*arguments),
    )
    save(*numbers)
    dataset = Npy("x.npy", "t.npy")
    dataset.describe()
    dataset.warnings()
    dataset.open(0)
    dataset.raw_rows("test", np.array([0]))
    dataset.example_sources("test", np.array([0]))

    assert len(drawn) == 1


def test_scaling_is_learned_from_training_rows(save):
    rng = np.random.default_rng(0)
    x, t = rng.normal(3, 2, (9000, 2, 2)), rng.integers(0, 2, 9000)
    x[:, 0, 1] = 4.2
    save(x, t)
    for dataset in both(standardize=True, flatten=True, divide_by=2.0, split="in_order", validation=0, test=0.1):
        train, _ = taken(dataset)
        expected = x[:8100].reshape(8100, 4)
        stds = np.where(np.arange(4) == 1, 1, expected.std(axis=0))
        np.testing.assert_allclose(train, (expected - expected.mean(axis=0)) / stds, atol=1e-10)
        state = dataset.encoder_state()
        used = Npy("x.npy", "t.npy", standardize=True, flatten=True, divide_by=2.0)
        used.load_encoder_state(state)
        np.testing.assert_allclose(used.encode(x[:3]), train[:3], rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(used.encode(x[:3].reshape(3, 4)), train[:3], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("constant", [0.0, 5.0, 0.1])
def test_a_number_off_the_constant_of_its_element_keeps_its_distance(save, constant):
    save(np.full((40, 2), constant) + [[0.0, 1.0]] * (np.arange(40) % 2)[:, None], np.arange(40) % 2)
    for dataset in both(standardize=True, **NONE):
        dataset.open(0)
        found = dataset.encode(np.array([[constant + 3.0, constant], [constant - 2.0, constant]]))
        np.testing.assert_allclose(found[:, 0], [3.0, -2.0], atol=1e-6)
        assert dataset.encoder_state()["stds"] == [1.0, 0.5]


@pytest.mark.parametrize(("dtype", "scale"), [(np.float16, 1.0), (np.float16, 20_000.0), (np.float32, 1e30)])
def test_deviations_do_not_suffer_from_a_dtype_of_few_digits_or_a_small_range(save, dtype, scale):
    x = np.random.default_rng(0).uniform(1, 2, (9000, 3)).astype(dtype) * dtype(scale)
    save(x, np.zeros(9000, np.int64))
    exact = x.astype(np.float64)
    for dataset in both(standardize=True, **NONE, split="in_order"):
        train, _ = taken(dataset)
        np.testing.assert_allclose(train, (exact - exact.mean(axis=0)) / exact.std(axis=0), atol=1e-9)
        Npy("x.npy", "t.npy").load_encoder_state(dataset.encoder_state())


def test_inputs_without_a_standard_deviation_are_an_error(save):
    x = np.zeros((20, 2, 3))
    x[7, 1, 2] = 1e300
    save(x, np.zeros(20, np.int64))
    for dataset, name in zip(both(standardize=True, **NONE), ("x.npy", "data.npz, array 'x'"), strict=True):
        assert message(lambda dataset=dataset: dataset.open(0), DataError) == (
            f"{name}: element [1, 2] of the examples has no finite standard deviation; look for numbers that are "
            "too large, or leave out standardize"
        )


REFUSED = "expected finite numbers; put a number there, or leave out the example"


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize("standardize", [False, True])
def test_inputs_that_are_not_finite_are_refused_with_their_place(save, value, compressed, standardize):
    for shape, place, where in (
        ((), (), ""),
        ((6,), (2,), ", element 2"),
        ((2, 3), (1, 2), ", element [1, 2]"),
        ((70_000,), (69_999,), ", element 69999"),  # examples that are looked at three at a time
    ):
        x = np.zeros((20, *shape), np.float32)
        x[(17, *place)] = value
        save(x, np.zeros(20, np.int64), compressed=compressed)
        for dataset, name in zip(both(standardize=standardize), ("x.npy", "data.npz, array 'x'"), strict=True):
            assert message(lambda dataset=dataset: dataset.open(0), DataError) == (
                f"{name}: example 17{where} is {value}; {REFUSED}"
            )


def test_targets_that_are_not_finite_are_refused_and_so_are_those_of_other_files(save):
    x, t = np.zeros((10, 2)), np.zeros(10)
    save(x, t)
    t[9] = np.nan
    save(x, t, prefix="test_")
    dataset = Npy("x.npy", "t.npy", predict="values", validation=0, test=("test_x.npy", "test_t.npy"))
    assert message(lambda: dataset.open(0), DataError) == f"test_t.npy: example 9 is nan; {REFUSED}"
    save(x, t)
    for dataset, name in zip(both(predict="values"), ("t.npy", "data.npz, array 't'"), strict=True):
        assert message(lambda dataset=dataset: dataset.open(0), DataError) == f"{name}: example 9 is nan; {REFUSED}"


def test_raw_inputs_that_are_not_finite_are_refused(save, numbers):
    save(*numbers)
    raw = np.zeros((4, 2, 3))
    raw[1, 0, 2] = np.nan
    dataset = Npy("x.npy", "t.npy")
    assert message(lambda: dataset.encode(raw), DataError) == f"the inputs: example 1, element [0, 2] is nan; {REFUSED}"
    rows = raw.reshape(4, 6)
    assert message(lambda: dataset.encode(rows), DataError) == f"the inputs: example 1, element 2 is nan; {REFUSED}"


def test_values_and_labels(save, numbers):
    x = numbers[0]
    save(x, np.linspace(0, 1, 40))
    for dataset in both(predict="values", **NONE):
        assert dataset.describe().target == Values((1,))
        np.testing.assert_array_equal(taken(dataset)[1][:, 0], np.linspace(0, 1, 40))
    save(x, np.eye(4, dtype=bool)[numbers[1]])
    for dataset in both(predict="labels", **NONE):
        assert dataset.describe().target == Labels(4)
        np.testing.assert_array_equal(taken(dataset)[1], np.eye(4)[numbers[1]])


@pytest.mark.parametrize("rows_together", [7, 1 << 16])
def test_values_are_scaled_by_those_of_the_training_examples(save, numbers, monkeypatch, rows_together):
    monkeypatch.setattr("mlpkit_plugins.arrays.array_split.ROWS_TOGETHER", rows_together)
    t = np.random.default_rng(0).normal((50, -3), (10, 0.1), (40, 2)).astype(np.float32)
    t[:, 1] = 4
    save(numbers[0], t)
    options = {"predict": "values", "split": "in_order", "validation": 0, "test": 0.25}
    for dataset in both(**options):
        scaling = dataset.describe().target.scaling
        assert scaling.means == pytest.approx(t[:30].astype(np.float64).mean(axis=0))
        assert scaling.stds == pytest.approx((t[:30, 0].astype(np.float64).std(), 1))
        np.testing.assert_array_equal(taken(dataset, "test")[1], t[30:])
    for dataset in both(**options, scale_target="none"):
        assert dataset.describe().target.scaling is None


def test_values_are_scaled_by_their_logarithms(save, numbers):
    t = np.exp(np.random.default_rng(0).normal(3, 2, 40))
    save(numbers[0], t)
    for dataset in both(predict="values", scale_target="log", **NONE):
        scaling = dataset.describe().target.scaling
        assert scaling == ValuesScaling((pytest.approx(np.log(t).mean()),), (pytest.approx(np.log(t).std()),), True)


@pytest.mark.parametrize(
    ("value", "scale", "expected"),
    [
        (0, "log", "the target of example 3, element 1: 0 has no logarithm, which scale_target: log asks for; "),
        (np.nan, "standardize", "example 3, element 1 is nan; expected finite numbers; put a number there, or leave "),
        (1e308, "standardize", "the numbers are so large that their deviation overflows"),
    ],
)
def test_values_that_cannot_be_scaled_are_named_before_training(save, numbers, value, scale, expected):
    t = np.ones((40, 2))
    t[3, 1] = value
    save(numbers[0], t)
    for dataset in both(predict="values", scale_target=scale, validation=0, test=0.1, split="in_order"):
        assert expected in message(dataset.describe, DataError)


def test_a_loaded_model_needs_no_scaling_of_other_values(save, numbers):
    save(numbers[0], np.ones(40))
    for trained, used in zip(both(predict="values", **NONE), both(predict="values", **NONE), strict=True):
        trained.describe()
        used.load_encoder_state(trained.encoder_state())
        assert used.describe().target.scaling is None


def test_splits_may_have_files_of_their_own(save, numbers):
    x, t = numbers
    save(x[:5], t[:5] % 2, prefix="test_")
    save(x, t)
    for dataset in (
        Npy("x.npy", "t.npy", validation=0, test=("test_x.npy", "test_t.npy")),
        Npz("data.npz", validation=0, test="test_data.npz"),
    ):
        assert dataset.describe().sizes == {"train": 40, "test": 5}
        np.testing.assert_array_equal(taken(dataset, "test")[0], x[:5])


@pytest.mark.parametrize("compressed", [False, True])
def test_splits_may_have_arrays_of_their_own_in_the_same_file(numbers, tmp_path, monkeypatch, compressed):
    monkeypatch.chdir(tmp_path)
    x, t = numbers
    write = np.savez_compressed if compressed else np.savez
    write("data.npz", x=x[:30], t=t[:30], x_test=x[30:], t_test=t[30:])
    dataset = Npz("data.npz", validation=0.2, test=("x_test", "t_test"))
    assert dataset.describe().sizes == {"train": 24, "validation": 6, "test": 10}
    found = taken(dataset, "test")
    np.testing.assert_array_equal(found[0], x[30:])
    np.testing.assert_array_equal(found[1], t[30:])
    wrong = Npz("data.npz", test=("x_test", "labels"))
    expected = "data.npz: there is no array 'labels'; it has x, t, x_test, t_test; name one of these"
    assert message(wrong.describe, DataError) == expected


def test_arrays_stored_by_columns(save):
    x = np.arange(12.0).reshape(3, 4).T
    save(x, np.array([0, 1, 0, 1]))
    for dataset in both(**NONE):
        np.testing.assert_array_equal(taken(dataset)[0], x)


WITHOUT_GAPS = "number them from 0 without gaps: np.unique(t, return_inverse=True)[1]"
MEAN_SQUARED = "end the layers with a loss on real values, such as MeanSquaredError"
VALUES = "set predict: values if the targets are numbers to predict"


@pytest.mark.parametrize(
    ("targets", "warning"),
    [
        (np.arange(40) % 4, None),
        (
            np.arange(40) % 4 + 1,
            "no training example of {} has class 0, though the largest is 4",
        ),
        (
            np.arange(40) % 4 + 3,
            "no training example of {} has class 0, 1, 2, though the largest is 6",
        ),
        (
            np.array([0, 1, 3, 5])[np.arange(40) % 4],
            "no training example of {} has class 2, 4, though the largest is 5",
        ),
        (
            np.array([0, 1, 5])[np.arange(40) % 3],
            "no training example of {} has class 2, 3, 4, though the largest is 5",
        ),
        (
            np.array([7, 2**31 - 1, 3, 5])[np.arange(40) % 4],
            "no training example of {} has class 0, 1, 2 and 2,147,483,641 more, though the largest is 2147483647",
        ),
        (
            np.arange(40) * 50,
            "no training example of {} has class 1, 2, 3 and 1,912 more, though the largest is 1950",
        ),
        (
            np.where(np.arange(40) < 36, 0, [1, 2] * 20),
            "no training example of {} has class 1, 2, though the largest is 2",
        ),
    ],
)
@pytest.mark.parametrize("rows_together", [1 << 16, 7])
def test_numbers_of_classes_that_no_example_has_are_warned_about(save, monkeypatch, targets, warning, rows_together):
    monkeypatch.setattr("mlpkit_plugins.arrays.raw_rows._VALUES_TOGETHER", rows_together)
    save(np.zeros((40, 2)), targets)
    for dataset, name in zip(
        both(split="in_order", validation=0.05, test=0.05), ("t.npy", "data.npz, array 't'"), strict=True
    ):
        assert dataset.describe().target == Classes(int(targets.max()) + 1)
        remedy = f"give more examples to training, or {WITHOUT_GAPS}, or {VALUES}"
        expected = [] if warning is None else [DataWarning("targets", warning.format(name), remedy)]
        assert dataset.warnings() == expected


@given(data=st.data(), rows_together=st.integers(1, 50))
def test_warnings_name_the_classes_that_training_lacks_and_no_others(data, rows_together):
    targets = np.array(data.draw(st.lists(st.integers(0, 6), min_size=1, max_size=40)))
    training = np.array(sorted(data.draw(st.sets(st.integers(0, len(targets) - 1), min_size=1))))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("mlpkit_plugins.arrays.raw_rows._VALUES_TOGETHER", rows_together)
        numbers, counts = counts_of_classes({"train": (targets, training), "test": (targets, range(len(targets)))})
    trained = [number for number, count in zip(numbers, counts["train"], strict=True) if count]
    warnings = warnings_about_classes(trained, numbers[-1], "t", "targets", "")
    untrained = sorted({*range(targets.max() + 1)} - {*targets[training].tolist()})
    assert len(warnings) == bool(untrained)
    for warning in warnings:
        named = warning.message.split(" has class ")[1].split(", though")[0].split(" and ")[0]
        assert list(map(int, named.split(", "))) == untrained[:3]


@pytest.mark.parametrize(
    ("targets", "predict", "remedy"),
    [
        (np.arange(40) % 4, "classes", VALUES),
        (np.eye(4, dtype=int)[np.arange(40) % 4], "labels", VALUES),
        (np.arange(40) % 4, "values", f"{MEAN_SQUARED}; or set predict: classes if they are numbers of classes"),
        (
            np.arange(40) % 4 * 1.0,
            "values",
            MEAN_SQUARED + "; or save {} with .astype(int), and set predict: classes, if they are numbers of classes",
        ),
        (
            np.arange(40)[:, np.newaxis] % 4 * 1.0,
            "values",
            MEAN_SQUARED + "; or save {} with .astype(int), and set predict: classes, if they are numbers of classes",
        ),
        (np.eye(4)[np.arange(40) % 4], "values", "save {} with .argmax(1), and set predict: classes"),
        (np.linspace(0, 1, 40), "values", MEAN_SQUARED),
        (np.ones((40, 3)), "values", MEAN_SQUARED),
    ],
)
def test_advice_if_the_loss_takes_another_kind_of_target(save, targets, predict, remedy):
    save(np.zeros((40, 2)), targets)
    for dataset, name in zip(both(predict=predict), ("t.npy", "data.npz, array 't'"), strict=True):
        dataset.describe()
        assert dataset.target_remedy() == remedy.format(name)


def test_mistakes_in_arrays(save, numbers):
    x, t = numbers
    ask = lambda **options: message(Npy("x.npy", "t.npy", **options).describe, DataError)  # noqa: E731
    save(x, t[:39])
    assert ask() == "t.npy: has 39 targets for the 40 examples of x.npy"
    save(x, t + 0.5)
    assert ask() == (
        "t.npy: holds float64; expected numbers of classes as integers; set predict: values if they are real numbers"
    )
    save(x, t - 1)
    assert ask().startswith("t.npy: the target of example ")
    assert ask().endswith(f" is -1; expected numbers of classes from 0; {WITHOUT_GAPS}")
    save(x, 1 - np.eye(4, dtype=int)[t])
    assert ask() == "t.npy: has the shape (40, 4); expected (examples,); set predict: labels for rows of 0 and 1"
    save(x, 2 * np.eye(4, dtype=int)[t])
    assert ask(predict="labels").endswith("is 2; expected 0 or 1")
    save(x, t)
    assert ask(predict="labels") == (
        "t.npy: has the shape (40,); expected (examples, labels); save them with .reshape(-1, 1) if there is one label"
    )
    assert message(Npz("data.npz", inputs="X").describe, DataError) == (
        "data.npz: there is no array 'X'; did you mean 'x'?"
    )
    assert message(Npy("xx.npy", "t.npy").describe, ParameterError) == (
        "inputs: there is no file 'xx.npy'; did you mean 'x.npy'?"
    )
    save(np.empty((0, 3)), np.empty(0, int))
    assert ask() == (
        "x.npy, byte 8: has the shape (0, 3); expected up to 32 dimensions, with at least one value in each"
    )
    save(x.astype("c16"), t)
    assert ask() == "x.npy, byte 8: holds complex128; expected numbers of up to 64 bits"
    names = np.array(["cat", "dog", "fly", "owl"])[t]
    save(x, names)
    assert ask() == (
        "t.npy, byte 8: holds <U3; expected numbers of up to 64 bits; "
        "if they name classes, np.unique(t, return_inverse=True)[1] gives their numbers"
    )
    save(x, np.unique(names, return_inverse=True)[1])
    assert Npy("x.npy", "t.npy").describe().target == Classes(4)


ONE_HOT = (
    "holds one-hot rows, of shape (40, 4); expected the number of each example's class; "
    "save them with .argmax(1), or set predict: labels if several can apply at once"
)
WHOLE = "as integers; save them with .astype(int), or set predict: values if they are real numbers"
REAL = "as integers; set predict: values if they are real numbers"


@pytest.mark.parametrize(
    ("targets", "predict", "expected"),
    [
        (lambda t: t * 1.0, "classes", f"holds float64; expected numbers of classes {WHOLE}"),
        (lambda t: np.float32(t)[:, None], "classes", f"holds float32; expected numbers of classes {WHOLE}"),
        (lambda t: np.where(t == 3, np.nan, t), "classes", f"holds float64; expected numbers of classes {REAL}"),
        (lambda t: np.eye(4)[t], "classes", ONE_HOT),
        (lambda t: np.eye(4, dtype=int)[t], "classes", ONE_HOT),
        (lambda t: np.eye(4, dtype=bool)[t], "classes", ONE_HOT),
        (lambda t: np.eye(2)[t % 2], "classes", ONE_HOT.replace("(40, 4)", "(40, 2)")),
        (lambda t: np.eye(4)[t] / 2, "classes", f"holds float64; expected numbers of classes {REAL}"),
        (
            lambda t: np.stack([t, t], axis=1),
            "classes",
            "has the shape (40, 2); expected (examples,); set predict: labels for rows of 0 and 1",
        ),
        (lambda t: np.eye(4)[t], "labels", f"holds float64; expected 0 and 1 {WHOLE}"),
        (lambda t: np.eye(4)[t] / 2, "labels", f"holds float64; expected 0 and 1 {REAL}"),
    ],
)
def test_other_forms_of_classes_come_with_advice_to_convert_them(save, numbers, targets, predict, expected):
    save(numbers[0], targets(numbers[1]))
    for dataset, name in zip(both(predict=predict), ("t.npy", "data.npz, array 't'"), strict=True):
        assert message(dataset.describe, DataError) == f"{name}: {expected}"


def test_the_advice_for_other_forms_of_classes_works(save, numbers):
    x, t = numbers
    for targets in (np.eye(4)[t].argmax(1), (t * 1.0).astype(int)):
        save(x, targets)
        assert Npy("x.npy", "t.npy").describe().target == Classes(4)


def test_damaged_files(save, numbers, tmp_path):
    save(*numbers)
    whole = (tmp_path / "x.npy").read_bytes()
    for content, expected in (
        (b"", "x.npy, byte 0: the file is empty; expected an .npy file"),
        (b"not an array", "x.npy, byte 0: is not an .npy file"),
        (whole[:-1], "x.npy, byte 0: the header declares uint8 of shape (40, 2, 3), 240 bytes; 239 follow"),
        (whole + b"1", "x.npy, byte 0: the header declares uint8 of shape (40, 2, 3), 240 bytes; 241 follow"),
    ):
        (tmp_path / "x.npy").write_bytes(content)
        assert message(Npy("x.npy", "t.npy").describe, DataError).startswith(expected)
    archive = (tmp_path / "data.npz").read_bytes()
    for content, expected in (
        (b"", "data.npz: can't be read as an .npz file"),
        (b"PK", "data.npz: can't be read as an .npz file"),
        (archive[: len(archive) // 2], "data.npz: can't be read as an .npz file"),
    ):
        (tmp_path / "data.npz").write_bytes(content)
        assert message(Npz("data.npz").describe, DataError).startswith(expected)


def test_sizes_with_thousands_of_digits_are_refused_in_our_words(save, numbers, tmp_path):
    save(*numbers)
    text = repr({"descr": "|u1", "fortran_order": False, "shape": (10**3000, 10**3000)}).encode()
    (tmp_path / "x.npy").write_bytes(b"\x93NUMPY\1\0" + len(text).to_bytes(2, "little") + text)
    assert message(Npy("x.npy", "t.npy").describe, DataError).startswith("x.npy, byte 8: has the shape (1000")


def test_a_file_of_another_format_names_the_data_set_that_reads_it(save, numbers, tmp_path):
    save(*numbers)
    expected = "data.npz: is an .npz file, or another archive; read it with the data set npz"
    assert message(Npy("data.npz", "t.npy").describe, DataError) == expected
    assert message(Npy("x.npy", "data.npz").describe, DataError) == expected
    for dataset in (Npz("x.npy"), Npz("data.npz", validation="x.npy")):
        expected = "x.npy: is an .npy file, of one array; read it with the data set npy"
        assert message(dataset.describe, DataError) == expected
    (tmp_path / "other.npz").write_bytes(b"a,b\n1,2\n")
    assert message(Npz("other.npz").describe, DataError).startswith("other.npz: can't be read as an .npz file")


def test_an_archive_is_compared_with_its_checksums_before_training(save, numbers, tmp_path):
    save(*numbers)
    archive = bytearray((tmp_path / "data.npz").read_bytes())
    archive[archive.index(numbers[0].tobytes()) + 7] ^= 1
    (tmp_path / "data.npz").write_bytes(archive)
    dataset = Npz("data.npz", **NONE)
    assert dataset.describe().sizes == {"train": 40}  # from headers alone
    assert "data.npz: can't be read as an .npz file: Bad CRC-32" in message(lambda: dataset.open(0), DataError)


def test_objects_are_never_unpickled(save, numbers):
    save(np.array([print] * 40, object), numbers[1])
    assert "x.npy, byte 8: holds Python objects, which can run code" in message(
        Npy("x.npy", "t.npy").describe, DataError
    )


@pytest.mark.parametrize("state", [{}, {"raw_shape": [0]}, {"raw_shape": [2], "means": [1.0], "stds": [1.0]}])
def test_an_invalid_state_is_refused(state):
    with pytest.raises(ModelFileError):
        Npy("x.npy", "t.npy").load_encoder_state(state)


def test_raw_inputs_of_another_shape_are_refused(save, numbers):
    save(*numbers)
    with pytest.raises(ShapeError, match=r"inputs of shape \(3, 5\) don't fit the data set; expected \(rows, 2, 3\)"):
        Npy("x.npy", "t.npy").encode(np.zeros((3, 5)))


# IDX files


def test_idx_files_plain_and_compressed(numbers, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    x, t = numbers[0], numbers[1].astype(np.uint8)
    for name, array in (("images", x), ("labels", t)):
        content = bytes((0, 0, 8, array.ndim)) + np.array(array.shape, ">u4").tobytes() + array.tobytes()
        (tmp_path / name).write_bytes(content)
        (tmp_path / f"{name}.gz").write_bytes(gzip.compress(content))
    for suffix in ("", ".gz"):
        dataset = Idx(f"images{suffix}", f"labels{suffix}", **NONE)
        assert dataset.describe() == Description((6,), Classes(4), {"train": 40})
        np.testing.assert_allclose(taken(dataset)[0], x.reshape(40, 6) / 255)
        np.testing.assert_array_equal(taken(dataset)[1], t)
    dataset = Idx("images", "labels", flatten=False, normalize=False, validation=0.1, test=("images.gz", "labels.gz"))
    assert dataset.describe() == Description((2, 3), Classes(4), {"train": 36, "validation": 4, "test": 40})
    np.testing.assert_array_equal(taken(dataset, "test")[0], x)
    assert (dataset.warnings(), dataset.target_remedy()) == ([], "")
    (tmp_path / "labels").write_bytes((tmp_path / "labels").read_bytes()[:8] + bytes(t + 1))
    (warning,) = Idx("images", "labels").warnings()
    assert warning[:2] == ("labels", "no training example of labels has class 0, though the largest is 4")
    np.testing.assert_array_equal(dataset.encode(dataset.read(tmp_path / "images.gz")), x)
    assert message(lambda: dataset.read(tmp_path / "a.txt"), DataError).endswith(".npy or .npz")
    assert message(Idx("image", "labels").describe, ParameterError) == (
        "images: there is no file 'image'; did you mean 'images'?"
    )


# Memory


def test_the_rows_that_are_asked_for_are_read_and_no_others(save, tmp_path):
    """A sparse file of 64 GiB, larger than any memory here, is described and read at its ends."""
    rows = 2**30
    header = np.lib.format.open_memmap
    x = header(tmp_path / "x.npy", mode="w+", dtype=np.float64, shape=(rows, 8))
    x[-1] = 5
    t = header(tmp_path / "t.npy", mode="w+", dtype=np.uint8, shape=(rows,))
    del x, t
    code = (
        "import numpy as np; from mlpkit import read_npy_header as h\n"
        "from mlpkit_plugins.formats.rows_on_disk import RowsOnDisk\n"
        "from pathlib import Path; path = Path('x.npy')\n"
        "with path.open('rb') as file: rows = RowsOnDisk(file, h(file, 'x.npy', path.stat().st_size), 'x.npy')\n"
        "print(rows[np.array([0, 2**30 - 1])].sum(axis=1).tolist())\n"
    )
    limited = lambda: resource.setrlimit(resource.RLIMIT_AS, (2**32, 2**32))  # noqa: E731
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, preexec_fn=limited, capture_output=True, text=True, check=False
    )
    assert done.stdout == "[0.0, 40.0]\n", done.stderr


def test_arrays_in_the_order_of_their_classes_are_warned_about_unless_they_are_shuffled(save):
    save(np.zeros((300, 2)), np.repeat([0, 1, 2], 100))
    for dataset in both(split="in_order"):
        dataset.describe()
        (warning,) = dataset.warnings()
        assert warning.parameter == "split"
        assert "class '2' is 17% of train, 100% of validation, 100% of test; 2 more classes differ" in warning.message
        assert warning.remedy == "set split: shuffle"
    assert all(dataset.warnings() == [] for dataset in both(split="shuffle") if dataset.describe())
