"""The MNIST database of handwritten digits, and data sets in the same format."""

from __future__ import annotations

import contextlib
import os
import reprlib
from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from annotated_types import Ge
from numpy.typing import NDArray

from mlpkit import Array, Classes, DataError, Description, FilePath, ModelFileError, ParameterError, RawArray
from mlpkit_plugins.formats.idx import idx_error, idx_header, read_idx, read_idx_and_checksum, read_idx_shape
from mlpkit_plugins.images.byte_images import ByteImages, ImageSplit

CLASSES = 10

TRAIN_IMAGES = "train-images-idx3-ubyte"
TRAIN_LABELS = "train-labels-idx1-ubyte"
TEST_IMAGES = "t10k-images-idx3-ubyte"
TEST_LABELS = "t10k-labels-idx1-ubyte"

RANKS = {TRAIN_IMAGES: 3, TRAIN_LABELS: 1, TEST_IMAGES: 3, TEST_LABELS: 1}
"""Number of dimensions in each file: images are (examples, height, width), labels (examples,)."""

FOLDER = Path(__file__).with_name("mnist_files")
"""The shipped files, compressed."""

CHECKSUMS = {
    TRAIN_IMAGES: "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    TRAIN_LABELS: "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    TEST_IMAGES: "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    TEST_LABELS: "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
}
"""SHA-256 of the decompressed content of each shipped file."""

_REMEDY = "leave out 'directory' to use the MNIST files that ship with mlpkit"


