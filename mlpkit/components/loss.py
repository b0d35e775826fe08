"""Losses: the last layer of a network, which compares predictions with targets."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from mlpkit.components.operation import Operation, Shape
from mlpkit.components.schema.component_types import default_name
from mlpkit.components.target import Target
from mlpkit.errors import ShapeError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mlpkit.components.graph import Graph, Value


class Loss(Operation):
    """The mean error of the predictions of a minibatch, and its derivative.

    If examples have weights, the mean is Σ wᵢ lossᵢ / Σ wᵢ over the rows, and 0 if all weights are 0. A loss that
    computes it sets ``takes_weights = True``; ``forward`` and ``weight`` then have a last parameter
    ``weights: NDArray | None = None``: a number from 0 up for each row, in float64.

    Attributes:
        compares_values: whether inputs are predictions of the target values, in their unit, so that a network may scale
            both while it is trained.
        takes_weights: whether it takes weights of examples; only then it gets any.
        example_targets: targets that it takes in addition to classes, labels and values, on which it is checked.
        takes_negative_values: whether targets that are values may be negative.
        unit: the unit of its values, for plots, in which ``{target}`` stands for the target's, as in ``{target}²``; or
            an empty text.
    """

    kind: ClassVar[str] = "loss"
    _planned_method: ClassVar[str] = "predict"
    compares_values = False
    takes_weights = False
    example_targets: ClassVar[Sequence[Target]] = ()
    takes_negative_values = True
    unit = ""

    @abstractmethod
    def build(self, input_shape: Shape, target: Target | None) -> None:
        """Check that inputs of that shape can be compared with such targets.

        Args:
            input_shape: shape of one example's inputs.
            target: what to predict; None if it is not known, as in Python without a data set.

        Raises:
            ShapeError: they can't.
        """

    def expected_inputs(self, target: Target) -> Shape | None:
        """Return the shape of the inputs that the loss takes for a target, which ``units: auto`` asks for.

        None, the default, means that it doesn't know, or doesn't take such a target.
        """
        return None

    @abstractmethod
    def forward(self, x: NDArray[Any], t: NDArray[Any]) -> float:
        """Return the mean loss, summed in float64, and keep what ``backward`` will need.

        Args:
            x: inputs, shape (rows, *input_shape); must be left as they are.
            t: targets of the same rows.
        """

    @abstractmethod
    def backward(self, dloss: float = 1.0) -> NDArray[Any]:
        """Return dx = dloss ∂loss/∂x, writable; another call after the same ``forward`` gives the same.

        Args:
            dloss: derivative of the total loss by this one; the share of a slice in its minibatch.
        """

    def predict(self, x: NDArray[Any]) -> NDArray[Any]:
        """Return the prediction for inputs, such as probabilities for logits."""
        return x

    def prediction_plan(self, x: NDArray[Any]) -> Callable[[], NDArray[Any]] | None:
        """Return what returns x, as ``predict`` does."""
        return lambda: x

    def prediction_names(self) -> tuple[str, ...] | None:
        """Return a name for each number that ``predict`` returns for a target of one value, such as quantiles of it.

        None, the default, means that a prediction has the shape of the target's values, or is probabilities. Otherwise
        its shape is (rows, names), shown as the target's name before each: ``price_q0.9`` for ``q0.9``. It may be
        called before ``build``.
        """
        return None

    def point_prediction(self, prediction: NDArray[Any]) -> NDArray[Any]:
        """Return what metrics and plots compare with the target's values; by default the prediction itself.

        A loss that overrides ``prediction_names`` overrides this method, too.

        Args:
            prediction: what ``predict`` returns; must be left as it is.

        Returns:
            A value for each row, shape (rows, 1), if ``prediction_names`` names several.

        Raises:
            ShapeError: nothing in the prediction stands for the target; the message advises what to do.
        """
        return prediction

    def interval_prediction(self, prediction: NDArray[Any]) -> NDArray[Any]:
        """Return the ends of the predicted interval of a target, shape (rows, 2); by default an error.

        Args:
            prediction: what ``predict`` returns; must be left as it is.

        Raises:
            ShapeError: no interval is predicted; the message advises what to do.
        """
        raise ShapeError(
            f"{self.path or self.type_name} doesn't predict an interval",
            expected="a loss that predicts several quantiles",
            remedy="use such a loss",
        )

    def inputs_for(self, prediction: NDArray[Any]) -> NDArray[Any]:
        """Return inputs that ``predict`` turns into a prediction, for ``prediction_loss``; by default the prediction.

        Args:
            prediction: what ``predict`` may return, or a mean of such; must be left as it is.
        """
        return prediction

    def prediction_loss(self, prediction: NDArray[Any], t: NDArray[Any], weights: NDArray[Any] | None = None) -> float:
        """Return the mean loss of predictions, such as an ensemble's; by default at ``inputs_for`` them.

        A loss that overrides ``predict``, but neither ``inputs_for`` nor this method, can't be the loss of an ensemble.

        Args:
            prediction: what ``predict`` may return, or a mean of such; must be left as it is.
            t: targets of the same rows.
            weights: the weights of the rows; None if they have none, and for a loss that takes none.
        """
        inputs = self.inputs_for(prediction)
        return self.forward(inputs, t) if weights is None else self.forward(inputs, t, weights)  # type: ignore[call-arg]

    @property
    def can_be_averaged(self) -> bool:
        """Whether the predictions of several networks can be averaged, since the loss of the mean is known."""
        own = type(self)
        inverted, known = own.inputs_for is not Loss.inputs_for, own.prediction_loss is not Loss.prediction_loss
        return inverted or known or own.predict is Loss.predict

    def onnx(self, graph: Graph) -> Value:
        """Add the operators that compute ``predict``, and return the output; none, if that isn't overridden.

        Args:
            graph: what to add them to; ``graph.input`` is x.

        Raises:
            NotExportableError: the loss overrides ``predict``, but doesn't describe it.
        """
        return graph.input if type(self).predict is Loss.predict else super().onnx(graph)

    def exp(self, x: NDArray[Any], out: NDArray[Any]) -> NDArray[Any]:
        """Set out to exp(x), and return it: the values of targets that are trained as their logarithms."""
        y: NDArray[Any] = np.exp(x, out=out)
        return y

    def weight(self, t: NDArray[Any], weights: NDArray[Any] | None = None) -> float:
        """Return how much a slice with these targets counts in its minibatch: its rows, or the sum of their weights."""
        return float(len(t)) if weights is None else float(weights.sum())

    def best_constant(self, t: NDArray[Any], weights: NDArray[Any] | None = None) -> NDArray[Any] | None:
        """Return the inputs, the same for all rows, that have the smallest mean loss; None, the default, if unknown.

        The loss at them is that of guessing: a network whose loss stays there learns nothing from its inputs.

        Args:
            t: targets, as for ``forward``.
            weights: the weights of the rows; None if they have none, and for a loss that takes none.

        Returns:
            An array of the shape of one example's inputs.
        """
        return None

    def child(self, loss: Loss, input_shape: Shape, target: Target | None) -> None:
        """Declare a loss inside this one, named by type and ordinal, such as ``MeanSquaredError1``; for ``build``.

        Args:
            loss: a loss that belongs to this one alone.
            input_shape: shape of one example's inputs.
            target: what to predict.
        """
        name = default_name(loss.type_name, self._layer_counts[""])
        self._require_new_name(name)
        self._children[name] = loss
        loss._take_place(f"{self.path}.{name}", input_shape, target, self.dtype)

    def flops(self, input_shape: Shape) -> int:
        """Return floating-point operations for one example, forward and backward."""
        return 0

    def _take_place(self, path: str, input_shape: Shape, target: Target | None, dtype: np.dtype[Any]) -> None:
        """Become part of a network: make sure that inputs and target fit."""
        self._join(path, dtype)
        self.build(input_shape, target)
