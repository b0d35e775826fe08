"""A component that is described but not yet built."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Mapping

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
    """

    name: str
    component: type[C_co]
    signature: Signature
    arguments: Mapping[str, Any]

    def __call__(self) -> C_co:
        """Build the component, and first the components among its parameters."""
        types = self.signature.types
        component = self.component(**{key: types[key].realize(value) for key, value in self.arguments.items()})
        component._registered_name = self.name  # type: ignore[attr-defined]
        return component

    def reference(self) -> dict[str, dict[str, Any]]:
        """Return what a spec would say, every default filled in."""
        types = self.signature.types
        return {self.name: {key: types[key].plain(value) for key, value in self.arguments.items()}}
