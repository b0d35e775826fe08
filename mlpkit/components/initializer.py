"""Initializers: the first values of parameters."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
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

    @classmethod
    def examples(cls) -> list[tuple[dict[str, Any], tuple[int, ...]]]:
        """Return pairs of parameters and the shape of an array to fill, for tests and ``show``."""
        return []

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


InitializerLike: TypeAlias = Annotated[Initializer | str | Mapping[str, Any], OfKind("initializer")]
"""An initializer, its name, or a mapping from its name to its parameters."""
