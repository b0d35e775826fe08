"""Numbers, text, truth values and choices: what is taken, what is refused, and how that is said."""

from __future__ import annotations

import math
import sys
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlpkit.components.schema.context import INVALID, CheckContext
from mlpkit.components.schema.recipe import built, written
from mlpkit.components.schema.types import (
    AnyType,
    BooleanType,
    Bound,
    ChoiceType,
    IntegerType,
    NullType,
    NumberType,
    TextType,
)
from mlpkit.verbs.ask.schema import type_in_schema

AT_LEAST_1 = Bound("at least", "minimum", 1)
BELOW_1 = Bound("less than", "exclusiveMaximum", 1)
ABOVE_0 = Bound("greater than", "exclusiveMinimum", 0)
AT_MOST_9 = Bound("at most", "maximum", 9)

plain_values = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(),
    st.lists(st.integers()),
    st.dictionaries(st.text(), st.none()),
)


@pytest.mark.parametrize(
    ("value_type", "value", "expected"),
    [
        (IntegerType(), 3, 3),
        (IntegerType(), -(10**40), -(10**40)),
        (IntegerType(), np.int32(3), 3),
        (IntegerType(), np.array(3), 3),
        (IntegerType((AT_LEAST_1, AT_MOST_9)), 1, 1),
        (IntegerType((AT_LEAST_1, AT_MOST_9)), 9, 9),
        (NumberType(), 0.5, 0.5),
        (NumberType(), 2, 2.0),
        (NumberType(), np.float32(0.5), 0.5),
        (NumberType(), Fraction(1, 2), 0.5),
        (NumberType((ABOVE_0, BELOW_1)), 0.999, 0.999),
        (BooleanType(), True, True),
        (BooleanType(), False, False),
        (TextType(), "true", "true"),
        (TextType(), "", ""),
        (ChoiceType(("a", 1, None)), "a", "a"),
        (ChoiceType(("a", 1, None)), 1, 1),
        (ChoiceType(("a", 1, None)), None, None),
        (NullType(), None, None),
        (AnyType(), {"a": [1]}, {"a": [1]}),
    ],
)
def test_takes(checked, value_type, value, expected):
    result = checked(value_type, value)
    assert result == expected
    assert type(result) is type(expected)


@pytest.mark.parametrize(
    ("value_type", "value", "message"),
    [
        (IntegerType(), True, "p: true is not an integer; expected an integer"),
        (IntegerType(), 3.0, "p: 3.0 is not an integer; expected an integer; write 3"),
        (IntegerType(), 3.5, "p: 3.5 is not an integer; expected an integer"),
        (IntegerType(), "3", "p: '3' is not an integer; expected an integer; write it without quotes"),
        (IntegerType(), " -3", "p: ' -3' is not an integer; expected an integer; write it without quotes"),
        (IntegerType(), "3.0", "p: '3.0' is not an integer; expected an integer"),
        (IntegerType(), "three", "p: 'three' is not an integer; expected an integer"),
        (IntegerType(), None, "p: null is not an integer; expected an integer"),
        (IntegerType(), [3], "p: a list is not an integer; expected an integer"),
        (IntegerType(), np.array([3, 4]), "p: array([3, 4]) is not an integer; expected an integer"),
        (IntegerType((AT_LEAST_1,)), 0, "p: 0 is out of range; expected an integer, at least 1"),
        (
            IntegerType((AT_LEAST_1, AT_MOST_9)),
            10,
            "p: 10 is out of range; expected an integer, at least 1 and at most 9",
        ),
        (NumberType(), False, "p: false is not a number; expected a number"),
        (NumberType(), "1e-3", "p: '1e-3' is not a number; expected a number; write it without quotes"),
        (NumberType(), "1_000", "p: '1_000' is not a number; expected a number"),
        (NumberType(), "inf", "p: 'inf' is not a number; expected a number"),
        (NumberType(), {}, "p: a mapping is not a number; expected a number"),
        (NumberType(), 1j, "p: 1j is not a number; expected a number"),
        (NumberType(), np.array([0.5]), "p: array([0.5]) is not a number; expected a number"),
        (NumberType(), np.array(["x"]), "p: array(['x'], dtype='<U1') is not a number; expected a number"),
        (NumberType(), math.inf, "p: inf is not finite; expected a number"),
        (NumberType(), math.nan, "p: nan is not finite; expected a number"),
        (NumberType(), 10**400, f"p: 1{'0' * 39}... is not a number; expected a number"),
        (
            NumberType((ABOVE_0, BELOW_1)),
            1,
            "p: 1 is out of range; expected a number, greater than 0 and less than 1",
        ),
        (
            NumberType((ABOVE_0, BELOW_1)),
            12.5,
            "p: 12.5 is out of range; expected a number, greater than 0 and less than 1; for 12.5 %, write 0.125",
        ),
        (
            NumberType((ABOVE_0, BELOW_1)),
            10,
            "p: 10 is out of range; expected a number, greater than 0 and less than 1; for 10 %, write 0.1",
        ),
        (
            NumberType((ABOVE_0, BELOW_1)),
            9.5,
            "p: 9.5 is out of range; expected a number, greater than 0 and less than 1",
        ),
        (
            NumberType((ABOVE_0, AT_MOST_9)),
            90,
            "p: 90 is out of range; expected a number, greater than 0 and at most 9",
        ),
        (
            NumberType((ABOVE_0, BELOW_1)),
            100,
            "p: 100 is out of range; expected a number, greater than 0 and less than 1",
        ),
        (
            NumberType((ABOVE_0, BELOW_1)),
            0,
            "p: 0 is out of range; expected a number, greater than 0 and less than 1",
        ),
        (BooleanType(), 1, "p: 1 is not true or false; expected true or false; did you mean true?"),
        (BooleanType(), 0, "p: 0 is not true or false; expected true or false; did you mean false?"),
        (BooleanType(), 2, "p: 2 is not true or false; expected true or false"),
        (BooleanType(), 1.0, "p: 1.0 is not true or false; expected true or false"),
        (BooleanType(), "no", "p: 'no' is not true or false; expected true or false; did you mean false?"),
        (BooleanType(), "ON", "p: 'ON' is not true or false; expected true or false; did you mean true?"),
        (BooleanType(), "yes", "p: 'yes' is not true or false; expected true or false; did you mean true?"),
        (BooleanType(), "Off", "p: 'Off' is not true or false; expected true or false; did you mean false?"),
        (BooleanType(), "perhaps", "p: 'perhaps' is not true or false; expected true or false"),
        (TextType(), 3, "p: 3 is not a string; expected a string; put it in quotes"),
        (TextType(), 0.5, "p: 0.5 is not a string; expected a string; put it in quotes"),
        (TextType(), ["a"], "p: a list is not a string; expected a string"),
        (TextType(), True, "p: true is not a string; expected a string; put it in quotes"),
        (TextType(), None, "p: null is not a string; expected a string"),
        (
            ChoiceType(("same", "valid")),
            "smae",
            "p: 'smae' is not one of the choices; expected one of same, valid; did you mean 'same'?",
        ),
        (ChoiceType((1, "same")), "1", "p: '1' is not one of the choices; expected one of 1, same"),
        (ChoiceType((1, 2)), True, "p: true is not one of the choices; expected one of 1, 2"),
        (ChoiceType((1, 2)), 1.0, "p: 1.0 is not one of the choices; expected one of 1, 2"),
        (ChoiceType(("auto",)), 7, "p: 7 is not supported; expected auto"),
        (NullType(), 0, "p: 0 is not null; expected null"),
    ],
)
def test_refuses(checked, value_type, value, message):
    assert checked(value_type, value) == [message]


