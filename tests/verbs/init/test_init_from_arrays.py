"""``mlpkit init --data`` for arrays and images: from files to predictions in three commands that work as they stand."""

from __future__ import annotations

import json
import shlex
import shutil
import sys

import numpy as np
import pytest
from idx_files import write_idx
from PIL import Image

RNG = np.random.default_rng(0)
FEW_EPOCHS = ("--set", "training.epochs=1", "--set", "training.evaluate_every=null")


def bars(count, side=12, seed=0):
    """Return grey images of a bar that lies, stands or does neither, and which of these."""
    rng = np.random.default_rng(seed)
    t = rng.integers(0, 3, count)
    x = rng.integers(0, 40, (count, side, side)).astype(np.uint8)
    for image, kind in zip(x, t, strict=True):
        place = rng.integers(2, side - 2)
        if kind:
            (image if kind == 1 else image.T)[place] = 250
    return x, t


def table(count=600, seed=4):
    """Return rows of numbers in units of their own, a class and a value that depend on them."""
    x = np.random.default_rng(seed).normal(size=(count, 5))
    value = 1e5 * (x[:, 0] + x[:, 1] * x[:, 2])
    return x * [1, 10, 100, 1e-3, 1] + 7, (x[:, 0] + x[:, 1] > 0).astype(int) + (x[:, 2] > 1), value


def write_images(folder, images, kinds, names=("neither", "lying", "standing")):
    for number, (image, kind) in enumerate(zip(images, kinds, strict=True)):
        path = folder / names[kind] / f"{number:03}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(path)


@pytest.fixture
def first(cwd, invoke):
    """Return a function that asks for a spec, and returns its text and what was printed; it knows the data."""

    def ask(*arguments):
        ask.data = arguments[0]
        (cwd / "s.yaml").unlink(missing_ok=True)
        done = invoke("init", "--data", *arguments, "--out", "s.yaml")
        assert (done.code, done.err) == (0, "")
        return (cwd / "s.yaml").read_text(), done.out

    return ask


@pytest.fixture
def follows(cwd, invoke, first):
    """Return a function that does what the output says comes next, and returns the results on the test split."""

    def follow(out, *shorter):
        run, predict = (shlex.split(line)[1:] for line in out.partition("next:\n")[2].splitlines())
        shutil.rmtree(cwd / "runs", ignore_errors=True)
        done = invoke(*run, "--quiet", *shorter)
        assert (done.code, done.err) == (0, "")
        done = invoke(*predict[:2], first.data if predict[2].startswith("new") else predict[2])
        assert (done.code, done.err) == (0, "")
        (metrics,) = (cwd / "runs").glob("*/metrics.json")
        return json.loads(metrics.read_text())["test"]

    return follow


@pytest.fixture
def refused(cwd, invoke):
    """Return a function that asks for a spec and returns the error; no spec is written."""

    def ask(*arguments):
        (cwd / "s.yaml").unlink(missing_ok=True)
        done = invoke("init", "--data", *arguments, "--out", "s.yaml")
        assert done.code in (1, 2)
        assert done.out == ""
        assert not (cwd / "s.yaml").exists()
        return done.err

    return ask


# Arrays that are learned well at the first try


def test_an_archive_of_two_arrays(cwd, first, follows):
    x, t, _ = table()
    np.savez("own.npz", data=x, target=t, ids=np.arange(600), names=np.full(600, "row"))
    text, out = first("own.npz")
    assert (
        out
        == """\
s.yaml:
  examples  600
  inputs    data: 5 numbers each, standardized
  target    target: 3 classes: 0 41%, 1 50%, 2 9%
  network   1 hidden layer of 256 units, softmax
  training  adamw, 200 epochs at most, in minibatches of 32, with early stopping
next:
  mlpkit run s.yaml
  mlpkit predict runs/s new.npz
"""
    )
    assert text.startswith(
        """\
# Predicts target from data.
mlpkit: 1
data:
  npz:
    file: own.npz
    inputs: data
    targets: target
    predict: classes  # 3 classes: 0 41%, 1 50%, 2 9%
    standardize: true  # 5 numbers each, standardized
layers:
"""
    )
    assert follows(out)["accuracy"] > 0.9


