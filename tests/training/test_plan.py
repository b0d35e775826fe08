"""How a step is computed."""

from __future__ import annotations

import pytest

from mlpkit.training.plan import SMALLEST_THREADED_STEP, Plan, available_cores, choose_plan


def test_a_small_step_gets_one_thread_and_a_large_one_all_cores():
    assert choose_plan(SMALLEST_THREADED_STEP - 1) == Plan(slices=1, threads=1)
    assert choose_plan(SMALLEST_THREADED_STEP) == Plan(slices=1, threads=available_cores())


@pytest.mark.parametrize("flops", [1, 10 * SMALLEST_THREADED_STEP])
def test_what_the_spec_pins_stands(flops):
    assert choose_plan(flops, slices=3, threads=5) == Plan(slices=3, threads=5)


def test_there_is_a_core():
    assert available_cores() >= 1
