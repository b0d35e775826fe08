"""The optimizer momentum."""

from typing import Annotated

from annotated_types import Ge, Lt

from mlpkit import Optimizer, Rate, component, hookimpl


class Momentum(Optimizer):
    """Gradient descent with momentum and weight decay.

        g     ← gradient + weight_decay value
        v     ← momentum v - learning_rate g
        value ← value + v

    Args:
        learning_rate: the step length.
        momentum: what is kept of the last step.
        weight_decay: what the value counts for in g; 0 for no decay.

    Source: Polyak, Some Methods of Speeding up the Convergence of Iteration Methods (1964).
    """

    slots = ("v",)

    def __init__(
        self,
        learning_rate: Rate = 0.01,
        *,
        momentum: Annotated[float, Ge(0), Lt(1)] = 0.9,
        weight_decay: Annotated[float, Ge(0)] = 0.0,
    ):
        self.learning_rate = learning_rate
        self.momentum = momentum
        self.weight_decay = weight_decay

    def update(self, value, gradient, slots, step):
        """Take a step along the velocity v."""
        v = slots["v"]
        if step.decay:
            gradient += self.weight_decay * step.decay * value
        v *= self.momentum
        v -= step.learning_rate * gradient
        value += v

    @classmethod
    def examples(cls):
        """Show the optimizer as it is, and with weight decay."""
        return [{}, {"momentum": 0.5, "weight_decay": 0.1}]


@hookimpl
def mlpkit_components():
    """Register the optimizer."""
    return [component("optimizer", "momentum", Momentum)]
