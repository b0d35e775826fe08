"""Names of files and arrays that belong together."""

from __future__ import annotations

import pytest

from mlpkit import DataError, ParameterError
from mlpkit_plugins.files.named_file import (
    INPUTS,
    TARGETS,
    find_targets,
    has_word,
    idx_pair,
    idx_pairs,
    images_at,
    name_for_split,
    pairs_of_splits,
    renamed,
    targets_beside,
)


@pytest.mark.parametrize(
    ("name", "names", "found"),
    [
        ("x", ["x", "y", "t"], "t"),
        ("X", ["X", "y"], "y"),
        ("x_train.npy", ["y_test.npy", "y_train.npy"], "y_train.npy"),
        ("images-idx3-ubyte.gz", ["labels-idx1-ubyte.gz", "labels-idx1-ubyte"], "labels-idx1-ubyte.gz"),
        ("train-images.idx3-ubyte", ["train-labels.idx1-ubyte"], "train-labels.idx1-ubyte"),
        ("my data.npy", ["my target.npy"], "my target.npy"),
        ("x", ["x_t", "tx", "text"], None),
        ("max.npy", ["mat.npy", "may.npy"], None),
        ("rows", ["t"], None),
    ],
)
def test_targets_of_inputs(name, names, found):
    assert renamed(name, names, INPUTS, TARGETS) == found


@pytest.mark.parametrize(
    ("name", "names", "split", "found"),
    [
        ("x_train", ["x_test", "x_val"], "test", "x_test"),
        ("x_train", ["x_test", "x_val"], "validation", "x_val"),
        ("x", ["test_x"], "test", "test_x"),
        ("train-images-idx3-ubyte", ["t10k-images-idx3-ubyte"], "test", "t10k-images-idx3-ubyte"),
        ("x", ["x_tests", "latest_x"], "test", None),
        ("x", ["x_test"], "test", "x_test"),
        ("my x", ["my dev x", "my x val"], "validation", "my x val"),
        ("x", ["x_test", "test_x", "testing_x"], "test", "test_x"),
        ("train_x_train", ["train_x_test", "test_x_train"], "test", "test_x_train"),
        ("X.Train", ["x.TEST"], "test", "x.TEST"),
        ("training_x", ["test_training_x", "testing_x"], "test", "testing_x"),
    ],
)
def test_the_same_of_another_split(name, names, split, found):
    assert name_for_split(name, names, split) == found


def test_words_are_whole():
    assert has_word("my-Train.npy", ("train",))
    assert not has_word("trainer", ("train",))
    assert has_word("t10k-images-idx3-ubyte", ("idx",))
    assert not has_word("idx33", ("idx",))


def test_files_beside(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a").mkdir()
    for name in ("x.npy", "t.npy", "x_test.npy", "t_test.npy", "x_val.npy"):
        (tmp_path / "a" / name).write_bytes(b"")
    assert targets_beside(tmp_path / "a/x_val.npy") is None
    assert find_targets("train", "a/x.npy") == ("a/x.npy", "a/t.npy")
    assert pairs_of_splits("a/x.npy", "a/t.npy") == {"test": ("a/x_test.npy", "a/t_test.npy")}
    assert find_targets("train", "example:shapes_x.npy") == ("example:shapes_x.npy", "example:shapes_t.npy")


def test_a_pair_of_images_and_labels_without_a_split_in_its_name_is_for_training(tmp_path):
    names = ("images-idx3-ubyte", "labels-idx1-ubyte", "images-val-idx3-ubyte", "labels-val-idx1-ubyte")
    for name in (*names, "x.npy", "t.npy", "data-idx3-ubyte"):  # the first pair of a split counts
        (tmp_path / name).touch()
    assert idx_pairs(tmp_path) == {
        "train": (tmp_path / "data-idx3-ubyte", tmp_path / "labels-idx1-ubyte"),
        "validation": (tmp_path / names[2], tmp_path / names[3]),
    }
    assert idx_pair(tmp_path) == (tmp_path / "data-idx3-ubyte", tmp_path / "labels-idx1-ubyte")


def test_images_without_labels_are_no_pair(tmp_path):
    for name in ("train-images-idx3-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"):
        (tmp_path / name).write_bytes(b"")
    assert list(idx_pairs(tmp_path)) == ["test"]
    assert idx_pairs(tmp_path / "nowhere") == {}


@pytest.mark.parametrize(
    ("parameter", "targets", "message"),
    [
        ("train", None, "target: no file of targets was named for x.npy; expected some labels; write --target FILE"),
        (
            "test",
            None,
            "test: there is no file of targets next to x.npy; name the two like x_test.npy and t_test.npy",
        ),
        ("train", "answer.npy", "target: there is no file 'answer.npy'; did you mean 'answers.npy'?"),
    ],
)
def test_targets_that_are_not_there(tmp_path, monkeypatch, parameter, targets, message):
    monkeypatch.chdir(tmp_path)
    for name in ("x.npy", "answers.npy"):
        (tmp_path / name).touch()
    assert find_targets(parameter, "x.npy", "answers.npy") == ("x.npy", "answers.npy")
    with pytest.raises(ParameterError) as refused:
        find_targets(parameter, "x.npy", targets, "some labels")
    assert str(refused.value) == message


def test_of_a_folder_of_images_the_pair_for_testing_is_read(tmp_path):
    names = [f"{split}-{what}" for split in ("t10k", "train") for what in ("images-idx3-ubyte", "labels-idx1-ubyte")]
    with pytest.raises(DataError, match=r"the folder holds no IDX file of images with one of labels$"):
        idx_pair(tmp_path)
    for name in names[2:]:
        (tmp_path / name).touch()
    assert idx_pair(tmp_path) == (tmp_path / names[2], tmp_path / names[3])
    for name in names[:2]:
        (tmp_path / name).touch()
    assert idx_pair(tmp_path) == (tmp_path / names[0], tmp_path / names[1])
    assert images_at(tmp_path) == tmp_path / names[0]
    assert images_at(tmp_path / names[2]) == tmp_path / names[2]
    assert idx_pair(tmp_path / names[2]) == (tmp_path / names[2], tmp_path / names[3])
    with pytest.raises(DataError, match="there is no file of labels next to it"):
        idx_pair(tmp_path / names[1])
