"""How a step is computed: into how many slices a minibatch is cut, and on how many BLAS threads."""

from __future__ import annotations

import os
from dataclasses import dataclass

SMALLEST_THREADED_STEP = 15_000_000
"""Floating-point operations of a step below which a second BLAS thread costs more than it gains."""


@dataclass(frozen=True)
class Plan:
    """How a step is computed; a run's bits depend on it, so it is written down and taken from there again.

    Args:
        slices: slices of a minibatch.
        threads: BLAS threads for each matrix product.
    """

    slices: int
    threads: int


def choose_plan(step_flops: int, *, slices: int | None = None, threads: int | None = None) -> Plan:
    """Choose a plan from the size of a step and the cores at hand, never from a timing.

    Args:
        step_flops: floating-point operations of a step, forward and backward.
        slices: pinned by the spec, or None.
        threads: pinned by the spec, or None.
    """
    worth_threads = step_flops >= SMALLEST_THREADED_STEP
    return Plan(
        slices=slices if slices is not None else 1,
        threads=threads if threads is not None else (available_cores() if worth_threads else 1),
    )


def available_cores() -> int:
    """Return the number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
