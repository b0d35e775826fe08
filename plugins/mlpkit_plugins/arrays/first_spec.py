"""A first spec for arrays in files."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from mlpkit import Proposal
from mlpkit_plugins.arrays.array_dataset import check_pairs
from mlpkit_plugins.arrays.array_split import Examples
from mlpkit_plugins.arrays.finite_rows import check_finite
from mlpkit_plugins.arrays.input_guess import InputGuess, guess_inputs
from mlpkit_plugins.arrays.target_guess import TargetGuess, guess_target
from mlpkit_plugins.files.neighbouring_files import find_targets, pairs_of_splits
from mlpkit_plugins.first_networks.convolutions import convolutional
from mlpkit_plugins.first_networks.first_spec import FirstData, first_spec, held_out, left_to_train
from mlpkit_plugins.first_networks.perceptron import perceptron


class FoundArrays(NamedTuple):
    """Two arrays to learn from, and how they were found.

    Args:
        data_set: the name of the data set that reads them.
        parameters: the parameters that name their files, and the separate files of splits.
        examples: the arrays.
        inputs: the user's name of the inputs.
        targets: the user's name of the targets.
        decisions: the decisions made, each a label and a text.
        are_bytes: whether the data set always reads inputs as bytes of grey images.
        files: files in the parameters that the user didn't name.
    """

    data_set: str
    parameters: Mapping[str, Any]
    examples: Examples
    inputs: str
    targets: str
    decisions: Sequence[tuple[str, str]] = ()
    are_bytes: bool = False
    files: Sequence[str] = ()


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
    """Return a spec that trains well on a file of inputs and one of targets.

    Args:
        data_set: the name of the data set that reads them.
        parameters: its parameters for the two files.
        files: the files of inputs, by split.
        target: the file of targets; None for the file next to the inputs.
        open_pair: opens the two files, each given as a parameter and a name.
        expected: the description of a file of targets in messages.
        are_bytes: whether the data set always reads inputs as bytes of grey images.

    Raises:
        ParameterError: a file is missing, or the file of targets isn't clear.
        DataError: a file is damaged, or holds nothing to learn from.
    """
    inputs, targets = find_targets("train", files["train"], target, expected)
    own = pairs_of_splits(inputs, targets)
    own |= {split: find_targets(split, file) for split, file in files.items() if split != "train"}
    for split, (x, t) in own.items():
        open_pair((split, x), (split, t))
    arrays = FoundArrays(
        data_set,
        {**dict(zip(parameters, (inputs, targets), strict=True)), **own},
        open_pair(("train", inputs), ("target", targets)),
        Path(inputs).name,
        Path(targets).name,
        [(split, " and ".join(pair)) for split, pair in own.items() if split not in files],
        are_bytes,
        [inputs, targets, *(file for pair in own.values() for file in pair)],
    )
    return propose_for_arrays(arrays)


def propose_for_arrays(arrays: FoundArrays) -> Proposal:
    """Return a spec that trains well on two arrays.

    Raises:
        DataError: the arrays don't belong together, a number isn't finite, or there is nothing to learn.
    """
    examples = arrays.examples
    check_pairs(examples)
    check_finite(examples.inputs, examples.inputs_name)
    check_finite(examples.targets, examples.targets_name)
    inputs = guess_inputs(examples.inputs, examples.inputs_name, are_bytes=arrays.are_bytes)
    aim = guess_target(examples.targets, examples.targets_name, are_classes=arrays.are_bytes)
    count = examples.inputs.shape[0]
    shares = held_out(count, arrays.parameters)
    training = left_to_train(count, shares)
    network = (
        perceptron(training, aim.target)
        if inputs.images is None
        else convolutional(training, inputs.images, aim.target)
    )
    decisions = [
        ("examples", f"{count:,}"),
        ("inputs", f"{arrays.inputs}: {inputs.text}"),
        ("target", f"{arrays.targets}: {aim.text}"),
        ("note", aim.note),
        ("note", inputs.note),
    ]
    data = FirstData(
        arrays.data_set,
        {**arrays.parameters, **_meaning(arrays, inputs, aim)},
        {"predict": aim.text, "divide_by": inputs.text, "standardize": inputs.text},
        [*arrays.decisions, *((label, text) for label, text in decisions if text)],
        arrays.files,
    )
    return first_spec(f"Predicts {arrays.targets} from {arrays.inputs}.", data, shares, network)


def _meaning(arrays: FoundArrays, inputs: InputGuess, aim: TargetGuess) -> dict[str, Any]:
    """Return the parameters for the content of the arrays and the scaling of the inputs."""
    if arrays.are_bytes:
        return {} if inputs.images is None else {"flatten": False}
    parameters: dict[str, Any] = {"predict": aim.predict}
    if len(inputs.shape) > 1 and inputs.images is None:
        parameters["flatten"] = True
    if inputs.divide_by != 1:
        parameters["divide_by"] = int(inputs.divide_by) if inputs.divide_by.is_integer() else inputs.divide_by
    if inputs.standardize:
        parameters["standardize"] = True
    return parameters