@given(plain_values)
def test_an_integer_is_exactly_what_python_calls_one_and_no_truth_value(value):
    taken = IntegerType().check(value, (), CheckContext()) is not INVALID
    assert taken == (type(value) is int)


@given(plain_values)
def test_a_number_is_a_finite_one_and_no_truth_value(value):
    number = NumberType().check(value, (), CheckContext())
    if type(value) in (int, float) and abs(value) <= sys.float_info.max:
        assert number == float(value)
        assert type(number) is float
    else:
        assert number is INVALID


@given(st.floats(allow_nan=False, allow_infinity=False), st.floats(allow_nan=False, allow_infinity=False))
def test_bounds_are_the_four_inequalities(value, limit):
    assert Bound("", "minimum", limit).holds(value) == (value >= limit)
    assert Bound("", "exclusiveMinimum", limit).holds(value) == (value > limit)
    assert Bound("", "maximum", limit).holds(value) == (value <= limit)
    assert Bound("", "exclusiveMaximum", limit).holds(value) == (value < limit)


@pytest.mark.parametrize(
    ("value_type", "described", "schema"),
    [
        (IntegerType((AT_LEAST_1,)), "an integer, at least 1", {"type": "integer", "minimum": 1}),
        (
            NumberType((ABOVE_0, BELOW_1)),
            "a number, greater than 0 and less than 1",
            {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1},
        ),
        (BooleanType(), "true or false", {"type": "boolean"}),
        (TextType(), "a string", {"type": "string"}),
        (ChoiceType(("a", None, 2)), "one of a, null, 2", {"enum": ["a", None, 2]}),
        (ChoiceType(("auto",)), "auto", {"enum": ["auto"]}),
        (NullType(), "null", {"type": "null"}),
        (AnyType(), "any value", {}),
    ],
)
def test_describes_itself(value_type, described, schema, references):
    assert value_type.describe() == described
    assert type_in_schema(value_type, references) == schema


@given(plain_values)
def test_what_was_checked_is_what_a_spec_would_say(value):
    for value_type in (IntegerType(), BooleanType(), TextType(), NullType(), AnyType()):
        result = value_type.check(value, (), CheckContext())
        if result is not INVALID:
            assert repr(written(result)) == repr(result)
            assert repr(built(result)) == repr(result)
