"""A first spec for a folder of images."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median_low
from typing import Any, Final, NamedTuple

import numpy as np

from mlpkit import ParameterError, Proposal
from mlpkit_plugins.files.named_file import OTHER_SPLITS, TRAINING, named_folder
from mlpkit_plugins.first_networks.convolutions import ImageInputs, convolutional
from mlpkit_plugins.first_networks.first_spec import FirstData, first_spec, held_out, left_to_train
from mlpkit_plugins.first_networks.perceptron import ClassTarget, perceptron
from mlpkit_plugins.formats.image import IMAGE_SUFFIXES, ClassFile, class_folders, image_size, read_image

LONGEST_SIDE: Final = 64
"""The most pixels along the longer side, so that training takes minutes, not hours."""

IMAGES_SEEN: Final = 200
"""The most images that are decoded to look for colours."""

COLOURFUL: Final = 16
"""The difference between channels above which a pixel is coloured."""

PIXEL: Final = 255


class _Pictures(NamedTuple):
    """The images of a folder: their sizes in words, the inputs' format, and whether they are scaled to it."""

    sizes: str
    inputs: ImageInputs
    are_resized: bool

    @property
    def parameters(self) -> dict[str, Any]:
        """The parameters of the data set."""
        parameters: dict[str, Any] = {}
        if self.inputs.channels > 1:
            parameters["colour"] = True
        if self.are_resized:
            parameters["resize"] = [self.inputs.height, self.inputs.width]
        if not self.inputs.are_small:
            parameters["flatten"] = False
        return parameters

    def __str__(self) -> str:
        """Return a text such as ``28 by 28 pixels; grey``."""
        return f"{self.sizes}; {'with colours' if self.inputs.channels > 1 else 'grey'}"


def propose_for_images(files: Mapping[str, str], target: str | None) -> Proposal | None:
    """Return a spec that trains well on a folder of images; None for another folder or a file."""
    folder = _folder_of_images(files["train"])
    if folder is None:
        return None
    if target is not None:
        message = "the class of an image is the name of its folder"
        raise ParameterError("target", message, remedy="leave out --target")
    given = {split: name for split, name in files.items() if split != "train"}
    for split, name in given.items():
        named_folder(split, name)  # raises an error if it doesn't exist
    folders = _folders(folder, files["train"]) | given
    images = class_folders(named_folder("train", folders["folder"]), IMAGE_SUFFIXES)
    counts = Counter(file.class_name for file in images)
    if len(counts) == 1:
        message = f"'{files['train']}' has one subfolder, {min(counts)}; expected one for each class, two or more"
        raise ParameterError("train", message)
    pictures, classes = _pictures(images), ClassTarget(counts)
    data = FirstData(
        "image_folder",
        {**folders, **pictures.parameters},
        {"folder": str(classes), "resize": pictures.sizes},
        [
            ("images", f"{len(images):,} in {folders['folder']}, {pictures}"),
            *((split, folders[split]) for split in OTHER_SPLITS if split in folders and split not in files),
            ("classes", str(classes)),
        ],
        list(folders.values()),
    )
    shares = held_out(len(images), folders)
    examples = left_to_train(len(images), shares)
    small = pictures.inputs.are_small
    network = perceptron(examples, classes) if small else convolutional(examples, pictures.inputs, classes)
    return first_spec(f"Predicts the folder of an image in {folders['folder']}.", data, shares, network)


def _folder_of_images(name: str) -> Path | None:
    """Return a folder if it holds an image at any depth; otherwise None."""
    try:
        folder = named_folder("train", name)
    except ParameterError:
        return None
    return folder if any(path.suffix.lower() in IMAGE_SUFFIXES for path in folder.rglob("*")) else None


def _folders(folder: Path, name: str) -> dict[str, str]:
    """Return the folder of the training images, and the folders of other splits inside it."""
    names = {path.name.lower(): path.name for path in folder.iterdir() if path.is_dir()}
    words = {"folder": TRAINING, **OTHER_SPLITS}
    subfolders = {split: next((names[word] for word in words[split] if word in names), None) for split in words}
    inside = {split: str(Path(name) / own) for split, own in subfolders.items() if own is not None}
    return inside if "folder" in inside and len(inside) > 1 else {"folder": name}


def _pictures(files: Sequence[ClassFile]) -> _Pictures:
    sizes = [image_size(file.path) for file in files]
    middle = median_low(height for height, _ in sizes), median_low(width for _, width in sizes)
    scale = min(1.0, LONGEST_SIDE / max(middle))
    height, width = (max(1, round(side * scale)) for side in middle)
    smallest, largest = min(sizes), max(sizes)
    text = f"{largest[0]} by {largest[1]} pixels"
    if smallest != largest:
        text = f"from {smallest[0]} by {smallest[1]} to {text}"
    chosen = np.linspace(0, len(files) - 1, min(len(files), IMAGES_SEEN)).astype(int).tolist()  # of all classes
    images = [read_image(files[position].path, colour=True) for position in chosen]
    border = float(np.median([np.median(image[:, [0, -1], :]) for image in images])) / PIXEL
    coloured = any((np.ptp(image, axis=0) > COLOURFUL).any() for image in images)
    inputs = ImageInputs(3 if coloured else 1, height, width, border)
    return _Pictures(text, inputs, smallest != largest or scale < 1)
