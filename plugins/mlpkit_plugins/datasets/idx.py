"""Images and labels in IDX files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, dataclass
from pathlib import Path
from typing import Any, ClassVar, Final

import numpy as np
from numpy.typing import NDArray

from mlpkit import Array, FilePath, Proposal
from mlpkit_plugins.arrays.array_dataset import ArrayDataset, Files, SplitOptions
from mlpkit_plugins.arrays.array_split import Examples
from mlpkit_plugins.files.named_file import idx_pair, idx_pairs, images_at, is_idx, named_file
from mlpkit_plugins.formats.idx import read_idx, read_idx_shape
from mlpkit_plugins.formats.image import read_grey_images
from mlpkit_plugins.splits.shares import Share, shares_and_files

IMAGES: Final = 3
LABELS: Final = 1
"""Dimensions of the two arrays: (examples, height, width) and (examples,)."""


@dataclass(eq=False)
class Idx(SplitOptions, ArrayDataset):
    """Grey images and their labels in IDX files, MNIST's format.

        x = raw / 255, or raw if not normalized

    Files whose name ends in ``.gz`` are decompressed. The number and the size of the images, and the number
    of classes, come from the files.

    Args:
        images: file of the images, bytes of shape (examples, height, width); ``example:NAME`` is an example that ships
            with mlpkit.
        labels: file of their labels, numbers of classes from 0.
        normalize: divide pixels by 255, to the range 0 to 1; otherwise they are from 0 to 255.
        flatten: give images as rows instead of (height, width).

    Raises:
        ParameterError: the shares leave nothing to train on, a split has no example, or there is no such file.
        DataError: a file has another format, is damaged, or holds something unexpected.

    Source: Y. LeCun, C. Cortes, C. J. C. Burges, "The MNIST database of handwritten digits", 1998.
    """

    targets_parameter: ClassVar = "labels"
    holds_pixels: ClassVar = True

    images: FilePath
    labels: FilePath
    normalize: bool = True
    flatten: bool = True
    _: KW_ONLY
    validation: Share | Files = 0.1
    test: Share | Files = 0.1

    def __post_init__(self) -> None:
        self.shares, self.files = shares_and_files(self.validation, self.test)
        self.predict, self.standardize, self.scale_target = "classes", False, "none"
        self.divide_by = 255.0 if self.normalize else 1.0

    @classmethod
    def examples(cls) -> list[dict[str, Any]]:
        """Show images of shapes, from files that ship with mlpkit."""
        files = {"images": "example:shapes-images-idx3-ubyte", "labels": "example:shapes-labels-idx1-ubyte"}
        return [files, files | {"flatten": False, "test": tuple(files.values())}]

    @classmethod
    def propose(cls, files: Mapping[str, str], target: str | None) -> Proposal | None:
        """Return a spec that trains well on IDX files, or on a folder of them; None for any other file."""
        name = files["train"]
        if Path(name).is_dir():
            pairs = idx_pairs(Path(name))
            if "train" not in pairs:
                return None
            files = {**files, "train": str(pairs["train"][0])}
        elif not is_idx(name):
            return None
        from mlpkit_plugins.arrays.first_spec import propose_for_pair  # noqa: PLC0415 - guesses are for new specs only

        expected = "an IDX file with a label for each image"
        return propose_for_pair("idx", ("images", "labels"), files, target, _opened, expected, are_bytes=True)

    def open_files(self) -> dict[str, Examples]:
        """Read the headers of the images, and the labels."""
        named = {"train": (("images", self.images), ("labels", self.labels))}
        named |= {split: ((split, images), (split, labels)) for split, (images, labels) in self.files.items()}
        return {split: _opened(*files) for split, files in named.items()}

    def input_scaling(self) -> dict[str, Any]:
        """Return ``normalize``, unless it is set: pixels from 0 to 1 are near enough."""
        return {} if self.normalize else {"normalize": True}

    def target_remedy(self) -> str:
        """Return an empty text: labels are classes."""
        return ""

    def read(self, path: Path) -> Array:
        """Read the images of an IDX file, or of its test images in a folder, or a PNG, JPEG, BMP or GIF file."""
        return read_grey_images(images_at(path))

    def read_examples(self, source: Path | Mapping[str, Sequence[Any] | Array]) -> tuple[Array, ...]:
        """Read images and labels from a file of images, with its labels next to it, or from a folder of such files."""
        if not isinstance(source, Path):
            return super().read_examples(source)
        return self.examples_in(_opened_at(*idx_pair(source)))


class _Images:
    """The images of a file, read when the first one is needed."""

    def __init__(self, path: Path) -> None:
        self.shape = read_idx_shape(path, IMAGES)
        self.dtype = np.dtype(np.uint8)
        self._path = path
        self._images: NDArray[np.uint8] | None = None

    def __getitem__(self, indices: Array | slice) -> Array:
        """Return some of the images."""
        if self._images is None:
            self._images = read_idx(self._path, IMAGES)
        return self._images[indices]


def _opened(images: tuple[str, str], labels: tuple[str, str]) -> Examples:
    return _opened_at(named_file(*images), named_file(*labels))._replace(inputs_name=images[1], targets_name=labels[1])


def _opened_at(images: Path, labels: Path) -> Examples:
    return Examples(_Images(images), read_idx(labels, LABELS), str(images), str(labels), (images, labels))
