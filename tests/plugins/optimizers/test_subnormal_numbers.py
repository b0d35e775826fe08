"""Where no gradient comes any more, what is kept of earlier ones goes to zero, and never stays at subnormal numbers."""

from __future__ import annotations

import numpy as np
import pytest

from mlpkit import Step
from mlpkit_plugins.optimizers.adam import Adam
from mlpkit_plugins.optimizers.adamw import Adamw
from mlpkit_plugins.optimizers.lion import Lion
from mlpkit_plugins.optimizers.muon import Muon
from mlpkit_plugins.optimizers.nadamw import Nadamw
from mlpkit_plugins.optimizers.rmsprop import Rmsprop
from mlpkit_plugins.optimizers.sgd import Sgd
from mlpkit_plugins.optimizers.soap import Soap

OPTIMIZERS = {
    "momentum": lambda: Sgd(momentum=0.9),
    "nesterov": lambda: Sgd(momentum=0.9, nesterov=True),
    "adam": lambda: Adam(beta2=0.95),
    "adamw": lambda: Adamw(beta2=0.95),
    "nadamw": lambda: Nadamw(beta2=0.95),
    "lion": lambda: Lion(beta2=0.9),
    "rmsprop": lambda: Rmsprop(momentum=0.9),
}


@pytest.mark.parametrize("name", OPTIMIZERS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_what_is_kept_of_a_gradient_is_zero_in_the_end(name, dtype):
    optimizer = OPTIMIZERS[name]()
    value, slots = np.ones(50, dtype), {slot: np.zeros(50, dtype) for slot in optimizer.slots}
    normal = np.finfo(dtype).smallest_normal
    gradient = np.random.default_rng(0).standard_normal(50).astype(dtype)
    steps = 2500 if dtype is np.float32 else 16_000
    for step in range(1, steps + 1):
        optimizer.update(value, gradient, slots, Step(0.001, step, decay=False))
        gradient[:] = 0
        if step % 10 == 0:
            assert all(((kept == 0) | (np.abs(kept) >= normal)).all() for kept in slots.values())
    assert not any(kept.any() for kept in slots.values())


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("optimizer", [Muon(), Soap(beta2=0.9)])
def test_for_matrices_it_goes_to_zero_as_well(optimizer, dtype):
    value = np.ones((5, 4), dtype)
    slots = {name: np.zeros(shape, dtype) for name, shape in optimizer.slots_of("W", value.shape).items()}
    gradient = np.random.default_rng(0).standard_normal((5, 4)).astype(dtype)
    for step in range(1, 3000 if dtype is np.float32 else 20_000):
        optimizer.update(value, gradient, slots, Step(0.0, step, decay=False))
        gradient[:] = 0
    assert not any(kept.any() for name, kept in slots.items() if "directions" not in name)
