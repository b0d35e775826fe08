"""Optimizers against PyTorch's: a hundred steps in float64, to 1e-6 and better."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlpkit import Step
from mlpkit_plugins.optimizers.adagrad import Adagrad
from mlpkit_plugins.optimizers.adam import Adam
from mlpkit_plugins.optimizers.adamw import Adamw
from mlpkit_plugins.optimizers.muon import Muon
from mlpkit_plugins.optimizers.nadamw import Nadamw
from mlpkit_plugins.optimizers.rmsprop import Rmsprop
from mlpkit_plugins.optimizers.sgd import Sgd

torch = pytest.importorskip("torch")

momenta = st.sampled_from([0.0, 0.5, 0.9])
decays = st.sampled_from([0.0, 1e-4, 0.1])
betas = st.floats(0, 0.999)
epsilons = st.floats(1e-8, 1)


def values_of_pytorch(steps, optimizer, rate, **parameters):
    """Return the values after all steps."""
    value = torch.nn.Parameter(torch.from_numpy(steps.value.copy()))
    made = optimizer([value], lr=rate, **parameters)
    for gradient in steps.gradients:
        value.grad = torch.from_numpy(gradient.copy())
        made.step()
    return value.detach().numpy()


def expect_same(steps, ours, theirs, rate, **parameters):
    expected = values_of_pytorch(steps, theirs, rate, **parameters)
    found, _ = steps.taken_by(ours, rates=rate)
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-9)


def of_many_parameters(**parameters):
    seeds, rates = st.integers(0, 2**32), st.floats(1e-4, 0.1)
    return lambda test: settings(max_examples=40, deadline=None)(given(seed=seeds, rate=rates, **parameters)(test))


@of_many_parameters(momentum=momenta, nesterov=st.booleans(), weight_decay=decays)
def test_sgd(make_steps, seed, rate, momentum, nesterov, weight_decay):
    parameters = {"momentum": momentum, "nesterov": nesterov and momentum > 0, "weight_decay": weight_decay}
    expect_same(make_steps(seed), Sgd(**parameters), torch.optim.SGD, rate, **parameters)


@of_many_parameters(rho=betas, momentum=momenta, epsilon=epsilons, weight_decay=decays)
def test_rmsprop(make_steps, seed, rate, rho, momentum, epsilon, weight_decay):
    ours = Rmsprop(rho=rho, momentum=momentum, epsilon=epsilon, weight_decay=weight_decay)
    theirs = {"alpha": rho, "momentum": momentum, "eps": epsilon, "weight_decay": weight_decay}
    expect_same(make_steps(seed), ours, torch.optim.RMSprop, rate, **theirs)


@of_many_parameters(epsilon=epsilons, weight_decay=decays)
def test_adagrad(make_steps, seed, rate, epsilon, weight_decay):
    ours = Adagrad(epsilon=epsilon, weight_decay=weight_decay)
    expect_same(make_steps(seed), ours, torch.optim.Adagrad, rate, eps=epsilon, weight_decay=weight_decay)


@of_many_parameters(beta1=betas, beta2=betas, epsilon=epsilons)
def test_adam(make_steps, seed, rate, beta1, beta2, epsilon):
    ours = Adam(beta1=beta1, beta2=beta2, epsilon=epsilon)
    expect_same(make_steps(seed), ours, torch.optim.Adam, rate, betas=(beta1, beta2), eps=epsilon)


@of_many_parameters(beta1=betas, beta2=betas, epsilon=epsilons, weight_decay=decays)
def test_adamw(make_steps, seed, rate, beta1, beta2, epsilon, weight_decay):
    ours = Adamw(beta1=beta1, beta2=beta2, epsilon=epsilon, weight_decay=weight_decay)
    theirs = {"betas": (beta1, beta2), "eps": epsilon, "weight_decay": weight_decay}
    expect_same(make_steps(seed), ours, torch.optim.AdamW, rate, **theirs)


@of_many_parameters(beta1=betas, beta2=betas, epsilon=epsilons, weight_decay=decays)
def test_nadamw(make_steps, seed, rate, beta1, beta2, epsilon, weight_decay):
    ours = Nadamw(beta1=beta1, beta2=beta2, epsilon=epsilon, weight_decay=weight_decay)
    theirs = {"betas": (beta1, beta2), "eps": epsilon, "weight_decay": weight_decay, "decoupled_weight_decay": True}
    expect_same(make_steps(seed), ours, torch.optim.NAdam, rate, **theirs)


@pytest.mark.skipif(not hasattr(torch.optim, "Muon"), reason="an earlier PyTorch")
@pytest.mark.parametrize("shape", [(3, 8), (8, 3), (5, 5)])
def test_muon(monkeypatch, shape):
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
