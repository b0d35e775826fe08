"""MNIST: the right pixels and labels, in every form that the parameters ask for, and nothing wrong gets through."""

from __future__ import annotations

import gzip
import struct
import subprocess
import sys
import threading
import tracemalloc
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

import data
import numpy as np
import pytest
from messages import message
from PIL import Image

import mlpkit_plugins.datasets
from mlpkit import Classes, DataError, Description, ModelFileError, ParameterError, RawArray, ShapeError
from mlpkit_plugins.datasets import mnist as mnist_module
from mlpkit_plugins.datasets.idx import Idx
from mlpkit_plugins.datasets.mnist import Mnist
from mlpkit_plugins.kernels import COMPILED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

TRAIN_IMAGES, TRAIN_LABELS = "train-images-idx3-ubyte", "train-labels-idx1-ubyte"
TEST_IMAGES, TEST_LABELS = "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"
taken = partial(data.taken, dtype=np.float32)
message_of = partial(message, name="FOLDER")
SHIPPED = Path(next(iter(mlpkit_plugins.datasets.__path__))) / "mnist_files"


@pytest.fixture(scope="module", autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Keep the tests out of the user's cache, and let them share one."""
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("cache")
        patch.setenv("MLPKIT_CACHE", str(folder))
        yield folder


def idx(values: NDArray[Any]) -> bytes:
    return struct.pack(f">{1 + values.ndim}I", 0x800 + values.ndim, *values.shape) + values.tobytes()


def shipped(name: str) -> NDArray[np.uint8]:
    """Parse a shipped file in the simplest way, independently of the code under test."""
    content = gzip.decompress((SHIPPED / f"{name}.gz").read_bytes())
    if "labels" in name:
        return np.frombuffer(content, np.uint8, offset=8)
    return np.frombuffer(content, np.uint8, offset=16).reshape(-1, 28, 28)


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """Return a folder with a data set of the same kind: 20 and 6 images, 4 by 5 pixels."""
    rng = np.random.default_rng(0)
    folder = tmp_path / "small"
    folder.mkdir()
    for images, labels, count in ((TRAIN_IMAGES, TRAIN_LABELS, 20), (TEST_IMAGES, TEST_LABELS, 6)):
        (folder / images).write_bytes(idx(rng.integers(0, 256, (count, 4, 5)).astype(np.uint8)))
        (folder / labels).write_bytes(idx((np.arange(count) % 10).astype(np.uint8)))
    return folder


def parsed(folder: Path) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    images = np.frombuffer((folder / TRAIN_IMAGES).read_bytes(), np.uint8, offset=16).reshape(-1, 4, 5)
    return images, np.frombuffer((folder / TRAIN_LABELS).read_bytes(), np.uint8, offset=8)


# The shipped files


def test_the_splits_of_mnist() -> None:
    dataset = Mnist()
    sizes = {"train": 55_000, "validation": 5_000, "test": 10_000}
    assert dataset.describe() == Description((784,), Classes(10), sizes)
    assert {name: len(split) for name, split in dataset.open(0).items()} == sizes


def test_every_pixel_and_label_of_mnist() -> None:
    splits = Mnist(normalize=False).open(0)
    images, labels = shipped(TRAIN_IMAGES).reshape(-1, 784), shipped(TRAIN_LABELS)
    expected = {
        "train": (images[:55_000], labels[:55_000]),
        "validation": (images[55_000:], labels[55_000:]),
        "test": (shipped(TEST_IMAGES).reshape(-1, 784), shipped(TEST_LABELS)),
    }
    assert list(splits) == list(expected)
    x, t = np.empty((5000, 784), np.float32), np.empty(5000, np.int64)
    for name, (pixels, classes) in expected.items():
        assert len(splits[name]) == len(pixels)
        for start in range(0, len(pixels), 5000):
            rows = np.arange(start, start + 5000)
            splits[name].take(rows, (x, t))
            np.testing.assert_array_equal(x, pixels[rows])
            np.testing.assert_array_equal(t, classes[rows])


def test_mnist_is_read_from_its_copy_the_second_time(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = Mnist()
    before.open(0)
    for name in (TRAIN_IMAGES, TRAIN_LABELS, TEST_IMAGES, TEST_LABELS):
        assert (cache / "mnist" / name).read_bytes() == gzip.decompress((SHIPPED / f"{name}.gz").read_bytes())
    with monkeypatch.context() as patch:
        patch.setattr(mnist_module, "FOLDER", cache / "nowhere")
        again = Mnist()
        assert len(again.open(0)["train"]) == 55_000
    assert again.fingerprint() == before.fingerprint()


def test_the_files_are_what_their_readme_says() -> None:
    readme = (SHIPPED / "README.md").read_text()
    for name, checksum in mnist_module.CHECKSUMS.items():
        content = gzip.decompress((SHIPPED / f"{name}.gz").read_bytes())
        assert sha256(content).hexdigest() == checksum
        assert f"| {name} | {len(content):,} | {checksum} |" in readme
    for words in ("Yann LeCun", "Corinna Cortes", "Christopher J. C. Burges", "CC BY-SA 3.0"):
        assert words in readme


def test_mnist_is_never_twice_in_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLPKIT_CACHE", str(tmp_path))
    for _ in ("from the shipped files", "from their copies"):
        tracemalloc.start()
        try:
            Mnist().open(0)
            assert tracemalloc.get_traced_memory()[1] < 70_000 * 784 + 4_000_000
        finally:
            tracemalloc.stop()


def test_describing_mnist_reads_headers_alone() -> None:
    loaded = "import sys; from mlpkit_plugins.datasets.mnist import Mnist; Mnist().describe(); print(*sys.modules)"
    output = subprocess.run([sys.executable, "-c", loaded], capture_output=True, text=True, check=True).stdout
    assert not {"PIL", "platformdirs"} & set(output.split())
    tracemalloc.start()
    try:
        Mnist().describe()
        assert tracemalloc.get_traced_memory()[1] < 2_000_000
    finally:
        tracemalloc.stop()


# Parameters


def test_validation_comes_from_the_end(small: Path) -> None:
    images, labels = parsed(small)
    for count in (1, 7, 19):
        dataset = Mnist(directory=str(small), validation=count, flatten=False, normalize=False)
        assert dataset.describe().sizes == {"train": 20 - count, "validation": count, "test": 6}
        x, t = taken(dataset, "validation", np.arange(count))
        np.testing.assert_array_equal(x, images[20 - count :])
        np.testing.assert_array_equal(t, labels[20 - count :])
        x, t = taken(dataset, "train", np.arange(20 - count))
        np.testing.assert_array_equal(x, images[: 20 - count])
        np.testing.assert_array_equal(t, labels[: 20 - count])


def test_raw_rows_are_the_bytes_of_a_split_and_no_other_file_is_read(small: Path) -> None:
    dataset = Mnist(directory=str(small), train=12, validation=5)
    dataset.open(0)
    train, test = parsed(small)[0], np.frombuffer((small / TEST_IMAGES).read_bytes(), np.uint8, offset=16)
    (small / TRAIN_LABELS).write_bytes(b"damaged")
    (small / TEST_LABELS).write_bytes(b"damaged")

    at = np.array([3, 0])

    assert np.array_equal(dataset.raw_rows("train", at), train[[3, 0]])
    assert np.array_equal(dataset.raw_rows("validation", at), train[[18, 15]])
    assert np.array_equal(dataset.raw_rows("test", at), test.reshape(-1, 4, 5)[[3, 0]])
    with pytest.raises(IndexError):
        dataset.raw_rows("train", np.array([12]))


def test_the_raw_arrays_are_images_and_labels(small: Path) -> None:
    images, _ = parsed(small)
    images = np.concatenate([images, Mnist().read(small / TEST_IMAGES)])
    assert Mnist(directory=str(small)).raw_arrays() == [
        RawArray("images", "input", "uint8", (4, 5), float(images.min()), float(images.max())),
        RawArray("labels", "target", "uint8", (), 0.0, 9.0),
    ]


def test_no_validation(small: Path) -> None:
    dataset = Mnist(directory=str(small), validation=0)
    assert dataset.describe().sizes == {"train": 20, "test": 6}
    assert {name: len(split) for name, split in dataset.open(0).items()} == {"train": 20, "test": 6}


@pytest.mark.parametrize("count", [20, 21])
def test_too_much_validation(small: Path, count: int) -> None:
    dataset = Mnist(directory=str(small), validation=count)
    expected = f"validation: {count} images for validation leave none of 20 to train on; expected at most 19"
    assert message_of(dataset.describe, ParameterError, small) == expected
    assert message_of(lambda: dataset.open(0), ParameterError, small) == expected


@pytest.mark.parametrize("validation", [0, 7])
def test_few_images_to_train_on_come_from_the_beginning(small: Path, validation: int) -> None:
    images, labels = parsed(small)
    dataset = Mnist(directory=str(small), train=5, validation=validation, flatten=False, normalize=False)
    sizes = dataset.describe().sizes
    assert sizes == {name: len(split) for name, split in dataset.open(0).items()}
    assert (sizes["train"], sizes.get("validation", 0)) == (5, validation)
    x, t = taken(dataset, "train", np.arange(5))
    np.testing.assert_array_equal(x, images[:5])
    np.testing.assert_array_equal(t, labels[:5])
    if validation:
        x, t = taken(dataset, "validation", np.arange(validation))
        np.testing.assert_array_equal(x, images[20 - validation :])


def test_too_many_images_to_train_on(small: Path) -> None:
    assert Mnist(directory=str(small), train=15, validation=5).describe().sizes["train"] == 15
    dataset = Mnist(directory=str(small), train=16, validation=5)
    expected = "train: 16 images can't be trained on: of 20, 5 are for validation; expected at most 15"
    assert message_of(dataset.describe, ParameterError, small) == expected


@pytest.mark.parametrize(
    "arguments",
    [{"train": 0}, {"validation": -1}, {"validation": True}, {"validation": 1.5}, {"normalize": 1}, {"directory": 3}],
)
def test_parameters_are_checked(arguments: dict[str, Any]) -> None:
    with pytest.raises(ParameterError, match=next(iter(arguments))):
        Mnist(**arguments)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("one_hot", [False, True])
@pytest.mark.parametrize("flatten", [False, True])
@pytest.mark.parametrize("normalize", [False, True])
def test_take_in_every_form(small: Path, normalize: bool, flatten: bool, one_hot: bool, dtype: type) -> None:
    images, labels = parsed(small)
    dataset = Mnist(directory=str(small), validation=2, normalize=normalize, flatten=flatten, one_hot=one_hot)
    assert dataset.describe() == Description(
        (20,) if flatten else (4, 5), Classes(10, one_hot=one_hot), {"train": 18, "validation": 2, "test": 6}
    )
    for index_dtype in (np.int64, np.int32, np.uint16):
        indices = np.array([17, 0, 3, 3, 16, 1, 0], index_dtype)
        x, t = taken(dataset, "train", indices, dtype=dtype)
        expected = images[indices].astype(np.float64) / (255 if normalize else 1)
        assert x.dtype == dtype
        np.testing.assert_allclose(x.reshape(-1, 4, 5), expected, rtol=1e-6 if dtype == np.float32 else 1e-15)
        np.testing.assert_array_equal(t, np.eye(10)[labels[indices]] if one_hot else labels[indices])


def test_the_ends_of_the_range_are_exact(small: Path) -> None:
    pixels = np.zeros((20, 4, 5), np.uint8)
    pixels[0] = 255
    (small / TRAIN_IMAGES).write_bytes(idx(pixels))
    for dtype in (np.float32, np.float64):
        x, _ = taken(Mnist(directory=str(small), validation=0), "train", np.array([0, 1]), dtype=dtype)
        np.testing.assert_array_equal(x, [[1] * 20, [0] * 20])


_KEPT: list[Any] = []


def _train() -> Any:
    if not _KEPT:
        images = shipped(TRAIN_IMAGES).reshape(-1, 784)
        _KEPT.append((Mnist().open(0)["train"], images, shipped(TRAIN_LABELS)))
    return _KEPT[0]


@pytest.mark.parametrize("one_hot", [False, True])
def test_take_writes_into_any_layout(small: Path, one_hot: bool) -> None:
    dataset = Mnist(directory=str(small), validation=2, flatten=False, one_hot=one_hot)
    indices = np.array([5, 2, 9])
    plain = taken(dataset, "train", indices)
    padded, wide = np.full((3, 4, 8), -1, np.float32), np.full((3, 12), -1, plain[1].dtype)
    dataset.open(0)["train"].take(indices, (padded[:, :, :5], wide[:, :10] if one_hot else wide[:, 0]))
    np.testing.assert_array_equal(padded[:, :, :5], plain[0])
    np.testing.assert_array_equal(padded[:, :, 5:], -1)
    np.testing.assert_array_equal(wide[:, :10] if one_hot else wide[:, 0], plain[1])
    np.testing.assert_array_equal(wide[:, 10:], -1)


@pytest.mark.parametrize("index", [18, 1000, -19])
def test_take_refuses_a_position_outside_the_split(small: Path, index: int) -> None:
    with pytest.raises(IndexError):
        taken(Mnist(directory=str(small), validation=2), "train", np.array([0, index]))


def test_take_counts_negative_positions_from_the_end(small: Path) -> None:
    dataset = Mnist(directory=str(small), validation=2)
    backwards = taken(dataset, "train", np.array([-1, -18]))
    forwards = taken(dataset, "train", np.array([17, 0]))
    np.testing.assert_array_equal(backwards[0], forwards[0])
    np.testing.assert_array_equal(backwards[1], forwards[1])


def test_take_sets_no_memory_aside_for_pixels_again() -> None:
    split, _, _ = _train()
    x, t = np.empty((200, 784), np.float32), np.empty(200, np.int64)
    indices = np.arange(200)
    split.take(indices, (x, t))
    tracemalloc.start()
    try:
        split.take(indices, (x, t))
        pixels = 0 if COMPILED else x.size  # NumPy takes them as bytes first
        assert tracemalloc.get_traced_memory()[1] < pixels + 10_000
    finally:
        tracemalloc.stop()


def test_threads_take_from_one_split_without_disturbing_each_other() -> None:
    split, images, labels = _train()
    wrong = []

    def work(seed: int) -> None:
        rng = np.random.default_rng(seed)
        x, t = np.empty((300, 784), np.float32), np.empty(300, np.int64)
        for _ in range(30):
            indices = rng.integers(0, 55_000, 300)
            split.take(indices, (x, t))
            if not (np.allclose(x, images[indices] / np.float32(255)) and np.array_equal(t, labels[indices])):
                wrong.append(seed)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


# A directory of the user's


@pytest.mark.parametrize("compress", [False, True])
@pytest.mark.parametrize("dotted", [False, True])
def test_every_spelling_of_the_files(small: Path, compress: bool, dotted: bool) -> None:
    expected = taken(Mnist(directory=str(small), validation=2), "train", np.arange(18))
    plain = Mnist(directory=str(small), validation=2)
    plain.open(0)
    for path in list(small.iterdir()):
        name = path.name.replace("-idx", ".idx") if dotted else path.name
        content = gzip.compress(path.read_bytes()) if compress else path.read_bytes()
        path.unlink()
        (small / f"{name}{'.gz' if compress else ''}").write_bytes(content)
    dataset = Mnist(directory=str(small), validation=2)
    found = taken(dataset, "train", np.arange(18))
    np.testing.assert_array_equal(found[0], expected[0])
    np.testing.assert_array_equal(found[1], expected[1])
    assert dataset.fingerprint() == plain.fingerprint()


def test_a_plain_file_comes_before_a_compressed_one(small: Path) -> None:
    (small / f"{TRAIN_IMAGES}.gz").write_bytes(b"rubbish")
    assert Mnist(directory=str(small), validation=2).describe().input_shape == (20,)


def test_the_home_folder_may_be_written_as_a_tilde(small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(small.parent))
    assert Mnist(directory="~/small", validation=2).describe().sizes["train"] == 18


def test_the_fingerprint_tells_data_apart(small: Path) -> None:
    dataset = Mnist(directory=str(small), validation=2)
    assert dataset.fingerprint() == ""
    dataset.describe()
    assert dataset.fingerprint() == ""
    dataset.open(0)
    first = dataset.fingerprint()
    digests = [
        sha256((small / name).read_bytes()).hexdigest()
        for name in (TRAIN_IMAGES, TRAIN_LABELS, TEST_IMAGES, TEST_LABELS)
    ]
    assert first == sha256("".join(digests).encode()).hexdigest()
    for name in (TRAIN_IMAGES, TRAIN_LABELS, TEST_IMAGES, TEST_LABELS):
        content = bytearray((small / name).read_bytes())
        content[-1] ^= 1
        (small / name).write_bytes(content)
        dataset.open(0)
        assert dataset.fingerprint() != first
        content[-1] ^= 1
        (small / name).write_bytes(content)


FOUR_FILES = f"a folder with {TRAIN_IMAGES}, {TRAIN_LABELS}, {TEST_IMAGES}, {TEST_LABELS}, plain or .gz"
REMEDY = "leave out 'directory' to use the MNIST files that ship with mlpkit"


def test_a_missing_directory_is_explained(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for name, reason in (("none", "No such file or directory"), ("file", "Not a directory")):
        dataset = Mnist(directory=str(tmp_path / name))
        expected = f"directory: can't read the folder 'FOLDER/{name}': {reason}; expected {FOUR_FILES}; {REMEDY}"
        assert message_of(dataset.describe, ParameterError, tmp_path) == expected
        assert message_of(lambda dataset=dataset: dataset.open(0), ParameterError, tmp_path) == expected


@pytest.mark.parametrize("directory", ["~no-such-user-here/x", "with\0null", "x" * 5000, ""])
def test_a_directory_that_cannot_be_is_explained(directory: str) -> None:
    with pytest.raises(ParameterError, match=r"^directory: "):
        Mnist(directory=directory).describe()


def test_missing_files_are_named(small: Path) -> None:
    (small / TRAIN_LABELS).unlink()
    (small / TEST_IMAGES).unlink()
    assert message_of(Mnist(directory=str(small)).describe, ParameterError, small) == (
        f"directory: the folder 'FOLDER' has no {TRAIN_LABELS}, {TEST_IMAGES}; expected {FOUR_FILES}; {REMEDY}"
    )


def _replace(name: str, values: NDArray[Any]) -> Callable[[Path], None]:
    def act(folder: Path) -> None:
        (folder / name).write_bytes(idx(values))

    return act


def _labels_with(value: int, at: int) -> NDArray[np.uint8]:
    labels = np.zeros(20, np.uint8)
    labels[at] = value
    return labels


def _compress(name: str) -> Callable[[Path], None]:
    def act(folder: Path) -> None:
        (folder / f"{name}.gz").write_bytes(gzip.compress((folder / name).read_bytes()))
        (folder / name).unlink()

    return act


def _both(first: Callable[[Path], None], second: Callable[[Path], None]) -> Callable[[Path], None]:
    def act(folder: Path) -> None:
        first(folder)
        second(folder)

    return act


HEADER_FAULTS = [
    (
        _replace(TRAIN_LABELS, np.zeros(19, np.uint8)),
        f"FOLDER/{TRAIN_LABELS}, byte 4: the header declares 19 labels for the 20 images of {TRAIN_IMAGES}",
    ),
    (
        _replace(TEST_LABELS, np.zeros(7, np.uint8)),
        f"FOLDER/{TEST_LABELS}, byte 4: the header declares 7 labels for the 6 images of {TEST_IMAGES}",
    ),
    (
        _replace(TEST_IMAGES, np.zeros((6, 4, 6), np.uint8)),
        f"FOLDER/{TEST_IMAGES}, byte 12: the images are 4 x 6; expected 4 x 5, as the training images are",
    ),
    (
        _both(_replace(TEST_IMAGES, np.zeros((6, 3, 5), np.uint8)), _compress(TEST_IMAGES)),
        f"FOLDER/{TEST_IMAGES}.gz, byte 8: the images are 3 x 5; expected 4 x 5, as the training images are "
        "(counted in the decompressed content)",
    ),
    (
        _replace(TRAIN_IMAGES, np.zeros(20, np.uint8)),
        f"FOLDER/{TRAIN_IMAGES}, byte 3: the magic number is 0x00000801; expected 0x00000803, "
        "which stands for bytes in 3 dimensions",
    ),
]


@pytest.mark.parametrize(("damage", "message"), HEADER_FAULTS)
def test_files_that_do_not_belong_together(small: Path, damage: Callable[[Path], None], message: str) -> None:
    damage(small)
    dataset = Mnist(directory=str(small), validation=2)
    assert message_of(dataset.describe, DataError, small) == message
    assert message_of(lambda: dataset.open(0), DataError, small) == message
    assert dataset.fingerprint() == ""


def test_a_label_out_of_range_is_named(small: Path) -> None:
    dataset = Mnist(directory=str(small), validation=2)
    _replace(TRAIN_LABELS, _labels_with(10, at=13))(small)
    assert message_of(lambda: dataset.open(0), DataError, small) == (
        f"FOLDER/{TRAIN_LABELS}, byte 21: the label of example 13 is 10; expected 0 to 9"
    )
    _compress(TRAIN_LABELS)(small)
    assert message_of(lambda: dataset.open(0), DataError, small) == (
        f"FOLDER/{TRAIN_LABELS}.gz, byte 21: the label of example 13 is 10; expected 0 to 9 "
        "(counted in the decompressed content)"
    )


def test_damage_that_the_header_does_not_show(small: Path) -> None:
    content = gzip.compress((small / TRAIN_IMAGES).read_bytes())
    (small / TRAIN_IMAGES).unlink()
    (small / f"{TRAIN_IMAGES}.gz").write_bytes(content[:-6])
    with pytest.raises(DataError) as caught:
        Mnist(directory=str(small), validation=2).open(0)
    assert caught.value.path == str(small / f"{TRAIN_IMAGES}.gz")


# The encoder


@pytest.mark.parametrize("normalize", [False, True])
@pytest.mark.parametrize("flatten", [False, True])
def test_encoding_is_what_training_sees(small: Path, normalize: bool, flatten: bool) -> None:
    dataset = Mnist(directory=str(small), validation=2, normalize=normalize, flatten=flatten)
    expected, _ = taken(dataset, "test", np.arange(6))
    raw = dataset.read(small / TEST_IMAGES)
    assert raw.dtype == np.uint8

    state = dataset.encoder_state()
    assert state == {"image_shape": [4, 5]}
    later = Mnist(directory="/gone", validation=2, normalize=normalize, flatten=flatten)
    later.load_encoder_state(state)
    for values in (raw, raw.reshape(6, 20), raw.astype(np.int64), np.asfortranarray(raw)):
        before = values.copy()
        found = later.encode(values)
        assert found.dtype == np.float32
        np.testing.assert_array_equal(found, expected)
        np.testing.assert_array_equal(values, before)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_floats_are_taken_as_they_are(dtype: type) -> None:
    raw = np.linspace(0, 1, 2 * 784).reshape(2, 28, 28).astype(dtype)
    found = Mnist().encode(raw)
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, raw.reshape(2, 784).astype(np.float32))
    assert Mnist(flatten=False).encode(raw.reshape(2, 784)).shape == (2, 28, 28)


def test_encoding_needs_no_opening_and_no_rows() -> None:
    assert Mnist().encode(np.empty((0, 28, 28), np.uint8)).shape == (0, 784)


@pytest.mark.parametrize("shape", [(28, 28), (3, 27, 28), (3, 783), (3, 28, 28, 1), (784,), ()])
def test_images_of_another_size_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ShapeError) as caught:
        Mnist().encode(np.zeros(shape))
    assert str(caught.value) == (
        f"images of shape {shape} don't fit the data set; expected (rows, 28, 28) or (rows, 784)"
    )


@pytest.mark.parametrize(
    "state", [{}, {"image_shape": None}, {"image_shape": [28]}, {"image_shape": [28, -1]}, {"image_shape": ["28", 28]}]
)
def test_a_foreign_encoder_state_is_refused(state: dict[str, Any]) -> None:
    with pytest.raises(ModelFileError, match=r"image_shape .*; expected \[height, width\]"):
        Mnist().load_encoder_state(state)


def test_digits_have_no_names() -> None:
    assert Mnist().class_names() is None


# Raw inputs


def test_reads_the_files_of_mnist() -> None:
    np.testing.assert_array_equal(Mnist().read(SHIPPED / f"{TEST_IMAGES}.gz"), shipped(TEST_IMAGES))


@pytest.mark.parametrize(
    "name", [TEST_IMAGES, "t10k-images.idx3-ubyte", "my.idx", "my.IDX", "my.gz", "my.idx3-ubyte.gz"]
)
def test_reads_idx_files_by_any_usual_name(tmp_path: Path, name: str) -> None:
    images = np.random.default_rng(0).integers(0, 256, (3, 28, 28)).astype(np.uint8)
    content = idx(images)
    (tmp_path / name).write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
    np.testing.assert_array_equal(Mnist().read(tmp_path / name), images)


@pytest.mark.parametrize("dataset", [Mnist(), Idx("x", "t")])
def test_images_in_memory_are_evaluated_with_their_labels(dataset: Mnist | Idx) -> None:
    with pytest.raises(DataError, match=r"the rows: this data set doesn't read .* evaluate\(rows, targets\)"):
        dataset.read_examples({"pixels": [1, 2]})


@pytest.mark.parametrize("dataset", [Mnist(), Idx("x", "t")])
def test_new_images_are_read_with_their_labels(small: Path, dataset: Mnist | Idx) -> None:
    images, labels = dataset.read_examples(small / TRAIN_IMAGES)
    np.testing.assert_array_equal(images, parsed(small)[0])
    assert (labels.tolist(), labels.shape) == (parsed(small)[1].tolist(), (20,))
    assert [len(array) for array in dataset.read_examples(small)] == [6, 6]


def test_new_images_and_labels_that_do_not_fit_are_refused(small: Path) -> None:
    def said(name: str) -> str:
        return message_of(lambda: Mnist().read_examples(small / name), DataError, small)

    _replace(TRAIN_LABELS, _labels_with(10, at=13))(small)
    assert said(TRAIN_IMAGES) == f"FOLDER/{TRAIN_LABELS}, byte 21: the label of example 13 is 10; expected 0 to 9"
    _replace(TEST_LABELS, np.zeros(7, np.uint8))(small)
    declared = f"the header declares 7 labels for the 6 images of {TEST_IMAGES}"
    assert said("") == f"FOLDER/{TEST_LABELS}, byte 4: {declared}"


@pytest.mark.parametrize("name", ["x.png", "x.PNG", "x.bmp", "x.gif"])
def test_reads_an_image(tmp_path: Path, name: str) -> None:
    image = shipped(TEST_IMAGES)[0]
    Image.fromarray(image).save(tmp_path / name)
    np.testing.assert_array_equal(Mnist().read(tmp_path / name), image[np.newaxis])


def test_what_cannot_be_read_is_explained(tmp_path: Path) -> None:
    def error(name: str) -> str:
        return message_of(lambda: Mnist().read(tmp_path / name), DataError, tmp_path)

    (tmp_path / "folder").mkdir()
    (tmp_path / "x.txt").write_text("1 2 3")
    (tmp_path / "labels").write_bytes(idx(np.zeros(3, np.uint8)))
    assert error("x.txt") == (
        "FOLDER/x.txt: unknown file type '.txt'; expected an IDX file (no ending, .gz, .idx, .idx3-ubyte), "
        "an image (.png, .jpg, .jpeg, .bmp, .gif), .npy or .npz"
    )
    assert error("folder") == "FOLDER/folder: the folder holds no IDX file of images with one of labels"
    assert error("none") == "FOLDER/none: no such file"
    assert error("none.png") == "FOLDER/none.png: no such file"
    assert error("labels").startswith("FOLDER/labels, byte 3: the magic number is 0x00000801; expected 0x00000803")
