"""Runs layers and losses outside a network, with random targets, and compares their gradients with differences."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, NamedTuple, TypeVar

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from mlpkit.array import Array
from mlpkit.components.layer import Layer
from mlpkit.components.loss import Loss
from mlpkit.components.operation import Operation, Shape, check_gradient
from mlpkit.components.randomness import keyed_generator
from mlpkit.components.schema.recipe import Resolver
from mlpkit.components.target import Target
from mlpkit.errors import MlpkitError, UsageError
from mlpkit.network.component_errors import operation_errors
from mlpkit.network.sequential import Sequential


def random_targets(
    target: Target, rows: int, rng: np.random.Generator, dtype: DTypeLike = np.float64, *, negative: bool = True
) -> Array:
    """Draw random targets, in the network's dtype unless they are class numbers."""
    targets: Array = target.random_examples(rows, rng)[1].astype(target.array(np.dtype(dtype))[1])
    return targets if negative else np.abs(targets)


O = TypeVar("O", bound="Operation")  # noqa: E741 - stands for operation


class Projection(Loss):
    """Scalar product of the inputs and the targets, so that backward's dx is dloss t.

    loss = Σ x t
    """

    def build(self, input_shape: Shape, target: Target | None) -> None:
        """Accept inputs of any shape."""

    def forward(self, x: Array, t: Array) -> float:
        """Return Σ x t."""
        self.t = t
        return float(np.sum(x * t, dtype=np.float64))

    def backward(self, dloss: float = 1.0) -> Array:
        """Return dloss t."""
        return self.t * dloss


def standalone(
    operation: O,
    input_shape: Shape,
    *,
    target: Target | None = None,
    seed: int = 0,
    dtype: DTypeLike = np.float64,
    resolver: Resolver | None = None,
) -> O:
    """Build a new layer or loss outside a network, ready for ``forward`` and ``backward``.

    Its parameters have initial values and arrays for their gradients, it is in training, and its input gradient is
    needed. If it draws random numbers, call ``begin_pass`` before each ``forward``.

    Args:
        operation: the layer or loss; it can't become part of a network afterwards.
        input_shape: shape of one example.
        target: for a loss, the kind of target, if known.
        seed: the seed of initializers and random numbers.
        dtype: float32 or float64.
        resolver: builds components from their names; by default all installed ones.

    Raises:
        StackError: the layer or loss can't take such inputs or targets.
    """
    if not isinstance(operation, Layer | Loss):
        raise UsageError(f"{operation!r} is neither a layer nor a loss")
    stack: list[Layer | Loss] = [operation] if isinstance(operation, Loss) else [operation, Projection()]
    network = Sequential(stack, input_shape, target=target, seed=seed, dtype=dtype, resolver=resolver)
    network.set_training(True)
    operation.needs_input_gradient = True
    return operation


def begin_pass(operation: Operation) -> None:
    """Restart the operation's random numbers, as a network does before each forward pass."""
    operation._position.forwards += 1


EPSILON: Final = float(np.finfo(np.float64).eps)

STEP: Final = EPSILON ** (1 / 3)
"""The step that minimizes the error of a central difference, h² f‴/6 + ε f/h: about 6e-6."""

MOST_ELEMENTS: Final = 256
"""Arrays up to this size are compared element by element, larger ones along random directions."""

DIRECTIONS: Final = 8

DLOSS: Final = 0.75
"""The dloss passed to a loss, other than 1, so that a loss that ignores it fails."""


class GradientMismatch(MlpkitError, AssertionError):  # noqa: N818 - reads better in a test's report
    """A gradient computed by ``backward`` is not the derivative of ``forward``.

    Args:
        operation: the layer's or loss's name.
        parameter: the parameter's name; ``x`` for the inputs.
        relative_error: the largest difference, relative to the largest element of the gradient.
        tolerance: the largest relative error allowed.
        detail: where the difference is.
    """

    def __init__(self, operation: str, parameter: str, relative_error: float, tolerance: float, detail: str) -> None:
        self.operation = operation
        self.parameter = parameter
        self.relative_error = relative_error
        self.tolerance = tolerance
        super().__init__(
            f"{operation}: the gradient by {parameter} is not that of forward: relative error {relative_error:.1e}, "
            f"tolerance {tolerance:.1e}; {detail}"
        )


