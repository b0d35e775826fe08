"""The proof that the members of a stack fit each other and the data."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from mlpkit.components.input_columns import InputShape, columns_of
from mlpkit.components.layer import Layer
from mlpkit.components.loss import Loss
from mlpkit.components.operation import Operation, Shape, belongs_to
from mlpkit.components.schema.context import show
from mlpkit.components.schema.recipe import Resolver
from mlpkit.components.target import Target
from mlpkit.errors import MlpkitError, ParameterError, ShapeError, UsageError
from mlpkit.network.component_errors import failing_operation

if TYPE_CHECKING:
    from mlpkit.components.calibration import Adjustment, Calibration
    from mlpkit.network.coverage import Coverage


class StackError(MlpkitError):
    """A member of the stack doesn't fit the shape that it was given.

    ``index`` is its position in the stack, and ``producer`` that of what feeds it, or -1 for the data. ``operation`` is
    the member that doesn't fit, or the layer inside it. Both are None for a member that isn't a layer or a loss.
    """

    exit_code = 2

    def __init__(
        self, index: int, name: str, input_shape: Shape, cause: Exception, member: Operation | None = None
    ) -> None:
        self.index = index
        self.producer = index - 1
        self.input_shape = input_shape
        self.cause = cause
        self.member = member
        self.operation = None if member is None else failing_operation(member, cause)
        place = (self.operation and self.operation.path) or name
        text = str(cause) if isinstance(cause, MlpkitError) else f"build raised {type(cause).__name__}: {cause}"
        super().__init__(text if place in text else f"{place}: {text}")


class Adjustments(NamedTuple):
    """What adjusts predictions once training is over, in the order in which it is fitted; None for nothing."""

    calibration: Calibration | None = None
    coverage: Coverage | None = None

    @property
    def present(self) -> list[Adjustment]:
        """Those that aren't None."""
        return [each for each in self if each is not None]


NO_ADJUSTMENTS: Final = Adjustments()


class Proof(NamedTuple):
    """The stack's shapes, proved: the input shape of each member, in order.

    Without data, ``target`` is None. ``flops`` is the number of floating-point operations of a step per example.
    """

    layers: list[Layer]
    loss: Loss
    shapes: list[Shape]
    target: Target | None
    flops: int
    adjustments: Adjustments = NO_ADJUSTMENTS

    @property
    def stack(self) -> list[Layer | Loss]:
        """The layers, and the loss at the end."""
        return [*self.layers, self.loss]


def prove_shapes(
    stack: Sequence[Operation],
    names: Sequence[str],
    input_shape: Shape,
    target: Target | None,
    dtype: np.dtype[Any],
    *,
    create: Resolver | None = None,
) -> Proof:
    """Let every member of the stack declare what it needs, and follow the shapes through, or raise ``StackError``.

    ``create`` builds the initializers that members give by name; without it, they are left as names.
    """
    shapes: list[Shape] = [InputShape(input_shape, columns_of(input_shape))]
    layers: list[Layer] = []
    flops = 0
    layers_inside: list[str] = []
    for index, (operation, name) in enumerate(zip(stack, names, strict=True)):
        last = index == len(stack) - 1
        try:
            member = _require_place(operation, name, last=last)
            if isinstance(member, Loss):
                member._take_place(name, shapes[-1], target, dtype)
            else:
                layers.append(member)
                member._layers_inside = layers_inside
                output_shape = member._take_place(name, shapes[-1], dtype)
                flops += member.flops(shapes[-1])
                shapes.append(output_shape)
            for each in member.operations():
                each._end_build()
                if create is not None:
                    each._build_initializers(create)
        except Exception as error:  # whatever an author's build raises becomes an error at the layer's place
            found = operation if isinstance(operation, Layer | Loss) else None
            raise StackError(index, name, shapes[-1], error, found) from error
    loss = stack[-1] if stack else None
    if not isinstance(loss, Loss):
        missing = ShapeError("the stack is empty", expected="layers, and a loss at the end")
        raise StackError(0, "layers", shapes[-1], missing)
    return Proof(layers, loss, shapes, target, flops)


def adjusted(proof: Proof, adjustments: Adjustments, dtype: np.dtype[Any]) -> Proof:
    """Let adjustments declare what they need for the target, which is known, and return the proof with them."""
    assert proof.target is not None
    for name, each in adjustments._asdict().items():
        if each is not None:
            each._take_place(name, proof.target, dtype)
    return proof._replace(adjustments=adjustments)


def _require_place(operation: Operation, name: str, *, last: bool) -> Layer | Loss:
    if not isinstance(operation, Layer | Loss):
        what, remedy = show(operation), ""
        if isinstance(operation, type):
            what, remedy = f"the class {operation.__name__}", f"write {operation.__name__}()"
        raise ParameterError(name, f"{what} is neither a layer nor a loss", remedy=remedy)
    if operation.path:
        raise UsageError(
            f"{name} is the same object as {operation.path}, which is already part of a network; make a new one"
        )
    if isinstance(operation, Loss) and not last:
        raise ShapeError(f"{name} is a loss in the middle of the stack", expected="a loss only at the end")
    if isinstance(operation, Layer) and last:
        raise ShapeError(
            f"the stack ends in {name}, which is not a loss",
            expected="a loss at the end",
            remedy="add one; mlpkit plugins lists the installed ones",
        )
    return operation


def coupled_by_slices(stack: Iterable[Operation], slices: int, frozen: Collection[str] = ()) -> str:
    """Name the unfrozen operations that couple examples, but see only a slice of a minibatch; empty if none does."""
    coupling = (operation for member in stack for operation in member.operations() if operation.couples_examples)
    coupled = [operation.path for operation in coupling if not belongs_to(operation.path, frozen)]
    if slices == 1 or not coupled:
        return ""
    layers = f"{coupled[0]} computes" if len(coupled) == 1 else f"{', '.join(coupled)} compute"
    return (
        f"{layers} over the examples of each of the {slices} slices alone, which gives different results from one slice"
    )
