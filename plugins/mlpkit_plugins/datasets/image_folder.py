"""Folders of images, one folder per class."""

from __future__ import annotations

import hashlib
import reprlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import numpy as np
import PIL  # noqa: F401 - without it, the data set is listed with the command that installs it
from annotated_types import Ge, Le
from numpy.typing import NDArray

from mlpkit import (
    Array,
    Classes,
    DataError,
    DataWarning,
    Description,
    FilePath,
    ModelFileError,
    ParameterError,
    Proposal,
    RawArray,
    did_you_mean,
)
from mlpkit_plugins.files.named_file import located, named_folder
from mlpkit_plugins.formats.encoder_state import are_names
from mlpkit_plugins.formats.image import IMAGE_SUFFIXES, ClassFile, class_folders, files_below, image_size, read_image
from mlpkit_plugins.images.byte_images import ByteImages, ImageSplit
from mlpkit_plugins.splits.positions import split_at_random, split_by_key, text_key
from mlpkit_plugins.splits.shares import Share, shares_and_files, warnings_about_shares

Pixels = Annotated[int, Ge(1), Le(4096)]

SPLITS: Final = frozenset({"train", "training", "val", "valid", "validation", "dev", "test", "testing"})
"""Names of folders that hold splits, not classes."""


@dataclass(eq=False)
class ImageFolder(ByteImages):
    """Images in a folder with one subfolder per class, named after the class: PNG, JPEG, BMP or GIF.

        x    = raw / 255, or raw if not normalized
        grey = 0.299 red + 0.587 green + 0.114 blue  (if ``colour`` is false)

    All images are decoded once, before training, and kept in memory, one byte per pixel and channel.

    Args:
        folder: the folder, relative to the current one; ``example:NAME`` is an example that ships with mlpkit.
        colour: give every image three channels, red, green and blue, even if it is grey; otherwise one channel of grey
            values, even if it has colours.
        resize: [height, width] in pixels to which images are scaled, by Pillow's bicubic filter; by default they aren't
            scaled, and must have the same size.
        normalize: divide pixels by 255, to the range 0 to 1; otherwise they are from 0 to 255.
        flatten: give images as rows instead of (channels, height, width), which ``Conv2d`` takes.
        validation: share of the images for validation, or another folder of the same form; 0 for none.
        test: share of the images for testing, or another folder of the same form; 0 for none.
        split: how images are split: by a ``hash`` of their class and file name, so that an image stays in its split
            when others are added or removed; or by a ``shuffle``, so that the shares are exact.
        split_seed: seed of the split; the spec's seed doesn't affect it.

    Raises:
        ParameterError: the shares leave nothing to train on, a split has no image, or the folder doesn't exist.
        DataError: the folder doesn't hold one folder per class, an image is damaged, or images differ in size.

    Source: ITU-R Recommendation BT.601 for grey values; decoding and scaling: Pillow, https://python-pillow.github.io.
    """

    folder: FilePath
    _: KW_ONLY
    colour: bool = False
    resize: tuple[Pixels, Pixels] | None = None
    normalize: bool = True
    flatten: bool = True
    validation: Share | FilePath = 0.1
    test: Share | FilePath = 0.1
    split: Literal["hash", "shuffle"] = "hash"
    split_seed: Annotated[int, Ge(0)] = 0

    def __post_init__(self) -> None:
        self.shares, self.folders = shares_and_files(self.validation, self.test)
        self._classes: tuple[str, ...] = ()
        self._image_shape: tuple[int, int, int] | None = None
        self._files: dict[str, list[ClassFile]] | None = None
        self._pixels: dict[str, tuple[int, int]] = {}

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """Channels, height and width."""
        if self._image_shape is None:
            self.describe()
        assert self._image_shape is not None
        return self._image_shape

    @classmethod
    def examples(cls) -> list[dict[str, Any]]:
        """Show images of shapes, from a folder that ships with mlpkit."""
        return [
            {"folder": "example:shapes"},
            {"folder": "example:shapes", "colour": True, "resize": [6, 7], "flatten": False, "split": "shuffle"},
        ]

    @classmethod
    def propose(cls, files: Mapping[str, str], target: str | None) -> Proposal | None:
        """Return a spec that trains well on a folder of images; None for another folder or a file."""
        from mlpkit_plugins.images.first_spec import propose_for_images  # noqa: PLC0415 - guesses are for new specs only

        return propose_for_images(files, target)

    def describe(self) -> Description:
        """Return shapes, classes and sizes from the names of files, and the size of an image from one header."""
        files = self._found()
        if self._image_shape is None:
            size = self.resize or image_size(files["train"][0].path)
            self._image_shape = (3 if self.colour else 1, *size)
        sizes = {split: len(paths) for split, paths in files.items()}
        target = Classes(len(self._classes), ordered=_are_numbers(self._classes))
        return Description(self.input_shape, target, sizes)

    def warnings(self) -> tuple[DataWarning, ...]:
        """Return a warning if splits don't have the sizes asked for, or the class shares of training."""
        in_splits = {split: Counter(file.class_name for file in files) for split, files in self._found().items()}
        counts = {split: np.array([counter[name] for name in self._classes]) for split, counter in in_splits.items()}
        remedy = "set split: shuffle" if self.split == "hash" else "set another split_seed, or larger shares"
        return warnings_about_shares(counts, self._classes, self.shares, self.folders, remedy)

    def open(self, seed: int) -> Mapping[str, ImageSplit]:
        """Decode all images, and return the splits by name; they depend on ``split_seed``, not on the spec's seed."""
        self.describe()
        checksum = hashlib.sha256()
        _, height, width = self.image_shape
        remedy = f"like the first image; set resize: [{height}, {width}] to scale all"
        splits = {}
        for split, files in self._found().items():
            images = np.empty((len(files), *self.image_shape), np.uint8)
            for image, file in zip(images, files, strict=True):
                image[...] = self._read(file.path, remedy)
                checksum.update(hashlib.sha256(file.path.read_bytes()).digest() + file.key.encode("utf-8", "replace"))
            numbers = np.array([self._classes.index(file.class_name) for file in files], np.int64)
            shaped = images.reshape(len(files), *self.input_shape)
            splits[split] = ImageSplit(shaped, numbers, self.normalize)
            self._pixels[split] = int(images.min()), int(images.max())
        self._fingerprint = checksum.hexdigest()
        return splits

    def raw_arrays(self) -> list[RawArray]:
        """Return the pixels of the images, once opened."""
        darkest, brightest = zip(*self._pixels.values(), strict=True)
        return [RawArray("pixels", "input", "uint8", self.image_shape, min(darkest), max(brightest))]

    def class_names(self) -> tuple[str, ...] | None:
        """Return the names of the folders, in alphabetical order, or numerically if all are numbers."""
        return self._classes or None

    def encoder_state(self) -> dict[str, Any]:
        """Return the classes, and the shape of an image: channels, height, width."""
        if self._image_shape is None:
            return {}
        return {"classes": list(self._classes), "image_shape": list(self._image_shape)}

    def load_encoder_state(self, state: Mapping[str, Any]) -> None:
        """Restore classes and shape."""
        match dict(state):
            case {"classes": [*classes], "image_shape": [(1 | 3) as channels, int(height), int(width)]} if (
                are_names(classes) and len(classes) > 1 and min(height, width) > 0 and type(channels) is int
            ):
                self._classes, self._image_shape = tuple(classes), (channels, height, width)
                self._files = None
            case _:
                raise ModelFileError(
                    f"the encoder of the images is {reprlib.repr(state)}, which no data set of this kind writes"
                )

    def locate(self, name: str) -> Path:
        """Return the path of a file, which may be an example that ships with mlpkit."""
        return located(name)

    def read(self, path: Path) -> Array:
        """Read an image, or all images of a folder, in the order of their names.

        Returns:
            Pixels, uint8, shape (images, channels, height, width).
        """
        if path.suffix.lower() not in IMAGE_SUFFIXES and path.is_file():
            expected = f"an image ({', '.join(IMAGE_SUFFIXES)}), a folder of images, .npy or .npz"
            raise DataError(path, f"unknown file type '{path.suffix}'; expected {expected}")
        paths = _images_at(path)
        if not paths:
            raise DataError(path, f"the folder holds no image; expected {', '.join(IMAGE_SUFFIXES)}")
        return np.stack([self._read(file, "as the model takes") for file in paths])

    def read_examples(self, source: Path | Mapping[str, Sequence[Any] | Array]) -> tuple[Array, ...]:
        """Read all images of a folder with a subfolder per class, and the numbers of their classes."""
        if not isinstance(source, Path):
            return super().read_examples(source)
        if self._image_shape is None:
            self.describe()
        files = class_folders(source, IMAGE_SUFFIXES)
        self._check_known(files)
        images = np.stack([self._read(file.path, "as the model takes") for file in files])
        return images, np.array([self._classes.index(file.class_name) for file in files], np.int64)

    def row_names(self, path: Path) -> tuple[str, ...]:
        """Return the file name of an image, or the names of all images in a folder, relative to it."""
        return tuple(file.relative_to(path).as_posix() if file != path else file.name for file in _images_at(path))

    def raw_rows(self, split: str, indices: Array) -> NDArray[np.uint8]:
        """Return images of a split as bytes."""
        files = self._found()[split]
        return np.stack([self._read(files[index].path, "as the model takes") for index in indices.tolist()])

    def example_sources(self, split: str, indices: Array) -> list[str]:
        """Return the files of some images of a split."""
        files, folder = self._found()[split], self.folders.get(split, self.folder)
        return [f"{folder}/{files[index].key}" for index in indices.tolist()]

    def _read(self, path: Path, remedy: str) -> NDArray[np.uint8]:
        image = read_image(path, colour=self.colour, size=self.resize)
        expected = self.image_shape
        if image.shape != expected:
            message = f"the image is {image.shape[1]} x {image.shape[2]} pixels; expected {expected[1]} x {expected[2]}"
            raise DataError(path, f"{message}, {remedy}")
        return image

    def _found(self) -> dict[str, list[ClassFile]]:
        """Return the files of each split."""
        if self._files is None:
            files = self._listed("folder", self.folder)
            names = tuple(sorted({file.class_name for file in files}))
            if _are_numbers(names):
                names = tuple(sorted(names, key=int))
            if len(names) == 1 and not self._classes:
                message = f"has one subfolder, {names[0]}; expected one for each class, two or more"
                raise ParameterError("folder", f"'{self.folder}' {message}")
            self._classes = self._classes or names
            parts = {split: [files[index] for index in rows] for split, rows in self._positions(files).items()}
            for split, folder in self.folders.items():
                parts[split] = self._listed(split, folder)
            for part in parts.values():
                self._check_known(part)
            self._files = {split: parts[split] for split in ("train", "validation", "test") if split in parts}
        return self._files

    def _listed(self, parameter: str, folder: str) -> list[ClassFile]:
        files = class_folders(named_folder(parameter, folder), IMAGE_SUFFIXES)
        names = {file.class_name for file in files}
        if {name.lower() for name in names} <= SPLITS:
            splits = " and ".join(sorted(names))
            remedy = f"name one of them, as in folder: {folder}/{max(names)}, and the rest in validation and test"
            raise ParameterError(
                parameter, f"the folders in '{folder}', {splits}, are splits, not classes", remedy=remedy
            )
        return files

    def _positions(self, files: Sequence[ClassFile]) -> dict[str, NDArray[np.intp]]:
        if self.split == "shuffle":
            return split_at_random(len(files), self.shares, self.split_seed)
        keys = np.array([text_key(file.key) for file in files], np.uint64)
        return split_by_key(keys, self.shares, self.split_seed)

    def _check_known(self, files: Sequence[ClassFile]) -> None:
        for file in files:
            name = file.class_name
            if name not in self._classes:
                remedy = did_you_mean(name, self._classes) or f"expected one of {', '.join(self._classes)}"
                raise DataError(file.path, f"the class '{name}' is not one that the model was trained on; {remedy}")


def _images_at(path: Path) -> list[Path]:
    """Return the file itself, or all images of a folder in the order of their names."""
    return list(files_below(path, IMAGE_SUFFIXES)) if path.is_dir() else [path]


def _are_numbers(names: Iterable[str]) -> bool:
    return all(name.isdecimal() for name in names)