def numerical_gradient(
    function: Callable[[NDArray[np.float64]], float], x: ArrayLike, *, step: float = STEP
) -> NDArray[np.float64]:
    """Compute the gradient of a function by central differences, element by element.

        ∂f/∂xᵢ ≈ (f(x + h eᵢ) - f(x - h eᵢ)) / 2h

    Args:
        function: takes an array of x's shape, and returns a number.
        x: the point; the array is not changed.
        step: the step h.
    """
    point = np.array(x, np.float64)
    gradient = np.empty_like(point)
    for i in np.ndindex(point.shape):
        here = point[i]
        above, below = here + step, here - step
        point[i] = above
        rise = function(point)
        point[i] = below
        rise -= function(point)
        point[i] = here
        gradient[i] = rise / (above - below)
    return gradient


def check_gradients(
    layer_or_loss: Layer | Loss,
    input_shape: Shape,
    *,
    rows: int = 3,
    target: Target | None = None,
    seed: int = 0,
    tolerance: float = 1e-6,
    x: ArrayLike | None = None,
    t: ArrayLike | None = None,
    resolver: Resolver | None = None,
) -> None:
    """Compare the gradients of a layer or loss with central differences, in float64.

    The gradients by each parameter and by the inputs are compared; for a layer, of the loss Σ y dy with random dy.
    Small arrays are compared element by element, large ones along random directions. Parameters are moved slightly off
    their initial values, so that zeros hide nothing. Their gradients are set to NaN, so that ``backward`` must
    overwrite them. Differences too small for float64 to resolve count as zero. At a kink, such as Relu's at 0, the
    gradient doesn't exist: keep ``x`` away from it.

    Args:
        layer_or_loss: a new layer or loss.
        input_shape: shape of one example.
        rows: rows of the minibatch, unless ``x`` is passed.
        target: for a loss, the kind of target; targets are drawn at random unless ``t`` is passed.
        seed: the seed of all random numbers.
        tolerance: the largest relative error allowed.
        x: inputs, shape (rows, *input_shape); by default standard normal numbers.
        t: for a loss, targets of the same rows.
        resolver: builds components from their names; by default all installed ones.

    Raises:
        GradientMismatch: a gradient is wrong.
        ComponentFailure: ``forward`` or ``backward`` failed, or ``backward`` returned no usable array.
        UsageError: neither ``target`` nor ``t`` was passed for a loss.
    """
    operation = standalone(layer_or_loss, input_shape, target=target, seed=seed, resolver=resolver)
    rng = keyed_generator(seed, "check_gradients")
    x = rng.normal(size=(rows, *input_shape)) if x is None else x
    if mismatches := gradient_mismatches(operation, x, t, target, rng, tolerance=tolerance):
        raise mismatches[0]


def gradient_mismatches(
    operation: Layer | Loss,
    x: ArrayLike,
    t: ArrayLike | None,
    target: Target | None,
    rng: np.random.Generator,
    *,
    tolerance: float = 1e-6,
    training: bool = True,
) -> list[GradientMismatch]:
    """Return an error for every wrong gradient of a layer or loss that is built; it raises as ``check_gradients`` does.

    Its other arguments are those of ``check_gradients``; ``training`` is whether the passes are part of training.
    """
    for each in operation.operations():
        each.training = training
    inputs = np.array(x, np.float64)
    gradients: dict[str, tuple[Array, Array]] = {}
    for parameter in operation.declared_parameters():
        parameter.value += rng.uniform(-0.1, 0.1, parameter.shape)
        parameter.grad[...] = np.nan
        gradients[parameter.path.removeprefix(f"{operation.path}.")] = parameter.value, parameter.grad
    objective, dx, scale = _objective(operation, inputs, _targets(operation, t, target, len(inputs), rng), rng)
    gradients["x"] = inputs, dx
    resolution = 20 * EPSILON * scale / STEP
    mismatches = []
    for name, (array, gradient) in gradients.items():
        worst = _compare(name, array, gradient.copy(), objective, rng)
        if not worst.error <= tolerance * worst.size + resolution:
            who = f"{operation.kind} {operation.path} ({operation.type_name})"
            relative_error = worst.error / worst.size if worst.size else np.inf
            mismatches.append(GradientMismatch(who, name, relative_error, tolerance, worst.detail))
    return mismatches


