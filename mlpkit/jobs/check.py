"""Checks a spec without opening its data."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from math import prod
from typing import Any, Final, NamedTuple

from mlpkit.components.component import recipe_of
from mlpkit.components.dataset import Dataset, Description
from mlpkit.components.operation import Operation, operations_inside, output_shape_of
from mlpkit.components.schema.recipe import KeyPath
from mlpkit.components.schema.wording import memory_size
from mlpkit.components.target import target_to_plain
from mlpkit.errors import Diagnostic
from mlpkit.jobs.prove import prove
from mlpkit.lazy_names import load
from mlpkit.specfile.sections import GUESTS
from mlpkit.specfile.spec import Spec
from mlpkit.system import memory_limit

PART_OF_MEMORY: Final = 0.01
"""Share of the memory up to which what a training needs is not worth a line."""


class CheckedMember(NamedTuple):
    """A member of the stack, or a layer inside one, whose shapes are proved.

    ``output_shape`` is () for the loss. Parameters are counted with those of layers inside it. ``place`` is in the
    spec, or empty if a layer around it made it in Python.
    """

    name: str
    type: str
    output_shape: tuple[int, ...]
    parameters: int
    inside: tuple[CheckedMember, ...] = ()
    place: KeyPath = ()

    def to_plain(self) -> dict[str, Any]:
        """Return it as plain data."""
        plain = {
            "name": self.name,
            "type": self.type,
            "output_shape": self.output_shape,
            "parameters": self.parameters,
        }
        return plain | ({"layers": [inner.to_plain() for inner in self.inside]} if self.inside else {})


@dataclass(frozen=True)
class CheckedSpec:
    """A spec without errors that can be found before its data is opened.

    ``memory`` has the bytes that training needs at least. ``initialized`` layers start with the weights of another run.
    """

    spec: Spec
    description: Description
    members: tuple[CheckedMember, ...]
    memory: int
    data_warnings: tuple[Diagnostic, ...] = ()
    initialized: tuple[str, ...] = ()
    frozen: tuple[str, ...] = ()
    dataset: Dataset = field(kw_only=True, repr=False, compare=False)

    @property
    def parameters(self) -> int:
        """Number of trained values of the whole network."""
        return sum(member.parameters for member in self.members)

    def about_memory(self) -> Iterator[str]:
        """Return the memory that training needs at least; empty if that is a small part of what there is."""
        there = memory_limit()
        if there is not None and self.memory > PART_OF_MEMORY * there:
            yield f"memory: at least {memory_size(self.memory)} to train, {memory_size(there)} available"

    def to_plain(self) -> dict[str, Any]:
        """Return it as plain data."""
        weights = {"initialized": self.initialized, "frozen": self.frozen}
        return {
            "name": self.spec.name,
            "data": self.spec.data.name,
            "sizes": self.description.sizes,
            "input_shape": self.description.input_shape,
            "target": target_to_plain(self.description.target),
            "layers": [member.to_plain() for member in self.members],
            "parameters": self.parameters,
            "memory": self.memory,
            **{what: layers for what, layers in weights.items() if layers},
            "warnings": [warning.to_plain() for warning in (*self.spec.warnings, *self.data_warnings)],
        }


def check(spec: Spec, dataset: Dataset | None = None) -> CheckedSpec:
    """Check callbacks' files and shapes of a spec whose syntax, keys and values are right, or raise ``SpecError``."""
    proved = prove(spec, dataset)
    proved.spec.resolved_text(slices=1, threads=1)  # a run writes it, and its folder must be readable
    more: list[Diagnostic] = []
    for key, _ in spec.top_level.guests():
        if GUESTS[key].proof:
            load(GUESTS[key].proof)(spec, proved, more.append)
    members = tuple(_checked(operation) for operation in (*proved.proof.layers, proved.proof.loss))
    initialized = proved.first_weights.layers if proved.first_weights is not None else ()
    needed, frozen = proved.memory, tuple(proved.frozen)
    found = (*proved.warnings, *more)
    return CheckedSpec(spec, proved.description, members, needed, found, initialized, frozen, dataset=proved.dataset)


def _checked(operation: Operation) -> CheckedMember:
    recipe = recipe_of(operation)
    return CheckedMember(
        name=operation.path,
        type=operation.registered_name,
        output_shape=output_shape_of(operation),
        parameters=sum(prod(parameter.shape) for parameter in operation.declared_parameters()),
        inside=tuple(_checked(child) for child in operations_inside(operation)),
        place=recipe.place if recipe else (),
    )
