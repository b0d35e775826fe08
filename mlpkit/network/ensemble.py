"""Several networks as one, whose prediction is the mean of theirs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from mlpkit.array import Array
from mlpkit.components.graph import Graph, Value
from mlpkit.components.layer import Chain, Layer
from mlpkit.components.loss import Loss
from mlpkit.components.operation import Shape
from mlpkit.components.parameter import Parameter, State
from mlpkit.components.schema.component_types import default_name
from mlpkit.components.schema.recipe import Resolver
from mlpkit.components.target import Target
from mlpkit.errors import UsageError
from mlpkit.network.scaled_values import ScaledValues, scaled_values
from mlpkit.network.shape_proof import Proof, prove_shapes

NAME = "Ensemble"
"""Name of the layer that holds the networks."""

NOT_TRAINED = "an ensemble isn't trained as one network; train one of its networks, such as that of run.members[0]"


class EnsembleMember(NamedTuple):
    """A network inside an ensemble: its layers, the loss that predicts, and how the values are scaled, if they are."""

    layers: Chain
    loss: Loss
    scaled: ScaledValues | None

    def predict(self, x: Array) -> Array:
        """Return its predictions."""
        y = self.layers.forward(x)
        return self.loss.predict(y if self.scaled is None else self.scaled.predictions(y))

    def onnx(self, graph: Graph) -> Value:
        """Describe its predictions."""
        y = graph.chain(self.layers.layers)
        return graph.describe(self.loss, y if self.scaled is None else self.scaled.onnx(graph, y))


class Ensemble(Layer):
    """The mean of the predictions of several networks: probabilities, or values in the target's unit.

        y = (p₁(x) + ... + pₖ(x)) / k

    Args:
        stacks: the networks: layers, and a loss at the end of each.
        target: what they predict.

    Shapes: x as the networks take it, y as they predict.
    """

    def __init__(self, stacks: Any, target: Any) -> None:
        self._stacks: Sequence[Sequence[Layer | Loss]] = stacks
        self._target: Target = target

    def __repr__(self) -> str:
        """Name the number of networks."""
        return f"Ensemble of {len(self._stacks)}"

    def build(self, input_shape: Shape) -> Shape:
        """Declare the networks, each with the path ``Ensemble.NUMBER``."""
        self.members = [self._member(str(i), stack, input_shape) for i, stack in enumerate(self._stacks)]
        first = self.members[0]
        declared: list[Parameter | State] = [*first.loss.declared_parameters(), *first.loss.declared_states()]
        for each in declared:
            each.value = np.zeros(each.shape, self.dtype)  # until the network has values
        with np.errstate(all="ignore"):  # only predict knows the shape of a prediction
            return first.loss.predict(np.zeros((1, *first.layers.output_shape), self.dtype)).shape[1:]

    def _member(self, name: str, stack: Sequence[Layer | Loss], input_shape: Shape) -> EnsembleMember:
        *layers, loss = stack
        assert isinstance(loss, Loss)
        chain = self.chain(layers, input_shape, name=name)  # type: ignore[arg-type]  # only the last is a loss
        given_name = loss._recipe.given_name if loss._recipe else ""
        own_name = f"{name}.{given_name or default_name(loss.type_name, Counter())}"  # as in its own network
        self._children[own_name] = loss
        loss._take_place(f"{self.path}.{own_name}", chain.output_shape, self._target, self.dtype)
        return EnsembleMember(chain, loss, scaled_values(self._target, loss, self.dtype))

    def forward(self, x: Array) -> Array:
        """Return y = (p₁(x) + ... + pₖ(x)) / k."""
        y = self.buffer("y", (len(x), *self._output_shape))
        np.copyto(y, self.members[0].predict(x))
        for member in self.members[1:]:
            np.add(y, member.predict(x), out=y)
        np.divide(y, len(self.members), out=y)
        return y

    def backward(self, dy: Array) -> Array:
        """Raise ``UsageError``: there is nothing to train."""
        raise UsageError(NOT_TRAINED)

    def onnx(self, graph: Graph) -> Value:
        """Describe y = (p₁(x) + ... + pₖ(x)) / k."""
        x, total = graph.input, self.members[0].onnx(graph)
        for member in self.members[1:]:
            graph.input = x
            total = graph.op("Add", total, member.onnx(graph))
        return graph.op("Div", total, float(len(self.members)))


class LossOfPredictions(Loss):
    """The loss of an ensemble's networks at its predictions, in place of the inputs that they are made of.

    Args:
        ensemble: the layer before it, whose first network's loss is used.
    """

    def __init__(self, ensemble: Any) -> None:
        self._ensemble: Ensemble = ensemble

    def __repr__(self) -> str:
        """Read as the loss."""
        return repr(self._ensemble._stacks[0][-1])

    def build(self, input_shape: Shape, target: Target | None) -> None:
        """Take the loss, which is built."""
        self._loss = self._ensemble.members[0].loss
        self.takes_weights, self.unit = self._loss.takes_weights, self._loss.unit

    def prediction_names(self) -> tuple[str, ...] | None:
        """Return the names of what the loss predicts."""
        return self._loss.prediction_names()

    def point_prediction(self, prediction: Array) -> Array:
        """Return what the loss returns."""
        return self._loss.point_prediction(prediction)

    def interval_prediction(self, prediction: Array) -> Array:
        """Return what the loss returns."""
        return self._loss.interval_prediction(prediction)

    def forward(self, x: Array, t: Array, weights: Array | None = None) -> float:
        """Return the mean loss of predictions."""
        return self._loss.prediction_loss(x, t) if weights is None else self._loss.prediction_loss(x, t, weights)

    def weight(self, t: Array, weights: Array | None = None) -> float:
        """Return how much rows with these targets count."""
        return self._loss.weight(t, weights)

    def backward(self, dloss: float = 1.0) -> Array:
        """Raise ``UsageError``: there is nothing to train."""
        raise UsageError(NOT_TRAINED)


def prove_ensemble(
    stacks: Sequence[Sequence[Layer | Loss]],
    input_shape: Shape,
    target: Target | None,
    dtype: np.dtype[Any],
    *,
    create: Resolver,
) -> Proof:
    """Prove networks, given as stacks, as ``prove_shapes`` does, for one ``Sequential``, or raise ``StackError``."""
    ensemble = Ensemble(stacks, target)
    names = [NAME, stacks[0][-1].type_name]
    return prove_shapes([ensemble, LossOfPredictions(ensemble)], names, input_shape, target, dtype, create=create)
