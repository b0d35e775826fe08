"""Muon, against a transcription of its publication."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlpkit import Step
from mlpkit_plugins.optimizers.adamw import Adamw
from mlpkit_plugins.optimizers.muon import Muon, orthogonalized

SHAPES = {"wide": (3, 8), "tall": (8, 3), "square": (4, 4), "bias": (6,), "filter": (2, 3, 2, 2)}


def published(value, gradients, rate, momentum, weight_decay):
    """Return a matrix of shape (outputs, inputs) after all steps, as Jordan (2024) writes the algorithm."""
    buffer = np.zeros_like(value)
    for gradient in gradients:
        buffer = buffer + (1 - momentum) * (gradient - buffer)
        x = gradient + momentum * (buffer - gradient)
        x = x / (np.linalg.norm(x) + 1e-12)
        for _ in range(5):
            x = 3.4445 * x - 4.7750 * x @ x.T @ x + 2.0315 * x @ x.T @ x @ x.T @ x
        value = value * (1 - rate * weight_decay)
        value = value - rate * max(1, value.shape[0] / value.shape[1]) ** 0.5 * x
    return value


def trained(optimizer, value, gradients, rate):
    """Return a value after all steps, each from the slots of the one before."""
    value = value.copy()
    slots = {name: np.zeros(shape) for name, shape in optimizer.slots_of("W", value.shape).items()}
    for number, gradient in enumerate(gradients, start=1):
        optimizer.update(value, gradient.copy(), slots, Step(rate, number))
    return value


def drawn(seed, shape, steps=100):
    generator = np.random.default_rng(seed)
    return generator.normal(size=shape), generator.normal(size=(steps, *shape))


@settings(max_examples=30, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    shape=st.tuples(st.integers(1, 9), st.integers(1, 9)),
    rate=st.floats(1e-4, 0.1),
    momentum=st.floats(0, 0.99),
    weight_decay=st.sampled_from([0.0, 0.1]),
)
def test_matrices_take_the_published_steps(seed, shape, rate, momentum, weight_decay):
    value, gradients = drawn(seed, shape)
    found = trained(Muon(momentum=momentum, weight_decay=weight_decay), value, gradients, rate)
    expected = published(value.T, gradients.transpose(0, 2, 1), rate, momentum, weight_decay).T
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("name", ["bias", "filter"])
@pytest.mark.parametrize("more", [{}, {"beta1": 0.5, "beta2": 0.75, "epsilon": 0.125}])
def test_other_parameters_take_the_steps_of_adamw_at_a_rate_of_their_own(name, more):
    value, gradients = drawn(0, SHAPES[name])
    expected, slots = value.copy(), {"m": np.zeros_like(value), "v": np.zeros_like(value)}
    for number, gradient in enumerate(gradients, start=1):
        Adamw(weight_decay=0.1, **more).update(expected, gradient.copy(), slots, Step(0.25 * 0.02, number))
    found = trained(Muon(weight_decay=0.1, other_rate=0.25, **more), value, gradients, 0.02)
    np.testing.assert_allclose(found, expected, rtol=1e-12)


@pytest.mark.parametrize("name", ["wide", "tall", "square"])
def test_steps_have_singular_values_near_one(name):
    value, _ = drawn(1, SHAPES[name])
    assert np.linalg.svd(orthogonalized(value), compute_uv=False) == pytest.approx(1, abs=0.5)


def test_parameters_that_do_not_decay_take_the_step_alone():
    for shape in SHAPES.values():
        value, (gradient,) = drawn(2, shape, steps=1)
        values = [value.copy(), value.copy()]
        for result, optimizer in zip(values, [Muon(weight_decay=0.5), Muon()], strict=True):
            slots = {name: np.zeros(of) for name, of in optimizer.slots_of("W", shape).items()}
            optimizer.update(result, gradient.copy(), slots, Step(0.1, 1, decay=0.0))
        np.testing.assert_array_equal(*values)


def test_its_defaults_are_the_published_ones():
    value, gradients = drawn(3, (4, 3))
    np.testing.assert_allclose(
        trained(Muon(), value, gradients, 0.02),
        published(value.T, gradients.transpose(0, 2, 1), 0.02, 0.95, 0.0).T,
        rtol=1e-6,
        atol=1e-6,
    )
    (bias, of_bias), expected = drawn(4, (5,)), Muon(other_rate=0.05, beta1=0.9, beta2=0.999, epsilon=1e-8)
    np.testing.assert_array_equal(trained(Muon(), bias, of_bias, 0.02), trained(expected, bias, of_bias, 0.02))


def test_a_matrix_without_a_gradient_stays():
    np.testing.assert_array_equal(trained(Muon(), np.ones((2, 3)), np.zeros((2, 2, 3)), 0.1), np.ones((2, 3)))


@pytest.mark.parametrize("shape", [(3, 8), (8, 3), (5, 5)])
def test_is_pytorchs(monkeypatch, shape):
    torch = pytest.importorskip("torch")
    if not hasattr(torch.optim, "Muon"):
        pytest.skip("an earlier PyTorch")
    monkeypatch.setattr(torch.Tensor, "bfloat16", torch.Tensor.double)  # it computes in bfloat16 otherwise
    generator = np.random.default_rng(0)
    found, gradients = generator.normal(size=shape), generator.normal(size=(100, *shape))
    theirs = torch.nn.Parameter(torch.from_numpy(found.T.copy()))
    made = torch.optim.Muon([theirs], lr=0.02, weight_decay=0.1)
    velocity = np.zeros(shape)
    for number, gradient in enumerate(gradients, start=1):
        theirs.grad = torch.from_numpy(gradient.T.copy())
        made.step()
        Muon(weight_decay=0.1).update(found, gradient, {"velocity": velocity}, Step(0.02, number))
    np.testing.assert_allclose(found, theirs.detach().numpy().T, rtol=1e-6, atol=1e-6)
