"""What every initializer does: its distribution, its dtype, and that its generator alone decides."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlpkit import Fans, ParameterError
from mlpkit_plugins.initializers.fan_in_uniform import FanInUniform
from mlpkit_plugins.initializers.full import Full
from mlpkit_plugins.initializers.glorot_normal import GlorotNormal
from mlpkit_plugins.initializers.glorot_uniform import GlorotUniform
from mlpkit_plugins.initializers.he_normal import HeNormal
from mlpkit_plugins.initializers.he_uniform import HeUniform
from mlpkit_plugins.initializers.lecun_normal import LecunNormal
from mlpkit_plugins.initializers.lecun_uniform import LecunUniform
from mlpkit_plugins.initializers.normal import Normal
from mlpkit_plugins.initializers.orthogonal import Orthogonal
from mlpkit_plugins.initializers.unit_variance import UnitVariance
from mlpkit_plugins.initializers.zeros import Zeros

FANS = Fans(inputs=300, outputs=200)
SHAPE = (300, 200)

ALL = [
    pytest.param(Normal, {}, 0.0, 0.01, id="normal"),
    pytest.param(Normal, {"std": 2.0, "mean": -3.0}, -3.0, 2.0, id="normal with parameters"),
    pytest.param(Normal, {"std": 0, "mean": 1.5}, 1.5, 0.0, id="normal of no width"),
    pytest.param(HeNormal, {}, 0.0, (2 / 300) ** 0.5, id="he_normal"),
    pytest.param(HeUniform, {}, 0.0, (2 / 300) ** 0.5, id="he_uniform"),
    pytest.param(GlorotNormal, {}, 0.0, (2 / 500) ** 0.5, id="glorot_normal"),
    pytest.param(GlorotUniform, {}, 0.0, (2 / 500) ** 0.5, id="glorot_uniform"),
    pytest.param(LecunNormal, {}, 0.0, (1 / 300) ** 0.5, id="lecun_normal"),
    pytest.param(LecunUniform, {}, 0.0, (1 / 300) ** 0.5, id="lecun_uniform"),
    pytest.param(FanInUniform, {}, 0.0, (1 / 900) ** 0.5, id="fan_in_uniform"),
    pytest.param(Orthogonal, {}, 0.0, (1 / 300) ** 0.5, id="orthogonal"),
    pytest.param(Orthogonal, {"gain": 2}, 0.0, 2 * (1 / 300) ** 0.5, id="orthogonal with a gain"),
    pytest.param(UnitVariance, {}, 0.0, (1 / 300) ** 0.5, id="unit_variance"),
    pytest.param(Full, {"value": -0.5}, -0.5, 0.0, id="full"),
    pytest.param(Zeros, {}, 0.0, 0.0, id="zeros"),
]


def draw(initializer, seed=0, shape=SHAPE, dtype=np.float64):
    return initializer(shape, FANS, np.random.default_rng(seed), np.dtype(dtype))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("initializer", "parameters", "mean", "std"), ALL)
def test_mean_width_and_dtype(initializer, parameters, mean, std, dtype):
    values = draw(initializer(**parameters), dtype=dtype)
    assert values.dtype == dtype
    assert values.shape == SHAPE
    standard_errors = values.size**0.5
    assert abs(values.mean(dtype=np.float64) - mean) <= 5 * std / standard_errors + 1e-7
    assert values.std(dtype=np.float64) == pytest.approx(std, rel=5 / standard_errors, abs=1e-7)


@pytest.mark.parametrize(("initializer", "parameters", "mean", "std"), ALL)
def test_the_generator_alone_decides(initializer, parameters, mean, std):
    made = initializer(**parameters)
    first = draw(made)
    assert draw(made).tobytes() == draw(initializer(**parameters)).tobytes() == first.tobytes()
    assert (draw(made, seed=1).tobytes() == first.tobytes()) == (std == 0)
    np.testing.assert_allclose(draw(made, dtype=np.float32), first, rtol=1e-6)


@pytest.mark.parametrize(("initializer", "parameters", "mean", "std"), ALL)
def test_any_shape_will_do(initializer, parameters, mean, std):
    for shape in ((), (3,), (2, 3, 4)):
        assert np.shape(draw(initializer(**parameters), shape=shape)) == shape


@pytest.mark.parametrize(
    ("initializer", "square"),
    [(GlorotUniform, 6 / 500), (HeUniform, 6 / 300), (LecunUniform, 3 / 300), (FanInUniform, 1 / 300)],
)
def test_uniform_numbers_fill_their_range_and_no_more(initializer, square):
    values, bound = draw(initializer()), square**0.5
    assert bound * 0.999 < np.abs(values).max() <= bound
    assert (np.abs(values) < bound / 2).mean() == pytest.approx(0.5, abs=0.01)


@pytest.mark.parametrize(
    ("initializer", "variance"),
    [
        (Normal(std=1), 1),
        (HeNormal(), 2 / 300),
        (GlorotNormal(), 2 / 500),
        (LecunNormal(), 1 / 300),
        (UnitVariance(), 1 / 300),
    ],
)
def test_normal_numbers_are_normal(initializer, variance):
    values = draw(initializer) / variance**0.5
    assert (np.abs(values) < 1).mean() == pytest.approx(0.6827, abs=0.01)
    assert (np.abs(values) < 2).mean() == pytest.approx(0.9545, abs=0.005)


@settings(max_examples=30, deadline=None)
@given(inputs=st.integers(1, 1000), outputs=st.integers(1, 1000), seed=st.integers(0, 2**32))
@pytest.mark.parametrize(
    ("initializer", "variance"),
    [
        (HeNormal, lambda inputs, outputs: 2 / inputs),
        (HeUniform, lambda inputs, outputs: 2 / inputs),
        (GlorotNormal, lambda inputs, outputs: 2 / (inputs + outputs)),
        (GlorotUniform, lambda inputs, outputs: 2 / (inputs + outputs)),
        (LecunNormal, lambda inputs, outputs: 1 / inputs),
        (LecunUniform, lambda inputs, outputs: 1 / inputs),
        (FanInUniform, lambda inputs, outputs: 1 / (3 * inputs)),
    ],
)
def test_fans_set_the_variance(initializer, variance, inputs, outputs, seed):
    values = initializer()(SHAPE, Fans(inputs, outputs), np.random.default_rng(seed), np.dtype("f8"))
    assert values.var() == pytest.approx(variance(inputs, outputs), rel=0.04)  # 7 standard errors


def test_a_width_is_not_negative():
    with pytest.raises(ParameterError, match="std: -1 is out of range"):
        Normal(std=-1)
