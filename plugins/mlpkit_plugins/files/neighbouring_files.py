"""Finds files that belong to another file in the same folder, by their names."""

from __future__ import annotations

import os
from pathlib import Path

from mlpkit import ParameterError
from mlpkit_plugins.files.named_file import SHIPPED, named_file
from mlpkit_plugins.files.paired_names import INPUTS, OTHER_SPLITS, TARGETS, name_for_split, renamed


def targets_beside(path: Path) -> Path | None:
    """Return the file of targets next to a file of inputs, such as ``y.npy`` for ``x.npy``; None if there isn't one."""
    name = renamed(path.name, names_in(path.parent), INPUTS, TARGETS)
    return None if name is None else path.with_name(name)


def find_targets(parameter: str, inputs: str, targets: str | None = None, expected: str = "") -> tuple[str, str]:
    """Return the names of a file of inputs, named by a parameter, and of its file of targets, by default next to it."""
    path = named_file(parameter, inputs)
    if targets is not None:
        named_file("target", targets)
        return inputs, targets
    beside = targets_beside(path)
    if beside is None:
        if parameter == "train":
            message = f"no file of targets was named for {inputs}"
            raise ParameterError("target", message, expected=expected, remedy="write --target FILE")
        remedy = "name the two like x_test.npy and t_test.npy"
        raise ParameterError(parameter, f"there is no file of targets next to {inputs}", remedy=remedy)
    return inputs, _beside(inputs, beside.name)


def pairs_of_splits(inputs: str, targets: str) -> dict[str, tuple[str, str]]:
    """Return the files of inputs and targets of other splits, next to the training files, by split."""
    x, t = named_file("train", inputs), named_file("target", targets)
    pairs = {}
    for split in OTHER_SPLITS:
        other_x, other_t = (
            name_for_split(x.name, names_in(x.parent), split),
            name_for_split(t.name, names_in(t.parent), split),
        )
        if other_x is not None and other_t is not None:
            pairs[split] = (_beside(inputs, other_x), _beside(targets, other_t))
    return pairs


def names_in(folder: Path) -> list[str]:
    """Return the names in a folder; empty if it can't be read."""
    try:
        return sorted(os.listdir(folder))  # noqa: PTH208 - names, not paths
    except OSError:
        return []


def _beside(file: str, name: str) -> str:
    """Return the path of a file in the folder of another one, with that one's spelling of the folder."""
    own = os.path.basename(file).removeprefix(SHIPPED)  # noqa: PTH119 - of a text
    return file.removesuffix(own) + name
