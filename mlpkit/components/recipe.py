"""A component that is described but not yet built."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlpkit.components.schema.fault import Path
    from mlpkit.components.schema.signature import Signature

C_co = TypeVar("C_co", covariant=True)


@dataclass(frozen=True)
class Recipe(Generic[C_co]):
    """Something to build afresh at each call.

    As a constructor's annotation, ``Recipe[Layer]`` asks for a layer that the component itself builds, as
    often as it likes. In Python any callable without arguments will do.

    Args:
        name: the component's name in specs, with its namespace.
        component: the class.
        signature: the schema of its parameters.
        arguments: its parameters, checked; those not given have their defaults.
        place: where it stands in the spec.
        given_name: what a list of layers calls it, if it was given a name there.
    """

    name: str
    component: type[C_co]
    signature: Signature
    arguments: Mapping[str, Any]
    place: Path = ()
    given_name: str = ""

    def __call__(self) -> C_co:
        """Build the component, and first the components among its parameters."""
        types = self.signature.types
        component = self.component(**{key: types[key].realize(value) for key, value in self.arguments.items()})
        component._recipe = self  # type: ignore[attr-defined]
        return component

    def reference(self) -> dict[str, dict[str, Any]]:
        """Return what a spec would say, every default filled in."""
        types = self.signature.types
        parameters = {key: types[key].plain(value) for key, value in self.arguments.items()}
        return {self.name: parameters | ({"name": self.given_name} if self.given_name else {})}

    def __deepcopy__(self, memo: object) -> Recipe[C_co]:
        """Return the recipe itself: it never changes, and copies of a layer may share it."""
        return self
