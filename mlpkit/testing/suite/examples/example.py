"""What all examples share: parameters, and a component built from them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar, Self

from mlpkit.components.randomness import keyed_generator

if TYPE_CHECKING:
    import numpy as np

    from mlpkit.registry.registry import RegisteredComponent, Registry
    from mlpkit.testing.suite.comparison import Arrays

ROWS = 7
"""Rows of a minibatch, unless a check asks for others: odd, so that no half of it is the other's size."""


class Example(ABC):
    """Circumstances that a component is checked in.

    Args:
        entry: the component.
        registry: what its parameters may name.
        index: which of the component's examples; None for its default parameters.

    Attributes:
        form: what ``examples`` is to return, in words.
        sample: what that looks like.
        place: in which circumstances a component is shown that has no examples; None where parameters are all.
    """

    form: ClassVar[str] = "a list of parameters, each a dict"
    sample: ClassVar[str] = "[{'learning_rate': 0.1}]"
    place: ClassVar[object] = None

    def __init__(self, entry: RegisteredComponent, registry: Registry, index: int | None) -> None:
        self.entry = entry
        self.registry = registry
        self.index = index

    @classmethod
    def is_item(cls, item: object) -> bool:
        """Whether ``examples`` may hold this."""
        return isinstance(item, dict)

    @classmethod
    def variants(cls, entry: RegisteredComponent, registry: Registry, index: int | None) -> list[Self]:
        """Return every way in which one of a component's examples is to be checked."""
        return [cls(entry, registry, index)]

    @property
    def name(self) -> str:
        """The component's name."""
        return self.entry.name

    @property
    def component(self) -> Any:
        """The component's class."""
        return self.entry.component

    def parameters(self) -> dict[str, Any]:
        """Return the parameters, new objects at each call."""
        item = self._item()
        parameters: dict[str, Any] = item if isinstance(item, dict) else item[0]
        return parameters

    def shown_with(self) -> Any:
        """Return the second part of the example: the shape or target that the component is shown with."""
        return self._item()[1]

    def make(self) -> Any:
        """Build the component, as a spec would."""
        return self.registry.create(self.entry.kind, {self.name: self.parameters()})

    def title(self) -> str:
        """Say which example it is."""
        parameters = self.parameters()
        inner = ", ".join(f"{key}: {value}" for key, value in parameters.items())
        return f"{{{inner}}}" if parameters else "default parameters"

    def random(self, *key: str | int) -> np.random.Generator:
        """Return random numbers that are the same for every example."""
        return keyed_generator(0, "conformance", *key)

    @abstractmethod
    def exercise(self) -> Arrays:
        """Use a new component in all the usual ways, and return what comes out."""

    def _item(self) -> Any:
        if self.index is None:
            return ({}, self.place) if self.place is not None else {}
        return self.component.examples()[self.index]


class ExampleWithShape(Example):
    """An example that is a pair of parameters and a shape."""

    form = "a list of pairs of parameters and the shape of one example's inputs"
    sample = "[({'units': 3}, (4,))]"
    place: ClassVar[tuple[int, ...]] = (6,)

    @classmethod
    def is_item(cls, item: object) -> bool:
        """Whether it is a pair of a dict and a shape."""
        match item:
            case (dict(), tuple(shape)):
                return all(isinstance(length, int) and length >= 1 for length in shape)
        return False

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape."""
        shape: tuple[int, ...] = self.shown_with()
        return shape

    def title(self) -> str:
        """Say which example it is."""
        return f"{super().title()} on shape {self.shape}"
