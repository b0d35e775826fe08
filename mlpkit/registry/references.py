"""A component that was built in Python, as a spec would write it."""

from __future__ import annotations

from typing import Any

from mlpkit.components.component import Component, is_default
from mlpkit.components.schema.recipe import Recipe
from mlpkit.components.schema.signature import schema_of
from mlpkit.errors import WrongUseError
from mlpkit.registry.registry import Registry


def reference_of(component: Component, registry: Registry) -> str | dict[str, Any]:
    """Return the name of a component, or a mapping from that to the parameters that aren't left at their defaults.

    A layer is described by how it was built, whatever it has become since.

    Raises:
        WrongUseError: no plugin provides its class, or a spec can't hold one of its parameters.
    """
    if component._recipe is not None:
        return component._recipe.reference()
    owner = type(component)
    name = _name_of(owner, registry)
    defaults = {field.name: field.default for field in schema_of(owner).fields}
    given = {
        key: _written(value, f"{owner.__name__}.{key}", registry)
        for key, value in component._arguments.items()
        if not is_default(value, defaults[key])
    }
    return {name: given} if given else name


def _written(value: Any, what: str, registry: Registry) -> Any:
    if isinstance(value, Component):
        return reference_of(value, registry)
    if isinstance(value, Recipe):
        return value.reference()
    if isinstance(value, list | tuple):
        return [_written(item, what, registry) for item in value]
    if isinstance(value, dict):
        return {key: _written(item, what, registry) for key, item in value.items()}
    if callable(value):
        raise WrongUseError(f"{what} is a function, which a spec can't hold", remedy="give its name, or a mapping")
    return value


def _name_of(owner: type, registry: Registry) -> str:
    """Return the name of a class in specs; plugins that aren't loaded are loaded only for a class of none that is."""
    for plugin in sorted(registry.plugins, key=lambda plugin: (not plugin.built_in, not plugin.declarations)):
        if plugin.load():
            for name, declared in plugin.declarations.items():
                if declared.target in (owner, f"{owner.__module__}:{owner.__qualname__}"):
                    return plugin.qualified(name)
    raise WrongUseError(
        f"no plugin provides the class {owner.__qualname__} of {owner.__module__}",
        expected="a class that a spec can name",
        remedy="put it into a file with a function mlpkit_components, and pass plugins=['FILE.py']",
    )
