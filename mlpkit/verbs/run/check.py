"""Checks a spec as far as that is possible without opening its data."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import prod
from typing import TYPE_CHECKING, NamedTuple

from mlpkit.components.operation import operations_inside, output_shape_of
from mlpkit.jobs.prove import prove
from mlpkit.lazy_names import load
from mlpkit.specfile.sections import GUESTS

if TYPE_CHECKING:
    from mlpkit.components.dataset import Dataset, Description
    from mlpkit.components.operation import Operation
    from mlpkit.errors import Diagnostic
    from mlpkit.specfile.spec import Spec


class CheckedMember(NamedTuple):
    """A member of the stack, or a layer inside one, whose shapes are proved.

    Args:
        name: its name in the network, such as ``Affine1`` or ``Residual1.Affine1``.
        type: the component's name.
        output_shape: shape of what it returns for one example; () for the loss.
        parameters: number of trained values, those of layers inside it too.
        inside: the layers inside it.
    """

    name: str
    type: str
    output_shape: tuple[int, ...]
    parameters: int
    inside: tuple[CheckedMember, ...] = ()


@dataclass(frozen=True)
class CheckedSpec:
    """A spec that is right as far as can be seen before its data is opened.

    Args:
        spec: the spec.
        description: shapes and sizes of the data.
        members: the layers and the loss.
        memory: the bytes that training needs at least.
        data_warnings: what the data set has doubts about.
        initialized: the layers that begin with the weights of another run.
        frozen: the layers that training leaves as they are.
        dataset: the data set, described.
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


def check(spec: Spec) -> CheckedSpec:
    """Check the callbacks' files and the shapes of a spec whose syntax, keys and values are right.

    Raises:
        SpecError: something is wrong; all that one stage finds is named.
        DataError: a data file is not what it should be, as far as its data set reads it to describe itself.
    """
    proved = prove(spec)
    proved.spec.resolved_text(slices=1, threads=1)  # a run writes it, and its folder must be readable
    more: list[Diagnostic] = []
    for key, _ in spec.top_level.guests():
        load(GUESTS[key].proof)(spec, proved, more.append)
    members = tuple(_checked(operation) for operation in (*proved.proof.layers, proved.proof.loss))
    initialized = proved.first_weights.layers if proved.first_weights is not None else ()
    needed, frozen = proved.memory, tuple(proved.frozen)
    found = (*proved.warnings, *more)
    return CheckedSpec(spec, proved.description, members, needed, found, initialized, frozen, dataset=proved.dataset)


def _checked(operation: Operation) -> CheckedMember:
    return CheckedMember(
        name=operation.path,
        type=operation.registered_name,
        output_shape=output_shape_of(operation),
        parameters=sum(prod(parameter.shape) for parameter in operation.declared_parameters()),
        inside=tuple(_checked(child) for child in operations_inside(operation)),
    )
