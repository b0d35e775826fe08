"""A component that is described but not yet built."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeAlias, TypeVar

from mlpkit.components.target import DataFacts

C_co = TypeVar("C_co", covariant=True)

KeyPath: TypeAlias = tuple[str | int, ...]
"""Keys and indices that lead from the outermost value to one inside it."""


Resolver: TypeAlias = "Callable[[str, object], Any]"
"""Builds the component of a kind that a name, or a mapping from a name to parameters, stands for."""


@dataclass(frozen=True)
class Auto:
    """A parameter's value that a spec leaves to the data, by a word such as ``auto``.

    Args:
        written: the value in the spec.
        fill_in: returns the value once the data is known; raises ``WrongUseError`` if the data gives no value.
        stand_in: what the component is built with until then, for what only its constructor can check.
    """

    written: object
    fill_in: Callable[[DataFacts], object]
    stand_in: object

    def reference(self) -> object:
        """Return the spec's value."""
        return self.written


@dataclass(frozen=True)
class Recipe(Generic[C_co]):
    """Builds a new component at each call.

    As a constructor's annotation, ``Recipe[Layer]`` asks for a layer that the component itself builds, as
    often as it likes. In Python any callable without arguments will do.

    Args:
        name: the component's name in specs, with its namespace.
        component: the class.
        arguments: its parameters, checked; those not given have their defaults.
        place: its place in the spec.
        given_name: what a list of layers calls it, if it was given a name there.
        kept: whether a constructor that takes it wants the recipe itself, and not what it builds.
    """

    name: str
    component: type[C_co]
    arguments: Mapping[str, Any]
    place: KeyPath = ()
    given_name: str = ""
    kept: bool = False

    def __call__(self) -> C_co:
        """Build the component, and first the components among its parameters."""
        component = self.component(**{key: built(value) for key, value in self.arguments.items()})
        component._recipe = self  # type: ignore[attr-defined]
        return component

    def reference(self) -> dict[str, dict[str, Any]]:
        """Return what a spec would write, every default filled in."""
        return {self.name: written(self.arguments) | ({"name": self.given_name} if self.given_name else {})}

    def __deepcopy__(self, memo: object) -> Recipe[C_co]:
        """Return the recipe itself: it never changes, and copies of a layer may share it."""
        return self


def built(value: Any) -> Any:
    """Return a checked value as a constructor takes it: recipes become components."""
    if isinstance(value, Recipe):
        return value if value.kept else value()
    if isinstance(value, Auto):
        return value.stand_in
    if type(value) in (list, tuple):
        return type(value)(map(built, value))
    return {key: built(item) for key, item in value.items()} if type(value) is dict else value


def leaves_to_data(value: Any) -> bool:
    """Whether a checked value leaves something to the data."""
    if isinstance(value, Recipe):
        return leaves_to_data(value.arguments)
    if isinstance(value, dict):
        return any(map(leaves_to_data, value.values()))
    return any(map(leaves_to_data, value)) if type(value) in (list, tuple) else isinstance(value, Auto)


def written(value: Any) -> Any:
    """Return a checked value as a spec would write it."""
    if hasattr(value, "reference"):
        return value.reference()
    if isinstance(value, list | tuple):
        return [written(item) for item in value]
    return {key: written(item) for key, item in value.items()} if isinstance(value, dict) else value
