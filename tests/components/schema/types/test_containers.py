"""Lists, tuples, mappings and alternatives."""

from __future__ import annotations

import pytest

from mlpkit import Deprecation
from mlpkit.components.schema.component_types import ComponentOfKind
from mlpkit.components.schema.context import CheckContext
from mlpkit.components.schema.recipe import Recipe, built, written
from mlpkit.components.schema.types import (
    BooleanType,
    Bound,
    EitherType,
    IntegerType,
    ListType,
    MappingType,
    NullType,
    NumberType,
    PathType,
    TextType,
    TupleType,
)
from mlpkit.verbs.ask.schema import type_in_schema

SIZES = ListType(IntegerType((Bound("at least", "minimum", 1),)), fewest=2)
PAIR = TupleType((IntegerType(), TextType()))
RATES = MappingType(NumberType())
EITHER = EitherType((IntegerType(), ListType(IntegerType()), NullType()))


@pytest.mark.parametrize(
    ("value_type", "value", "expected"),
    [
        (SIZES, [3, 4], [3, 4]),
        (SIZES, (3, 4), [3, 4]),
        (ListType(IntegerType(), as_tuple=True), [3, 4], (3, 4)),
        (ListType(IntegerType()), [], []),
        (PAIR, [3, "a"], (3, "a")),
        (PAIR, (3, "a"), (3, "a")),
        (RATES, {"a": 1}, {"a": 1.0}),
        (RATES, {}, {}),
        (EITHER, 3, 3),
        (EITHER, [3], [3]),
        (EITHER, None, None),
        (EitherType((IntegerType(), NumberType())), 3, 3),
        (EitherType((NumberType(), IntegerType())), 3, 3.0),
        (EitherType((IntegerType(), BooleanType())), True, True),
    ],
)
def test_takes_and_hands_over(checked, value_type, value, expected):
    result = built(checked(value_type, value))
    assert result == expected
    assert type(result) is type(expected)


@pytest.mark.parametrize(
    ("value_type", "value", "messages"),
    [
        (
            SIZES,
            3,
            ["p: 3 is not a list; expected a list of at least 2 items, each an integer, at least 1; put it in [ ]"],
        ),
        (SIZES, [3], ["p: the list has 1 item; expected a list of at least 2 items, each an integer, at least 1"]),
        (
            SIZES,
            [3, "4", 0],
            [
                "p.1: '4' is not an integer; expected an integer, at least 1; write it without quotes",
                "p.2: 0 is out of range; expected an integer, at least 1",
            ],
        ),
        (PAIR, "a", ["p: 'a' is not a list; expected a list of 2 items: an integer, a string"]),
        (PAIR, [3], ["p: the list has 1 item; expected a list of 2 items: an integer, a string"]),
        (PAIR, [3, 4], ["p.1: 4 is not a string; expected a string; put it in quotes"]),
        (RATES, [1], ["p: a list is not a mapping; expected a mapping from names, each to a number"]),
        (RATES, {1: 2}, ["p: the key 1 is not a string; expected a mapping from names, each to a number"]),
        (RATES, {"a": 1, "b": "2"}, ["p.b: '2' is not a number; expected a number; write it without quotes"]),
        (EITHER, "3", ["p: '3' isn't allowed here; expected an integer or a list, each an integer"]),
        (EITHER, [True], ["p.0: true is not an integer; expected an integer"]),
    ],
)
def test_refuses(checked, value_type, value, messages):
    assert checked(value_type, value) == messages


def test_the_faults_of_an_optional_value_are_those_of_the_value(checked):
    optional = EitherType((IntegerType((Bound("at least", "minimum", 1),)), NullType()))
    assert checked(optional, 0) == ["p: 0 is out of range; expected an integer, at least 1"]


def test_where_several_alternatives_have_the_form_the_faults_of_none_are_shown(checked):
    either = EitherType((ListType(IntegerType()), ListType(BooleanType())))
    assert checked(either, ["x"]) == [
        "p: a list isn't allowed here; expected a list, each an integer or a list, each true or false"
    ]


@pytest.mark.parametrize(
    ("value_type", "schema"),
    [
        (SIZES, {"type": "array", "items": {"type": "integer", "minimum": 1}, "minItems": 2}),
        (ListType(TextType()), {"type": "array", "items": {"type": "string"}}),
        (
            PAIR,
            {"type": "array", "prefixItems": [{"type": "integer"}, {"type": "string"}], "minItems": 2, "maxItems": 2},
        ),
        (RATES, {"type": "object", "additionalProperties": {"type": "number"}}),
        (
            EITHER,
            {"anyOf": [{"type": "integer"}, {"type": "array", "items": {"type": "integer"}}, {"type": "null"}]},
        ),
    ],
)
def test_describes_itself_in_json_schema(value_type, schema, references):
    assert type_in_schema(value_type, references) == schema


@pytest.mark.parametrize(
    ("wrap", "value"),
    [
        (ListType, ["thing", "thing"]),
        (lambda inner: TupleType((IntegerType(), inner)), (1, "thing")),
        (MappingType, {"a": "thing"}),
        (lambda inner: EitherType((IntegerType(), inner)), "thing"),
    ],
)
def test_components_inside_are_built_and_written_out(checked, wrap, value):
    class Thing:
        def __init__(self, depth):
            self.depth = depth

        def __eq__(self, other):
            return isinstance(other, Thing) and other.depth == self.depth

        __hash__ = None

    class ByName(ComponentOfKind):
        def check(self, value, path, context):
            return Recipe("thing", Thing, {"depth": 1}) if value == "thing" else context.report(path, "is no thing")

    def replaced(value, by):
        if isinstance(value, dict):
            return {key: replaced(item, by) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return type(value)(replaced(item, by) for item in value)
        return by if value == "thing" else value

    value_type = wrap(ByName(("layer",), ()))
    result = checked(value_type, value)
    assert built(result) == replaced(value, Thing(1))
    plain = replaced(value, {"thing": {"depth": 1}})
    assert written(result) == (list(plain) if isinstance(plain, tuple) else plain)


def test_one_file_in_place_of_a_list_is_named_once():
    context = CheckContext()
    assert EitherType((ListType(PathType()), PathType())).check("a.csv", ("p",), context) == "a.csv"
    assert context.files == {("p",): "a.csv"}


def test_an_alternative_that_takes_a_value_warns_and_no_other_does():
    class Old(TextType):
        def check(self, value, path, context):
            context.warn_of(Deprecation("use new"), f"word '{value}'", path)
            return super().check(value, path, context)

    class Refusing(Old):
        def check(self, value, path, context):
            super().check(value, path, context)
            return context.report(path, "no")

    context = CheckContext()
    assert EitherType((Refusing(), Old(), NullType())).check("a", ("p",), context) == "a"
    assert [(warning.path, warning.remedy, warning.code) for warning in context.warnings] == [
        (("p",), "use new", "deprecated")
    ]
