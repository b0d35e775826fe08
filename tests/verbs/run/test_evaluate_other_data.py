"""``mlpkit evaluate RUN --data`` and ``mlpkit predict`` for arrays and images: the figures are those of a split."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest
from idx_files import write_idx
from PIL import Image

SPEC = """\
mlpkit: 1
data:
  {data}
layers: [Flatten, Affine: {{units: auto}}, {loss}]
training:
  optimizer: {{adam: {{learning_rate: 0.01}}}}
  epochs: 2
  metrics: [{metric}]
"""

RNG = np.random.default_rng(0)
X = RNG.integers(0, 256, (60, 4, 4)).astype(np.uint8)
T = X.reshape(60, 16).argmax(axis=1) % 3
VALUES = X.reshape(60, 16).mean(axis=1) * 1000
TEST = slice(40, 60)


def write_images(folder):
    for name, part in (("train", slice(0, 40)), ("test", TEST)):
        for number, (image, kind) in enumerate(zip(X[part], T[part], strict=True)):
            path = folder / name / "abc"[kind] / f"{number:03}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(image).save(path)


@pytest.fixture
def files(cwd):
    """Write the same examples in all formats: 40 to train on, 20 to test."""
    (cwd / "new").mkdir()
    for part, folder in ((slice(0, 40), cwd), (TEST, cwd / "new")):
        np.save(folder / "x.npy", X[part])
        np.save(folder / "t.npy", T[part])
        np.save(folder / "v.npy", VALUES[part])
        np.savez(folder / "own.npz", a=X[part], b=T[part])
        np.savez(folder / "xt.npz", x=X[part], t=T[part])
    for name, part in (("train", slice(0, 40)), ("t10k", TEST)):
        (cwd / "idx").mkdir(exist_ok=True)
        write_idx(cwd / f"idx/{name}-images-idx3-ubyte", X[part])
        write_idx(cwd / f"idx/{name}-labels-idx1-ubyte", T[part])
    write_images(cwd / "pictures")
    return cwd


@pytest.fixture
def train(files, invoke):
    def run(data, loss="SoftmaxWithLoss", metric="accuracy"):
        (files / "s.yaml").write_text(SPEC.format(data=data, loss=loss, metric=metric))
        shutil.rmtree(files / "r", ignore_errors=True)
        done = invoke("run", "s.yaml", "--quiet", "--out", "r")
        assert (done.code, done.err) == (0, "")
        return json.loads((files / "r/metrics.json").read_text())["test"]

    return run


NPY = "npy: {inputs: x.npy, targets: t.npy, divide_by: 255, validation: 0, test: [new/x.npy, new/t.npy]}"
FORMATS = {
    "npz": ("npz: {file: own.npz, inputs: a, targets: b, validation: 0, test: new/own.npz}", ["new/own.npz"]),
    "npy": (NPY, ["new/x.npy", "new/xt.npz"]),
    "idx": (
        "idx: {images: idx/train-images-idx3-ubyte, labels: idx/train-labels-idx1-ubyte, validation: 0, "
        "test: [idx/t10k-images-idx3-ubyte, idx/t10k-labels-idx1-ubyte]}",
        ["idx/t10k-images-idx3-ubyte", "idx"],
    ),
    "mnist": ("mnist: {directory: idx, validation: 0}", ["idx/t10k-images-idx3-ubyte", "idx"]),
    "image_folder": ("image_folder: {folder: pictures/train, validation: 0, test: pictures/test}", ["pictures/test"]),
}


@pytest.mark.parametrize(("data", "place"), [(data, place) for data, places in FORMATS.values() for place in places])
def test_other_data_gives_the_figures_of_the_same_split(train, invoke, data, place):
    expected = train(data)
    done = invoke("evaluate", "r", "--data", place, "--json")
    assert (done.code, done.err) == (0, "")
    assert json.loads(done.out) == {"data": pytest.approx(expected, rel=1e-6)}
    done = invoke("predict", "r", "new/x.npy" if place == "new" else place)
    assert (done.code, done.err) == (0, "")
    assert len(done.out.splitlines()) == 21


def test_values_are_compared_in_their_unit(train, invoke, files):
    data = NPY.replace("t.npy", "v.npy").replace("divide_by: 255", "standardize: true, predict: values")
    expected = train(data, "MeanSquaredError", "mean_absolute_error")
    (files / "new/t.npy").write_bytes((files / "new/v.npy").read_bytes())
    done = invoke("evaluate", "r", "--data", "new/x.npy", "--json")
    assert json.loads(done.out) == {"data": pytest.approx(expected, rel=1e-6)}
    assert expected["mean_absolute_error"] > 100


def test_one_hot_digits(train, invoke):
    expected = train("mnist: {directory: idx, validation: 0, one_hot: true}")
    assert json.loads(invoke("evaluate", "r", "--data", "idx", "--json").out) == {"data": pytest.approx(expected)}


def refusal(invoke, place):
    done = invoke("evaluate", "r", "--data", place)
    assert done.out == ""
    return done.code, done.err.removeprefix("error: ").removesuffix("\n")


def test_what_lacks_targets_or_does_not_fit_is_an_error(train, invoke, files):
    train(NPY)
    np.save("rows.npy", X)
    remedy = "name the two like x.npy and t.npy, or save both in an .npz file as x and t"
    assert refusal(invoke, "rows.npy") == (1, f"rows.npy: there is no file of targets next to it; {remedy}")
    np.save("new/t.npy", T)
    assert refusal(invoke, "new/x.npy") == (1, "new/t.npy: has 60 targets for the 20 examples of new/x.npy")
    np.save("new/x.npy", X[:, :3])
    assert refusal(invoke, "new/x.npy") == (
        1,
        "new/x.npy: inputs of shape (60, 3, 4) don't fit the data set; expected (rows, 4, 4)",
    )
    assert refusal(invoke, "row.npy") == (2, "there is no file 'row.npy'; did you mean 'rows.npy'?")
    np.savez("new/xt.npz", x=X, t=T + 1)
    code, error = refusal(invoke, "new/xt.npz")
    assert code == 1
    assert error.startswith("new/xt.npz: row ")
    assert error.endswith(", counted from 0, is of class 3; the model knows 0 to 2")


@pytest.mark.parametrize("data", ["idx", "mnist"])
def test_images_without_labels_are_an_error(train, invoke, files, data):
    train(FORMATS[data][0])
    write_idx(files / "pixels", X)
    advice = "with 'labels' for 'images' in its name"
    assert refusal(invoke, "pixels") == (1, f"pixels: there is no file of labels next to it, {advice}")
    assert refusal(invoke, "new") == (1, "new: the folder holds no IDX file of images with one of labels")
    write_idx(files / "idx/t10k-labels-idx1-ubyte", T[:5])
    code, error = refusal(invoke, "idx")
    assert code == 1
    assert "5 " in error
    assert "20 " in error
