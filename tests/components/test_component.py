"""Constructing a component in Python makes the same checks as a spec."""

from __future__ import annotations

import inspect
from typing import Annotated, Literal

import pytest
from annotated_types import Ge, Gt

import mlpkit
from mlpkit import Augmentation, Component, InitializerLike, Layer, ParameterError, PluginError, Rate, Recipe, Schedule
from mlpkit.components.component import is_default
from mlpkit.components.schema.signature import schema_of


class Dense(Layer):
    """A layer with one parameter of each sort."""

    def __init__(
        self,
        units: Annotated[int, Ge(1)],
        padding: Literal["same", "valid"] = "same",
        *,
        weights: InitializerLike = "he_normal",
        rate: Rate = 0.1,
        gain: Annotated[float, Gt(0)] | None = None,
        sizes: list[int] = [1, 2],  # noqa: B006 - the test checks that it isn't shared
        inner: Recipe[Layer] | None = None,
    ):
        self.given = {
            "units": units,
            "padding": padding,
            "weights": weights,
            "rate": rate,
            "gain": gain,
            "sizes": sizes,
            "inner": inner,
        }

    def forward(self, x):
        return x

    def backward(self, dy):
        return dy


class Heir(Dense):
    """Has a constructor that adds to an inherited one."""

    def __init__(self, depth: int):
        super().__init__(units=depth)
        self.path_so_far = self.path


def test_help_and_editors_see_the_parameters():
    assert str(inspect.signature(Heir)) == "(depth: 'int')"
    assert list(inspect.signature(Dense).parameters) == [
        "units",
        "padding",
        "weights",
        "rate",
        "gain",
        "sizes",
        "inner",
    ]


def test_checked_values_reach_the_constructor_converted():
    assert Dense(3, gain=2, rate=1).given == {
        "units": 3,
        "padding": "same",
        "weights": "he_normal",
        "rate": 1.0,
        "gain": 2.0,
        "sizes": [1, 2],
        "inner": None,
    }
    assert type(Dense(3, gain=2).given["gain"]) is float
    assert Dense(3, sizes=(4, 5)).given["sizes"] == [4, 5]


def test_no_two_objects_share_a_default():
    first, second = Dense(1), Dense(1)
    first.given["sizes"].append(3)
    assert second.given["sizes"] == Dense(1).given["sizes"] == [1, 2]


def test_the_base_class_is_ready_before_the_constructor_runs():
    assert Heir(4).path_so_far == ""
    assert Heir(4).given["units"] == 4


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (Dense, "Dense: missing parameter 'units' of Dense; expected units: an integer, at least 1"),
        (lambda: Dense(0), "units: 0 is out of range; expected an integer, at least 1"),
        (lambda: Dense(True), "units: true is not an integer; expected an integer, at least 1"),
        (
            lambda: Dense("50"),
            "units: '50' is not an integer; expected an integer, at least 1; write it without quotes",
        ),
        (
            lambda: Dense(1, "smae"),
            "padding: 'smae' is not one of the choices; expected one of same, valid; did you mean 'same'?",
        ),
        (
            lambda: Dense(1, unit=2),
            "unit: unknown parameter 'unit' of Dense; did you mean 'units'?",
        ),
        (lambda: Dense(1, units=2), "units: was given twice to Dense"),
        (
            lambda: Dense(1, "same", "zeros"),
            "Dense: takes 2 arguments without a name, got 3; "
            "expected units, padding, weights=..., rate=..., gain=..., sizes=..., inner=...",
        ),
        (lambda: Heir(1, 2), "Heir: takes 1 argument without a name, got 2; expected depth"),
        (lambda: Dense(1, gain=0), "gain: 0 is out of range; expected a number, greater than 0"),
        (
            lambda: Dense(1, weights=[3]),
            "weights: a list is not a number, the name of an initializer or a mapping from one; expected a number or "
            "an initializer",
        ),
        (
            lambda: Dense(1, sizes=[1, "2"]),
            "sizes.1: '2' is not an integer; expected an integer; write it without quotes",
        ),
        (lambda: Heir("x"), "depth: 'x' is not an integer; expected an integer"),
    ],
)
def test_a_wrong_argument_is_explained(make, message):
    with pytest.raises(ParameterError) as caught:
        make()
    assert str(caught.value) == message


def test_the_error_carries_its_parts():
    with pytest.raises(ParameterError) as caught:
        Dense(1, "smae")
    error = caught.value
    assert (error.parameter, error.expected, error.remedy) == ("padding", "one of same, valid", "did you mean 'same'?")
    assert error.exit_code == 2


class Ramp(Schedule):
    """Rises from one value to another."""

    start: float
    end: float = 1.0

    def __post_init__(self):
        if self.end <= self.start:
            raise ParameterError("end", "is not above start")
        self.height = self.end - self.start

    def __call__(self, progress):
        return self.start + self.height * progress.step


def test_parameters_that_are_fields_are_checked_together():
    assert Ramp(0.25).height == 0.75
    with pytest.raises(ParameterError, match="end: is not above start"):
        Ramp(2.0)


def test_a_built_layer_is_no_recipe():
    with pytest.raises(ParameterError) as caught:
        Dense(1, inner=Dense(2))
    assert str(caught.value).startswith("inner: Dense is already built")
    assert Dense(1, inner=lambda: Dense(2)).given["inner"]().given["units"] == 2


def test_a_component_is_called_after_its_class_until_a_registry_names_it():
    layer = Dense(1)
    assert (layer.registered_name, layer.type_name) == ("Dense", "Dense")
    layer._recipe = Recipe("acme.Conv2d", Dense, schema_of(Dense), {})
    assert (layer.registered_name, layer.type_name) == ("acme.Conv2d", "Conv2d")


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({}, ""),
        ({"padding": "same", "rate": 0.1, "sizes": [1, 2], "gain": None}, ""),
        ({"padding": "valid", "rate": 0.2}, ", padding='valid', rate=0.2"),
        ({"sizes": (1, 2)}, ""),
        ({"sizes": [2, 1]}, ", sizes=[2, 1]"),
        ({"gain": 1}, ", gain=1.0"),
        ({"weights": "zeros"}, ", weights='zeros'"),
        ({"weights": 0}, ", weights=0.0"),
    ],
)
def test_a_component_reads_as_the_call_that_built_it(given, text):
    assert repr(Dense(3, **given)) == f"Dense(units=3{text})"


def test_a_component_that_the_default_names_is_the_default():
    spec = mlpkit.load_spec(
        {
            "mlpkit": 1,
            "data": "mnist",
            "layers": [{"Affine": {"units": 3, "weights": "he_normal"}}, "SoftmaxWithLoss"],
            "training": {"optimizer": "sgd", "epochs": 1},
        }
    )
    layer = spec.layers[0].recipe()
    assert is_default(layer.weights, "he_normal")
    assert not is_default(layer.weights, "lecun_normal")
    assert not is_default(1, True)
    assert not is_default(0.0, 0)
    assert is_default(0.5, 0.5)


def test_a_component_that_lacks_a_method_can_not_be_built():
    class Half(Schedule):
        pass

    with pytest.raises(TypeError, match="abstract"):
        Half()


def test_a_signature_that_is_no_schema_is_the_plugins_fault():
    class Untyped(Augmentation):
        def __init__(self, size):
            pass

        def __call__(self, x, rng, out):
            return x

    with pytest.raises(PluginError, match="parameter 'size' of its constructor has no annotation"):
        Untyped(3)


def test_every_component_derives_from_one_base():
    assert issubclass(Layer, Component)