class Mnist(ByteImages):
    """MNIST: grey images of handwritten digits, 28 by 28 pixels, in ten classes.

    The files ship with mlpkit: 60,000 images for training, some of them held out for validation, and 10,000 for
    testing. ``directory`` names a folder with other files of the same names and format, such as Fashion-MNIST; the
    number and the size of the images come from the files.

        x = raw / 255, or raw if not normalized

    Args:
        train: number of training images, taken from the beginning; by default, all that aren't used for validation.
        validation: number of training images, taken from the end, for the validation split; 0 for none.
        normalize: divide pixels by 255, to the range 0 to 1; otherwise they are from 0 to 255.
        flatten: give images as rows, shape (784,), instead of (28, 28).
        one_hot: give targets as one-hot rows instead of class numbers.
        directory: folder of your files, plain or .gz; by default, the files that ship with mlpkit.

    Raises:
        ParameterError: a file is missing from the directory, or there are too few images for the splits.
        DataError: a file is damaged, or the files don't belong together.

    Source: Y. LeCun, L. Bottou, Y. Bengio, P. Haffner, "Gradient-based learning applied to document recognition",
        Proceedings of the IEEE 86 (11), 1998.
    """

    image_shape = (28, 28)

    _: KW_ONLY
    train: Annotated[int | None, Ge(1)] = None
    validation: Annotated[int, Ge(0)] = 5000
    normalize: bool = True
    flatten: bool = True
    one_hot: bool = False
    directory: FilePath | None = None

    def describe(self) -> Description:
        """Return shapes, target and sizes from parameters and file headers."""
        paths = mnist_paths(self.directory)
        return self._describe(paths, {name: read_idx_shape(path, RANKS[name]) for name, path in paths.items()})

    def open(self, seed: int) -> Mapping[str, ImageSplit]:
        """Return the splits by name, which don't depend on the seed."""
        paths = mnist_paths(self.directory)
        arrays: dict[str, NDArray[np.uint8]] = {}
        checksums = []
        for name, path in paths.items():
            arrays[name], checksum = read_mnist(name, path)
            checksums.append(checksum)
        description = self._describe(paths, {name: array.shape for name, array in arrays.items()})
        for name in (TRAIN_LABELS, TEST_LABELS):
            _check_labels(paths[name], arrays[name])
        from hashlib import sha256  # noqa: PLC0415 - checking a spec needs no checksum

        self._fingerprint = sha256("".join(checksums).encode()).hexdigest()

        train = description.sizes["train"]
        images = arrays[TRAIN_IMAGES].reshape(-1, *description.input_shape)
        labels = arrays[TRAIN_LABELS].astype(np.int64)
        splits = {"train": self._split(images[:train], labels[:train])}
        if self.validation:
            splits["validation"] = self._split(images[-self.validation :], labels[-self.validation :])
        test_images = arrays[TEST_IMAGES].reshape(-1, *description.input_shape)
        splits["test"] = self._split(test_images, arrays[TEST_LABELS].astype(np.int64))
        return splits

    def raw_arrays(self) -> list[RawArray]:
        """Return the images and the labels."""
        from mlpkit_plugins.arrays.raw_rows import raw_array  # noqa: PLC0415 - training shows nothing

        paths = mnist_paths(self.directory)
        images, labels = (
            [read_mnist(name, paths[name])[0] for name in RANKS if RANKS[name] == rank] for rank in (3, 1)
        )
        return [raw_array("images", "input", images), raw_array("labels", "target", labels)]

    def encoder_state(self) -> dict[str, Any]:
        """Return the size of the images, which isn't in the parameters."""
        return {"image_shape": list(self.image_shape)}

    def load_encoder_state(self, state: Mapping[str, Any]) -> None:
        """Restore the size of the images."""
        match state.get("image_shape"):
            case [height, width] if all(type(length) is int and length > 0 for length in (height, width)):
                self.image_shape = (height, width)
            case other:
                message = f"the encoder of 'mnist' has the image_shape {reprlib.repr(other)}; expected [height, width]"
                raise ModelFileError(message)

    def read(self, path: Path) -> Array:
        """Read the images of an IDX file, or of its test images in a folder, or a PNG, JPEG, BMP or GIF file."""
        from mlpkit_plugins.files.named_file import images_at  # noqa: PLC0415 - training reads no other files
        from mlpkit_plugins.formats.image import read_grey_images  # noqa: PLC0415 - for the same reason

        return read_grey_images(images_at(path))

    def read_examples(self, source: Path | Mapping[str, Sequence[Any] | Array]) -> tuple[Array, ...]:
        """Read images and labels from a file of images, with its labels next to it, or from a folder of such files."""
        if not isinstance(source, Path):
            return super().read_examples(source)
        from mlpkit_plugins.files.named_file import idx_pair  # noqa: PLC0415 - training reads no other files

        paths = idx_pair(source)
        images, labels = (read_idx(path, rank) for path, rank in zip(paths, (3, 1), strict=True))
        _check_counts(images.shape, labels.shape, *paths)
        _check_labels(paths[1], labels)
        return images, labels.astype(np.int64)

    def raw_rows(self, split: str, indices: Array) -> Array:
        """Return images of a split as in the files."""
        name = TEST_IMAGES if split == "test" else TRAIN_IMAGES
        images, _ = read_mnist(name, mnist_paths(self.directory)[name])
        if split == "train":
            images = images[: self.train or len(images) - self.validation]
        elif split == "validation":
            images = images[-self.validation :]
        return images.take(indices, axis=0)

    def _describe(self, paths: Mapping[str, Path], shapes: Mapping[str, tuple[int, ...]]) -> Description:
        """Check that four arrays of these shapes belong together, and describe them."""
        for images, labels in ((TRAIN_IMAGES, TRAIN_LABELS), (TEST_IMAGES, TEST_LABELS)):
            _check_counts(shapes[images], shapes[labels], paths[images], paths[labels])
        count, height, width = shapes[TRAIN_IMAGES]
        for axis, length in ((1, height), (2, width)):
            if shapes[TEST_IMAGES][axis] != length:
                rows, columns = shapes[TEST_IMAGES][1:]
                message = f"the images are {rows} x {columns}; expected {height} x {width}, as the training images are"
                raise idx_error(paths[TEST_IMAGES], message, byte=4 + 4 * axis)
        if self.validation >= count:
            message = f"{self.validation:,} images for validation leave none of {count:,} to train on"
            raise ParameterError("validation", message, expected=f"at most {count - 1:,}")
        left = count - self.validation
        if self.train is not None and self.train > left:
            message = f"{self.train:,} images can't be trained on: of {count:,}, {self.validation:,} are for validation"
            raise ParameterError("train", message, expected=f"at most {left:,}")
        self.image_shape = (height, width)
        sizes = {"train": self.train or left, "validation": self.validation, "test": shapes[TEST_IMAGES][0]}
        if not self.validation:
            del sizes["validation"]
        return Description(self.input_shape, Classes(CLASSES, one_hot=self.one_hot), sizes)

    def _split(self, images: NDArray[np.uint8], labels: NDArray[np.int64]) -> ImageSplit:
        return ImageSplit(images, labels, self.normalize, self.one_hot)


