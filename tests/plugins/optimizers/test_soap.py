"""SOAP, against a transcription of its publication."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlpkit import Step
from mlpkit_plugins.optimizers.adamw import Adamw
from mlpkit_plugins.optimizers.soap import Soap, eigenvectors


def orthonormal(columns):
    """Return directions of the columns made orthogonal by Gram and Schmidt, those left out that depend on others."""
    found = []
    for column in columns.T:
        rest = column / np.linalg.norm(column)
        for _ in range(2):
            rest = rest - sum(np.dot(rest, other) * other for other in found)
        if np.linalg.norm(rest) > 1e-6:
            found.append(rest / np.linalg.norm(rest))
    return np.array(found).T


def first_directions(products):
    """Return all eigenvectors, those without an eigenvalue chosen along the axes."""
    eigenvalues, vectors = np.linalg.eigh(products)
    known = [vectors[:, [i]] for i in np.argsort(-eigenvalues) if eigenvalues[i] > 1e-12 * eigenvalues.max()]
    return orthonormal(np.hstack([*known, np.eye(len(products))]))


def published(value, gradients, rate, beta1, beta2, epsilon, weight_decay, refresh):
    """Return a matrix after all steps: algorithm 3 of Vyas and others (2024), with the first step of their code."""
    rows, columns = value.shape
    q_left, q_right = np.eye(rows), np.eye(columns)
    m, v, left, right = np.zeros_like(value), np.zeros_like(value), np.zeros((rows, rows)), np.zeros((columns, columns))
    for t, gradient in enumerate(gradients):
        if t > 0:
            rotated = q_left.T @ gradient @ q_right
            m = beta1 * m + (1 - beta1) * gradient
            v = beta2 * v + (1 - beta2) * rotated**2
            n = (q_left.T @ m @ q_right) / (1 - beta1**t) / (np.sqrt(v / (1 - beta2**t)) + epsilon)
            value = value - rate * weight_decay * value - rate * q_left @ n @ q_right.T
        left = beta2 * left + (1 - beta2) * gradient @ gradient.T
        right = beta2 * right + (1 - beta2) * gradient.T @ gradient
        if t == 0:
            q_left, q_right = first_directions(left), first_directions(right)
        elif t % refresh == 0:
            q_left, q_right = orthonormal(left @ q_left), orthonormal(right @ q_right)
    return value


def trained(optimizer, value, gradients, rate):
    """Return a value after all steps, and its slots."""
    value = value.copy()
    slots = {name: np.zeros(shape) for name, shape in optimizer.slots_of("W", value.shape).items()}
    for number, gradient in enumerate(gradients, start=1):
        optimizer.update(value, gradient.copy(), slots, Step(rate, number))
    return value, slots


def drawn(seed, shape, steps=100):
    generator = np.random.default_rng(seed)
    return generator.normal(size=shape), generator.normal(size=(steps, *shape))


@settings(max_examples=20, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    shape=st.tuples(st.integers(2, 6), st.integers(2, 6)),
    rate=st.floats(1e-4, 0.1),
    beta1=st.floats(0, 0.99),
    beta2=st.floats(0.8, 0.999),
    epsilon=st.floats(1e-8, 1e-2),
    weight_decay=st.sampled_from([0.0, 0.1]),
    refresh=st.sampled_from([7, 10]),
)
def test_matrices_take_the_published_steps(seed, shape, rate, **parameters):
    value, gradients = drawn(seed, shape)
    found, _ = trained(Soap(**parameters), value, gradients, rate)
    np.testing.assert_allclose(found, published(value, gradients, rate, **parameters), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("shape", [(6,), (2, 3, 2, 2)])
@pytest.mark.parametrize("more", [{"beta1": 0.95, "beta2": 0.95}, {"beta1": 0.5, "beta2": 0.75, "epsilon": 0.125}])
def test_other_parameters_take_the_steps_of_adamw(shape, more):
    value, gradients = drawn(0, shape)
    expected, slots = value.copy(), {"m": np.zeros_like(value), "v": np.zeros_like(value)}
    for number, gradient in enumerate(gradients, start=1):
        Adamw(weight_decay=0.1, **more).update(expected, gradient.copy(), slots, Step(0.02, number))
    np.testing.assert_array_equal(trained(Soap(weight_decay=0.1, **more), value, gradients, 0.02)[0], expected)


def test_its_defaults_are_those_of_the_authors_code():
    value, gradients = drawn(5, (4, 3))
    expected = published(value, gradients, 0.01, 0.95, 0.95, 1e-8, 0.01, 10)
    np.testing.assert_allclose(trained(Soap(), value, gradients, 0.01)[0], expected, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("decay", [0.0, 0.5])
def test_a_factor_of_the_decay_is_as_good_as_another_decay(decay):
    values = []
    for optimizer, factor in ((Soap(weight_decay=0.5), decay), (Soap(weight_decay=0.5 * decay), 1.0)):
        value, gradients = drawn(6, (4, 3), steps=3)
        slots = {name: np.zeros(shape) for name, shape in optimizer.slots_of("W", value.shape).items()}
        for number, gradient in enumerate(gradients, start=1):
            optimizer.update(value, gradient, slots, Step(0.1, number, factor))
        values.append(value)
    np.testing.assert_allclose(*values, rtol=1e-12)


def test_a_long_side_keeps_its_own_directions():
    value, gradients = drawn(0, (5, 3))
    optimizer = Soap(longest_side=3)
    assert set(optimizer.slots_of("W", (5, 3))) == {"m", "v", "right", "right_directions"}
    neither, _ = trained(Soap(longest_side=2, weight_decay=0), value, gradients, 0.02)
    plain, slots = value.copy(), {"m": np.zeros((5, 3)), "v": np.zeros((5, 3))}
    for number, gradient in enumerate(gradients[1:], start=1):
        Adamw(beta1=0.95, beta2=0.95, weight_decay=0).update(plain, gradient.copy(), slots, Step(0.02, number))
    np.testing.assert_allclose(neither, plain, rtol=1e-12)
    assert np.abs(trained(optimizer, value, gradients, 0.02)[0] - neither).max() > 1e-3


def test_the_directions_are_orthogonal_and_diagonalize():
    _, slots = trained(Soap(beta2=0.999, refresh=1), *drawn(1, (5, 3), steps=400), 0.01)
    for side in ("left", "right"):
        directions = slots[f"{side}_directions"]
        np.testing.assert_allclose(directions.T @ directions, np.eye(len(directions)), atol=1e-12)
        diagonal = directions.T @ slots[side] @ directions
        assert np.abs(diagonal - np.diag(np.diag(diagonal))).max() < 0.05 * np.diag(diagonal).max()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_without_a_gradient_the_directions_are_the_axes(dtype):
    found = eigenvectors(np.zeros((3, 3), dtype))
    assert found.dtype == dtype
    np.testing.assert_array_equal(np.abs(found), np.eye(3))


@pytest.mark.parametrize("step", [0, 1])
def test_a_gradient_that_is_not_finite_is_left_to_the_trainer(step):
    value, gradients = drawn(0, (3, 2), steps=2)
    gradients[step, 0, 0] = np.nan
    with np.errstate(all="ignore"):
        found, slots = trained(Soap(refresh=1), value, gradients, 0.1)
    assert np.isfinite(found).all() == (step == 0)  # the first gradient only sets the directions
    assert not np.isfinite(slots["left"]).all()
