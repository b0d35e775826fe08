"""What every initializer does: its distribution, its dtype, and that its generator alone decides."""

from __future__ import annotations

import numpy as np
import pytest

from mlpkit import Fans, ParameterError
from mlpkit_plugins.initializers.glorot_uniform import GlorotUniform
from mlpkit_plugins.initializers.he_normal import HeNormal
from mlpkit_plugins.initializers.normal import Normal
from mlpkit_plugins.initializers.zeros import Zeros

FANS = Fans(inputs=300, outputs=200)
SHAPE = (300, 200)
BOUND = (6 / 500) ** 0.5

ALL = [
    pytest.param(Normal, {}, 0.0, 0.01, id="normal"),
    pytest.param(Normal, {"std": 2.0, "mean": -3.0}, -3.0, 2.0, id="normal with parameters"),
    pytest.param(Normal, {"std": 0, "mean": 1.5}, 1.5, 0.0, id="normal of no width"),
    pytest.param(HeNormal, {}, 0.0, (2 / 300) ** 0.5, id="he_normal"),
    pytest.param(GlorotUniform, {}, 0.0, BOUND / 3**0.5, id="glorot_uniform"),
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


def test_uniform_numbers_fill_their_range_and_no_more():
    values = draw(GlorotUniform())
    assert BOUND * 0.999 < np.abs(values).max() <= BOUND


def test_normal_numbers_are_normal():
    for values in (draw(Normal(std=1)), draw(HeNormal()) / (2 / 300) ** 0.5):
        assert (np.abs(values) < 1).mean() == pytest.approx(0.6827, abs=0.01)
        assert (np.abs(values) < 2).mean() == pytest.approx(0.9545, abs=0.005)


def test_fans_set_the_width():
    rng = np.random.default_rng(0)
    assert HeNormal()(SHAPE, Fans(8, 1), rng, np.dtype("f8")).std() == pytest.approx(0.5, rel=0.02)
    assert np.abs(GlorotUniform()(SHAPE, Fans(1, 5), rng, np.dtype("f8"))).max() == pytest.approx(1.0, rel=0.001)


def test_a_width_is_not_negative():
    with pytest.raises(ParameterError, match="std: -1 is out of range"):
        Normal(std=-1)
