"""Types of parameters that are components themselves, and of lists of layers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, NamedTuple

from mlpkit.components.schema.context import INVALID, CheckContext, ValueType, show
from mlpkit.components.schema.recipe import KeyPath, Recipe
from mlpkit.components.schema.types import ListType, is_number
from mlpkit.components.schema.wording import either_of

LONGEST_NAME: Final = 200
"""Most characters of a component's name; a variable may repeat a long text many times."""


def default_name(layer_type: str, counts: Counter[str]) -> str:
    """Return the default name of one more layer, such as ``Affine2``: its type and how many of it there are now."""
    counts[layer_type] += 1
    return f"{layer_type}{counts[layer_type]}"


def default_names(layer_types: Iterable[str]) -> list[str]:
    """Return ``Affine1``, ``Relu1``, ``Affine2`` for the types ``Affine``, ``Relu``, ``Affine``."""
    counts: Counter[str] = Counter()
    return [default_name(layer_type, counts) for layer_type in layer_types]


def layer_names(items: Sequence[Any]) -> list[str]:
    """Return the name of each layer of plain data: as given, or by default; empty for an item of another form."""
    layers = [_component_and_parameters(item) for item in items]
    names = ["" if component is None else str(component) for component, _ in layers]
    types = [name.rpartition(".")[2] if len(name) <= LONGEST_NAME else "" for name in names]
    given = [parameters.get("name") for _, parameters in layers]
    return [
        name if isinstance(name, str) and name else default if layer_type else ""
        for name, layer_type, default in zip(given, types, default_names(types), strict=True)
    ]


def _component_and_parameters(item: object) -> tuple[Any, dict[str, Any]]:
    """Return the name of an item's component, and its parameters; None and no parameters if it has no such form."""
    if isinstance(item, dict) and len(item) == 1:
        ((component, parameters),) = item.items()
        return component, parameters if isinstance(parameters, dict) else {}
    return item if isinstance(item, str) else None, {}


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
    """A component of some kinds: built, or its name, or a one-key mapping from its name to its parameters.

    A value of the type ``literal`` may stand for it.
    """

    kinds: tuple[str, ...]
    bases: tuple[type, ...]
    literal: ValueType | None = None

    def describe(self) -> str:
        """Describe what is expected."""
        component = either_of(self.kinds)
        if self.literal is None:
            return component
        literal = self.literal.describe()
        return f"{literal}{',' if ',' in literal else ''} or {component}"

    def check(self, value: object, path: KeyPath, context: CheckContext) -> object:
        """Return a recipe, a built component, the literal, or (with no resolver) the reference as it is."""
        if isinstance(value, (*self.bases, Recipe)):
            return value
        number = is_number(value) if isinstance(value, str) else isinstance(value, int | float)
        if self.literal is not None and number and not isinstance(value, bool):
            return self.literal.check(value, path, context)
        if not isinstance(value, str) and not (isinstance(value, dict) and value):
            forms = f"the name of {either_of(self.kinds)} or a mapping from one"
            literal = f"{self.literal.describe()}, " if self.literal else ""
            return self.refuse(value, f"is not {literal}{forms}", path, context)
        if context.resolve is None:
            return value
        recipe = context.resolve(self.kinds, value, path, context)
        if recipe is not None:
            return recipe
        unknown = context.faults[-1]
        if self.literal is not None and unknown.path == path and not unknown.expected:
            context.faults[-1] = unknown._replace(expected=self.describe())
        return INVALID


class RecipeOfKind(ComponentOfKind):
    """A component that the constructor builds itself, a new one at each call."""

    def check(self, value: object, path: KeyPath, context: CheckContext) -> object:
        """Return the recipe, or the callable given instead."""
        if isinstance(value, self.bases):
            message, remedy = f"{type(value).__name__} is already built", "pass a function that builds it"
            return context.report(path, message, expected=self.describe(), remedy=remedy, code="wrong-type")
        if callable(value) and not isinstance(value, Recipe):
            return value
        checked = super().check(value, path, context)
        return replace(checked, kept=True) if isinstance(checked, Recipe) else checked


class DistinctListType(ListType):
    """A list of components with distinct names."""

    def check_items(self, values: Sequence[object], path: KeyPath, context: CheckContext) -> list[Any]:
        """Return a recipe for each item."""
        checked = super().check_items(values, path, context)
        names = [item.name if isinstance(item, Recipe) else None for item in checked]
        for i, name in enumerate(names):
            if name is not None and name in names[:i]:
                message = f"the {checked[i].component.kind} {name} is listed twice"
                checked[i] = context.report((*path, i), message, code="duplicate-name")
        return checked


class LayerListType(ListType):
    """A list of layers, inside a layer or at the top of a spec; no two may have the same name."""

    def check_items(self, values: Sequence[object], path: KeyPath, context: CheckContext) -> list[Any]:
        """Return a recipe for each layer, which knows the name that the layer was given."""
        checked = []
        taken: set[str] = set()
        for i, (value, name) in enumerate(zip(values, layer_names(values), strict=True)):
            component, parameters = _component_and_parameters(value)
            given_name = _check_name(component, parameters, (*path, i), bool(name) and name in taken, context)
            taken.add(name)
            unnamed = {component: {key: each for key, each in parameters.items() if key != "name"}}
            item = self.items.check(unnamed if "name" in parameters else value, (*path, i), context)
            checked.append(replace(item, given_name=given_name) if given_name and isinstance(item, Recipe) else item)
        return checked


def _check_name(component: Any, parameters: dict[str, Any], path: KeyPath, taken: bool, context: CheckContext) -> str:
    """Return the name given to a layer; empty if it has no valid name."""
    by_an_earlier_layer = "is taken by an earlier layer"
    if "name" not in parameters:
        if taken:
            remedy = "give it a name"
            context.report(path, f"its default name {by_an_earlier_layer}", remedy=remedy, code="duplicate-name")
        return ""
    place = (*path, component, "name")
    name = parameters["name"]
    if not isinstance(name, str) or not name or "." in name:
        message = f"{show(name)} can't be a layer's name"
        context.report(place, message, expected="a string without dots", code="wrong-name")
        return ""
    if taken:
        message = f"the name {show(name)} {by_an_earlier_layer}"
        context.report(place, message, expected="names that differ", code="duplicate-name")
    return name
