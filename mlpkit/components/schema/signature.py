"""The signature of a component's constructor: its parameters, their types, defaults and meanings."""

from __future__ import annotations

import inspect
import typing
from contextlib import suppress
from dataclasses import dataclass
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

from mlpkit.components.schema.annotations import value_type
from mlpkit.components.schema.docstring import Docstring, parse_docstring
from mlpkit.components.schema.suggestion import nearest
from mlpkit.components.schema.value_type import INVALID, Checking, EnoughFaults, show
from mlpkit.errors import ParameterError, PluginError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from mlpkit.components.schema.fault import Path
    from mlpkit.components.schema.value_type import SchemaReferences, ValueType


class Required:
    """Stands for the default of a parameter that has none."""

    def __repr__(self) -> str:
        """Read as in a table of defaults."""
        return "required"


REQUIRED = Required()


class Field(NamedTuple):
    """One parameter of a constructor.

    Args:
        name: the parameter's name.
        type: what its value may be.
        default: the value if none is given, or ``REQUIRED``.
        keyword_only: whether Python takes it by name only.
    """

    name: str
    type: ValueType
    default: object = REQUIRED
    keyword_only: bool = False

    @property
    def required(self) -> bool:
        """Whether a value must be given."""
        return self.default is REQUIRED


@dataclass(frozen=True)
class Signature:
    """The parameters of a class's constructor, in their order.

    Args:
        owner: the class.
        fields: its parameters.
    """

    owner: type
    fields: tuple[Field, ...]

    @cached_property
    def types(self) -> dict[str, ValueType]:
        """Type of each parameter by name."""
        return {field.name: field.type for field in self.fields}

    @cached_property
    def docstring(self) -> Docstring:
        """The class's docstring, and below it its constructor's."""
        own = parse_docstring(self.owner.__doc__)
        constructor = parse_docstring(_constructor(self.owner).__doc__)
        own.parameters.update({k: v for k, v in constructor.parameters.items() if k not in own.parameters})
        return own

    def check(
        self,
        given: Mapping[str, object],
        path: Path,
        checking: Checking,
        *,
        subject: str = "",
        noun: str = "parameter",
    ) -> dict[str, Any] | None:
        """Check the parameters given and fill in the others' defaults; None if there was a fault.

        Args:
            given: values by parameter name.
            path: where these values are.
            checking: takes the faults, and resolves references to components.
            subject: what the parameters belong to, for messages.
            noun: what to call a parameter in messages.
        """
        before = len(checking.faults)
        of = f" of {subject}" if subject else ""
        misspelt: set[str] = set()
        for key in given:
            if key not in self.types:
                absent = [name for name in self.types if name not in given]
                meant = nearest(str(key), absent) or nearest(str(key), self.types)
                misspelt |= {meant} if meant else set()
                checking.report(
                    (*path, key),
                    f"unknown {noun} {show(key)}{of}",
                    expected="" if meant else self._names(noun),
                    remedy=f"did you mean '{meant}'?" if meant else "",
                    at_key=True,
                )
        checked: dict[str, Any] = {}
        for field in self.fields:
            if field.name not in given and field.name in misspelt:
                continue
            if field.name not in given and field.required:
                checking.report(
                    path,
                    f"missing {noun} '{field.name}'{of}",
                    expected=f"{field.name}: {field.type.describe()}",
                    at_key=True,
                )
                continue
            value = given.get(field.name, field.default)
            checked[field.name] = field.type.check(value, (*path, field.name), checking)
        faulty = len(checking.faults) > before or any(value is INVALID for value in checked.values())
        return None if faulty else checked

    def _names(self, noun: str) -> str:
        """List the parameters, for messages."""
        names = ", ".join(self.types) or f"no {noun}s at all"
        return names if len(self.types) <= 1 else f"one of {names}"

    def bind(self, args: tuple[object, ...], kwargs: dict[str, object]) -> dict[str, Any]:
        """Check the arguments of a call in Python and return all of them by name.

        Raises:
            ParameterError: an argument is wrong, missing or unknown.
        """
        names = [field.name for field in self.fields if not field.keyword_only]
        if len(args) > len(names):
            unnamed = "argument" if len(names) == 1 else "arguments"
            raise ParameterError(
                self.owner.__name__,
                f"takes {len(names)} {unnamed} without a name, got {len(args)}",
                expected=", ".join(f"{field.name}=..." if field.keyword_only else field.name for field in self.fields),
            )
        given = dict(zip(names, args, strict=False))
        for name in given:
            if name in kwargs:
                raise ParameterError(name, f"was given twice to {self.owner.__name__}")
        checking, checked = Checking(), None
        with suppress(EnoughFaults):
            checked = self.check(given | kwargs, (), checking, subject=self.owner.__name__)
        if checked is None:
            fault = checking.faults[0]
            place = ".".join(str(part) for part in fault.path) or self.owner.__name__
            raise ParameterError(place, fault.message, expected=fault.expected, remedy=fault.remedy)
        return {name: self.types[name].realize(value) for name, value in checked.items()}

    def json_schema(self, references: SchemaReferences) -> dict[str, Any]:
        """Return the parameters as JSON Schema of a mapping."""
        properties = {}
        for field in self.fields:
            entry = field.type.json_schema(references)
            meaning = self.docstring.parameters.get(field.name)
            if meaning:
                entry = entry | {"description": meaning}
            if not field.required and isinstance(field.default, str | int | float | bool | type(None)):
                entry = entry | {"default": field.default}
            properties[field.name] = entry
        required = [field.name for field in self.fields if field.required]
        schema: dict[str, Any] = {"type": "object", "properties": properties, "additionalProperties": False}
        return schema | ({"required": required} if required else {})


def _constructor(owner: type) -> Callable[..., None]:
    found: Callable[..., None] = vars(owner).get("__init__") or owner.__init__  # type: ignore[misc]
    return found


@cache
def signature_of(owner: type) -> Signature:
    """Read the signature of a class's constructor.

    Raises:
        PluginError: it has a parameter without a usable annotation, or takes ``*args`` or ``**kwargs``.
    """
    constructor = _constructor(owner)
    if constructor is object.__init__:
        return Signature(owner, ())
    where = f"{owner.__module__}.{owner.__qualname__}"
    try:
        annotations = typing.get_type_hints(constructor, include_extras=True)
    except Exception as error:
        raise PluginError(f"{where}: its constructor's annotations can't be resolved: {error}") from error
    fields = []
    for parameter in list(inspect.signature(constructor).parameters.values())[1:]:
        if parameter.kind not in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY):
            raise PluginError(
                f"{where}: parameter '{parameter}' of its constructor can't be given in a spec; name each parameter"
            )
        if parameter.name not in annotations:
            raise PluginError(
                f"{where}: parameter '{parameter.name}' of its constructor has no annotation; expected the type that a "
                f"spec may give, as in {parameter.name}: float"
            )
        try:
            found = value_type(annotations[parameter.name])
        except TypeError as error:
            raise PluginError(f"{where}: parameter '{parameter.name}': {error}") from error
        default = REQUIRED if parameter.default is parameter.empty else parameter.default
        fields.append(Field(parameter.name, found, default, parameter.kind is parameter.KEYWORD_ONLY))
    return Signature(owner, tuple(fields))
