"""Parameters that are components: built, named, or with a literal in their place."""

from __future__ import annotations

import pytest

from mlpkit import Initializer, Layer, Schedule
from mlpkit.components.schema.component_types import ComponentOfKind, RecipeOfKind
from mlpkit.components.schema.recipe import Recipe, built, written
from mlpkit.components.schema.types import Bound, NumberType
from mlpkit.verbs.ask.schema import type_in_schema


class Ones(Initializer):
    """All ones."""

    def __call__(self, shape, fans, rng, dtype):
        raise NotImplementedError


class Flat(Schedule):
    """Always one."""

    def __call__(self, progress):
        return 1.0

    def __repr__(self):
        return "FLAT"


class Same(Layer):
    """y = x."""

    def forward(self, x):
        return x

    def backward(self, dy):
        return dy


ONES = Recipe("ones", Ones, {})
INITIALIZER = ComponentOfKind(("initializer",), (Initializer,))
RATE = ComponentOfKind(("schedule",), (Schedule,), NumberType())
LAYER = RecipeOfKind(("layer",), (Layer,))


def resolve(kinds, reference, path, context):
    if reference in ("ones", {"ones": {}}):
        return ONES
    context.report(path, f"unknown {kinds[0]} {reference!r}", at_key=True)
    return None


def test_a_name_becomes_a_recipe_and_the_recipe_a_component(checked):
    for reference in ("ones", {"ones": {}}):
        recipe = checked(INITIALIZER, reference, resolve)
        assert recipe is ONES
        assert isinstance(built(recipe), Ones)
        assert written(recipe) == {"ones": {}}


def test_a_built_component_stays_what_it_is(checked):
    ones = Ones()
    assert checked(INITIALIZER, ones) is ones
    assert built(ones) is ones
    assert written(ones) is ones


def test_without_a_resolver_a_reference_waits(checked):
    assert checked(INITIALIZER, "ones") == "ones"
    assert checked(INITIALIZER, {"ones": {}}) == {"ones": {}}


def test_a_literal_may_stand_for_a_component(checked):
    assert checked(RATE, 1, resolve) == 1.0
    assert type(checked(RATE, 1, resolve)) is float
    flat = Flat()
    assert checked(RATE, flat, resolve) is flat


@pytest.mark.parametrize(
    ("value_type", "value", "message"),
    [
        (
            INITIALIZER,
            3,
            "p: 3 is not the name of an initializer or a mapping from one; expected an initializer",
        ),
        (
            INITIALIZER,
            {},
            "p: a mapping is not the name of an initializer or a mapping from one; expected an initializer",
        ),
        (
            INITIALIZER,
            Flat(),
            "p: FLAT is not the name of an initializer or a mapping from one; expected an initializer",
        ),
        (INITIALIZER, "twos", "p: unknown initializer 'twos'"),
        (INITIALIZER, "0.1", "p: unknown initializer '0.1'"),
        (
            RATE,
            True,
            "p: true is not a number, the name of a schedule or a mapping from one; expected a number or a schedule",
        ),
        (RATE, float("nan"), "p: nan is not finite; expected a number"),
        (RATE, "0.1", "p: '0.1' is not a number; expected a number; write it without quotes"),
        (RATE, "cosin", "p: unknown schedule 'cosin'; expected a number or a schedule"),
        (
            LAYER,
            Same(),
            "p: Same is already built; expected a layer; pass a function that builds it",
        ),
    ],
)
def test_refuses(checked, value_type, value, message):
    assert checked(value_type, value, resolve) == [message]


def test_a_recipe_is_handed_over_and_not_built(checked):
    recipe = Recipe("Same", Same, {})
    assert isinstance(built(recipe), Same)
    wanted = checked(LAYER, recipe)
    assert built(wanted) is wanted
    assert isinstance(wanted(), Same)
    assert checked(LAYER, Same) is Same


def test_any_of_several_kinds_will_do():
    either = ComponentOfKind(("layer", "initializer"), (Layer, Initializer))
    assert either.describe() == "a layer or an initializer"


def test_describes_itself_in_json_schema(references):
    assert type_in_schema(INITIALIZER, references) == {"$ref": "#/initializer"}
    assert type_in_schema(RATE, references) == {"anyOf": [{"type": "number"}, {"$ref": "#/schedule"}]}
    assert RATE.describe() == "a number or a schedule"
    bounded = ComponentOfKind(("schedule",), (Schedule,), NumberType((Bound("at least", "minimum", 0),)))
    assert bounded.describe() == "a number, at least 0, or a schedule"
