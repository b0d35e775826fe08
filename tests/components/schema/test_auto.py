"""Parameters that may be left to the data: what they take, what is said of other values, and what fills them in."""

from __future__ import annotations

import numpy as np
import pytest

from mlpkit import Classes, Labels
from mlpkit.components.schema.auto import ClassWeights, Units
from mlpkit.components.schema.context import CheckContext
from mlpkit.components.schema.recipe import built, written
from mlpkit.components.schema.signature import value_type
from mlpkit.components.target import DataFacts
from mlpkit.errors import WrongUseError

UNITS, WEIGHTS = value_type(Units), value_type(ClassWeights)
ONLY_IN_SPECS = "only works in specs, where the data fills it in"


def facts(target=None, *, inputs=(3, 4), names=("a", "b", "c"), counts=(6, 1, 0)):
    return DataFacts(target or Classes(3), "Odd", lambda: inputs, lambda: names, lambda: np.array(counts))


@pytest.mark.parametrize(
    ("kind", "value", "stand_in", "filled_in"),
    [
        (UNITS, "auto", 1, 12),
        (WEIGHTS, "balanced", None, [7 / 12, 7 / 2, 1]),
        (WEIGHTS, {"b": 7, "c": 0}, None, [1, 7, 0]),
        (WEIGHTS, {}, None, [1, 1, 1]),
    ],
)
def test_a_value_that_the_data_fills_in(kind, value, stand_in, filled_in):
    found = kind.check(value, ("p",), CheckContext(lambda *_: None))
    assert (written(found), built(found), found.fill_in(facts())) == (value, stand_in, filled_in)


@pytest.mark.parametrize(("kind", "value"), [(UNITS, 3), (WEIGHTS, [1.0, 0.5]), (WEIGHTS, [])])
def test_a_value_that_needs_no_data(kind, value):
    for context in (CheckContext(lambda *_: None), CheckContext()):
        assert kind.check(value, ("p",), context) == value
        assert context.faults == []


@pytest.mark.parametrize(
    ("kind", "value", "fault"),
    [
        (UNITS, "Auto", "p: 'Auto' is not supported; expected ALL; did you mean 'auto'?"),
        (UNITS, "many", "p: 'many' is not an integer; expected ALL"),
        (UNITS, "3", "p: '3' is not an integer; expected ALL; write it without quotes"),
        (UNITS, 0, "p: 0 is out of range; expected ALL"),
        (WEIGHTS, "balancd", "p: 'balancd' is not supported; expected ALL; did you mean 'balanced'?"),
        (WEIGHTS, 3, "p: 3 is not a list; expected ALL; put it in [ ]"),
        (WEIGHTS, [1, -2], "p.1: -2 is out of range; expected a number, at least 0"),
        (WEIGHTS, {"a": 1, "b": -2}, "p.b: -2 is out of range; expected a number, at least 0"),
        (WEIGHTS, {"a": "x", "b": -2}, "p.a: 'x' is not a number; expected a number, at least 0"),
    ],
)
def test_another_value_is_refused_as_what_it_is_most_like(kind, value, fault):
    for context in (CheckContext(lambda *_: None), CheckContext()):
        kind.check(value, ("p",), context)
        assert [str(each) for each in context.faults] == [fault.replace("ALL", kind.describe())]


def test_what_is_expected_is_described():
    assert UNITS.describe() == "an integer, at least 1, or auto"
    assert WEIGHTS.describe() == (
        "a list, each a number, at least 0, or balanced, or a mapping from names, each to a number, at least 0"
    )


@pytest.mark.parametrize(
    ("kind", "value", "fault"),
    [
        (UNITS, "auto", f"p: 'auto' {ONLY_IN_SPECS}; expected an integer, at least 1"),
        (WEIGHTS, "balanced", f"p: 'balanced' {ONLY_IN_SPECS}; expected a list, each a number, at least 0"),
        (WEIGHTS, {"a": 2}, f"p: a mapping {ONLY_IN_SPECS}; expected a list, each a number, at least 0"),
    ],
)
def test_in_python_no_data_fills_in_a_value(kind, value, fault):
    context = CheckContext()
    kind.check(value, ("p",), context)
    assert [str(each) for each in context.faults] == [fault]


@pytest.mark.parametrize(
    ("kind", "value", "known", "message"),
    [
        (
            UNITS,
            "auto",
            facts(Labels(3), inputs=None),
            "auto can't be filled in: Odd doesn't declare how many inputs it takes for 3 labels; expected a number of "
            "units",
        ),
        (WEIGHTS, "balanced", facts(Labels(3)), "the data gives 3 labels, which have no class weights"),
        (
            WEIGHTS,
            {"a": 1, "large": 2},
            facts(names=("a", "larger")),
            "unknown class 'large'; expected some of a, larger; did you mean 'larger'?",
        ),
        (
            WEIGHTS,
            {"x": 2},
            facts(names=tuple(map(str, range(21)))),
            f"unknown class 'x'; expected some of {', '.join(map(str, range(20)))}",
        ),
    ],
)
def test_what_the_data_can_not_fill_in(kind, value, known, message):
    found = kind.check(value, ("p",), CheckContext(lambda *_: None))
    with pytest.raises(WrongUseError) as caught:
        found.fill_in(known)
    assert str(caught.value) == message