def _check_counts(images: tuple[int, ...], labels: tuple[int, ...], images_path: Path, labels_path: Path) -> None:
    if labels[0] != images[0]:
        message = f"the header declares {labels[0]:,} labels for the {images[0]:,} images"
        raise idx_error(labels_path, f"{message} of {images_path.name}", byte=4)


def _check_labels(path: Path, labels: NDArray[np.uint8]) -> None:
    wrong = np.flatnonzero(labels >= CLASSES)
    if len(wrong):
        first = int(wrong[0])
        message = f"the label of example {first} is {labels[first]}; expected 0 to {CLASSES - 1}"
        raise idx_error(path, message, byte=len(idx_header(labels.shape)) + first)


def mnist_paths(directory: str | None) -> dict[str, Path]:
    """Return the paths of the shipped files, or of those in another folder, by name."""
    if directory is None:
        return {name: FOLDER / f"{name}.gz" for name in RANKS}
    expected = f"a folder with {', '.join(RANKS)}, plain or .gz"
    try:
        folder = Path(directory).expanduser()
        present = {entry.name for entry in folder.iterdir()}
    except (OSError, ValueError, RuntimeError) as error:  # a null character; a ~ without a home folder
        message = f"can't read the folder '{directory}': {getattr(error, 'strerror', None) or error}"
        raise ParameterError("directory", message, expected=expected, remedy=_REMEDY) from error
    paths = {name: folder / file for name in RANKS for file in reversed(_spellings(name)) if file in present}
    missing = [name for name in RANKS if name not in paths]
    if missing:
        message = f"the folder '{directory}' has no {', '.join(missing)}"
        raise ParameterError("directory", message, expected=expected, remedy=_REMEDY)
    return paths


def read_mnist(name: str, path: Path) -> tuple[NDArray[np.uint8], str]:
    """Return the array of a file, a shipped one from the cache, and the SHA-256 of its decompressed content."""
    if path.parent == FOLDER:
        return read_through_cache(path, RANKS[name], CHECKSUMS[name]), CHECKSUMS[name]
    return read_idx_and_checksum(path, RANKS[name])


def _spellings(name: str) -> list[str]:
    """Return the names that a file may have, in order of preference."""
    dotted = name.replace("-idx", ".idx")
    return [name, dotted, f"{name}.gz", f"{dotted}.gz"]


def cache_folder() -> Path:
    """Return the folder for decompressed MNIST files, which need not exist, and can be deleted at any time.

    It is in ``~/.cache/mlpkit`` on Linux, in ``~/Library/Caches/mlpkit`` on macOS, or in the folder that the
    environment variable ``MLPKIT_CACHE`` names.
    """
    chosen = os.environ.get("MLPKIT_CACHE")
    if not chosen:
        import platformdirs  # noqa: PLC0415 - slow to load, and needed only here

        chosen = platformdirs.user_cache_dir("mlpkit")
    return Path(chosen) / "mnist"


def read_through_cache(compressed: Path, rank: int, checksum: str) -> NDArray[np.uint8]:
    """Read a compressed IDX file, from its decompressed copy if that has this SHA-256; otherwise write such a copy."""
    copy = cache_folder() / compressed.stem
    values = _read_copy(copy, rank, checksum)
    if values is None:
        values, actual = read_idx_and_checksum(compressed, rank)
        if actual != checksum:
            message = f"the SHA-256 of its decompressed content is {actual}; expected {checksum}; reinstall mlpkit"
            raise DataError(compressed, message)
        _write_copy(copy, values)
    return values


def _read_copy(copy: Path, rank: int, checksum: str) -> NDArray[np.uint8] | None:
    try:
        values, actual = read_idx_and_checksum(copy, rank)
    except DataError:  # missing or damaged; the compressed file is read instead
        return None
    return values if actual == checksum else None


def _write_copy(copy: Path, values: NDArray[np.uint8]) -> None:
    """Write the copy atomically; if several processes do so at once, the last one wins."""
    temporary = copy.with_name(f".{copy.name}.{os.getpid()}-{os.urandom(4).hex()}")
    with contextlib.suppress(OSError):  # the folder is full or read-only; the arrays in memory are enough
        copy.parent.mkdir(parents=True, exist_ok=True)
        try:
            with temporary.open("xb") as file:
                file.write(idx_header(values.shape))
                file.write(values.data)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(copy)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
