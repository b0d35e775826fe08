"""The schema of a constructor's parameters, or of a section's keys, from annotations, defaults and docstring."""

from __future__ import annotations

import inspect
import re
import types
import typing
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import MISSING, dataclass, is_dataclass, replace
from functools import cache, cached_property, partial
from typing import Annotated, Any, ClassVar, Final, Literal, NamedTuple, Union, get_args, get_origin

import annotated_types

from mlpkit.components.kinds import KINDS
from mlpkit.components.schema.component_types import ComponentOfKind, LayerListType, OfKind, RecipeOfKind
from mlpkit.components.schema.context import INVALID, CheckContext, Correction, TooManyProblems, ValueType, show
from mlpkit.components.schema.fields import NO_PARAMETER, parameters_of, written_constructor
from mlpkit.components.schema.recipe import KeyPath, Recipe, built, written
from mlpkit.components.schema.types import (
    AnyType,
    BooleanType,
    Bound,
    BoundedType,
    ChoiceType,
    EitherType,
    IntegerType,
    ListType,
    MappingType,
    NullType,
    NumberType,
    TextType,
    TupleType,
    without_null,
)
from mlpkit.components.schema.wording import certain, counted, nearest, slips
from mlpkit.deprecation import Deprecation
from mlpkit.errors import ParameterError, PluginError

REQUIRED: Final = inspect.Parameter.empty
"""Marks a parameter without a default."""


class ParameterSchema(NamedTuple):
    """One parameter of a constructor: its type, and its default value, ``REQUIRED`` if it has none."""

    name: str
    type: ValueType
    default: object = REQUIRED
    keyword_only: bool = False
    deprecated: Deprecation | None = None

    @property
    def required(self) -> bool:
        """Whether a value must be given."""
        return self.default is REQUIRED


