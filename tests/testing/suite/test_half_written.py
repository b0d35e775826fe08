"""A component that is not finished yet: one failure that says what to do, and not the same one from every check."""

from __future__ import annotations

import re

import pytest

from mlpkit.testing.check_plugin import check_plugin

PLUGIN = '''
import numpy as np
from mlpkit import Layer, component, hookimpl


class Scale(Layer):
    """A factor for each input, y = g x."""

    def build(self, input_shape):
        self.g = self.parameter("g", input_shape, "he_normal")
        return input_shape

    def forward(self, x):
        self.x = x
        return self.g.value * x

    def backward(self, dy):
        self.g.grad[...] = (dy * self.x).sum(axis=0)
        return self.g.value * dy


@hookimpl
def mlpkit_components():
    return [component("layer", "Scale", Scale)]
'''


@pytest.mark.parametrize(
    ("right", "wrong", "check", "message"),
    [
        (
            '        self.g = self.parameter("g", input_shape, "he_normal")\n',
            "",
            "can_be_used",
            "it raised AttributeError: 'Scale' object has no attribute 'g' (at PLUGIN:14); expected it to work on "
            "random inputs; set self.g before it is read: trained arrays in build, others in forward",
        ),
        (
            "        return input_shape\n",
            "",
            "can_be_used",
            "it raised build of Scale1 returned None; expected the outputs' shape, a tuple of positive integers; "
            "end build with 'return input_shape' if forward keeps the shape; expected it to work on random inputs",
        ),
        (
            "return self.g.value * x",
            "return self.g * x",
            "can_be_used",
            "it raised TypeError: unsupported operand type(s) for *: 'Parameter' and 'float' (at PLUGIN:15); expected "
            "it to work on random inputs; use the parameter's array, as in self.W.value",
        ),
        (
            "return self.g.value * x",
            "return x @ self.g.value.reshape(2, 3)",
            "can_be_used",
            "it raised ValueError: matmul: ... (at PLUGIN:15); expected it to work on random inputs; its inputs have "
            "shape (rows, 6), g has shape (6,)",
        ),
        (
            "return self.g.value * dy",
            "self.g.value * dy",
            "can_be_used",
            "what backward returns in float32 is None: a return is missing; expected numbers",
        ),
        (
            "return self.g.value * x",
            "return (self.g.value * x).tolist() and 'y'",
            "can_be_used",
            "what forward returns in float32 is a str; expected numbers",
        ),
        (
            "return self.g.value * dy",
            "raise NotImplementedError",
            "can_be_used",
            "it raised NotImplementedError (at PLUGIN:19); expected it to work on random inputs; implement that method",
        ),
        (
            "def backward(self, dy)",
            "def backward(self)",
            "can_be_loaded",
            "Scale.backward(self) can't be called as mlpkit calls it: too many positional "
            "arguments; expected backward(self, dy)",
        ),
        (
            "self.g.grad[...] =",
            "self.g.grad =",
            "parameter_gradients_are_the_derivatives",
            "layer Scale1 (Scale): the gradient by g is not that of forward: relative error nan, tolerance 1.0e-06; at "
            "g[0] backward gives nan, differences give ...; expected the derivative of what forward computes; "
            "overwrite that gradient, as in self.g.grad[...] = ...",
        ),
    ],
)
def test_one_failure_says_what_to_do(tmp_path, right, wrong, check, message):
    assert PLUGIN.count(right) == 1
    path = tmp_path / "half.py"
    path.write_text(PLUGIN.replace(right, wrong), encoding="utf-8")
    (checked,) = check_plugin(str(path))
    (failed,) = checked.failed
    assert failed.check == check
    reason = re.sub(r"^half\.Scale( \(default parameters on shape \(6,\)\))?: ", "", failed.reason)
    pattern = re.escape(message.replace("PLUGIN", str(path)).replace("[...] = ...", "[:] = :"))
    assert re.fullmatch(pattern.replace(r"\.\.\.", ".+?"), reason.replace("[...] = ...", "[:] = :")), reason
