"""A first spec for arrays in files."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import prod
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeAlias

import numpy as np

from mlpkit import Array, DataError, ParameterError, Proposal, did_you_mean
from mlpkit_plugins.arrays.array_dataset import check_pairs
from mlpkit_plugins.arrays.array_split import Examples
from mlpkit_plugins.arrays.array_targets import Predicted, are_one_hot, are_whole, array_target
from mlpkit_plugins.arrays.raw_rows import check_finite, row_blocks
from mlpkit_plugins.files.named_file import (
    INPUTS,
    OTHER_SPLITS,
    TARGETS,
    TRAINING,
    find_targets,
    has_word,
    name_for_split,
    pairs_of_splits,
    renamed,
)
from mlpkit_plugins.first_networks.convolutions import ImageInputs, convolutional
from mlpkit_plugins.first_networks.first_spec import FirstData, first_spec, held_out, left_to_train
from mlpkit_plugins.first_networks.perceptron import ClassTarget, LabelTarget, TargetToLearn, ValueTarget, perceptron
from mlpkit_plugins.formats.rows_on_disk import Rows

Shapes: TypeAlias = Mapping[str, tuple[int, ...] | None]


class ArrayChoice(NamedTuple):
    """The arrays of inputs and targets, and those of other splits."""

    inputs: str
    targets: str
    splits: Mapping[str, tuple[str, str]]


def choose_arrays(shapes: Shapes, name: str, target: str | None) -> ArrayChoice:
    """Choose inputs and targets by shapes, None for an array without numbers, and by the name of the targets, if known.

    Raises:
        ParameterError: the targets are missing, or not clear.
        DataError: the inputs are missing, or not clear.
    """
    numbers = {array: shape for array, shape in shapes.items() if shape is not None}
    targets = _targets(shapes, name, target)
    inputs = _inputs(shapes, numbers, name, targets)
    splits = {}
    for split in OTHER_SPLITS:
        x, t = name_for_split(inputs, numbers, split), name_for_split(targets, numbers, split)
        if x is not None and t is not None:
            splits[split] = (x, t)
    return ArrayChoice(inputs, targets, splits)


def _shown_arrays(shapes: Shapes) -> str:
    """Join names of arrays with their shapes."""
    return ", ".join(f"{array} {'(no numbers)' if shape is None else shape}" for array, shape in shapes.items())


def _targets(shapes: Shapes, name: str, target: str | None) -> str:
    if target is not None and target in shapes:
        return target  # reading it raises an error if it holds no numbers
    if len(shapes) < 2:
        message = f"holds {_shown_arrays(shapes) or 'no array'}; expected one of inputs and one of targets"
        raise DataError(name, f"{message}: np.savez({name!r}, x=x, t=t)")
    pairs = [(x, t) for x in shapes if (t := renamed(x, shapes, INPUTS, TARGETS))]
    trained = [pair for pair in pairs if has_word(pair[0], TRAINING)]
    others = {word for words in OTHER_SPLITS.values() for word in words}
    likely = trained or [pair for pair in pairs if not has_word(pair[0], others)]
    if target is None and len(likely) == 1:
        return likely[0][1]
    message = "no array was named to predict" if target is None else f"there is no array '{target}' in {name}"
    remedy = did_you_mean(target or "", shapes)
    raise ParameterError("target", message, expected=f"one of {_shown_arrays(shapes)}", remedy=remedy)


def _inputs(shapes: Shapes, numbers: Shapes, name: str, targets: str) -> str:
    if inputs := renamed(targets, shapes, TARGETS, INPUTS):
        return inputs
    others = [array for array in numbers if array != targets]
    rows = (numbers.get(targets) or (None,))[0]
    sizes = {array: prod(shape) for array in others if (shape := numbers[array]) and rows in (None, shape[0])}
    largest = [array for array in sizes if sizes[array] == max(sizes.values())]
    if len(largest) == 1:
        return largest[0]
    if not largest:
        has = f"holds {_shown_arrays(shapes)}"
        raise DataError(name, f"{has}; expected another one of numbers, with as many rows as '{targets}'")
    first, *_ = largest
    remedy = f"save the right one as x: np.savez('xt.npz', x=data['{first}'], t=data['{targets}'])"
    raise DataError(name, f"the inputs may be in {' or '.join(map(repr, largest))}; {remedy}")


def propose_for_pair(
    data_set: str,
    parameters: tuple[str, str],
    files: Mapping[str, str],
    target: str | None,
    open_pair: Callable[[tuple[str, str], tuple[str, str]], Examples],
    expected: str,
    *,
    are_bytes: bool = False,
) -> Proposal:
    """Return a spec that trains well on a file of inputs and one of targets, by default the file next to the inputs.

    ``parameters`` of the data set name the two files, and ``open_pair`` opens them, each given as a parameter and a
    name; ``expected`` describes a file of targets in messages. ``are_bytes`` is for inputs that are grey images.
    """
    inputs, targets = find_targets("train", files["train"], target, expected)
    own = pairs_of_splits(inputs, targets)
    own |= {split: find_targets(split, file) for split, file in files.items() if split != "train"}
    for split, (x, t) in own.items():
        open_pair((split, x), (split, t))
    return propose_for_arrays(
        data_set,
        {**dict(zip(parameters, (inputs, targets), strict=True)), **own},
        open_pair(("train", inputs), ("target", targets)),
        (Path(inputs).name, Path(targets).name),
        [(split, " and ".join(pair)) for split, pair in own.items() if split not in files],
        are_bytes=are_bytes,
        files=[inputs, targets, *(file for pair in own.values() for file in pair)],
    )


def propose_for_arrays(
    data_set: str,
    parameters: Mapping[str, Any],
    examples: Examples,
    names: tuple[str, str],
    found: Sequence[tuple[str, str]],
    *,
    are_bytes: bool = False,
    files: Sequence[str] = (),
) -> Proposal:
    """Return a spec that trains well on two arrays.

    ``parameters`` name their files and those of splits, ``names`` are the user's for inputs and targets, ``found`` are
    the decisions made so far, and ``files`` those in the parameters that the user didn't name.
    """
    check_pairs(examples)
    check_finite(examples.inputs, examples.inputs_name)
    check_finite(examples.targets, examples.targets_name)
    inputs = guess_inputs(examples.inputs, examples.inputs_name, are_bytes=are_bytes)
    aim = guess_target(examples.targets, examples.targets_name, are_classes=are_bytes)
    count = examples.inputs.shape[0]
    shares = held_out(count, parameters)
    training = left_to_train(count, shares)
    network = (
        perceptron(training, aim.target)
        if inputs.images is None
        else convolutional(training, inputs.images, aim.target)
    )
    decisions = [
        ("examples", f"{count:,}"),
        ("inputs", f"{names[0]}: {inputs.text}"),
        ("target", f"{names[1]}: {aim.text}"),
    ]
    data = FirstData(
        data_set,
        {**parameters, **_meaning(inputs, aim, are_bytes=are_bytes)},
        {"predict": aim.text, "divide_by": inputs.text, "standardize": inputs.text},
        [*found, *decisions],
        files,
    )
    return first_spec(f"Predicts {names[1]} from {names[0]}.", data, shares, network)


def _meaning(inputs: InputGuess, aim: TargetGuess, *, are_bytes: bool) -> dict[str, Any]:
    """Return the parameters for the content of the arrays and the scaling of the inputs."""
    if are_bytes:
        return {} if inputs.images is None else {"flatten": False}
    parameters: dict[str, Any] = {"predict": aim.predict}
    if len(inputs.shape) > 1 and inputs.images is None:
        parameters["flatten"] = True
    if inputs.divide_by != 1:
        parameters["divide_by"] = int(inputs.divide_by) if inputs.divide_by.is_integer() else inputs.divide_by
    if inputs.standardize:
        parameters["standardize"] = True
    return parameters


MANY_CLASSES: Final = 20
"""More distinct integers than this are classes only if they have no gaps."""

ROWS_PER_CLASS: Final = 10
"""With fewer rows per integer on average, integers are values."""


class TargetGuess(NamedTuple):
    """The most likely content of targets, as ``predict`` and in words."""

    predict: Predicted
    target: TargetToLearn
    text: str


def guess_target(targets: Rows, name: str, *, are_classes: bool = False) -> TargetGuess:
    """Guess the content of targets, which may be known to be class numbers."""
    shape = targets.shape[1:]
    if len(shape) > 1:
        message = f"has the shape {targets.shape}; expected a target, or a row of targets, for each example"
        raise DataError(name, f"{message}; save it with .reshape(len(t), -1)")
    counts = _counts(targets)
    if len(counts) == 1:
        raise DataError(name, f"every target is {next(iter(counts)):g}, so there is nothing to predict")
    if are_one_hot(targets):
        array_target(targets, "classes", name)  # raises an error that tells how to save class numbers
    if shape not in ((), (1,)):
        if targets.dtype.kind in "biu" and counts.keys() == {0, 1}:
            return TargetGuess("labels", LabelTarget(), f"{shape[0]} labels")
        return TargetGuess("values", ValueTarget(), f"{shape[0]} values each")
    if are_classes or (targets.dtype.kind in "biu" and _are_classes(counts)):
        array_target(targets, "classes", name)
        classes = ClassTarget({str(int(number)): count for number, count in counts.items()})
        return TargetGuess("classes", classes, str(classes))
    text = f"values from {min(counts):.4g} to {max(counts):.4g}"
    if are_whole(targets) and _are_classes(counts):
        text += "; if they are classes, save them with .astype(int)"
    return TargetGuess("values", ValueTarget(), text)


def _counts(targets: Rows) -> dict[float, int]:
    """Count how often each number occurs, in ascending order."""
    counts: dict[float, int] = {}
    for _, part in row_blocks(targets):
        for number, count in zip(*(array.tolist() for array in np.unique(part, return_counts=True)), strict=True):
            counts[number] = counts.get(number, 0) + count
    return dict(sorted(counts.items()))


def _are_classes(counts: Mapping[float, int]) -> bool:
    """Whether integers are most likely class numbers: there are two, or a few with many rows each, or no gaps."""
    distinct, rows = len(counts), sum(counts.values())
    if distinct == 2:
        return True
    have_no_gaps = min(counts) in (0, 1) and max(counts) - min(counts) + 1 == distinct
    return distinct * ROWS_PER_CLASS <= rows and (distinct <= MANY_CLASSES or have_no_gaps)


ELEMENTS_SEEN: Final = 1 << 21
"""The number of elements in the sample, unless it has fewer than ``FEWEST_SEEN`` rows."""

FEWEST_SEEN: Final = 200
"""The fewest rows in the sample."""

BYTE: Final = 255
HALF: Final = 127
"""The largest byte of an image is above this."""

ABOUT_ONE: Final = 1.5
"""The upper bound on pixels that are scaled already."""

LONGEST_TO_SHORTEST: Final = 4
"""The sides of an image differ by less than this factor."""


class InputGuess(NamedTuple):
    """The most likely content of inputs, how to scale them, and their format as images."""

    shape: tuple[int, ...]
    text: str
    divide_by: float = 1.0
    standardize: bool = False
    images: ImageInputs | None = None


def guess_inputs(inputs: Rows, name: str, *, are_bytes: bool = False) -> InputGuess:
    """Guess the content of inputs from a random sample of rows, which may be known to be pixels from 0 to 255."""
    sample, shape = _sample(inputs), inputs.shape[1:]
    least, greatest = float(sample.min()), float(sample.max())
    if least == greatest:
        raise DataError(name, f"every number is {least:g}, so there is nothing to learn from")
    span = f"from {least:.4g} to {greatest:.4g}"
    divide_by = float(BYTE) if are_bytes else _divisor(sample, inputs.dtype)
    are_pixels = divide_by is not None or (len(shape) > 1 and max(-least, greatest) <= ABOUT_ONE)
    if not are_pixels:
        return InputGuess(shape, f"{_counted(shape)}, standardized", standardize=True)
    images = _images(sample, divide_by or 1.0)
    what = f"images of {images.height} by {images.width} pixels, {span}" if images else f"{_counted(shape)}, {span}"
    how = f", divided by {divide_by:g}" if divide_by not in (None, 1) else ""
    return InputGuess(shape, what + how, divide_by or 1.0, images=images)


def _sample(inputs: Rows) -> Array:
    count = min(inputs.shape[0], max(FEWEST_SEEN, ELEMENTS_SEEN // max(1, prod(inputs.shape[1:]))))
    if count == inputs.shape[0]:
        return inputs[:count]
    return inputs[np.sort(np.random.default_rng(0).choice(inputs.shape[0], count, replace=False))]


def _divisor(sample: Array, dtype: np.dtype[Any]) -> float | None:
    """Return the divisor for elements of one unit that start at 0, such as pixels; None for other inputs."""
    greatest = float(sample.max())
    if sample.min() < 0:
        return None
    are_bytes = HALF < greatest <= BYTE and (dtype == np.uint8 or bool((sample % 1 == 0).all()))
    if dtype == np.uint8 and are_bytes:
        return float(BYTE)
    one_unit = float(np.median(sample.reshape(len(sample), -1).max(axis=0))) >= greatest / 4
    if sample.ndim < 3 or not one_unit:
        return None
    return float(BYTE) if are_bytes else greatest


def _images(sample: Array, divide_by: float) -> ImageInputs | None:
    """Return the format of images; None if convolutions can't take the inputs."""
    match sample.shape[1:]:
        case (height, width) | (height, width, 1):
            images = ImageInputs(1, height, width, are_planes=True)
        case (1 | 3 as channels, height, width):
            images = ImageInputs(channels, height, width)
        case _:
            return None
    sides = (images.height, images.width)
    if images.are_small or max(sides) >= LONGEST_TO_SHORTEST * min(sides):
        return None
    planes = sample.reshape(len(sample), -1, *sides)
    border = np.concatenate([planes[:, :, [0, -1], :].ravel(), planes[:, :, :, [0, -1]].ravel()])
    return images._replace(border=float(np.median(border)) / divide_by)


def _counted(shape: tuple[int, ...]) -> str:
    """Describe the number of elements of an example."""
    many = prod(shape)
    if len(shape) > 1:
        return f"{' x '.join(map(str, shape))} numbers each"
    return "a number each" if many == 1 else f"{many:,} numbers each"