@dataclass(frozen=True)
class Schema:
    """The parameters of the constructor of a class, its owner, in their order."""

    owner: type
    fields: tuple[ParameterSchema, ...]

    @cached_property
    def types(self) -> dict[str, ValueType]:
        """Type of each parameter by name."""
        return {field.name: field.type for field in self.fields}

    @cached_property
    def docstring(self) -> Docstring:
        """The class's docstring, with the parameters that its constructor or a class with inherited ones describes."""
        own = parse_docstring(self.owner.__doc__)
        from_fields = not written_constructor(self.owner)
        inherited = (base for base in self.owner.__mro__[1:] if from_fields or is_dataclass(base))
        for source in (self.owner.__init__, *inherited):  # type: ignore[misc]
            for name, meaning in parse_docstring(source.__doc__).parameters.items():
                if name in self.types or not from_fields:
                    own.parameters.setdefault(name, meaning)
        return own

    def check(
        self,
        given: Mapping[str, object],
        path: KeyPath,
        context: CheckContext,
        *,
        subject: str = "",
        noun: str = "parameter",
    ) -> dict[str, Any] | None:
        """Check the parameters given and fill in the defaults of the rest; None if there was a fault.

        Messages say what the parameters belong to, and call one ``noun``.
        """
        before = len(context.faults)
        of = f" of {subject}" if subject else ""
        misspelt = {
            self._report_unknown(f"unknown {noun} {show(key)}{of}", key, given, path, context, noun)
            for key in given
            if key not in self.types
        }
        checked: dict[str, Any] = {}
        for field in self.fields:
            if field.name not in given and field.name in misspelt:
                continue
            if field.name not in given and field.required:
                message, expected = f"missing {noun} '{field.name}'{of}", f"{field.name}: {field.type.describe()}"
                context.report(path, message, expected=expected, at_key=True, code="missing-key")
                continue
            if field.deprecated and field.name in given and not context.resolved:
                place = (*path, field.name)
                context.warn_of(field.deprecated, f"{noun} '{field.name}'{of}", place, at_key=True)
            value = given.get(field.name, field.default)
            checked[field.name] = field.type.check(value, (*path, field.name), context)
        faulty = len(context.faults) > before or any(value is INVALID for value in checked.values())
        return None if faulty else checked

    def _report_unknown(
        self, message: str, key: object, given: Mapping[str, object], path: KeyPath, context: CheckContext, noun: str
    ) -> str:
        """Report an unknown key, and return the parameter that it is most like, or nothing."""
        absent = [name for name in self.types if name not in given]
        meant = self._by_kind(str(key)) or nearest(str(key), absent) or nearest(str(key), self.types) or ""
        nested = self.nested_key(key)
        instead = meant or (".".join(map(str, (*path, nested))) if nested else "")
        remedy = f"did you mean '{instead}'?" if instead else self._remedy_for_parameter(key, given, context)
        names = ", ".join(self.types) or f"no {noun}s at all"
        expected = "" if remedy else names if len(self.types) <= 1 else f"one of {names}"
        fix = None if nested else self._certain_key(str(key), given, path, context)
        place: Any = (*path, key)
        context.report(place, message, expected=expected, remedy=remedy, at_key=True, code="unknown-key", fix=fix)
        return meant

    def _certain_key(
        self, key: str, given: Mapping[str, object], path: KeyPath, context: CheckContext
    ) -> Correction | None:
        """Return the correction of a key that must have been meant for another, whose value it has."""
        meant = certain(key, self.types)
        if not meant or slips(meant, [str(each) for each in given if each not in self.types and each != key]):
            return None
        attempt = context.aside()
        with suppress(TooManyProblems):
            self.types[meant].check(given[key], (*path, meant), attempt)
        own = (fault for fault in attempt.faults if fault.path == (*path, meant) and not fault.fix)
        return None if any(fault.code == "wrong-type" for fault in own) else Correction(key, meant)

    def _by_kind(self, key: str) -> str:
        """Return the parameter that takes the kind of component that a key names, as ``weight_initializer`` does."""
        taken = {field.name: getattr(without_null(field.type), "kinds", ()) for field in self.fields}
        whole = key.lower().removesuffix("s")
        meaning, _, kind = whole.rpartition("_")
        alike = [name for name, kinds in taken.items() if kind in {each.rpartition("_")[2] for each in kinds}]
        exact = next((name for name, kinds in taken.items() if whole in kinds), "")
        return exact or (meaning and nearest(meaning, alike)) or ""

    def nested_key(self, key: object) -> str:
        """Return the dotted key of a section below that has this key, such as ``training.epochs``; or nothing."""
        for field in self.fields:
            kind = without_null(field.type)
            if isinstance(kind, SectionType):
                below = key if key in kind.schema.types else kind.schema.nested_key(key)
                if below:
                    return f"{field.name}.{below}"
        return ""

    def _remedy_for_parameter(self, key: object, given: Mapping[str, object], context: CheckContext) -> str:
        """Return where to write a key that is a parameter of a neighbouring component; or nothing."""
        for field in self.fields:
            kind, component = without_null(field.type), given.get(field.name)
            name = next(iter(component), None) if isinstance(component, dict) else component
            if not isinstance(kind, ComponentOfKind) or not isinstance(name, str) or context.resolve is None:
                continue
            attempt, no_key = context.attempt(), ""
            context.resolve(kind.kinds, {name: {key: None, no_key: None}}, (), attempt)
            unknown = [fault.path for fault in attempt.faults if fault.at_key]
            if (name, no_key) in unknown and (name, key) not in unknown:  # a component that is there, and has the key
                return f"it is a parameter of {name}: write {field.name}: {{{name}: {{{key}: ...}}}}"
        return ""

    def bind(self, args: tuple[object, ...], kwargs: dict[str, object]) -> dict[str, Any]:
        """Check the arguments of a call in Python and return all of them by name.

        Raises:
            ParameterError: an argument is wrong, missing or unknown.
        """
        names = [field.name for field in self.fields if not field.keyword_only]
        if len(args) > len(names):
            raise ParameterError(
                self.owner.__name__,
                f"takes {counted(len(names), 'argument')} without a name, got {len(args)}",
                expected=", ".join(f"{field.name}=..." if field.keyword_only else field.name for field in self.fields),
            )
        given = dict(zip(names, args, strict=False))
        for name in given:
            if name in kwargs:
                raise ParameterError(name, f"was given twice to {self.owner.__name__}")
        context, checked = CheckContext(), None
        with suppress(TooManyProblems):
            checked = self.check(given | kwargs, (), context, subject=self.owner.__name__)
        if checked is None:
            raise context.faults[0].as_error(self.owner.__name__)
        return {name: built(value) for name, value in checked.items()}


