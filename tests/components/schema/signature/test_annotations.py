"""Annotations of a constructor, as types of parameters."""

from __future__ import annotations

import collections.abc
import typing
from types import SimpleNamespace
from typing import Annotated, Any, Literal, Optional, Union

import annotated_types
import pytest

from mlpkit import Initializer, InitializerLike, Layer, Loss, Rate, Recipe, Schedule
from mlpkit.components.schema.component_types import ComponentOfKind, OfKind, RecipeOfKind
from mlpkit.components.schema.signature import value_type
from mlpkit.components.schema.types import (
    AnyType,
    BooleanType,
    Bound,
    ChoiceType,
    ColumnName,
    ColumnNameType,
    EitherType,
    IntegerType,
    ListType,
    MappingType,
    NullType,
    NumberType,
    TextType,
    TupleType,
)

AT_LEAST_1 = Bound("at least", "minimum", 1)
LAYER = ComponentOfKind(("layer",), (Layer,))


@pytest.mark.parametrize(
    ("annotation", "expected"),
    [
        (bool, BooleanType()),
        (int, IntegerType()),
        (float, NumberType()),
        (str, TextType()),
        (None, NullType()),
        (type(None), NullType()),
        (Any, AnyType()),
        (object, AnyType()),
        (Literal["same", "valid"], ChoiceType(("same", "valid"))),
        (int | None, EitherType((IntegerType(), NullType()))),
        (Optional[int], EitherType((IntegerType(), NullType()))),  # noqa: UP045 - older plugins write it so
        (Union[int, str], EitherType((IntegerType(), TextType()))),  # noqa: UP007 - same reason
        (list[int], ListType(IntegerType())),
        (collections.abc.Sequence[int], ListType(IntegerType())),
        (typing.List[int], ListType(IntegerType())),  # noqa: UP006 - same reason
        (tuple[int, ...], ListType(IntegerType(), as_tuple=True)),
        (tuple[int, str], TupleType((IntegerType(), TextType()))),
        (dict[str, float], MappingType(NumberType())),
        (dict[ColumnName, float], MappingType(NumberType(), ColumnNameType())),
        (collections.abc.Mapping[str, float], MappingType(NumberType())),
        (Layer, LAYER),
        (Layer | None, EitherType((LAYER, NullType()))),
        (Recipe[Layer], RecipeOfKind(("layer",), (Layer,))),
        (list[Recipe[Loss]], ListType(RecipeOfKind(("loss",), (Loss,)))),
        (InitializerLike, ComponentOfKind(("initializer",), (Initializer,), NumberType())),
        (Rate, ComponentOfKind(("schedule",), (Schedule,), NumberType((Bound("at least", "minimum", 0),)))),
        (Annotated[Any, OfKind("layer")], LAYER),
        (Annotated[Any, TextType()], TextType()),
        (Annotated[int, annotated_types.Ge(1)], IntegerType((AT_LEAST_1,))),
        (Annotated[int, "a remark"], IntegerType()),
        (Annotated[str, annotated_types.Ge(1)], TextType()),
        (
            Annotated[float, annotated_types.Gt(0), annotated_types.Le(1)],
            NumberType((Bound("greater than", "exclusiveMinimum", 0), Bound("at most", "maximum", 1))),
        ),
        (
            Annotated[float, annotated_types.Interval(ge=1, lt=2)],
            NumberType((AT_LEAST_1, Bound("less than", "exclusiveMaximum", 2))),
        ),
        (
            Annotated[int | str | None, annotated_types.Ge(1)],
            EitherType((IntegerType((AT_LEAST_1,)), TextType(), NullType())),
        ),
        (Annotated[list[int], annotated_types.MinLen(2)], ListType(IntegerType(), fewest=2)),
        (
            Annotated[tuple[Annotated[int, annotated_types.Ge(1)], ...], annotated_types.MinLen(1)],
            ListType(IntegerType((AT_LEAST_1,)), fewest=1, as_tuple=True),
        ),
    ],
)
def test_stands_for(annotation, expected):
    found = value_type(annotation)
    assert found == expected
    assert type(found) is type(expected)


@pytest.mark.parametrize(
    "annotation",
    [
        list,
        dict,
        typing.List,  # noqa: UP006 - older plugins write it so
        typing.Dict,  # noqa: UP006 - same reason
        dict[int, str],
        set[int],
        bytes,
        complex,
        int | bytes,
        list[bytes],
        Recipe,
        typing.Callable[[], int],
        "int",
        Annotated[bytes, annotated_types.Ge(1)],
        typing.TypeVar("T"),
        [int],
        SimpleNamespace(kind="layer"),
    ],
)
def test_what_a_spec_can_not_serve_is_refused(annotation):
    with pytest.raises(
        TypeError, match=r"a spec can't give a value for the annotation .*; use bool, int, float, str, Literal"
    ):
        value_type(annotation)


def test_recipes_are_of_a_kind_of_component():
    with pytest.raises(TypeError, match="<class 'int'> is not a kind of component"):
        value_type(Recipe[int])


def test_a_class_with_a_kind_of_its_own_is_no_component():
    class Thing:
        kind = "gadget"

    with pytest.raises(TypeError, match="is not a kind of component"):
        value_type(Thing)
