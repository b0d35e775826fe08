"""The kind layer, layers that apply a function to each element, and chains of layers, which composites are made of."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from math import prod
from typing import TYPE_CHECKING, Any, ClassVar

from mlpkit.components.input_columns import InputShape, columns_of
from mlpkit.components.operation import MOST_LAYERS_INSIDE, Operation, Shape, check_gradient
from mlpkit.components.schema.component_types import default_name
from mlpkit.errors import ComponentFailure, ShapeError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class Layer(Operation):
    """A function of a minibatch, y = f(x), and its derivative, dx = dy ∂y/∂x.

    The first axis of every array is the batch axis; shapes in ``build`` leave it out.
    """

    kind: ClassVar[str] = "layer"

    def build(self, input_shape: Shape) -> Shape:
        """Declare parameters for inputs of that shape, and return the shape of the outputs.

        Raises:
            ShapeError: the layer can't take such inputs.
        """
        return input_shape

    @abstractmethod
    def forward(self, x: NDArray[Any]) -> NDArray[Any]:
        """Return y for a minibatch, and keep what ``backward`` will need.

        Args:
            x: inputs, shape (rows, *input_shape); must be left as they are.
        """

    @abstractmethod
    def backward(self, dy: NDArray[Any]) -> NDArray[Any] | None:
        """Overwrite the gradient of each parameter, and return dx.

        Another call after the same ``forward`` gives the same, for the same dy.

        Args:
            dy: derivative of the loss by y; the layer may overwrite it.

        Returns:
            dx, writable; None only if ``needs_input_gradient`` is false.
        """

    def child(self, layer: Layer, input_shape: Shape, *, group: str = "") -> Shape:
        """Declare a layer inside this one, and return the shape of its outputs; to be called in ``build``.

        Its name is the one that the spec gives it, or its type and ordinal, such as ``Affine2``.

        Args:
            layer: a layer that belongs to this one alone.
            input_shape: shape of its inputs.
            group: prefix of its name, before a dot, if a layer holds several groups of layers.
        """
        if not isinstance(layer, Layer):
            raise TypeError(f"{self.path} takes {layer!r} as a child, which is not a layer")
        if layer.path:
            already = f"{layer.path} as a child, which is already part of a network"
            raise ValueError(f"{self.path} takes {already}; make a new layer")
        before = f"{group}." if group else ""
        by_default = {each: default_name(layer.type_name, self._layer_counts[each]) for each in {"", before}}
        given_name = layer._recipe.given_name if layer._recipe else ""
        name = before + (given_name or by_default[before])
        self._require_new_name(name)
        self._layers_inside.append(self.path)
        if len(self._layers_inside) > MOST_LAYERS_INSIDE:
            message = f"{self.path} brings the layers inside layers to more than {MOST_LAYERS_INSIDE:,}"
            raise ShapeError(message, expected="a network with fewer layers", remedy="repeat fewer of them")
        layer._layers_inside = self._layers_inside
        self._children[name] = layer
        return layer._take_place(f"{self.path}.{name}", input_shape, self.dtype)

    def chain(self, layers: Iterable[Layer], input_shape: Shape, *, name: str = "") -> Chain:
        """Declare a chain of layers inside this one; to be called in ``build``.

        Args:
            layers: new layers, in order; each takes what the one before it returns.
            input_shape: shape of the first one's inputs.
            name: prefix of the layers' names, before a dot, if it holds several chains: the parameter they come from.
        """
        return Chain(self, layers, input_shape, name)

    def flops(self, input_shape: Shape) -> int:
        """Return floating-point operations for one example, forward and backward.

        By default six per weight, a multiplication and an addition in each of three matrix products, and the
        operations of the layers inside.
        """
        inside = sum(child.flops(child._input_shape) for child in self._children.values() if isinstance(child, Layer))
        return 6 * sum(prod(parameter.shape) for parameter in self._parameters.values()) + inside

    def _take_place(self, path: str, input_shape: Shape, dtype: np.dtype[Any]) -> Shape:
        """Become part of a network: declare what is needed, and return the shape of the outputs."""
        self._join(path, dtype)
        self._input_shape = input_shape
        shape: object = self.build(InputShape(input_shape, columns_of(input_shape)))
        if not isinstance(shape, tuple) or not all(isinstance(n, int) and n >= 1 for n in shape):
            raise ShapeError(
                f"build of {path} returned {shape!r}",
                expected="the outputs' shape, a tuple of positive integers",
                remedy="end build with 'return input_shape' if forward keeps the shape" if shape is None else "",
            )
        self._output_shape = tuple(shape)  # what a layer returns no longer comes from columns of the data
        return self._output_shape


class Elementwise(Layer):
    """A layer that applies a function to each element, given by its formula and its derivative.

        y  = f(x)
        dx = dy f'(x)

    Both methods may write into ``out`` and return it, which is fast, or return a new array. If one pass can
    compute dx, override ``backward`` as well.

    Attributes:
        x: inputs of the last ``forward``.
        y: what it returned.
    """

    @abstractmethod
    def function(self, x: NDArray[Any], out: NDArray[Any]) -> NDArray[Any]:
        """Return f(x).

        Args:
            x: inputs, shape (rows, *input_shape); must be left as they are.
            out: an array of the same shape and dtype for the result, of undefined content.
        """

    @abstractmethod
    def derivative(self, x: NDArray[Any], y: NDArray[Any], out: NDArray[Any]) -> NDArray[Any]:
        """Return f'(x).

        Args:
            x: inputs of ``function``; must be left as they are.
            y: what it returned.
            out: as for ``function``.
        """

    def forward(self, x: NDArray[Any]) -> NDArray[Any]:
        """Return y = f(x)."""
        self.x = x
        self.y = self.function(x, self.buffer("y", like=x))
        return self.y

    def prediction_plan(self, x: NDArray[Any]) -> Callable[[], NDArray[Any]]:
        """Return a function that computes f(x) again."""
        return partial(self.function, x, self.buffer("y", like=x))

    def backward(self, dy: NDArray[Any]) -> NDArray[Any]:
        """Return dx = dy f'(x)."""
        dy *= self.derivative(self.x, self.y, self.buffer("derivative", like=self.x))
        return dy

    @classmethod
    def examples(cls) -> list[tuple[dict[str, Any], Shape]]:
        """Show the layer on features and on an image."""
        return [({}, (6,)), ({}, (2, 3))]


