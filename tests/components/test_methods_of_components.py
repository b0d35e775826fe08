"""Methods have the parameters that mlpkit gives values to, and no others: in a spec, in Python and in check-plugin."""

from __future__ import annotations

from functools import wraps

import pytest

import mlpkit
from mlpkit import Layer, Loss, Metric, Optimizer, PluginError, SpecError
from mlpkit.components.component import check_interface

INSTEAD = "remove it, and use self.training"

PLUGIN = """
from mlpkit import Layer, component, hookimpl

class Running(Layer):
    def forward(self, x, training=False):
        return x

    def backward(self, dy):
        return dy

@hookimpl
def mlpkit_components():
    return [component("layer", "Running", Running)]
"""


class Same(Layer):
    def forward(self, x):
        return x

    def backward(self, dy):
        return dy


def like(base, **methods):
    return type("Own", (base,), methods)


@pytest.mark.parametrize(
    ("component", "message"),
    [
        (
            like(Same, forward=lambda self, x, training=False: x),
            f"forward(self, x, training=False) has the parameter 'training', to which mlpkit passes nothing; expected "
            f"forward(self, x); {INSTEAD}",
        ),
        (
            like(Same, backward=lambda self, dy, *, is_training: dy),
            f"backward(self, dy, *, is_training) has the parameter 'is_training', to which mlpkit passes nothing; "
            f"expected "
            f"backward(self, dy); {INSTEAD}",
        ),
        (
            like(Same, build=lambda self, input_shape, name=None: input_shape),
            "build(self, input_shape, name=None) has the parameter 'name', to which mlpkit passes nothing; expected "
            "build(self, input_shape); remove it",
        ),
        *(
            (
                like(Same, forward=eval(f"lambda self, x, {parameter}=None: x")),
                f"forward(self, x, {parameter}=None) has the parameter '{parameter}', to which mlpkit passes nothing; "
                f"expected forward(self, x); remove it{instead}",
            )
            for parameter, instead in (
                ("train", ", and use self.training"),
                ("trai", ", and use self.training"),
                ("tra", ""),
                ("input_dtype", ", and use self.dtype"),
                ("random_rng", ", and use self.rng"),
                ("needs_input", ", and use self.needs_input_gradient"),
            )
        ),
        (
            like(Same, forward=lambda self, x, *rest: x),
            "forward(self, x, *rest) has the parameter 'rest', to which mlpkit passes nothing; expected forward(self, "
            "x); "
            "remove it",
        ),
        (
            like(Same, forward=lambda self, x, **options: x),
            "forward(self, x, **options) has the parameter 'options', to which mlpkit passes nothing; expected "
            "forward(self, x); remove it",
        ),
        (
            like(Same, forward=lambda self: 0),
            "forward(self) can't be called as mlpkit calls it: too many positional arguments; expected forward(self, "
            "x)",
        ),
        (
            like(Same, examples=lambda self: []),
            "examples(self) is not a class method; expected examples(cls); put @classmethod above it",
        ),
        (
            like(Same, forward=lambda self, x, weights=None: x),
            "forward(self, x, weights=None) has the parameter 'weights', to which mlpkit passes nothing; expected "
            "forward(self, x); remove it",
        ),
        (
            like(Loss, backward=lambda self, dloss=1.0, scale=1.0: dloss),
            "backward(self, dloss=1.0, scale=1.0) has the parameter 'scale', to which mlpkit passes nothing; expected "
            "backward(self, dloss=1.0); remove it",
        ),
        (
            like(Loss, takes_weights=True, forward=lambda self, x, t, weights=None, scale=1.0: 0.0),
            "forward(self, x, t, weights=None, scale=1.0) has the parameter 'scale', to which mlpkit passes nothing; "
            "expected forward(self, x, t); remove it",
        ),
        (
            like(Optimizer, update=lambda self, value, gradient, slots, step, rate=0.1: None),
            "update(self, value, gradient, slots, step, rate=0.1) has the parameter 'rate', to which mlpkit passes "
            "nothing; "
            "expected update(self, value, gradient, slots, step); remove it",
        ),
    ],
)
def test_a_method_with_other_parameters_is_refused(component, message):
    component.__abstractmethods__ = frozenset()
    with pytest.raises(PluginError) as caught:
        component()
    assert str(caught.value) == f"Own.{message}"


def logged(method):
    def call(*args, **options):
        return method(*args, **options)

    return call


@pytest.mark.parametrize(
    "component",
    [
        like(Same, forward=logged(Same.forward)),
        like(Same, forward=wraps(Same.forward)(logged(Same.forward))),
        like(Same, forward=staticmethod(lambda x: x)),
        like(Same, forward=lambda self, inputs: inputs),
        like(Same, forward=lambda self, x: x, helper=lambda self, x, training=False: x),
        like(Same, examples=classmethod(lambda cls, more=(): [({}, (2,)), *more])),
        like(Loss, forward=lambda self, x, t, weights=None: 0.0),
        like(Loss, takes_weights=True, forward=lambda self, x, t: 0.0),  # for data without weights
        like(Metric, takes_weights=True, update=lambda self, prediction, t, weights=None: None),
        like(Metric, result=logged(lambda self: 0.0)),
    ],
)
def test_a_method_that_takes_what_it_gets_is_accepted(component):
    component.__abstractmethods__ = frozenset()
    assert component()


def test_a_spec_that_names_such_a_layer_is_wrong_at_its_line(tmp_path):
    tmp_path.joinpath("my.py").write_text(PLUGIN, encoding="utf-8")
    spec = tmp_path / "my.yaml"
    spec.write_text("mlpkit: 1\ndata: mnist\nlayers: [my.Running, Affine: {units: 10}, SoftmaxWithLoss]\n")
    with pytest.raises(SpecError) as caught:
        mlpkit.load_spec(spec, plugins=[tmp_path / "my.py"])
    fault = next(fault for fault in caught.value.faults if fault.line == 3)
    assert fault.column == 10
    assert fault.message.endswith(f"'training', to which mlpkit passes nothing; expected forward(self, x); {INSTEAD}")


def test_weights_of_the_data_are_given_to_methods_that_take_them():
    unfinished = like(Loss, takes_weights=True, forward=lambda self, x, t: 0.0)
    check_interface(unfinished)
    with pytest.raises(PluginError) as caught:
        check_interface(unfinished, with_weights=True)
    assert str(caught.value) == (
        "Own.forward(self, x, t) can't be called as mlpkit calls it: too many positional arguments; expected "
        "forward(self, x, t); add weights=None as its last parameter, or remove takes_weights"
    )
    check_interface(like(Loss, takes_weights=True, forward=lambda self, x, t, weights=None: 0.0), with_weights=True)
