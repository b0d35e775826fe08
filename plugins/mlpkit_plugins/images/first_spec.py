"""A spec to begin from, for a folder of images."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from statistics import median_low
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from mlpkit import ParameterError, Proposal
from mlpkit_plugins.files.class_folders import class_folders
from mlpkit_plugins.files.named_file import named_folder
from mlpkit_plugins.files.paired_names import OTHER_SPLITS, TRAINING
from mlpkit_plugins.first_networks.convolutions import ImageInputs, convolutional
from mlpkit_plugins.first_networks.first_spec import FirstData, first_spec, held_out, left_to_train
from mlpkit_plugins.first_networks.perceptron import ClassTarget, perceptron
from mlpkit_plugins.formats.image import IMAGE_SUFFIXES, image_size, read_image

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mlpkit_plugins.files.class_folders import ClassFile
    from mlpkit_plugins.first_networks.perceptron import FirstNetwork

LONGEST_SIDE: Final = 64
"""Pixels that the longer side gets at most, so that training takes minutes and not hours."""

IMAGES_SEEN: Final = 200
"""Images that are decoded to see whether they have colours."""

COLOURFUL: Final = 16
"""The channels of a coloured pixel differ by more than this."""

CLASSES_SHOWN: Final = 8
PIXEL: Final = 255


class _Sizes(NamedTuple):
    """How large images are, and what they are scaled to.

    Args:
        text: how large, in words.
        image: height and width in the network.
        are_resized: whether they are scaled.
    """

    text: str
    image: tuple[int, int]
    are_resized: bool


def propose_for_images(files: Mapping[str, str], target: str | None) -> Proposal | None:
    """Return a spec that trains well on a folder of images; None if it is no such folder.

    Raises:
        ParameterError: the folder of another split is missing, there is one class only, or a target is named.
        DataError: the folder doesn't hold one folder per class, or an image is damaged.
    """
    try:
        folder = named_folder("train", files["train"])
    except ParameterError:
        return None
    if not _holds_images(folder):
        return None
    if target is not None:
        message = "the class of an image is the name of its folder"
        raise ParameterError("target", message, remedy="leave out --target")
    given = {split: file for split, file in files.items() if split != "train"}
    parameters = {**_folders(folder, files["train"]), **given}
    for split, file in given.items():
        named_folder(split, file)
    found = class_folders(named_folder("train", parameters["folder"]), IMAGE_SUFFIXES)
    counts = Counter(file.class_name for file in found)
    if len(counts) == 1:
        message = f"'{files['train']}' has one subfolder, {min(counts)}; expected one for each class, two or more"
        raise ParameterError("train", message)
    sizes, images = _sizes(found), _decoded(found)
    inputs = _inputs(images, sizes)
    shares = held_out(len(found), parameters)
    network = _network(left_to_train(len(found), shares), inputs, ClassTarget(counts))
    about = f"{sizes.text}; {'with colours' if inputs.channels > 1 else 'grey'}"
    keys: dict[str, Any] = dict(parameters)
    if inputs.channels > 1:
        keys["colour"] = True
    if sizes.are_resized:
        keys["resize"] = list(sizes.image)
    if not inputs.are_small:
        keys["flatten"] = False
    decisions = [
        ("images", f"{len(found):,} in {parameters['folder']}, {about}"),
        *((split, parameters[split]) for split in OTHER_SPLITS if split in parameters and split not in files),
        ("classes", _classes(counts)),
    ]
    comments = {"folder": _classes(counts), "resize": sizes.text}
    data = FirstData("image_folder", keys, comments, decisions, list(parameters.values()))
    return first_spec(f"Predicts the folder of an image in {parameters['folder']}.", data, shares, network)


def _holds_images(folder: Path) -> bool:
    """Whether there is an image in a folder, or in one inside it."""
    return any(path.suffix.lower() in IMAGE_SUFFIXES for path in folder.rglob("*"))


def _folders(folder: Path, name: str) -> dict[str, str]:
    """Return the folder of the training images, and those of other splits, if a folder has them."""
    names = {path.name.lower(): path.name for path in folder.iterdir() if path.is_dir()}
    training = next((names[word] for word in TRAINING if word in names), None)
    others = {
        split: next((names[word] for word in words if word in names), None) for split, words in OTHER_SPLITS.items()
    }
    if training is None or not any(others.values()):
        return {"folder": name}
    found = {split: str(Path(name) / other) for split, other in others.items() if other is not None}
    return {"folder": str(Path(name) / training), **found}


def _sizes(files: Sequence[ClassFile]) -> _Sizes:
    sizes = [image_size(file.path) for file in files]
    middle = median_low(height for height, _ in sizes), median_low(width for _, width in sizes)
    scale = min(1.0, LONGEST_SIDE / max(middle))
    image = max(1, round(middle[0] * scale)), max(1, round(middle[1] * scale))
    text = f"{middle[0]} by {middle[1]} pixels"
    if len(set(sizes)) > 1:
        smallest, largest = min(sizes), max(sizes)
        text = f"from {smallest[0]} by {smallest[1]} to {largest[0]} by {largest[1]} pixels"
    return _Sizes(text, image, len(set(sizes)) > 1 or scale < 1)


def _decoded(files: Sequence[ClassFile]) -> list[np.ndarray[Any, np.dtype[np.uint8]]]:
    """Return some images of all classes, with three channels."""
    chosen = np.linspace(0, len(files) - 1, min(len(files), IMAGES_SEEN)).astype(int).tolist()
    return [read_image(files[position].path, colour=True) for position in chosen]


def _inputs(images: Sequence[np.ndarray[Any, np.dtype[np.uint8]]], sizes: _Sizes) -> ImageInputs:
    are_colourful = any(int((np.ptp(image, axis=0) > COLOURFUL).mean() > 0.01) for image in images)
    border = float(np.median([np.median(image[:, [0, -1], :]) for image in images])) / PIXEL
    return ImageInputs(3 if are_colourful else 1, *sizes.image, border)


def _network(examples: int, inputs: ImageInputs, target: ClassTarget) -> FirstNetwork:
    return perceptron(examples, target) if inputs.are_small else convolutional(examples, inputs, target)


def _classes(counts: Mapping[str, int]) -> str:
    rows = sum(counts.values())
    shown = [f"{name} {count / rows:.0%}" for name, count in list(counts.items())[:CLASSES_SHOWN]]
    return f"{len(counts)} classes: {', '.join(shown)}{', ...' if len(counts) > len(shown) else ''}"