class Chain:
    """A chain of layers inside a layer, y = fₙ(... f₂(f₁(x))).

    ``Layer.chain`` makes it. The chain sets which layers need to compute an input gradient: if the owner's is not
    needed, the layers up to the first with parameters skip theirs, as in a network. The first pass checks that each
    layer returns what its ``build`` declared.

    Args:
        owner: the layer that holds them.
        layers: new layers, in order.
        input_shape: shape of the first one's inputs.
        name: prefix of the layers' names, before a dot.

    Attributes:
        layers: the layers, in order.
        input_shape: shape of the first one's inputs.
        output_shape: shape of what the last one returns.
    """

    def __init__(self, owner: Layer, layers: Iterable[Layer], input_shape: Shape, name: str = "") -> None:
        self.owner = owner
        self.layers: list[Layer] = []
        self.input_shape = self.output_shape = input_shape
        for layer in layers:  # one by one, so that too many are never built
            self.output_shape = owner.child(layer, self.output_shape, group=name)
            self.layers.append(layer)
        self._outputs_checked = False
        self._gradients_checked = False
        owner._on_freeze.append(self._follow)
        self._follow()

    def forward(self, x: NDArray[Any]) -> NDArray[Any]:
        """Return what the last layer returns.

        Args:
            x: inputs, shape (rows, *input_shape).
        """
        if self._needed is not self.owner.needs_input_gradient:
            self._follow()
        if self._outputs_checked:
            for layer in self.layers:
                x = layer.forward(x)
            return x
        for layer in self.layers:
            x = checked_forward(layer, x)
        self._outputs_checked = True
        return x

    def backward(self, dy: NDArray[Any]) -> NDArray[Any] | None:
        """Let the layers overwrite their gradients, last first, and return dx; None if the owner's isn't needed.

        Args:
            dy: derivative of the loss by what ``forward`` returned; the layers may overwrite it.
        """
        dx: NDArray[Any] | None = dy
        if self._gradients_checked:
            for layer in self._backward_order:
                dx = layer.backward(dx)  # type: ignore[arg-type]
        else:
            for layer in self._backward_order:
                dx = checked_backward(layer, dx, len(dy))
            self._gradients_checked = True
        return dx if self._needed else None

    def _follow(self) -> None:
        """Settle which layers go backward, from what the owner needs and from what is trained."""
        self._needed = self.owner.needs_input_gradient
        self._backward_order = order_of_backward(self.layers, self._needed)


def checked_forward(layer: Layer, x: NDArray[Any]) -> NDArray[Any]:
    """Return a layer's outputs; a ``ComponentFailure`` if they are not what its ``build`` declared."""
    y = layer.forward(x)
    got, declared = (getattr(y, "shape", None), getattr(y, "dtype", None)), ((len(x), *layer._output_shape), x.dtype)
    if got != declared:
        raise ComponentFailure(
            f"{layer.kind} {layer.path} ({layer.type_name}) returned {got[1]} of shape {got[0]} for {len(x)} rows, "
            f"but its build declared {declared[1]} of shape {declared[0]}"
        )
    return y


def checked_backward(layer: Layer, dy: NDArray[Any] | None, rows: int) -> NDArray[Any] | None:
    """Return a layer's input gradient; a ``ComponentFailure`` if the layer before needs it and can't use it."""
    dx = layer.backward(dy)  # type: ignore[arg-type]  # all but the first to go backward need their input gradient
    if layer.needs_input_gradient:
        check_gradient(layer, dx, (rows, *layer._input_shape))
    return dx


def order_of_backward(layers: Sequence[Layer], needed: bool) -> list[Layer]:
    """Set which layers of a chain need their input gradients, and return those that go backward, last first."""
    trained = [i for i, layer in enumerate(layers) if layer._is_trained()]
    first_trained = trained[0] if trained else len(layers)
    for i, layer in enumerate(layers):
        layer.needs_input_gradient = needed or i > first_trained
    return list(layers[0 if needed else first_trained :])[::-1]