def test_the_commands_work_in_processes_of_their_own(cwd, mlpkit):
    x, t, _ = table()
    np.savez("own.npz", x=x, t=t)
    done = mlpkit("init", "--data", "own.npz")
    assert (done.code, done.err) == (0, "")
    shutil.copy("own.npz", "new.npz")
    for line in done.out.partition("next:\n")[2].splitlines():
        command = shlex.split(line)[1:]
        done = mlpkit(*command, *(FEW_EPOCHS if command[0] == "run" else ()))
        assert done.code == 0
    assert len(done.out.splitlines()) == 601


def test_values_are_predicted_in_their_unit(cwd, first, follows):
    x, _, value = table(900)
    np.savez("own.npz", X=x, y=value)
    text, out = first("own.npz")
    assert "predict: values  # values from " in text
    assert follows(out)["r2"] > 0.9


def test_several_labels(cwd, first, follows):
    x, _, _ = table()
    np.savez("own.npz", x=x, t=np.stack([x[:, 0] > 7, x[:, 1] > 7], axis=1).astype(int))
    text, out = first("own.npz")
    assert "predict: labels  # 2 labels" in text
    assert "- SigmoidWithLoss" in text
    assert follows(out)["f1"] > 0.9


@pytest.mark.parametrize("compressed", [False, True])
def test_images_in_an_archive_are_convolved(cwd, first, follows, compressed):
    x, t = bars(300)
    (np.savez_compressed if compressed else np.savez)("own.npz", images=x, labels=t)
    text, out = first("own.npz")
    assert "images: images of 12 by 12 pixels, from 0 to 250, divided by 255" in out
    assert "  - Reshape: {shape: [1, 12, 12]}" in text
    assert compressed or follows(out)["accuracy"] > 0.95


def test_arrays_of_the_other_splits(cwd, first, follows):
    parts = {
        f"{what}_{split}": part for split in ("train", "val", "test") for what, part in zip("xy", bars(90), strict=True)
    }
    np.savez("own.npz", **parts)
    text, out = first("own.npz")
    assert "validation: [x_val, y_val]\n    test: [x_test, y_test]\n" in text
    assert "  validation  x_val and y_val\n  test        x_test and y_test\n  examples    90\n" in out
    follows(out, *FEW_EPOCHS)


def test_the_file_of_another_split(cwd, first, invoke):
    for name, seed in (("a", 0), ("b", 1)):
        np.savez(f"{name}.npz", **dict(zip("xt", bars(90, seed=seed), strict=True)))
    text, out = first("a.npz", "--test", "b.npz")
    assert "test: b.npz" in text
    assert out.endswith("mlpkit predict runs/s b.npz\n")
    assert "npz: 72 train, 18 validation, 90 test" in invoke("check", "s.yaml").out


@pytest.mark.parametrize(
    ("name", "targets"), [("x.npy", "t.npy"), ("X_train.npy", "y_train.npy"), ("a-images.npy", "a-labels.npy")]
)
def test_two_files(cwd, first, follows, name, targets):
    x, t, _ = table(200)
    np.save(name, x)
    np.save(targets, t)
    text, out = first(name)
    assert f"    inputs: {name}\n    targets: {targets}\n" in text
    follows(out, *FEW_EPOCHS)


def test_two_files_of_any_names_and_those_for_testing(cwd, first, follows):
    for split in ("train", "test"):
        x, t, _ = table(200)
        np.save(f"x_{split}.npy", x)
        np.save(f"t_{split}.npy", t)
    np.save("kinds.npy", t)
    text, out = first("x_train.npy", "--target", "kinds.npy")
    assert "targets: kinds.npy\n" in text
    assert "test:" not in out
    text, out = first("x_train.npy")
    assert "test: [x_test.npy, t_test.npy]" in text
    follows(out, *FEW_EPOCHS)


def test_the_spec_names_files_that_were_found_as_seen_from_its_own_folder(cwd, invoke):
    x, t, _ = table(200)
    np.save("x.npy", x)
    np.save("t.npy", t)
    (cwd / "specs").mkdir()
    assert invoke("init", "--data", "x.npy", "--out", "specs/own.yaml").code == 0
    assert "inputs: ../x.npy\n    targets: ../t.npy\n" in (cwd / "specs/own.yaml").read_text()
    assert invoke("check", "specs/own.yaml").code == 0


