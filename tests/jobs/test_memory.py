"""The memory that a training needs, beside what there is."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

import mlpkit
from mlpkit.errors import NotEnoughMemoryError
from mlpkit.groups.local_workers import described
from mlpkit.jobs.check import check
from mlpkit.layers import Affine, SoftmaxWithLoss

SPEC = """\
mlpkit: 1
dtype: float64
data: {npz: {file: data.npz, inputs: x, targets: t, validation: 0, test: 0}}
layers: [Affine: {units: 300}, Tanh, Affine: {units: 3}, SoftmaxWithLoss]
training: {optimizer: sgd, batch_size: 100, iterations: 2}
"""
PARAMETERS, OUTPUTS = 40 * 300 + 300 + 300 * 3 + 3, 300 + 300 + 3
OPTIMIZERS = {"sgd": 0, "{sgd: {momentum: 0.9}}": 1, "adam": 2}


@pytest.fixture
def spec(tmp_path, monkeypatch):
    """Return a function that loads the spec with other values."""
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    np.savez("data.npz", x=rng.normal(size=(200, 40)), t=rng.integers(0, 3, 200))
    (tmp_path / "spec.yaml").write_text(SPEC)
    return lambda *overrides: mlpkit.load_spec("spec.yaml", overrides=overrides)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_parameters_gradients_slots_and_outputs_are_counted(optimizer, spec):
    needed = check(spec(f"training.optimizer={optimizer}")).memory
    assert needed == 8 * (PARAMETERS * (2 + OPTIMIZERS[optimizer]) + 100 * OUTPUTS)


def test_precision_slices_averages_and_the_minibatch_count(spec):
    assert check(spec("dtype=float32")).memory == 4 * (2 * PARAMETERS + 100 * OUTPUTS)
    assert check(spec("training.slices=3")).memory == 8 * (4 * PARAMETERS + 100 * OUTPUTS)
    assert check(spec("training.moving_average={decay: 0.9}")).memory == 8 * (3 * PARAMETERS + 100 * OUTPUTS)
    assert check(spec("training.batch_size=200")).memory == 8 * (2 * PARAMETERS + 200 * OUTPUTS)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_a_training_takes_no_less(optimizer, spec):
    wide = spec(f"training.optimizer={optimizer}", "layers.Affine1.units=20000")
    mlpkit.run(wide, "warm")
    tracemalloc.start()
    try:
        mlpkit.run(wide, "run")
        taken = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert taken / 8 < check(wide).memory < taken  # layers keep gradients, too, and more rows are evaluated


@pytest.mark.parametrize("units", [10**14, 2**63, 10**30])
def test_what_no_process_can_address_is_an_error(units, spec):
    with pytest.raises(NotEnoughMemoryError, match=r"^not enough memory for [\d,]+ numbers of 8 bytes; "):
        mlpkit.build(spec(f"layers.Affine1.units={units}"))


def test_what_does_not_fit_is_a_warning_at_the_layer(monkeypatch, spec):
    found = check(spec())
    assert found.data_warnings == ()
    monkeypatch.setattr("mlpkit.jobs.prove.memory_limit", lambda: found.memory)
    assert check(spec()).data_warnings == ()
    monkeypatch.setattr("mlpkit.jobs.prove.memory_limit", lambda: found.memory - 1)
    (warning,) = check(spec()).data_warnings
    assert (warning.line, warning.column) == (4, 10)
    assert warning.message == "training needs at least 694 kB of memory, but only 694 kB is available"
    assert warning.remedy == "use fewer units or channels, or a smaller batch_size"


def test_memory_is_worth_a_line_beyond_a_hundredth_of_what_there_is(monkeypatch, spec):
    found = check(spec())
    line = "memory: at least 694 kB to train, 69.4 MB available"
    for limit, lines in ((None, []), (100 * found.memory, []), (100 * found.memory - 1, [line])):
        monkeypatch.setattr("mlpkit.jobs.check.memory_limit", lambda limit=limit: limit)
        assert [*found.about_memory()] == lines


@pytest.mark.parametrize("units", [2**58, 2**62])
def test_a_network_that_python_cannot_hold_is_an_error_of_mlpkit(units):
    with pytest.raises(NotEnoughMemoryError, match=r"^not enough memory for [\d,]+ numbers of 4 bytes; "):
        mlpkit.Sequential([Affine(units), SoftmaxWithLoss()], input_shape=(3,))


def test_a_run_of_another_process_that_lacks_memory_says_so():
    error = MemoryError("Unable to allocate 2.73 EiB")
    assert described(error).startswith("not enough memory: Unable to allocate 2.73 EiB; close other programs, ")