KEEP_ONE: Final = "keep one: remove the rest, or set it to null"


class OneOf(NamedTuple):
    """A rule of a section: of some keys, one must be given.

    Args:
        keys: the keys.
        missing: the message if none of them is given.
        expected: what was expected instead.
        exclusive: whether no two may be given.
    """

    keys: tuple[str, ...]
    missing: str
    expected: str
    exclusive: bool = True

    def check(
        self, value: Mapping[str, object], known: Mapping[str, ValueType], path: KeyPath, context: CheckContext
    ) -> None:
        """Report where the rule is broken; a misspelt key is reported by itself."""
        given = [key for key in self.keys if value.get(key) is not None]
        misspelt = any(nearest(str(key), self.keys) for key in value if key not in known)
        report = partial(context.report, expected=self.expected, at_key=True)
        if not given and not misspelt:
            report(path, self.missing, code="missing-key")
        elif self.exclusive and len(given) > 1:
            names = " and ".join(given)
            message = f"both {names} are given" if len(given) == 2 else f"{names} are all given"
            report((*path, given[1]), message, remedy=KEEP_ONE, code="conflicting-keys")


class Section:
    """A part of a spec with its own keys: the fields of a dataclass that derives from this.

    Attributes:
        title: what to call it in messages.
        rules: what its keys mean together.
        main_key: the key that a value without a key is most likely meant for; empty if none is.
    """

    title: ClassVar[str]
    rules: ClassVar[tuple[OneOf, ...]] = ()
    main_key: ClassVar[str] = ""

    def check_together(self, path: KeyPath, context: CheckContext) -> None:
        """Report wrong combinations of values."""

    def reference(self) -> dict[str, Any]:
        """Return what a spec would write: every value, unless it is None by default."""
        defaults = vars(type(self))
        return {key: written(value) for key, value in vars(self).items() if value is not None or defaults.get(key)}


MOST_KEYS_NAMED: Final = 8
"""Keys of a section up to which a message lists them all."""


@dataclass(frozen=True)
class SectionType(ValueType):
    """A mapping with the keys of a section, for which a value of another type may stand."""

    owner: type[Section]
    short_form: ClassVar[ValueType | None] = None

    @cached_property
    def schema(self) -> Schema:
        """The section's keys."""
        return schema_of(self.owner)

    def describe(self) -> str:
        """Describe what is expected."""
        return f"a mapping with the keys of {self.owner.title}"

    def check(self, value: object, path: KeyPath, context: CheckContext) -> object:
        """Return the section, its values checked and defaults filled in."""
        if isinstance(value, self.owner):  # a default
            return value
        if not isinstance(value, dict):
            remedy = self._remedy_for_no_mapping(value, context)
            return self.refuse(value, "is not a mapping", path, context, remedy=remedy)
        before = len(context.faults)
        checked = self.schema.check(value, path, context, subject=self.owner.title, noun="key")
        for rule in self.owner.rules:
            rule.check(value, self.schema.types, path, context)
        if checked is None:
            return INVALID
        section = self.owner(**checked)
        section.check_together(path, context)
        return section if len(context.faults) == before else INVALID

    def _remedy_for_no_mapping(self, value: object, context: CheckContext) -> str:
        """Return the mapping that a value stands for, if it is clear, or else the keys of one, if they are few."""
        names, key = list(self.schema.types), self.owner.main_key
        if key and self.schema.types[key].check(value, (), context.attempt()) is not INVALID:
            return f"write {{{key}: {show(value)}}}"
        return f"its keys: {', '.join(names)}" if len(names) <= MOST_KEYS_NAMED else ""


