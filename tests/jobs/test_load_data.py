"""The examples of a spec's data as arrays."""

from __future__ import annotations

import numpy as np
import pytest
from idx_files import write_idx

import mlpkit


def test_examples_of_a_split_are_what_its_files_hold(work):
    images = np.arange(60 * 784).reshape(60, 28, 28) % 256
    labels = np.arange(60) % 10
    write_idx(work / "digits/t10k-images-idx3-ubyte", images)
    write_idx(work / "digits/t10k-labels-idx1-ubyte", labels)
    spec = mlpkit.load_spec("tiny.yaml")

    x, t = mlpkit.load_data(spec, "test")
    first, of_first = mlpkit.load_data(spec, "test", rows=3)

    np.testing.assert_allclose(x, images.reshape(60, 784) / 255, rtol=1e-6)
    np.testing.assert_array_equal(t, labels)
    assert x.dtype == np.float32
    np.testing.assert_array_equal(first, x[:3])
    np.testing.assert_array_equal(of_first, t[:3])


def test_by_default_the_examples_are_those_for_training_in_the_dtype_of_the_spec(work):
    spec = mlpkit.load_spec("tiny.yaml", overrides={"dtype": "float64"})
    x, t = mlpkit.load_data(spec)
    assert (x.shape, t.shape, x.dtype) == ((200, 784), (200,), np.float64)


def test_weights_come_third(tmp_path):
    (tmp_path / "a.csv").write_text("x,weight,y\n" + "".join(f"{i},{i + 1},{i % 2}\n" for i in range(9)))
    table = {"file": str(tmp_path / "a.csv"), "target": "y", "weight": "weight"}
    layers = [{"Affine": {"units": 2}}, "SoftmaxWithLoss"]
    spec = mlpkit.load_spec(
        {"mlpkit": 1, "data": {"csv": table}, "layers": layers, "training": {"optimizer": "sgd", "epochs": 1}}
    )
    x, t, weights = mlpkit.load_data(spec)
    assert len(x) == len(t) == len(weights)
    assert set(weights) <= set(range(1, 10))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"split": "tset"}, "the data of tiny has no split 'tset'; did you mean 'test'?"),
        ({"split": "x"}, "the data of tiny has no split 'x'; it has train, validation, test"),
        ({"rows": 0}, "can't load 0 rows from train; expected 1 to 200"),
        ({"rows": 201}, "can't load 201 rows from train; expected 1 to 200"),
    ],
)
def test_what_is_not_there_is_refused(work, arguments, message):
    with pytest.raises(mlpkit.UsageError) as caught:
        mlpkit.load_data(mlpkit.load_spec("tiny.yaml"), **arguments)
    assert str(caught.value) == message


def test_a_file_is_no_spec():
    with pytest.raises(mlpkit.UsageError, match=r"load_data takes a spec, not 'tiny.yaml'"):
        mlpkit.load_data("tiny.yaml")
