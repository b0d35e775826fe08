"""The type of a list of layers: each may have a name beside its parameters."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from mlpkit.components.recipe import Recipe
from mlpkit.components.schema.component_types import ComponentOfKind
from mlpkit.components.schema.containers import ListType
from mlpkit.components.schema.layer_names import layer_names
from mlpkit.components.schema.value_type import show

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlpkit.components.schema.fault import Path
    from mlpkit.components.schema.value_type import Checking, SchemaReferences


@dataclass(frozen=True)
class LayerListType(ListType):
    """A list of layers, inside a layer or at the top of a spec; no two may have the same name."""

    def check_items(self, values: Sequence[object], path: Path, checking: Checking) -> list[Any]:
        """Return a recipe for each layer, which knows the name that the layer was given."""
        checked = []
        taken: set[str] = set()
        for i, (value, name) in enumerate(zip(values, layer_names(values), strict=True)):
            given_name = _check_name(value, (*path, i), bool(name) and name in taken, checking)
            taken.add(name)
            item = self.items.check(_without_name(value), (*path, i), checking)
            checked.append(replace(item, given_name=given_name) if given_name and isinstance(item, Recipe) else item)
        return checked

    def json_schema(self, references: SchemaReferences) -> dict[str, Any]:
        """Return the type as JSON Schema."""
        assert isinstance(self.items, ComponentOfKind)
        return super().json_schema(references) | {"items": references(self.items.kinds, named=True)}


def _check_name(item: object, path: Path, taken: bool, checking: Checking) -> str:
    """Return the name that an item is given; empty if it is given none that it can have."""
    parameters = _parameters(item)
    if parameters is None or "name" not in parameters:
        if taken:
            checking.report(path, "its default name is taken by an earlier layer", remedy="give it a name")
        return ""
    place = (*path, _component(item), "name")
    name = parameters["name"]
    if not isinstance(name, str) or not name or "." in name:
        checking.report(place, f"{show(name)} can't be a layer's name", expected="a string without dots")
        return ""
    if taken:
        checking.report(place, f"the name {show(name)} is taken by an earlier layer", expected="names that differ")
    return name


def _without_name(item: object) -> object:
    parameters = _parameters(item)
    if parameters is None or "name" not in parameters:
        return item
    return {_component(item): {key: value for key, value in parameters.items() if key != "name"}}


def _parameters(item: object) -> dict[str, Any] | None:
    if isinstance(item, dict) and len(item) == 1:
        (parameters,) = item.values()
        return parameters if isinstance(parameters, dict) else None
    return None


def _component(item: object) -> Any:
    return next(iter(item)) if isinstance(item, dict) else item
