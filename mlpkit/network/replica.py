"""One copy of the stack: its own scratch arrays and gradients, the parameters shared with the other copies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlpkit.errors import ComponentFailure, MlpkitError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mlpkit.components.layer import Layer
    from mlpkit.components.loss import Loss
    from mlpkit.components.operation import Operation, Shape
    from mlpkit.components.randomness import RandomPosition
    from mlpkit.network.flat_layout import FlatLayout


class Replica:
    """Computes loss and gradient of a slice of a minibatch.

    Args:
        layers: the layers, declared but not yet bound to arrays.
        loss: the loss, likewise.
        shapes: input shape of each layer, and of the loss.
        position: where this replica's random numbers are drawn.
    """

    def __init__(self, layers: list[Layer], loss: Loss, shapes: list[Shape], position: RandomPosition) -> None:
        self.layers = layers
        self.loss = loss
        self.position = position
        self._shapes = shapes
        self._outputs_checked = False
        for operation in self.operations():
            operation._position = position
        trained = [i for i, layer in enumerate(layers) if any(True for _ in layer.declared_parameters())]
        self._first_trained = trained[0] if trained else len(layers)
        for i, layer in enumerate(layers):
            layer.needs_input_gradient = i > self._first_trained
        self._backward_order = layers[self._first_trained :][::-1]

    def bind(
        self,
        parameters: FlatLayout,
        values: NDArray[Any],
        gradient: NDArray[Any],
        states: FlatLayout,
        state: NDArray[Any],
    ) -> None:
        """Give every parameter and state its view of the flat arrays."""
        self.gradient = gradient
        self.state = state
        for member in (*self.layers, self.loss):
            for parameter in member.declared_parameters():
                parameter.value = parameters.view(values, parameter.path)
                parameter.grad = parameters.view(gradient, parameter.path)
            for kept in member.declared_states():
                kept.value = states.view(state, kept.path)

    def operations(self) -> list[Operation]:
        """Return all layers, those inside others too, and the loss."""
        return [operation for member in (*self.layers, self.loss) for operation in member.operations()]

    def set_training(self, training: bool) -> None:
        """Tell every operation whether what follows is training or evaluation."""
        for operation in self.operations():
            operation.training = training

    def forward(self, x: NDArray[Any]) -> NDArray[Any]:
        """Return the loss's inputs, such as logits, for a minibatch."""
        self.position.forwards += 1
        if not self._outputs_checked:
            return self._checked_forward(x)
        layer: Operation = self.loss
        try:
            for layer in self.layers:
                x = layer.forward(x)
        except Exception as error:
            raise _failure(layer, "forward", error) from error
        return x

    def loss_of(self, x: NDArray[Any], t: NDArray[Any]) -> float:
        """Return the mean loss of a minibatch."""
        logits = self.forward(x)
        try:
            return self.loss.forward(logits, t)
        except Exception as error:
            raise _failure(self.loss, "forward", error) from error

    def backward(self, dloss: float) -> None:
        """Fill the gradient, for the minibatch that ``loss_of`` saw last.

        Args:
            dloss: what this minibatch counts in the whole.
        """
        layer: Operation = self.loss
        try:
            dy: NDArray[Any] | None = self.loss.backward(dloss)
            for layer in self._backward_order:
                dy = layer.backward(dy)  # type: ignore[arg-type]
        except Exception as error:
            raise _failure(layer, "backward", error) from error

    def _checked_forward(self, x: NDArray[Any]) -> NDArray[Any]:
        """Do a first forward pass and make sure that each layer returns what its ``build`` declared."""
        rows = len(x)
        for layer, shape in zip(self.layers, self._shapes[1:], strict=True):
            dtype = x.dtype
            try:
                x = layer.forward(x)
            except Exception as error:
                raise _failure(layer, "forward", error) from error
            got = getattr(x, "shape", None), getattr(x, "dtype", None)
            if got != ((rows, *shape), dtype):
                raise ComponentFailure(
                    f"layer {layer.path} ({layer.type_name}) returned {got[1]} of shape {got[0]} for {rows} rows, "
                    f"but its build declared {dtype} of shape {(rows, *shape)}"
                )
        self._outputs_checked = True
        return x


def _failure(operation: Operation, method: str, error: Exception) -> MlpkitError:
    if isinstance(error, MlpkitError):
        return error
    return ComponentFailure(
        f"{operation.kind} {operation.path} ({operation.type_name}) failed in {method}: {type(error).__name__}: {error}"
    )
