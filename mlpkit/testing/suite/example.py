"""The examples on which a component is checked: parameters, and a component built from them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from importlib import import_module
from typing import Any, ClassVar, Self

import numpy as np

from mlpkit.components.kinds import KINDS
from mlpkit.components.randomness import keyed_generator
from mlpkit.registry.registry import RegisteredComponent, Registry
from mlpkit.testing.suite.check import Arrays, CheckFailure

ROWS = 7
"""Default number of rows of a minibatch; odd, so that its two halves differ in size."""


class Example(ABC):
    """An example on which a component is checked.

    Args:
        entry: the component.
        registry: the components that its parameters may name.
        index: the index among the component's examples; None for its default parameters.
        variant: one of ``possible``.

    Attributes:
        possible: the variants in which an example is checked if the component accepts them, such as kinds of targets.
        form: a description of what ``examples`` must return.
        sample: a sample of what ``examples`` may return.
        place: the shape or target for a component without examples; None if an example consists of parameters only.
    """

    form: ClassVar[str] = "a list of parameters, each a dict"
    sample: ClassVar[str] = "[{'learning_rate': 0.1}]"
    place: ClassVar[object] = None
    possible: ClassVar[tuple[object, ...]] = (None,)

    def __init__(self, entry: RegisteredComponent, registry: Registry, index: int | None, variant: Any = None) -> None:
        self.entry = entry
        self.registry = registry
        self.index = index
        self.variant = variant

    @classmethod
    def is_item(cls, item: object) -> bool:
        """Return whether ``examples`` may return this item."""
        return isinstance(item, dict)

    @classmethod
    def variants(cls, entry: RegisteredComponent, registry: Registry, index: int | None) -> list[Self]:
        """Return one of a component's examples in each variant that it accepts, or in the first if it accepts none."""
        candidates = [cls(entry, registry, index, variant) for variant in cls.possible]
        return [each for each in candidates if each.is_accepted()] or candidates[:1]

    def is_accepted(self) -> bool:
        """Return whether the component accepts the variant."""
        return True

    @property
    def name(self) -> str:
        """The component's name."""
        return self.entry.name

    @property
    def component(self) -> Any:
        """The component's class."""
        return self.entry.component

    def parameters(self) -> dict[str, Any]:
        """Return the parameters, as new objects at each call."""
        item = self._item()
        parameters: dict[str, Any] = item if isinstance(item, dict) else item[0]
        return parameters

    def shown_with(self) -> Any:
        """Return the second part of the example: the shape or target."""
        return self._item()[1]

    def make(self) -> Any:
        """Build the component as from a spec."""
        return self.registry.create(self.entry.kind, {self.name: self.parameters()})

    def title(self) -> str:
        """Return a title that identifies the example."""
        parameters = self.parameters()
        inner = ", ".join(f"{key}: {value}" for key, value in parameters.items())
        return f"{{{inner}}}" if parameters else "default parameters"

    def random(self, *key: str | int) -> np.random.Generator:
        """Return a random number generator that gives the same numbers for every example."""
        return keyed_generator(0, "conformance", *key)

    @abstractmethod
    def exercise(self) -> Arrays:
        """Use a new component in all usual ways, and return the results."""

    def _item(self) -> Any:
        if self.index is None:
            return ({}, self.place) if self.place is not None else {}
        return self.component.examples()[self.index]


class ExampleWithShape(Example):
    """An example that consists of parameters and a shape."""

    form = "a list of pairs of parameters and the shape of one example's inputs"
    sample = "[({'units': 3}, (4,))]"
    place: ClassVar[tuple[int, ...]] = (6,)

    @classmethod
    def is_item(cls, item: object) -> bool:
        """Return whether the item is a pair of a dict and a shape."""
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
        """Return a title that identifies the example."""
        return f"{super().title()} on shape {self.shape}"


def example_class(kind: str) -> type[Example]:
    """Return the class of examples for a kind of component, from the module with the checks of that kind."""
    is_fitted = kind in ("encoding", "category_encoding", "calibration")
    module = import_module(f"mlpkit.testing.suite.checks.{'fitted' if is_fitted else kind}")
    example: type[Example] = getattr(module, f"{KINDS[kind].base}Example")
    return example


def examples_of(entry: RegisteredComponent, registry: Registry) -> list[Example]:
    """Return a component's examples, or one with its default parameters; if they are wrong, raise ``CheckFailure``."""
    kind = example_class(entry.kind)
    items = entry.component.examples()
    if not isinstance(items, list) or not all(kind.is_item(item) for item in items):
        raise CheckFailure(
            f"{entry.name}.examples() returned {items!r}", expected=kind.form, remedy=f"as in {kind.sample}"
        )
    required = [field.name for field in entry.schema.fields if field.required]
    if not items and required:
        raise CheckFailure(
            f"{entry.name} has no examples, but requires {', '.join(required)}",
            expected="parameters to check it with",
            remedy=f"write a class method examples that returns {kind.form}, as in {kind.sample}",
        )
    indices: list[int | None] = [*range(len(items))] or [None]
    return [example for index in indices for example in kind.variants(entry, registry, index)]
