"""Recipes: components that are described but not yet built."""

from __future__ import annotations

import pytest

from mlpkit import Initializer, InitializerLike, Layer, Rate, Recipe
from mlpkit.components.schema.context import CheckContext
from mlpkit.components.schema.recipe import Auto, built, leaves_to_data, written
from mlpkit.components.schema.signature import schema_of


class Ones(Initializer):
    """All ones."""

    def __init__(self, gain: float = 1.0):
        self.gain = gain

    def __call__(self, shape, fans, rng, dtype):
        raise NotImplementedError


class Dense(Layer):
    """A layer."""

    def __init__(
        self,
        units: int,
        *,
        weights: InitializerLike = "ones",
        size: tuple[int, int] = (3, 3),
        rate: Rate = 1,
        inner: Recipe[Layer] | None = None,
    ):
        self.units, self.weights, self.size, self.rate, self.inner = units, weights, size, rate, inner

    def forward(self, x):
        return x

    def backward(self, dy):
        return dy


CLASSES = {"ones": Ones, "acme.Dense": Dense}


def resolve(kinds, reference, path, context):
    name, parameters = next(iter(reference.items())) if isinstance(reference, dict) else (reference, {})
    return Recipe(name, CLASSES[name], schema_of(CLASSES[name]).check(parameters, path, context))


def dense(**parameters):
    return resolve(("layer",), {"acme.Dense": parameters}, (), CheckContext(resolve))


def test_each_call_builds_a_fresh_component_and_fresh_components_inside_it():
    recipe = dense(units=3)
    first, second = recipe(), recipe()
    assert type(first) is Dense
    assert first is not second
    assert isinstance(first.weights, Ones)
    assert first.weights is not second.weights
    assert (first.units, first.size, first.rate) == (3, (3, 3), 1.0)


def test_what_is_built_knows_its_registered_name():
    layer = dense(units=3)()
    assert layer.registered_name == "acme.Dense"
    assert layer.type_name == "Dense"
    assert layer.weights.registered_name == "ones"


def test_a_nested_recipe_is_handed_over_unbuilt():
    layer = dense(units=3, inner={"acme.Dense": {"units": 4}})()
    assert isinstance(layer.inner, Recipe)
    assert layer.inner().units == 4
    assert layer.inner() is not layer.inner()


def test_the_reference_is_what_a_spec_would_say_with_every_default():
    recipe = dense(units=3, weights={"ones": {"gain": 2}}, inner={"acme.Dense": {"units": 4}})
    plain = {"size": [3, 3], "rate": 1.0}
    assert recipe.reference() == {
        "acme.Dense": {
            "units": 3,
            "weights": {"ones": {"gain": 2.0}},
            **plain,
            "inner": {"acme.Dense": {"units": 4, "weights": {"ones": {"gain": 1.0}}, **plain, "inner": None}},
        }
    }


def test_the_reference_describes_the_same_recipe_again():
    recipe = dense(units=3, size=[5, 1])
    again = resolve(("layer",), recipe.reference(), (), CheckContext(resolve))
    assert again.reference() == recipe.reference()
    assert again().size == (5, 1)


def test_components_are_built_wherever_they_are():
    ones = resolve(("initializer",), {"ones": {"gain": 2}}, (), CheckContext(resolve))
    found = built({"a": [ones, (ones, 3)], "b": {"c": ones}, "d": Auto("auto", len, 7)})
    assert type(found["a"][1]) is tuple
    made = [found["a"][0], found["a"][1][0], found["b"]["c"]]
    assert [(type(each), each.gain) for each in made] == [(Ones, 2.0)] * 3
    assert len(set(map(id, made))) == 3
    assert (found["a"][1][1], found["d"]) == (3, 7)
    assert written({"a": (ones, [Auto("auto", len, 7)])}) == {"a": [{"ones": {"gain": 2.0}}, ["auto"]]}


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (Auto("auto", len, 7), True),
        ([1, (2, Auto("auto", len, 7))], True),
        ({"a": {"b": Auto("auto", len, 7)}}, True),
        (Recipe("acme.Dense", Dense, {"units": [Auto("auto", len, 7)]}), True),
        ([1, (2, "auto"), {"a": None}], False),
        (Recipe("acme.Dense", Dense, {"units": 3}), False),
    ],
)
def test_whether_something_is_left_to_the_data(value, expected):
    assert leaves_to_data(value) == expected
