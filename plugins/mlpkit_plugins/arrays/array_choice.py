"""Chooses inputs and targets from the arrays of a file, by their names and shapes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from math import prod
from typing import NamedTuple, TypeAlias

from mlpkit import DataError, ParameterError, did_you_mean
from mlpkit_plugins.files.paired_names import INPUTS, OTHER_SPLITS, TARGETS, TRAINING, has_word, name_for_split, renamed

Shapes: TypeAlias = Mapping[str, tuple[int, ...] | None]


class ArrayChoice(NamedTuple):
    """The arrays of inputs and targets, those of other splits, and the unused arrays."""

    inputs: str
    targets: str
    splits: Mapping[str, tuple[str, str]]
    left_out: tuple[str, ...]


def choose_arrays(shapes: Shapes, name: str, target: str | None) -> ArrayChoice:
    """Choose inputs and targets by shapes, None for an array without numbers, and by the name of the targets, if known.

    Raises:
        ParameterError: the targets are missing, or not clear.
        DataError: the inputs are missing, or not clear.
    """
    numbers = {array: shape for array, shape in shapes.items() if shape is not None}
    targets = _targets(shapes, numbers, name, target)
    inputs = _inputs(shapes, numbers, name, targets)
    splits = {}
    for split in OTHER_SPLITS:
        x, t = name_for_split(inputs, numbers, split), name_for_split(targets, numbers, split)
        if x is not None and t is not None:
            splits[split] = (x, t)
    used = {inputs, targets, *(array for pair in splits.values() for array in pair)}
    return ArrayChoice(inputs, targets, splits, tuple(array for array in shapes if array not in used))


def shown_arrays(shapes: Shapes, arrays: Iterable[str]) -> str:
    """Join names of arrays with their shapes."""
    return ", ".join(f"{array} {'(no numbers)' if shapes[array] is None else shapes[array]}" for array in arrays)


def _targets(shapes: Shapes, numbers: Shapes, name: str, target: str | None) -> str:
    if target is not None and target in shapes:
        return target  # reading it raises an error if it holds no numbers
    if len(shapes) < 2:
        message = f"holds {shown_arrays(shapes, shapes) or 'no array'}; expected one of inputs and one of targets"
        raise DataError(name, f"{message}: np.savez({name!r}, x=x, t=t)")
    pairs = [(x, t) for x in shapes if (t := renamed(x, shapes, INPUTS, TARGETS))]
    trained = [pair for pair in pairs if has_word(pair[0], TRAINING)]
    others = {word for words in OTHER_SPLITS.values() for word in words}
    likely = trained or [pair for pair in pairs if not has_word(pair[0], others)]
    if target is None and len(likely) == 1:
        return likely[0][1]
    message = "no array was named to predict" if target is None else f"there is no array '{target}' in {name}"
    columns = [array for array, shape in numbers.items() if shape is not None and len(shape) == 1]
    remedy = did_you_mean(target or "", shapes)
    if not remedy and len(columns) == 1:
        remedy = f"if the targets are in {columns[0]}, write --target {columns[0]}"
    raise ParameterError("target", message, expected=f"one of {shown_arrays(shapes, shapes)}", remedy=remedy)


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
        has = f"holds {shown_arrays(shapes, shapes)}"
        raise DataError(name, f"{has}; expected another one of numbers, with as many rows as '{targets}'")
    first, *_ = largest
    remedy = f"save the right one as x: np.savez('xt.npz', x=data['{first}'], t=data['{targets}'])"
    raise DataError(name, f"the inputs may be in {' or '.join(map(repr, largest))}; {remedy}")