@pytest.mark.parametrize("as_folder", [True, False])
def test_idx_files(cwd, first, follows, as_folder):
    for split, seed in (("train", 0), ("t10k", 1)):
        x, t = bars(150, seed=seed)
        write_idx(cwd / f"{split}-images-idx3-ubyte", x)
        write_idx(cwd / f"{split}-labels-idx1-ubyte", t)
    text, out = first("." if as_folder else "train-images-idx3-ubyte")
    assert "images: train-images-idx3-ubyte\n    labels: train-labels-idx1-ubyte\n" in text
    assert "test: [t10k-images-idx3-ubyte, t10k-labels-idx1-ubyte]\n    flatten: false\n" in text
    assert follows(out, "--set", "training.epochs=40")["accuracy"] > 0.9


def test_a_folder_of_images(cwd, first, follows):
    write_images(cwd / "bars", *bars(200))
    text, out = first("bars")
    assert (
        out
        == """\
s.yaml:
  images    200 in bars, 12 by 12 pixels; grey
  classes   3 classes: lying 33%, neither 28%, standing 40%
  network   a convolution with pooling, a hidden layer of 128 units, softmax
  training  adamw, 200 epochs at most, in minibatches of 16, with early stopping
next:
  mlpkit run s.yaml
  mlpkit predict runs/s bars
"""
    )
    assert "  image_folder:\n    folder: bars  # 3 classes: " in text
    assert follows(out)["accuracy"] > 0.9


def test_coloured_images_of_many_sizes_are_scaled(cwd, first, follows):
    for number in range(60):
        image = np.zeros((90 + number, 200, 3), np.uint8)
        image[..., number % 2] = 200
        write_images(cwd / "pets", [image], [number % 2], (f"cat/{number}", f"dog/{number}"))
    text, out = first("pets")
    assert "60 in pets, from 90 by 200 to 149 by 200 pixels; with colours" in out
    assert "    colour: true\n    resize: [38, 64]  # from 90 by 200 to 149 by 200 pixels\n    flatten: false\n" in text
    assert follows(out, "--set", "training.epochs=20")["accuracy"] > 0.9


def test_folders_of_splits(cwd, first, invoke):
    for split, seed in (("train", 0), ("val", 1), ("test", 2)):
        write_images(cwd / "bars" / split, *bars(60, seed=seed))
    text, out = first("bars")
    assert "folder: bars/train  # 3 classes" in text
    assert "    validation: bars/val\n    test: bars/test\n" in text
    assert "  validation  bars/val\n  test        bars/test\n" in out
    assert "image_folder: 60 train, 60 validation, 60 test" in invoke("check", "s.yaml").out


@pytest.mark.parametrize(
    "name",
    ["example:shapes", "example:shapes.npz", "example:shapes_x.npy", "example:shapes-images-idx3-ubyte"],
)
def test_examples_that_come_with_mlpkit(cwd, first, follows, name):
    _, out = first(name)
    follows(out, *FEW_EPOCHS)


