"""Turns a constructor's annotation into the type of a parameter."""

from __future__ import annotations

import types
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import annotated_types

from mlpkit.components.kinds import KINDS
from mlpkit.components.recipe import Recipe
from mlpkit.components.schema.component_types import ComponentOfKind, OfKind, RecipeOfKind
from mlpkit.components.schema.containers import EitherType, ListType, MappingType, TupleType
from mlpkit.components.schema.layer_list import LayerListType
from mlpkit.components.schema.scalars import (
    AnyType,
    BooleanType,
    Bound,
    ChoiceType,
    IntegerType,
    NothingType,
    NumberType,
    TextType,
)
from mlpkit.components.schema.value_type import ValueType

SCALARS: dict[object, ValueType] = {
    bool: BooleanType(),
    int: IntegerType(),
    float: NumberType(),
    str: TextType(),
    None: NothingType(),
    type(None): NothingType(),
    Any: AnyType(),
    object: AnyType(),
}


def value_type(annotation: object) -> ValueType:
    """Return the type of value that an annotation stands for.

    Args:
        annotation: resolved at runtime, never a string.

    Raises:
        TypeError: the annotation is none that a spec can serve.
    """
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
    if origin in (dict, Mapping) and arguments[:1] == (str,):
        return MappingType(value_type(arguments[1]))
    if origin is Recipe:
        kind = _kind_of(arguments[0])
        return RecipeOfKind((kind,), (KINDS[kind].base_class(),))
    if isinstance(annotation, type) and hasattr(annotation, "kind"):
        return ComponentOfKind((_kind_of(annotation),), (annotation,))
    msg = (
        f"the annotation {annotation!r} is none that a spec can serve; use bool, int, float, str, Literal, a union, "
        "list, tuple or dict[str, ...] of them, a kind of component, or Recipe of one"
    )
    raise TypeError(msg)


def _annotated(inner: object, metadata: tuple[object, ...]) -> ValueType:
    for mark in metadata:
        if isinstance(mark, ValueType):
            return mark
        if isinstance(mark, OfKind):
            literal = value_type(mark.literal) if mark.literal is not None else None
            return ComponentOfKind((mark.kind,), (KINDS[mark.kind].base_class(),), literal)
    found = value_type(inner)
    bounds = tuple(bound for mark in metadata for bound in _bounds(mark))
    if isinstance(found, IntegerType | NumberType):
        return type(found)(bounds)
    if isinstance(found, EitherType):
        narrowed = (type(t)(bounds) if isinstance(t, IntegerType | NumberType) else t for t in found.alternatives)
        return EitherType(tuple(narrowed))
    fewest = next((mark.min_length for mark in metadata if isinstance(mark, annotated_types.MinLen)), 0)
    if isinstance(found, ListType):
        return replace(found, fewest=fewest)
    return found


def _list_of(items: ValueType, *, as_tuple: bool = False) -> ListType:
    of_layers = isinstance(items, ComponentOfKind) and items.kinds == ("layer",)
    return LayerListType(items, as_tuple=as_tuple) if of_layers else ListType(items, as_tuple=as_tuple)


def _bounds(mark: object) -> list[Bound]:
    if isinstance(mark, annotated_types.GroupedMetadata):
        return [bound for part in mark for bound in _bounds(part)]
    tables: list[tuple[type, str, str, str]] = [
        (annotated_types.Ge, "ge", "at least", "minimum"),
        (annotated_types.Gt, "gt", "greater than", "exclusiveMinimum"),
        (annotated_types.Le, "le", "at most", "maximum"),
        (annotated_types.Lt, "lt", "less than", "exclusiveMaximum"),
    ]
    return [
        Bound(words, keyword, getattr(mark, attribute))
        for kind, attribute, words, keyword in tables
        if isinstance(mark, kind)
    ]


def _kind_of(base: object) -> str:
    kind = getattr(base, "kind", None)
    if isinstance(kind, str) and kind in KINDS:
        return kind
    msg = f"{base!r} is not a kind of component"
    raise TypeError(msg)