def _objective(
    operation: Any, x: NDArray[np.float64], t: Array | None, rng: np.random.Generator
) -> tuple[Callable[[], float], Array, float]:
    """Return Σ y dy as a function of the current x and parameters, its gradient dx, and the size of its terms.

    The y of a loss is the loss itself, and its dy is dloss.
    """
    is_layer = isinstance(operation, Layer)

    def forward() -> Array:
        begin_pass(operation)
        with operation_errors(operation, "forward"):
            return np.asarray(operation.forward(x) if is_layer else float(operation.forward(x, t)))

    y = forward()
    dy = rng.normal(size=y.shape) if is_layer else np.array(DLOSS)
    scale = max(float(np.abs(y * dy).sum()), 0.0 if is_layer else 1.0)
    with operation_errors(operation, "backward"):
        dx = operation.backward(dy.copy() if is_layer else DLOSS)
    check_gradient(operation, dx, x.shape)
    return lambda: float(np.sum(forward() * dy)), np.array(dx), scale


def _targets(
    operation: Layer | Loss, t: ArrayLike | None, target: Target | None, rows: int, rng: np.random.Generator
) -> Array | None:
    """Return the targets of a loss, drawn at random unless they are given."""
    if isinstance(operation, Layer) or t is not None:
        return None if t is None else np.asarray(t)
    if target is None:
        raise UsageError("to check a loss, pass the kind of target, as in target=Classes(3), or targets t")
    return random_targets(target, rows, rng, negative=operation.takes_negative_values)


class _Comparison(NamedTuple):
    """The largest difference between two gradients, the size of the gradient, and where the difference is."""

    error: float
    size: float
    detail: str


def _compare(
    name: str,
    array: Array,
    gradient: Array,
    objective: Callable[[], float],
    rng: np.random.Generator,
) -> _Comparison:
    here = array.copy()

    def at(value: NDArray[np.float64]) -> float:
        array[...] = value
        return objective()

    if array.size <= MOST_ELEMENTS:
        worst = _compare_elements(name, gradient, numerical_gradient(at, here))
    else:
        worst = _compare_slopes(gradient, here, at, rng)
    array[...] = here
    return worst


def _compare_elements(name: str, gradient: Array, numerical: NDArray[np.float64]) -> _Comparison:
    difference = np.abs(gradient - numerical)
    worst = np.unravel_index(int(np.argmax(difference)), difference.shape)
    place = f"{name}[{', '.join(str(int(i)) for i in worst)}]" if worst else name
    detail = f"at {place} backward gives {gradient[worst]:.6g}, differences give {numerical[worst]:.6g}"
    return _Comparison(float(difference[worst]), float(np.abs(gradient).max()), detail)


def _compare_slopes(
    gradient: Array,
    here: Array,
    at: Callable[[NDArray[np.float64]], float],
    rng: np.random.Generator,
) -> _Comparison:
    """Compare slopes along directions whose elements are ±1, so that every element moves by one step."""
    size = float(np.linalg.norm(gradient.reshape(-1)))
    comparisons = []
    for _ in range(DIRECTIONS):
        direction = rng.choice((-1.0, 1.0), here.shape)
        numerical = (at(here + STEP * direction) - at(here - STEP * direction)) / (2 * STEP)
        slope = float(np.sum(gradient * direction))
        detail = f"along a random direction backward gives {slope:.6g}, differences give {numerical:.6g}"
        comparisons.append(_Comparison(abs(slope - numerical), size, detail))
    return max(comparisons, key=lambda comparison: comparison.error)