def test_white_images_are_moved_with_white_behind_them(cwd, first):
    x, t = bars(100)
    np.savez("own.npz", x=255 - x // 2, t=t)
    text, _ = first("own.npz")
    assert "shift: {pixels: 1, fill: 0.9" in text


# What is unclear or wrong is an error that says what to type


def test_targets_that_nothing_tells_are_asked_for(cwd, refused, first):
    x, t, _ = table(200)
    np.savez("own.npz", a=x, b=t)
    assert refused("own.npz") == (
        "error: --target: no array was named to predict; expected one of a (200, 5), b (200,)\n"
    )
    assert refused("own.npz", "--target", "c") == (
        "error: --target: there is no array 'c' in own.npz; expected one of a (200, 5), b (200,)\n"
    )
    assert "    inputs: a\n    targets: b\n" in first("own.npz", "--target", "b")[0]


def test_inputs_that_nothing_tells_are_asked_for_and_the_advice_works(cwd, refused, first):
    x, t, _ = table(200)
    np.savez("own.npz", left=x, right=x, t=t)
    error = refused("own.npz", "--target", "t")
    advice = "np.savez('xt.npz', x=data['left'], t=data['t'])"
    assert error == f"error: own.npz: the inputs may be in 'left' or 'right'; save the right one as x: {advice}\n"
    exec(advice, {"np": np, "data": np.load("own.npz")})
    first("xt.npz")


def test_a_file_of_targets_that_nothing_tells_is_asked_for(cwd, refused, first):
    x, t, _ = table(200)
    np.save("rows.npy", x)
    np.save("kinds.npy", t)
    assert refused("rows.npy") == (
        "error: --target: no file of targets was named for rows.npy; expected an .npy file with a row for "
        "each example; write --target FILE\n"
    )
    assert refused("rows.npy", "--target", "kind.npy") == (
        "error: --target: there is no file 'kind.npy'; did you mean 'kinds.npy'?\n"
    )
    first("rows.npy", "--target", "kinds.npy")
    np.save("x_test.npy", x)
    assert refused("rows.npy", "--target", "kinds.npy", "--test", "x_test.npy") == (
        "error: --test: there is no file of targets next to x_test.npy; name the two like x_test.npy and t_test.npy\n"
    )


X, T, VALUE = table(100)
SPOILED_ARRAYS = {
    "no_targets": (X, None, "own.npz: holds x (100, 5); expected one of inputs and one of targets: np.savez('own.npz'"),
    "nothing": (None, None, "own.npz: holds no array; expected one of inputs and one of targets"),
    "lengths": (X, T[:99], "own.npz, array 't': has 99 targets for the 100 examples of own.npz, array 'x'"),
    "objects": (
        X,
        T.astype(object),
        "holds Python objects, which can run code; expected numbers",
    ),
    "other_lengths": (X[:50], T, "own.npz, array 't': has 100 targets for the 50 examples of own.npz, array 'x'"),
    "one_class": (X, T * 0, "own.npz, array 't': every target is 0, so there is nothing to predict"),
    "one_hot": (
        X,
        np.eye(3)[T],
        "holds one-hot rows, of shape (100, 3); expected the number of each example",
    ),
    "one_hot_integers": (X, np.eye(3, dtype=int)[T], "holds one-hot rows"),
    "negative": (X, (T > 0) * 2 - 1, "expected numbers of classes from 0; number them from 0 without gaps"),
    "nan": (np.where(X > 100, np.nan, X), T, "own.npz, array 'x': example "),
    "nan_target": (X, np.where(VALUE > 0, np.nan, VALUE), "own.npz, array 't': example "),
    "constant": (X * 0 + 1, T, "own.npz, array 'x': every number is 1, so there is nothing to learn from"),
    "images": (X, np.zeros((100, 4, 4)), "has the shape (100, 4, 4); expected a target, or a row of targets"),
    "single_number": (X, np.array(3.0), "own.npz, array 't': has the shape (); expected a row for each example"),
    "no_rows": (X[:0], T[:0], "has the shape (0, 5); expected up to 32 dimensions, with at least one value in each"),
}


@pytest.mark.parametrize("arrays", SPOILED_ARRAYS)
def test_spoiled_arrays(cwd, refused, arrays):
    x, t, expected = SPOILED_ARRAYS[arrays]
    np.savez("own.npz", **{name: array for name, array in (("x", x), ("t", t)) if array is not None})
    assert expected in refused("own.npz")


def test_texts_and_objects_as_targets_say_what_to_do(cwd, refused, first):
    words = np.array(["no", "yes"])[(T > 0).astype(int)]
    np.savez("own.npz", x=X, t=words)
    error = refused("own.npz", "--target", "t")
    assert "array 't'" in error
    assert "if they name classes, np.unique(t, return_inverse=True)[1] gives their numbers" in error
    np.savez("own.npz", x=X, t=np.unique(words, return_inverse=True)[1])
    first("own.npz")
    np.savez("own.npz", x=X, t=words.astype(object))
    assert "holds Python objects, which can run code; expected numbers" in refused("own.npz", "--target", "t")


def test_whole_floats_are_values_with_a_note(cwd, first):
    np.savez("own.npz", x=X, t=T.astype(float))
    text, out = first("own.npz")
    assert "predict: values" in text
    assert "values from 0 to 2; if they are classes, save them with .astype(int)\n" in out


def test_images_whose_channels_come_last_are_learned_as_rows(cwd, first, follows):
    x, t = bars(100)
    np.savez("own.npz", x=np.repeat(x[..., None], 3, axis=3), t=t)
    text, out = first("own.npz")
    assert "flatten: true" in text
    follows(out, *FEW_EPOCHS)
    np.savez("own.npz", x=np.repeat(x[:, None], 3, axis=1), t=t)
    assert "Conv2d" in first("own.npz")[0]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "own.npz: can't be read as an .npz file: File is not a zip file"),
        (b"PK\x03\x04 not an archive", "own.npz: can't be read as an .npz file"),
        (b"\x93NUMPY\x01\x00v\x00{}", "own.npz: is an .npy file, of one array; read it with the data set npy"),
    ],
)
def test_damaged_archives(cwd, refused, content, expected):
    (cwd / "own.npz").write_bytes(content)
    assert expected in refused("own.npz")


