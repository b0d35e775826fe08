"""Types of parameters that are components themselves."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple

from mlpkit.components.recipe import Recipe
from mlpkit.components.schema.scalars import is_number
from mlpkit.components.schema.value_type import INVALID, Checking, ValueType, show
from mlpkit.components.schema.wording import either_of

if TYPE_CHECKING:
    from mlpkit.components.schema.fault import Path
    from mlpkit.components.schema.value_type import SchemaReferences


class OfKind(NamedTuple):
    """Marks an annotation as a parameter that takes a component of a kind.

    ``Annotated[Initializer | str | Mapping[str, Any], OfKind("initializer")]`` takes an initializer, its name,
    or a mapping from its name to its parameters.

    Args:
        kind: the kind's name.
        literal: a type that may stand for the component, with its bounds if it has any, such as ``float`` or
            ``Annotated[float, Ge(0)]`` for a schedule.
    """

    kind: str
    literal: Any = None


@dataclass(frozen=True)
class ComponentOfKind(ValueType):
    """A component: built, or its name, or a one-key mapping from its name to its parameters.

    Args:
        kinds: the kinds that will do.
        bases: the classes of those kinds.
        literal: the type of the value that may stand for the component.
    """

    kinds: tuple[str, ...]
    bases: tuple[type, ...]
    literal: ValueType | None = None

    def describe(self) -> str:
        """Say what is expected."""
        component = either_of(self.kinds)
        if self.literal is None:
            return component
        literal = self.literal.describe()
        return f"{literal}{',' if ',' in literal else ''} or {component}"

    def check(self, value: object, path: Path, checking: Checking) -> object:
        """Return a recipe, a built component, the literal, or (with no resolver) the reference as it is."""
        if isinstance(value, (*self.bases, Recipe)):
            return value
        if self.literal is not None and isinstance(value, int | float) and not isinstance(value, bool):
            return self.literal.check(value, path, checking)
        if self.literal is not None and isinstance(value, str) and is_number(value):
            return self.literal.check(value, path, checking)
        if not _is_reference(value):
            return checking.report(path, f"{show(value)} is not {self._form()}", expected=self.describe())
        if checking.resolve is None:
            return value
        recipe = checking.resolve(self.kinds, value, path, checking)
        if recipe is not None:
            return recipe
        unknown = checking.faults[-1]
        if self.literal is not None and unknown.path == path and not unknown.expected:
            checking.faults[-1] = unknown._replace(expected=self.describe())
        return INVALID

    def json_schema(self, references: SchemaReferences) -> dict[str, Any]:
        """Return the type as JSON Schema."""
        component = references(self.kinds)
        return {"anyOf": [self.literal.json_schema(references), component]} if self.literal else component

    def _form(self) -> str:
        forms = f"the name of {either_of(self.kinds)}, nor a mapping from one"
        return f"{self.literal.describe()}, {forms}" if self.literal else forms


@dataclass(frozen=True)
class RecipeOfKind(ComponentOfKind):
    """A component that the constructor wants to build itself, at each call afresh."""

    def check(self, value: object, path: Path, checking: Checking) -> object:
        """Return the recipe, or a callable that was given in its place."""
        if isinstance(value, self.bases):
            built = f"{type(value).__name__} is built already"
            return checking.report(path, built, expected=self.describe(), remedy="pass a function that builds it")
        if callable(value) and not isinstance(value, Recipe):
            return value
        checked = super().check(value, path, checking)
        return replace(checked, kept=True) if isinstance(checked, Recipe) else checked


def _is_reference(value: object) -> bool:
    return isinstance(value, str) or (isinstance(value, dict) and bool(value))
