"""Lists of layers, each of which may have a name beside its parameters."""

from __future__ import annotations

from typing import Annotated

import pytest
from annotated_types import Ge, MinLen

from mlpkit import Layer, Loss, ParameterError, Recipe
from mlpkit.components.schema.component_types import LayerListType
from mlpkit.components.schema.context import CheckContext
from mlpkit.components.schema.recipe import built, written
from mlpkit.components.schema.signature import schema_of, value_type


class Dense(Layer):
    """y = x."""

    def __init__(self, units: Annotated[int, Ge(1)] = 1):
        self.units = units

    def forward(self, x):
        return x

    def backward(self, dy):
        return dy


class Stack(Layer):
    """Layers inside."""

    def __init__(self, layers: list[Layer]):
        self.layers = layers

    def build(self, input_shape):
        return self.chain(self.layers, input_shape).output_shape

    def forward(self, x):
        return x

    def backward(self, dy):
        return dy


CLASSES = {"Dense": Dense, "Stack": Stack}


def resolve(kinds, reference, path, context):
    name, parameters = next(iter(reference.items())) if isinstance(reference, dict) else (reference, {})
    arguments = schema_of(CLASSES[name]).check(parameters or {}, (*path, name), context)
    return None if arguments is None else Recipe(name, CLASSES[name], arguments, (*path, name))


@pytest.mark.parametrize(
    "annotation", [list[Layer], list[Recipe[Layer]], tuple[Layer, ...], Annotated[list[Layer], MinLen(1)]]
)
def test_a_list_of_layers_has_names(annotation):
    assert type(value_type(annotation)) is LayerListType


def test_other_lists_have_none():
    assert type(value_type(list[Loss])) is not LayerListType
    assert type(value_type(list[int])) is not LayerListType


def test_names_are_given_to_the_layers_and_written_out_again():
    context = CheckContext(resolve)
    items = [{"Dense": {"units": 2, "name": "first"}}, {"Dense": None}, {"Dense": {"units": 1}}]
    kind = value_type(list[Layer])
    checked = kind.check(items, ("layers",), context)
    assert context.faults == []
    stack = Stack(built(checked))
    stack.path = "Stack1"
    stack.build((3,))
    assert [layer.path for layer in stack.layers] == ["Stack1.first", "Stack1.Dense2", "Stack1.Dense3"]
    assert written(checked) == [
        {"Dense": {"units": 2, "name": "first"}},
        {"Dense": {"units": 1}},
        {"Dense": {"units": 1}},
    ]


@pytest.mark.parametrize(
    ("items", "faults"),
    [
        ([{"Dense": {"name": ""}}], [(("layers", 0, "Dense", "name"), "'' can't be a layer's name")]),
        ([{"Dense": {"name": "a.b"}}], [(("layers", 0, "Dense", "name"), "'a.b' can't be a layer's name")]),
        ([{"Dense": {"name": 3}}], [(("layers", 0, "Dense", "name"), "3 can't be a layer's name")]),
        (
            [{"Dense": {"name": "a"}}, {"Dense": {"name": "a"}}],
            [(("layers", 1, "Dense", "name"), "the name 'a' is taken by an earlier layer")],
        ),
        (
            [{"Dense": {"name": "Dense2"}}, "Dense"],
            [(("layers", 1), "its default name is taken by an earlier layer")],
        ),
    ],
)
def test_names_that_can_not_be(items, faults):
    context = CheckContext(resolve)
    value_type(list[Layer]).check(items, ("layers",), context)
    assert [(fault.path, fault.message) for fault in context.faults] == faults


def test_in_python_layers_are_given_as_they_are():
    layers = [Dense(), Dense(2)]
    assert Stack(layers).layers == layers
    with pytest.raises(ParameterError, match=r"layers\.0: 3 is not the name of a layer"):
        Stack([3, 4])