def schema_of(owner: type) -> Schema:
    """Read the schema of a class's constructor, once for each class, or raise a ``PluginError``."""
    return _read_schema(owner)  # for mypy, no class with a metaclass is hashable


@cache
def _read_schema(owner: type) -> Schema:
    where = f"{owner.__module__}.{owner.__qualname__}"
    parameters, remedy = parameters_of(owner), "" if written_constructor(owner) else NO_PARAMETER
    try:
        annotations = _annotations(owner, parameters)
    except Exception as error:
        raise PluginError(f"{where}: its constructor's annotations can't be resolved: {error}{remedy}") from error
    fields = []
    for parameter in parameters:
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
            raise PluginError(f"{where}: parameter '{parameter.name}': {error}{remedy}") from error
        keyword_only = parameter.kind is parameter.KEYWORD_ONLY
        marks = getattr(annotations[parameter.name], "__metadata__", ())
        deprecated = next((mark for mark in marks if isinstance(mark, Deprecation)), None)
        fields.append(ParameterSchema(parameter.name, found, _default(owner, parameter), keyword_only, deprecated))
    return Schema(owner, tuple(fields))


def _annotations(owner: type, parameters: Sequence[inspect.Parameter]) -> dict[str, Any]:
    """Resolve a constructor's annotations; those of fields, in the modules that they come from."""
    constructor = written_constructor(owner)
    if constructor and not is_dataclass(owner):
        return typing.get_type_hints(constructor, include_extras=True)
    modules: dict[str, dict[str, Any]] = {}
    for name, annotation in ((each.name, each.annotation) for each in parameters):
        homes = (base for base in owner.__mro__ if vars(base).get("__annotations__", {}).get(name) is annotation)
        modules.setdefault(next(homes, constructor or owner).__module__, {})[name] = annotation
    resolved: dict[str, Any] = {}
    for module, written_there in modules.items():
        fields = type(owner.__name__, (), {"__module__": module, "__annotations__": written_there})
        resolved |= typing.get_type_hints(fields, include_extras=True)
    return resolved


def _default(owner: type, parameter: inspect.Parameter) -> object:
    factory = getattr(getattr(owner, "__dataclass_fields__", {}).get(parameter.name), "default_factory", MISSING)
    if factory is not MISSING:
        return factory()
    return parameter.default


SCALARS: dict[object, ValueType] = {
    bool: BooleanType(),
    int: IntegerType(),
    float: NumberType(),
    str: TextType(),
    None: NullType(),
    type(None): NullType(),
    Any: AnyType(),
    object: AnyType(),
}


BOUNDS: Final[tuple[tuple[type, str, str, str], ...]] = (
    (annotated_types.Ge, "ge", "at least", "minimum"),
    (annotated_types.Gt, "gt", "greater than", "exclusiveMinimum"),
    (annotated_types.Le, "le", "at most", "maximum"),
    (annotated_types.Lt, "lt", "less than", "exclusiveMaximum"),
)
"""Each bound of annotated-types: its attribute, its words, and its keyword in JSON Schema."""


