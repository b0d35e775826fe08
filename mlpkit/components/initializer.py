"""Initializers: the first values of parameters."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, NamedTuple, TypeAlias

from mlpkit.components.component import Component
from mlpkit.components.schema.component_types import OfKind

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class Fans(NamedTuple):
    """How many inputs feed each output of a parameter, and how many outputs each input feeds.

    Args:
        inputs: the fan-in.
        outputs: the fan-out.
    """

    inputs: int
    outputs: int


class Initializer(Component):
    """Draws the first values of a parameter."""

    kind: ClassVar[str] = "initializer"

    @abstractmethod
    def __call__(
        self, shape: tuple[int, ...], fans: Fans, rng: np.random.Generator, dtype: np.dtype[Any]
    ) -> NDArray[Any]:
        """Return an array of that shape and dtype.

        Args:
            shape: the parameter's shape.
            fans: its fan-in and fan-out.
            rng: random numbers, keyed by the network's seed and the parameter's name.
            dtype: float32 or float64.
        """

    def adapt(
        self,
        values: NDArray[Any],
        outputs: Callable[[NDArray[Any]], NDArray[Any]],
        unit_axis: int,
        rng: np.random.Generator,
    ) -> NDArray[Any]:
        """Return first values that suit the layer's inputs; an initializer that overrides this sees training data.

        A network calls it once, layer by layer, on a batch of training rows before the first step. Without data the
        values of ``__call__`` stay.

        Args:
            values: what ``__call__`` returned.
            outputs: returns the layer's outputs for the batch with given values of the parameter, a new array of shape
                (rows, units, ...).
            unit_axis: the axis of ``values`` that counts the units.
            rng: random numbers, keyed by the network's seed and the parameter's name; different ones from ``__call__``.
        """
        return values

    @property
    def sees_inputs(self) -> bool:
        """Whether it overrides ``adapt``."""
        return type(self).adapt is not Initializer.adapt


InitializerLike: TypeAlias = Annotated[
    float | Initializer | str | Mapping[str, Any], OfKind("initializer", literal=float)
]
"""A number for all values, an initializer, its name, or a mapping from its name to its parameters."""