def test_a_cut_file_of_an_array(cwd, refused):
    np.save("x.npy", X)
    np.save("t.npy", T)
    (cwd / "x.npy").write_bytes((cwd / "x.npy").read_bytes()[:-8])
    assert "x.npy, byte 0: the header declares float64 of shape (100, 5)" in refused("x.npy")


def test_spoiled_idx_files(cwd, refused):
    x, t = bars(50)
    write_idx(cwd / "train-images-idx3-ubyte", x)
    assert "no file of targets was named for train-images-idx3-ubyte" in refused("train-images-idx3-ubyte")
    write_idx(cwd / "train-labels-idx1-ubyte", t[:49])
    assert "has 49 targets for the 50 examples of train-images-idx3-ubyte" in refused("train-images-idx3-ubyte")
    assert "the magic number is 0x00000801; expected 0x00000803" in refused(
        "train-labels-idx1-ubyte", "--target", "train-labels-idx1-ubyte"
    )
    write_idx(cwd / "train-labels-idx1-ubyte", t * 0)
    assert "every target is 0" in refused("train-images-idx3-ubyte")


def test_spoiled_folders_of_images(cwd, refused, invoke):
    (cwd / "pets").mkdir()
    assert "note: the folder 'pets' is empty" in refused("pets")
    assert "note: there is no file or folder 'pests'" in refused("pests")
    write_images(cwd / "pets", *bars(20))
    shutil.rmtree(cwd / "pets/lying")
    shutil.rmtree(cwd / "pets/standing")
    assert refused("pets") == (
        "error: --data: 'pets' has one subfolder, neither; expected one for each class, two or more\n"
    )
    write_images(cwd / "pets", *bars(20))
    assert refused("pets", "--target", "kind") == (
        "error: --target: the class of an image is the name of its folder; leave out --target\n"
    )
    (cwd / "pets/lying/zzz.png").write_bytes(b"no image")
    assert "pets/lying/zzz.png: can't be read as an image; replace the file, or leave it out" in refused("pets")
    (cwd / "pets/lying/zzz.png").rename(cwd / "pets/stray.png")
    assert "pets/stray.png: the file is next to the class folders; move it into one of them" in refused("pets")
    (cwd / "pets/stray.png").unlink()
    (cwd / "pets/lying/notes.txt").write_text("nice")
    assert "pets/lying/notes.txt: the file type '.txt' is not one of" in refused("pets")
    (cwd / "pets/lying/notes.txt").unlink()
    assert "--test: there is no folder 'tests'" in refused("pets", "--test", "tests")


def test_without_pillow_the_error_says_how_to_install_it(cwd, refused, monkeypatch):
    write_images(cwd / "pets", *bars(20))
    monkeypatch.setitem(sys.modules, "PIL", None)
    for name in [name for name in sys.modules if "image_folder" in name]:
        monkeypatch.delitem(sys.modules, name)
    assert 'pip install "mlpkit[images]"' in refused("pets")