def value_type(annotation: object) -> ValueType:
    """Return the type of value that an annotation stands for, or raise a ``TypeError`` if a spec can't give such."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _annotated(arguments[0], arguments[1:])
    try:
        if annotation in SCALARS:
            return SCALARS[annotation]
    except TypeError:  # an unhashable annotation
        pass
    if origin is Literal:
        return ChoiceType(arguments)
    if origin in (Union, types.UnionType):
        return EitherType(tuple(value_type(argument) for argument in arguments))
    if origin is tuple and len(arguments) == 2 and arguments[1] is Ellipsis:
        return _list_of(value_type(arguments[0]), as_tuple=True)
    if origin is tuple:
        return TupleType(tuple(value_type(argument) for argument in arguments))
    if origin in (list, Sequence) and arguments:
        return _list_of(value_type(arguments[0]))
    if origin in (dict, Mapping) and arguments and isinstance(keys := value_type(arguments[0]), TextType):
        return MappingType(value_type(arguments[1]), keys)
    if origin is Recipe:
        kind = _kind_of(arguments[0])
        return RecipeOfKind((kind,), (KINDS[kind].base_class(),))
    if isinstance(annotation, type) and issubclass(annotation, Section):
        return SectionType(annotation)
    if isinstance(annotation, type) and hasattr(annotation, "kind"):
        return ComponentOfKind((_kind_of(annotation),), (annotation,))
    raise TypeError(
        f"a spec can't give a value for the annotation {annotation!r}; use bool, int, float, str, Literal, a union, "
        "list, tuple or dict[str, ...] of them, a kind of component, or Recipe of one"
    )


def _annotated(inner: object, metadata: tuple[object, ...]) -> ValueType:
    bounds = tuple(bound for mark in metadata for bound in _bounds(mark))
    for mark in metadata:
        if isinstance(mark, ValueType):
            return mark
        if isinstance(mark, OfKind):
            literal = _bounded(value_type(mark.literal), bounds) if mark.literal is not None else None
            return ComponentOfKind((mark.kind,), (KINDS[mark.kind].base_class(),), literal)
    found = _bounded(value_type(inner), bounds)
    fewest = next((mark.min_length for mark in metadata if isinstance(mark, annotated_types.MinLen)), 0)
    return replace(found, fewest=fewest) if isinstance(found, ListType) else found


def _bounded(kind: ValueType, bounds: tuple[Bound, ...]) -> ValueType:
    """Return a type whose numbers are also within bounds."""
    if isinstance(kind, EitherType):
        return EitherType(tuple(_bounded(alternative, bounds) for alternative in kind.alternatives))
    return type(kind)(kind.bounds + bounds) if isinstance(kind, BoundedType) else kind


def _list_of(items: ValueType, *, as_tuple: bool = False) -> ListType:
    of_layers = isinstance(items, ComponentOfKind) and items.kinds == ("layer",)
    return LayerListType(items, as_tuple=as_tuple) if of_layers else ListType(items, as_tuple=as_tuple)


def _bounds(mark: object) -> list[Bound]:
    if isinstance(mark, annotated_types.GroupedMetadata):
        return [bound for part in mark for bound in _bounds(part)]
    return [
        Bound(words, keyword, getattr(mark, attribute))
        for kind, attribute, words, keyword in BOUNDS
        if isinstance(mark, kind)
    ]


def _kind_of(base: object) -> str:
    kind = getattr(base, "kind", None)
    if isinstance(kind, str) and kind in KINDS:
        return kind
    raise TypeError(f"{base!r} is not a kind of component")


@dataclass(frozen=True)
class Docstring:
    """The parts of a docstring: the first sentence; formulas and explanations; ``Args:``; other sections by title."""

    summary: str
    body: str
    parameters: dict[str, str]
    sections: dict[str, str]


_TITLE = re.compile(r"^(Args|Raises|Returns|Shapes?|Source|Example):\s*(.*)$")
_PARAMETER = re.compile(r"^    (\w+): (.*)$")


def parse_docstring(text: str | None) -> Docstring:
    """Return the parts of a docstring; missing ones are empty."""
    head, sections = _parts(inspect.cleandoc(text or "").split("\n"), _TITLE)
    summary, _, body = "\n".join(head).strip().partition("\n\n")
    _, parameters = _parts(sections.pop("Args", []), _PARAMETER)
    return Docstring(
        summary=" ".join(summary.split()),
        body=body.strip("\n"),
        parameters={name: _in_one_line(lines) for name, lines in parameters.items()},
        sections={name: _in_one_line(lines) for name, lines in sections.items()},
    )


def _parts(lines: list[str], heading: re.Pattern[str]) -> tuple[list[str], dict[str, list[str]]]:
    """Return the lines before the first heading, and the lines of each part, by its name."""
    current: list[str] = []
    head, parts = current, dict[str, list[str]]()
    for line in lines:
        found = heading.match(line)
        if found:
            current = parts.setdefault(found[1], [])
        current.append(found[2] if found else line)
    return head, parts


def _in_one_line(lines: list[str]) -> str:
    return " ".join(" ".join(lines).split())
