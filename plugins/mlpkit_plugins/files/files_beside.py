"""Files that belong to another one in the same folder, by their names."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from mlpkit import ParameterError
from mlpkit_plugins.files.named_file import SHIPPED, named_file
from mlpkit_plugins.files.paired_names import INPUTS, OTHER_SPLITS, TARGETS, of_split, renamed

if TYPE_CHECKING:
    from pathlib import Path


def targets_beside(path: Path) -> Path | None:
    """Return the file of targets beside one of inputs, such as ``y.npy`` for ``x.npy``; None if it isn't there."""
    found = renamed(path.name, names_in(path.parent), INPUTS, TARGETS)
    return None if found is None else path.with_name(found)


def with_targets(parameter: str, inputs: str, targets: str | None = None, expected: str = "") -> tuple[str, str]:
    """Return the names of a file of inputs, and of the file of their targets, which lies beside it unless it is given.

    Args:
        parameter: the parameter that named the inputs.
        inputs: the file of inputs.
        targets: the file of targets; None if it wasn't said.
        expected: what it must be.

    Raises:
        ParameterError: the file doesn't exist.
    """
    path = named_file(parameter, inputs)
    if targets is not None:
        named_file("target", targets)
        return inputs, targets
    found = targets_beside(path)
    if found is None:
        if parameter == "train":
            message = f"no file was named that holds the targets of {inputs}"
            raise ParameterError("target", message, expected=expected, remedy="write --target FILE")
        remedy = "call the two alike, as x_test.npy and t_test.npy are"
        raise ParameterError(parameter, f"no file of targets lies beside {inputs}", remedy=remedy)
    return inputs, _beside(inputs, found.name)


def pairs_of_splits(inputs: str, targets: str) -> dict[str, tuple[str, str]]:
    """Return the files of inputs and targets of other splits that lie beside those for training, by split.

    Args:
        inputs: the file of inputs, as a spec names it.
        targets: the file of targets.
    """
    x, t = named_file("train", inputs), named_file("target", targets)
    pairs = {}
    for split in OTHER_SPLITS:
        found = of_split(x.name, names_in(x.parent), split), of_split(t.name, names_in(t.parent), split)
        if found[0] is not None and found[1] is not None:
            pairs[split] = (_beside(inputs, found[0]), _beside(targets, found[1]))
    return pairs


def names_in(folder: Path) -> list[str]:
    """Return the names in a folder; nothing if it can't be read."""
    try:
        return sorted(os.listdir(folder))  # noqa: PTH208 - names, and no paths
    except OSError:
        return []


def _beside(file: str, name: str) -> str:
    """Return the name of a file that lies beside another one, written as that one's name is."""
    own = os.path.basename(file).removeprefix(SHIPPED)  # noqa: PTH119 - of a text
    return file.removesuffix(own) + name
