"""A spec to begin from, for arrays in files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from mlpkit_plugins.arrays.array_dataset import expect_pairs
from mlpkit_plugins.arrays.finite_rows import expect_finite
from mlpkit_plugins.arrays.input_guess import guess_inputs
from mlpkit_plugins.arrays.target_guess import guess_target
from mlpkit_plugins.files.files_beside import pairs_of_splits, with_targets
from mlpkit_plugins.first_networks.convolutions import convolutional
from mlpkit_plugins.first_networks.first_spec import FirstData, first_spec, held_out, left_to_train
from mlpkit_plugins.first_networks.perceptron import perceptron

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from mlpkit import Proposal
    from mlpkit_plugins.arrays.array_split import Examples
    from mlpkit_plugins.arrays.input_guess import InputGuess
    from mlpkit_plugins.arrays.target_guess import TargetGuess


class FoundArrays(NamedTuple):
    """Two arrays to learn from, and how they were found.

    Args:
        data_set: the name of the data set that reads them.
        parameters: where they are, and where those of splits are that have their own.
        examples: the arrays.
        inputs: what a person calls the inputs.
        targets: what a person calls the targets.
        decisions: what was decided, each a label and a text.
        are_bytes: whether the data set takes inputs for bytes of grey images anyway.
        files: files among the parameters, besides those that the person named.
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
        parameters: its parameters that name the two.
        files: the files of inputs, by split.
        target: the file of targets; None takes the one beside the inputs.
        open_pair: opens the two, each given by the parameter that names it and its name.
        expected: what the file of targets must be, for messages.
        are_bytes: whether the data set takes inputs for bytes of grey images anyway.

    Raises:
        ParameterError: a file is missing, or it isn't clear which one holds the targets.
        DataError: a file is damaged, or nothing can be learned from it as it is.
    """
    inputs, targets = with_targets("train", files["train"], target, expected)
    own = pairs_of_splits(inputs, targets)
    own |= {split: with_targets(split, file) for split, file in files.items() if split != "train"}
    for split, (x, t) in own.items():
        open_pair((split, x), (split, t))
    found = FoundArrays(
        data_set,
        {**dict(zip(parameters, (inputs, targets), strict=True)), **own},
        open_pair(("train", inputs), ("target", targets)),
        Path(inputs).name,
        Path(targets).name,
        [(split, " and ".join(pair)) for split, pair in own.items() if split not in files],
        are_bytes,
        [inputs, targets, *(file for pair in own.values() for file in pair)],
    )
    return propose_for_arrays(found)


def propose_for_arrays(found: FoundArrays) -> Proposal:
    """Return a spec that trains well on two arrays.

    Raises:
        DataError: the arrays don't belong together, a number isn't finite, or there is nothing to learn.
    """
    examples = found.examples
    expect_pairs(examples)
    expect_finite(examples.inputs, examples.inputs_name)
    expect_finite(examples.targets, examples.targets_name)
    inputs = guess_inputs(examples.inputs, examples.inputs_name, are_bytes=found.are_bytes)
    aim = guess_target(examples.targets, examples.targets_name, are_classes=found.are_bytes)
    count = examples.inputs.shape[0]
    shares = held_out(count, found.parameters)
    training = left_to_train(count, shares)
    network = (
        perceptron(training, aim.target)
        if inputs.images is None
        else convolutional(training, inputs.images, aim.target)
    )
    told = [
        ("examples", f"{count:,}"),
        ("inputs", f"{found.inputs}: {inputs.text}"),
        ("target", f"{found.targets}: {aim.text}"),
        ("note", aim.note),
        ("note", inputs.note),
    ]
    data = FirstData(
        found.data_set,
        {**found.parameters, **_meaning(found, inputs, aim)},
        {"predict": aim.text, "divide_by": inputs.text, "standardize": inputs.text},
        [*found.decisions, *((label, text) for label, text in told if text)],
        found.files,
    )
    return first_spec(f"Predicts {found.targets} from {found.inputs}.", data, shares, network)


def _meaning(found: FoundArrays, inputs: InputGuess, aim: TargetGuess) -> dict[str, Any]:
    """Return the parameters that say what the arrays hold, and how inputs become what the network takes."""
    if found.are_bytes:
        return {} if inputs.images is None else {"flatten": False}
    parameters: dict[str, Any] = {"predict": aim.predict}
    if len(inputs.shape) > 1 and inputs.images is None:
        parameters["flatten"] = True
    if inputs.divide_by != 1:
        parameters["divide_by"] = int(inputs.divide_by) if inputs.divide_by.is_integer() else inputs.divide_by
    if inputs.standardize:
        parameters["standardize"] = True
    return parameters
