"""Specs, values and components from Python: as a tree whose nodes know their keys."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from numbers import Integral, Real
from typing import Any

from mlpkit.components.component import Component, arguments_of, is_default, recipe_of
from mlpkit.components.schema.context import CheckContext, TooManyProblems, show
from mlpkit.components.schema.recipe import KeyPath, Recipe
from mlpkit.components.schema.signature import schema_of
from mlpkit.errors import WrongUseError
from mlpkit.registry.registry import Registry
from mlpkit.specfile.nodes import Entry, ListNode, MappingNode, Node, Scalar, ScalarNode, ValueOrigin
from mlpkit.specfile.source import (
    DEEPEST_NESTING,
    MOST_DIGITS,
    MOST_VALUES,
    REFUSED,
    TOO_DEEP,
    DiagnosticList,
    SourceText,
    Span,
    describe_character,
)
from mlpkit.specfile.variables import escape


def node_of_spec(
    spec: Mapping[str, Any], faults: DiagnosticList, registry: Registry | None = None
) -> MappingNode | None:
    """Return a spec as a tree, or None after reporting what it can't hold; ``$name`` is a variable, as in a file."""
    conversion = _Conversion(_origin_of_key, with_names=True, registry=registry)
    root = conversion.tree(spec)
    for fault in conversion.context.faults:
        place = _origin_of_key(fault.path).place
        faults.report(place, fault.message, expected=fault.expected, remedy=fault.remedy, code=fault.code)
    return root if isinstance(root, MappingNode) else None


def node_of_value(value: object, place: Span, faults: DiagnosticList) -> Node | None:
    """Return a value as a tree, all of it at one place, or None after reporting why a spec can't hold it.

    Dollars in strings stay dollars: a value from Python is taken as it is.
    """
    origin = ValueOrigin(place)
    conversion = _Conversion(lambda path: origin)
    node = conversion.tree(value)
    for fault in conversion.context.faults[:1]:  # all have the same place
        faults.report(place, fault.message, code=fault.code)
    return node


def _origin_of_key(path: KeyPath) -> ValueOrigin:
    return ValueOrigin(Span(SourceText(dotted(path), "", key_only=True), 0, 0))


def dotted(path: KeyPath) -> str:
    """Return the path of a key as Python's users read it, such as ``layers[0].Affine.units``."""
    parts = (f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return "".join(parts).removeprefix(".") or "spec"


def scalar_of(value: object, *, with_names: bool = False) -> Scalar:
    """Return a scalar as a spec writes it, dollars escaped unless ``with_names``, or raise a ``ValueError``."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str | os.PathLike):
        return _text_of(value) if with_names else escape(_text_of(value))
    if isinstance(value, Integral):
        integer = int(value)
        if abs(integer) >= 10**MOST_DIGITS:
            raise ValueError(f"an integer of more than {MOST_DIGITS} digits is too long")
        return integer
    if isinstance(value, Real):
        number = float(value)
        if not math.isfinite(number):
            raise ValueError(f"{number} is not finite")
        return number
    raise ValueError(f"a value of type {type(value).__name__} can't be part of a spec")


def _text_of(value: str | os.PathLike[str]) -> str:
    text = os.fsdecode(value)
    refused = REFUSED.search(text)
    if refused:
        raise ValueError(f"a string can't hold the character {describe_character(refused[0])}")
    return text


class _Conversion:
    """The conversion of one value, and how many it is made of."""

    def __init__(
        self, origin: Callable[[KeyPath], ValueOrigin], *, with_names: bool = False, registry: Registry | None = None
    ) -> None:
        self.context = CheckContext()
        self._origin = origin
        self._with_names = with_names
        self._registry = registry
        self._values = 0

    def tree(self, value: object) -> Node | None:
        """Return a value as a tree, or None if something in it is wrong."""
        node = None
        with suppress(TooManyProblems):
            node = self._node(value, ())
        return None if self.context.faults else node

    def _node(self, value: object, path: KeyPath) -> Node | None:
        self._values += 1
        if self._values > MOST_VALUES:
            return self._report(path, f"a spec can't hold more than {MOST_VALUES:,} values")
        if len(path) >= DEEPEST_NESTING:
            return self._report(path, TOO_DEEP)
        try:
            if isinstance(value, Component) and self._registry is not None:
                return self._node(reference_of(value, self._registry), path)
            if isinstance(value, Mapping):
                return self._mapping(value, path)
            if isinstance(value, list | tuple):
                items = [self._node(item, (*path, i)) for i, item in enumerate(value)]
                return ListNode([item for item in items if item is not None], self._origin(path))
            return ScalarNode(scalar_of(value, with_names=self._with_names), self._origin(path))
        except ValueError as error:
            return self._report(path, str(error))
        except WrongUseError as error:
            return self._report(path, error.message, expected=error.expected, remedy=error.remedy)

    def _mapping(self, value: Mapping[Any, Any], path: KeyPath) -> Node:
        entries = {}
        for key, item in value.items():
            if not isinstance(key, str):
                self.context.report(path, f"the key {show(key)} is not a string", code="wrong-type")
                continue
            try:
                name = _text_of(key)
            except ValueError as error:
                self._report(path, str(error))
                continue
            node = self._node(item, (*path, name))
            if node is not None:
                entries[name] = Entry(self._origin((*path, name)), node)
        return MappingNode(entries, self._origin(path))

    def _report(self, path: KeyPath, message: str, *, expected: str = "", remedy: str = "") -> Node | None:
        self.context.report(path, message, expected=expected, remedy=remedy)
        return None


def reference_of(component: Component, registry: Registry) -> str | dict[str, Any]:
    """Return the name of a component, or a mapping from that to the parameters that aren't left at their defaults.

    A layer is described by how it was built, whatever it has become since.

    Raises:
        WrongUseError: no plugin provides its class, or a spec can't hold one of its parameters.
    """
    if (recipe := recipe_of(component)) is not None:
        return recipe.reference()
    owner = type(component)
    name = _name_of(owner, registry)
    defaults = {field.name: field.default for field in schema_of(owner).fields}
    given = {
        key: _written(value, f"{owner.__name__}.{key}", registry)
        for key, value in arguments_of(component).items()
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
