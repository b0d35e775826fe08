"""Layers inside a layer that follow one another."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlpkit.components.promises import expect_gradient, expect_outputs

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from mlpkit.components.layer import Layer
    from mlpkit.components.operation import Shape


class Chain:
    """Layers inside a layer that follow one another, y = fₙ(... f₂(f₁(x))).

    ``Layer.chain`` makes it. The layers are told whether their input gradients are needed: where nobody needs that
    of the owner, those up to the first with parameters are spared it, as in a network. The first pass makes sure that
    each returns what its ``build`` declared.

    Args:
        owner: the layer that holds them.
        layers: new layers, in order.
        input_shape: shape of the first one's inputs.
        name: stands before the names of the layers with a dot.

    Attributes:
        layers: the layers, in order.
        input_shape: shape of the first one's inputs.
        output_shape: shape of what the last one returns.
    """

    def __init__(self, owner: Layer, layers: Iterable[Layer], input_shape: Shape, name: str = "") -> None:
        self.owner = owner
        self.layers: list[Layer] = []
        self.input_shape = self.output_shape = input_shape
        for layer in layers:  # one after the other, so that too many are never made
            self.output_shape = owner.child(layer, self.output_shape, group=name)
            self.layers.append(layer)
        self._outputs_checked = False
        self._gradients_checked = False
        self._follow(owner.needs_input_gradient)

    def forward(self, x: NDArray[Any]) -> NDArray[Any]:
        """Return what the last layer returns.

        Args:
            x: inputs, shape (rows, *input_shape).
        """
        if self._needed is not self.owner.needs_input_gradient:
            self._follow(self.owner.needs_input_gradient)
        if not self._outputs_checked:
            return self._checked_forward(x)
        for layer in self.layers:
            x = layer.forward(x)
        return x

    def backward(self, dy: NDArray[Any]) -> NDArray[Any] | None:
        """Let the layers overwrite their gradients, last first, and return dx; None if nobody needs the owner's.

        Args:
            dy: derivative of the loss by what ``forward`` returned; the layers may overwrite it.
        """
        if not self._gradients_checked:
            return self._checked_backward(dy)
        dx: NDArray[Any] | None = dy
        for layer in self._backward_order:
            dx = layer.backward(dx)  # type: ignore[arg-type]
        return dx if self._needed else None

    def _follow(self, needed: bool) -> None:
        self._needed = needed
        self._backward_order = order_of_backward(self.layers, needed)

    def _checked_forward(self, x: NDArray[Any]) -> NDArray[Any]:
        for layer in self.layers:
            y = layer.forward(x)
            expect_outputs(layer, y, (len(x), *layer._output_shape), x.dtype)
            x = y
        self._outputs_checked = True
        return x

    def _checked_backward(self, dy: NDArray[Any]) -> NDArray[Any] | None:
        dx: NDArray[Any] | None = dy
        for layer in self._backward_order:
            dx = layer.backward(dx)  # type: ignore[arg-type]
            if layer.needs_input_gradient:
                expect_gradient(layer, dx, (len(dy), *layer._input_shape))
        self._gradients_checked = True
        return dx if self._needed else None


def order_of_backward(layers: Sequence[Layer], needed: bool) -> list[Layer]:
    """Tell each layer whether its input gradient is needed, and return those that go backward, last first.

    Args:
        layers: layers that follow one another.
        needed: whether anybody needs the input gradient of the first.
    """
    trained = [i for i, layer in enumerate(layers) if any(True for _ in layer.declared_parameters())]
    first_trained = trained[0] if trained else len(layers)
    for i, layer in enumerate(layers):
        layer.needs_input_gradient = needed or i > first_trained
    return list(layers[0 if needed else first_trained :])[::-1]
