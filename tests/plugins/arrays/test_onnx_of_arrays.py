"""How arrays, images and frames are encoded in operators: the same float32 as ``encode``, to the bit."""

from __future__ import annotations

import numpy as np
import pytest
from encoder_graphs import encoded_in_graph, graph_of

from mlpkit_plugins.datasets.idx import Idx
from mlpkit_plugins.datasets.image_folder import ImageFolder
from mlpkit_plugins.datasets.in_memory import InMemory
from mlpkit_plugins.datasets.mnist import Mnist
from mlpkit_plugins.datasets.npy import Npy
from mlpkit_plugins.datasets.npz import Npz

IDX = {"images": "example:shapes-images-idx3-ubyte", "labels": "example:shapes-labels-idx1-ubyte"}
ARRAYS = [
    {},
    {"divide_by": 255},
    {"divide_by": 0.3},
    {"standardize": True},
    {"standardize": True, "divide_by": 7},
    {"standardize": True, "divide_by": 3.0, "flatten": True},
]


def expect_the_same_bits(dataset, name, dtype=None):
    """Compare encoders; the input has a dtype of its own, or the network's."""
    dataset.open(0)
    raw = dataset.raw_rows("test", np.array([2, 0, 1]))
    for network in ("float32", "float64"):
        dataset.dtype = network
        (feed,) = graph_of(dataset).feeds.values()
        assert (feed.name, feed.dtype) == (name, dtype or network)

        found, expected = encoded_in_graph(dataset, {name: raw.astype(feed.dtype)}), dataset.encode(raw)

        assert found.dtype == expected.dtype == network
        assert found.tobytes() == expected.tobytes()


@pytest.mark.parametrize("normalize", [True, False])
@pytest.mark.parametrize("flatten", [True, False])
@pytest.mark.parametrize(
    "made",
    [
        Mnist,
        lambda **options: Idx(**IDX, **options),
        lambda **options: ImageFolder("example:shapes", **options),
        lambda **options: ImageFolder("example:shapes", colour=True, resize=(6, 7), split="shuffle", **options),
    ],
)
def test_images_are_bytes(made, flatten, normalize):
    expect_the_same_bits(made(normalize=normalize, flatten=flatten), "image", "uint8")


@pytest.mark.parametrize("options", ARRAYS)
def test_arrays_in_files(tmp_path, options):
    rng = np.random.default_rng(0)
    x, t = rng.normal(3, 100, (40, 2, 3)), rng.integers(0, 2, 40)
    np.savez(tmp_path / "a.npz", x=x, t=t)
    np.save(tmp_path / "x.npy", x)
    np.save(tmp_path / "t.npy", t)
    dtype = "float64" if "standardize" in options else None

    expect_the_same_bits(Npz(str(tmp_path / "a.npz"), **options), "x", dtype)
    expect_the_same_bits(Npy(str(tmp_path / "x.npy"), str(tmp_path / "t.npy"), **options), "x", dtype)


@pytest.mark.parametrize("options", ARRAYS)
def test_a_row_in_test_is_the_row_that_the_split_takes(tmp_path, options):
    rng = np.random.default_rng(0)
    np.savez(tmp_path / "a.npz", x=rng.normal(3, 100, (40, 2, 3)), t=rng.integers(0, 2, 40))
    dataset = Npz(str(tmp_path / "a.npz"), **options)
    indices, split = np.array([3, 1]), dataset.open(0)["test"]
    x = np.empty((2, *dataset.describe().input_shape), np.float32)
    split.take(indices, (x, np.empty(2, np.int64)))

    np.testing.assert_array_equal(dataset.encode(dataset.raw_rows("test", indices)), x)


def test_arrays_in_memory_are_one_input():
    dataset = InMemory(standardize=True, test=0.3)
    dataset.hold({"train": (np.arange(40.0).reshape(20, 2) ** 2, [0, 1] * 10)})

    expect_the_same_bits(dataset, "x", "float64")


def test_inputs_of_arrays_say_their_shape():
    dataset = Idx(**IDX)
    dataset.open(0)

    (feed,) = graph_of(dataset).feeds.values()

    assert feed.shape == dataset.read(dataset.locate(IDX["images"])).shape[1:]
    assert feed.kind == "pixels"


def test_sources_are_the_positions_in_the_array(tmp_path):
    np.savez(tmp_path / "a.npz", x=np.arange(40.0), t=np.arange(40) % 2)
    dataset = Npz(str(tmp_path / "a.npz"), split="shuffle", test=0.25)
    dataset.describe()
    x = np.empty((10, 1), np.float32)
    dataset.open(0)["test"].take(np.arange(10), (x, np.empty(10, np.int64)))
    sources = dataset.example_sources("test", np.arange(10))
    assert [source.rsplit(", example ", 1)[1] for source in sources] == [f"{value:.0f}" for value in x[:, 0]]
