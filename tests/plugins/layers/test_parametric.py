"""An activation with a trained strength."""

from __future__ import annotations

import numpy as np
import pytest

from mlpkit import ParameterError, ShapeError
from mlpkit.testing import standalone
from mlpkit_plugins.layers.affine import Affine
from mlpkit_plugins.layers.mish import Mish
from mlpkit_plugins.layers.parametric import Parametric
from mlpkit_plugins.layers.prelu import Prelu
from mlpkit_plugins.layers.relu import Relu
from mlpkit_plugins.layers.sigmoid import Sigmoid


def test_is_the_formula():
    layer = standalone(Parametric(Sigmoid()), (2,))
    (alpha,) = layer.declared_parameters()
    np.testing.assert_array_equal(alpha.value, [1, 1])
    alpha.value[...] = [0.5, 3]
    x, dy = np.array([[-3.0, 2], [0.5, -1]]), np.array([[1.0, 10], [2, 20]])
    f = 1 / (1 + np.exp(-x))
    np.testing.assert_allclose(layer.forward(x), x + alpha.value * (f - x), rtol=1e-14)
    np.testing.assert_allclose(layer.backward(dy.copy()), dy * (1 + alpha.value * (f * (1 - f) - 1)), rtol=1e-13)
    np.testing.assert_allclose(alpha.grad, (dy * (f - x)).sum(axis=0), rtol=1e-13)


def test_with_relu_it_is_prelu(dtype):
    parametric, prelu = (
        standalone(Parametric(Relu(), 0.75), (3,), dtype=dtype),
        standalone(Prelu(0.25), (3,), dtype=dtype),
    )
    x = np.arange(-6, 6, dtype=dtype).reshape(4, 3)
    np.testing.assert_array_equal(parametric.forward(x), prelu.forward(x))
    np.testing.assert_array_equal(parametric.backward(x.copy()), prelu.backward(x.copy()))


def test_channels_of_an_image_have_a_strength_each():
    layer = standalone(Parametric(Relu()), (2, 1, 2))
    (alpha,) = layer.declared_parameters()
    alpha.value[...] = [0, 1]
    y = layer.forward(np.array([[[[-1.0, 2]], [[-3, 4]]]]))
    np.testing.assert_array_equal(y, [[[[-1, 2]], [[0, 4]]]])


def test_alpha_moves_a_tenth_as_far():
    (alpha,) = standalone(Parametric(Mish()), (2,)).declared_parameters()
    assert alpha.rate == 0.1


def test_what_is_no_activation_is_refused():
    with pytest.raises(ParameterError) as caught:
        Parametric(Affine(3))
    assert str(caught.value) == (
        "activation: Affine doesn't apply a function to each element; expected an activation such as Mish"
    )


def test_a_single_number_has_no_features():
    with pytest.raises(ShapeError, match=r"Parametric can't take inputs of shape \(\); expected a shape with an axis"):
        Parametric(Mish()).build(())
