"""From a spec to a network, its shapes proved before any data is read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from mlpkit.components.schema.fault import Fault
from mlpkit.errors import ParameterError, SpecShapeError, WrongUseError
from mlpkit.network.blame import Blame
from mlpkit.network.sequential import Sequential
from mlpkit.network.shape_proof import Proof, StackError, prove_shapes
from mlpkit.spec.installed import installed

if TYPE_CHECKING:
    from mlpkit.components.dataset import Description
    from mlpkit.components.recipe import Recipe
    from mlpkit.components.schema.fault import Path
    from mlpkit.network.sequential import Resolver
    from mlpkit.spec.spec import Spec


class SpecProof(NamedTuple):
    """What is known of a spec before any data is read.

    Args:
        description: shapes and sizes of the data.
        proof: shapes of the layers.
    """

    description: Description
    proof: Proof


def prove(spec: Spec) -> SpecProof:
    """Prove that the layers of a spec fit each other and the data, and the minibatch the data.

    Raises:
        SpecShapeError: they don't; the message points at both places.
        DataError: the header of a data file is not what it should be.
    """
    description = describe_data(spec)
    examples = description.sizes["train"]
    faults = []
    if spec.training.batch_size > examples:
        size = Fault(
            ("training", "batch_size"),
            f"a minibatch of {spec.training.batch_size} is larger than the training data",
            expected=f"at most {examples}, the training examples of {spec.data.name}",
        )
        faults.append(size)
    try:
        stack = [member.recipe() for member in spec.layers]
        names = [member.name for member in spec.layers]
        proof = prove_shapes(stack, names, description.input_shape, description.target, np.dtype(spec.dtype))
    except StackError as error:
        faults.append(_stack_fault(spec, error))
    if faults:
        raise spec.error(SpecShapeError, faults)
    return SpecProof(description, proof)


def describe_data(spec: Spec) -> Description:
    """Return shapes and sizes of a spec's data.

    Raises:
        SpecShapeError: a parameter of the data set does not fit the data.
        DataError: the header of a data file is not what it should be.
    """
    try:
        with Blame(f"dataset {spec.data.name} failed in describe"):
            return spec.data().describe()
    except ParameterError as error:
        path = ("data", spec.data.name, error.parameter)
        fault = Fault(path, error.message, expected=error.expected, remedy=error.remedy)
        raise spec.error(SpecShapeError, [fault]) from error


def build(spec: Spec, *, slices: int | None = None) -> Sequential:
    """Build the network of a spec, its parameters initialised from the spec's seed.

    Args:
        spec: the spec.
        slices: slices of a minibatch; by default what the spec says, or one.

    Raises:
        SpecShapeError: the layers don't fit each other or the data.
        DataError: the header of a data file is not what it should be.
    """
    proved = prove(spec)
    return build_for(spec, proved.description.input_shape, target=proved.description.target, slices=slices)


def build_for(spec: Spec, input_shape: tuple[int, ...], *, target: Any = None, slices: int | None = None) -> Sequential:
    """Build the network of a spec for inputs of a known shape, without a look at its data.

    Args:
        spec: the spec.
        input_shape: shape of one example.
        target: what is to be predicted, if known.
        slices: slices of a minibatch; by default what the spec says, or one.

    Raises:
        SpecShapeError: the layers don't fit each other or the inputs.
    """
    try:
        return Sequential(
            [member.recipe() for member in spec.layers],  # type: ignore[misc]
            input_shape,
            target=target,
            seed=spec.seed,
            dtype=spec.dtype,
            names=[member.name for member in spec.layers],
            slices=slices or spec.training.slices or 1,
            resolver=spec.registry.create,
        )
    except StackError as error:
        raise spec.error(SpecShapeError, [_stack_fault(spec, error)]) from error


def installed_resolver() -> Resolver:
    """Return what builds components by name from all that is installed."""
    return installed().create


def _stack_fault(spec: Spec, error: StackError) -> Fault:
    member = spec.layers[error.index]
    cause = error.cause
    message, expected, remedy = str(error), "", ""
    if isinstance(cause, WrongUseError):
        message, expected, remedy = cause.message, cause.expected, cause.remedy
    origins: list[str] = []
    if error.producer < 0:
        producer, place = f"the data ({spec.data.name})", spec.document.place(("data",), at_key=True)
        origins += _parameter_origins(spec, ("data",), spec.data)
    else:
        before = spec.layers[error.producer]
        producer, place = before.name, spec.document.place(before.path)
        origins += _parameter_origins(spec, before.path, before.recipe)
    return Fault(
        (*member.path, member.recipe.name),
        message,
        expected=expected,
        remedy=remedy,
        at_key=True,
        notes=(f"its inputs, of shape {error.input_shape}, come from {producer} at {place}", *origins),
    )


def _parameter_origins(spec: Spec, path: Path, recipe: Recipe[Any]) -> list[str]:
    """Say where parameters come from that are inherited, substituted or overridden."""
    notes = [note for key in recipe.arguments for note in spec.document.origin_notes((*path, recipe.name, key))]
    return list(dict.fromkeys(notes))
