"""Whether the memory of this process can hold a training."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from mlpkit.components.schema.context import Problem
from mlpkit.components.schema.wording import memory_size
from mlpkit.system import memory_limit

if TYPE_CHECKING:
    from mlpkit.network.shape_proof import Proof
    from mlpkit.specfile.spec import Spec

ADDRESSABLE: Final = 2**48
"""Bytes that a process can address on today's processors."""


class TrainingMemory(NamedTuple):
    """What a training needs at least, in bytes; data, scratch memory of layers, and checkpoints come on top.

    Args:
        layers: what each layer needs for a minibatch of its outputs, and for its parameters, their gradients, and what
            the optimizer and the moving average keep for each; the loss comes last.
    """

    layers: tuple[int, ...]

    @property
    def total(self) -> int:
        """What all layers need."""
        return sum(self.layers)


def training_memory(spec: Spec, proof: Proof) -> TrainingMemory:
    """Return the memory that the training of a spec needs.

    Args:
        spec: the spec.
        proof: the proof of its layers.
    """
    training = spec.training
    copies = 1 + (training.slices or 1) + len(training.optimizer().slots) + (training.moving_average is not None)
    values = [
        copies * sum(prod(parameter.shape) for parameter in member.declared_parameters()) for member in proof.stack
    ]
    outputs = [training.batch_size * prod(shape) for shape in proof.shapes[1:]] + [0]
    size = np.dtype(spec.dtype).itemsize
    return TrainingMemory(tuple(size * (own + output) for own, output in zip(values, outputs, strict=True)))


def unaddressable(spec: Spec, proof: Proof) -> list[Problem]:
    """Return what is wrong if no process could hold a training."""
    needed = training_memory(spec, proof)
    return [_too_little(spec, needed, "more than a process can address")] if needed.total > ADDRESSABLE else []


def little_memory(spec: Spec, proof: Proof) -> list[Problem]:
    """Return what to warn of if this process can't hold a training."""
    needed, there = training_memory(spec, proof), memory_limit() or ADDRESSABLE
    return [_too_little(spec, needed, f"and {memory_size(there)} are there")] if needed.total > there else []


def _too_little(spec: Spec, needed: TrainingMemory, why: str) -> Problem:
    most = needed.layers.index(max(needed.layers))
    message = f"training needs at least {memory_size(needed.total)} of memory, {why}"
    notes = (f"{spec.layers[most].name} needs {memory_size(needed.layers[most])} of it",)
    place, remedy = spec.layers[most].recipe.place, "use fewer units or channels, or a smaller batch_size"
    return Problem(place, message, remedy=remedy, at_key=True, notes=notes)
