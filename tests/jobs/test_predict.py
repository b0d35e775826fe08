"""Predictions for files of the user's."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import mlpkit
from mlpkit.errors import ComponentFailure, DataError, PluginError, UsageError
from mlpkit.jobs.predict import Predictions, predict
from mlpkit.registry.registry import Registry


@pytest.fixture
def images(train, work):
    train()
    raw = np.frombuffer((work / "digits/t10k-images-idx3-ubyte").read_bytes(), np.uint8, offset=16)
    return raw.reshape(-1, 28, 28)


@pytest.fixture
def labels(work):
    return np.frombuffer((work / "digits/t10k-labels-idx1-ubyte").read_bytes(), np.uint8, offset=8)


def test_regions_have_a_column_for_each_end_and_a_part_has_its_rows():
    ends = {"low": np.arange(6.0).reshape(3, 2), "high": np.arange(6.0).reshape(3, 2) + 10}
    columns = {"0_low": [0, 2, 4], "0_high": [10, 12, 14], "1_low": [1, 3, 5], "1_high": [11, 13, 15]}
    found = Predictions(np.zeros((3, 2)), None, None, regions=ends)
    assert {name: values.tolist() for name, values in found.region_columns().items()} == columns
    assert list(found.region_columns()) == ["0_low", "0_high", "1_low", "1_high"]
    named = Predictions(np.zeros((3, 2)), None, None, ("a", "b"), regions=ends)
    assert list(named.region_columns()) == ["a_low", "a_high", "b_low", "b_high"]
    single = Predictions(np.zeros((3, 1)), None, None, ("a",), regions={end: rows[:, :1] for end, rows in ends.items()})
    assert list(single.region_columns()) == ["low", "high"]
    part = found.part(slice(1, 3))
    assert (len(part.values), part.classes, part.region_columns()["0_low"].tolist()) == (2, None, [2, 4])
    assert Predictions(np.zeros((3, 2)), None, None).region_columns() == {}


def test_sets_are_joined_and_a_row_without_a_prediction_has_no_label():
    inside = np.array([[True, False, True], [False, False, False], [False, True, False]])
    values, numbers = np.array([[0.2, 0.1, 0.7], [np.nan] * 3, [0.3, 0.4, 0.3]]), np.array([2, 0, 1])
    found = Predictions(values, numbers, None, absent=[1], regions={"set": inside})
    assert found.region_columns()["set"].tolist() == ["0|2", "", "1"]
    assert [found.label(row) for row in range(3)] == ["2", "", "1"]
    assert found.labels is numbers
    part = Predictions(values, numbers, ("a", "b", "c"), regions={"set": inside}).part(slice(2, 3))
    assert (part.classes.tolist(), part.label(0), part.region_columns()["set"].tolist()) == ([1], "b", ["b"])
    labels = Predictions(np.array([[0.5, 0.49]]), None, None, are_labels=True)
    assert labels.labels.tolist() == [[1, 0]]


def test_an_idx_file_is_predicted_row_by_row(images, labels, work):
    predictions = predict(work / "run", work / "digits/t10k-images-idx3-ubyte")
    assert predictions.values.shape == (60, 10)
    np.testing.assert_allclose(predictions.values.sum(axis=1), 1, rtol=1e-5)
    assert (predictions.classes == labels).mean() > 0.8
    assert predictions.label(0) == str(predictions.classes[0])


def test_every_format_gives_the_same_predictions(images, work):
    expected = predict(work / "run", work / "digits/t10k-images-idx3-ubyte").values
    np.save(work / "x.npy", images)
    np.savez(work / "x.npz", x=images, y=np.zeros(3))
    np.savez(work / "only.npz", images)
    np.save(work / "scaled.npy", images.reshape(60, 784) / np.float32(255))
    for name in ("x.npy", "x.npz", "only.npz", "scaled.npy"):
        np.testing.assert_allclose(predict(work / "run", work / name).values, expected, rtol=1e-4, atol=1e-6)
    Image.fromarray(images[7]).save(work / "seven.png")
    np.testing.assert_allclose(predict(work / "run", work / "seven.png").values, expected[7:8], rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("x.txt", b"7", "txt"),
        ("x.npy", b"not an array", "byte 0: is not an .npy file: the magic string is not correct"),
        ("x.npz", b"PK not an archive", "can't be read as a NumPy file"),
        ("x.png", b"not an image", "x.png"),
    ],
)
def test_a_file_that_can_not_be_read_is_named(images, work, name, content, message):
    (work / name).write_bytes(content)
    with pytest.raises(DataError, match=message) as caught:
        predict(work / "run", work / name)
    assert str(Path(name).name) in str(caught.value)


def test_a_file_that_is_not_there_is_asked_for_as_elsewhere(images, work):
    (work / "rows.npy").touch()
    for name, message in (
        ("rws.npy", f"there is no file '{work}/rws.npy'; did you mean 'rows.npy'?"),
        ("else.txt", f"there is no file '{work}/else.txt'"),
        ("nowhere/x.npy", f"there is no folder '{work}/nowhere'"),
    ):
        with pytest.raises(UsageError) as caught:
            predict(work / "run", work / name)
        assert str(caught.value) == message


def test_arrays_that_are_no_inputs_are_refused(images, work):
    for name, array in (("words", np.array(["a"])), ("shape", np.zeros((3, 5))), ("none", np.zeros((0, 784)))):
        np.save(work / f"{name}.npy", array)
        with pytest.raises(DataError, match=rf"{name}\.npy.*: .*expected"):
            predict(work / "run", work / f"{name}.npy")
    np.savez(work / "two.npz", a=np.zeros(1), b=np.zeros(1))
    with pytest.raises(DataError, match=r"holds 2 arrays \(a, b\)"):
        predict(work / "run", work / "two.npz")


def test_objects_in_a_file_are_never_unpickled(images, work):
    np.save(work / "objects.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)
    with pytest.raises(DataError, match="holds Python objects, which can run code; expected numbers"):
        predict(work / "run", work / "objects.npy")


def test_predictions_are_those_of_the_trained_network_to_the_bit(train, work):
    run = train()
    x = np.random.default_rng(0).random((7, 784), np.float32)
    np.save(work / "x.npy", x)
    np.testing.assert_array_equal(predict(work / "run", work / "x.npy").values, run.network.predict(x))


def test_a_data_set_gives_its_class_names_and_is_named_if_it_fails(work):
    (work / "acme.py").write_text(
        "import numpy as np\n"
        "from mlpkit import Classes, Dataset, Description, component, hookimpl\n"
        "class Rows:\n"
        "    def __len__(self): return 4\n"
        "    def take(self, indices, out):\n"
        "        out[0][:] = 1\n"
        "        out[1][:] = 2\n"
        "class Named(Dataset):\n"
        "    shift = 0\n"
        "    def describe(self): return Description((4,), Classes(3), {'train': 4})\n"
        "    def open(self, seed):\n"
        "        self.shift = 5\n"
        "        return {'train': Rows()}\n"
        "    def encoder_state(self): return {'shift': self.shift}\n"
        "    def load_encoder_state(self, state): self.shift = state['shift']\n"
        "    def encode(self, raw):\n"
        "        if raw.ndim != 2: raise ZeroDivisionError('one axis too many')\n"
        "        return raw + self.shift\n"
        "    def read(self, path): return np.full((2, 4), -4.0)\n"
        "    def row_names(self, path): return tuple(path.read_text().split())\n"
        "    def class_names(self): return ('ant', 'bee', 'cat')\n"
        "@hookimpl\n"
        "def mlpkit_components(): return [component('dataset', 'named', Named)]\n"
    )
    overrides = {"data": "acme.named", "layers.Affine2.units": 3, "training.batch_size": 4}
    run = mlpkit.run(mlpkit.load_spec("tiny.yaml", overrides=overrides, plugins=["acme.py"]), "run")
    registry = Registry.discover(plugins=["acme.py"])
    np.save(work / "x.npy", np.full((2, 4), -4.0))
    predictions = predict(work / "run", work / "x.npy", registry)
    assert [predictions.label(row) for row in (0, 1)] == ["cat", "cat"]
    np.testing.assert_array_equal(predictions.values, run.network.predict(np.ones((2, 4))))
    np.save(work / "cube.npy", np.ones((2, 4, 4)))
    with pytest.raises(ComponentFailure, match=r"dataset acme\.named failed to read .*cube\.npy: ZeroDivisionError"):
        predict(work / "run", work / "cube.npy", registry)
    (work / "two.txt").write_text("first second")
    predictions = predict(work / "run", work / "two.txt", registry)
    assert (predictions.row_names, predictions.class_labels) == (("first", "second"), ("ant", "bee", "cat"))
    (work / "one.txt").write_text("first")
    message = r"^dataset acme\.named gives 1 names for the 2 rows of .*one\.txt; expected one for each$"
    with pytest.raises(PluginError, match=message):
        predict(work / "run", work / "one.txt", registry)
