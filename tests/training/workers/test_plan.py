"""How a step is computed."""

from __future__ import annotations

import sys

import pytest
import threadpoolctl

from mlpkit.training import workers as plan
from mlpkit.training.workers import SMALLEST_SHARE, Plan, blas_threads, choose_plan


@pytest.mark.parametrize(
    ("flops", "threads"),
    [
        (0, 1),
        (SMALLEST_SHARE, 1),
        (2 * SMALLEST_SHARE - 1, 1),
        (2 * SMALLEST_SHARE, 2),
        (5 * SMALLEST_SHARE, 5),
        (10**12, 8),
    ],
)
def test_each_thread_has_enough_to_do_and_a_core(monkeypatch, flops, threads):
    monkeypatch.setattr(plan, "available_cores", lambda: 8)
    assert choose_plan(flops) == Plan(slices=1, threads=threads)


@pytest.mark.parametrize("flops", [1, 10 * SMALLEST_SHARE])
def test_what_the_spec_pins_stands(flops):
    assert choose_plan(flops, slices=3, threads=5) == Plan(slices=3, threads=5)


def test_libraries_are_searched_once_for_as_many_modules(monkeypatch):
    searched = []

    class Controller(threadpoolctl.ThreadpoolController):
        def __init__(self):
            searched.append(len(sys.modules))
            super().__init__()

    monkeypatch.setattr(threadpoolctl, "ThreadpoolController", Controller)
    monkeypatch.setitem(sys.modules, "one_more", sys)
    for _ in range(3):
        with blas_threads(1):
            pass
    assert len(searched) == 1
    monkeypatch.setitem(sys.modules, "yet_another", sys)  # with which a library may have come
    with blas_threads(1):
        pass
    assert len(searched) == 2
