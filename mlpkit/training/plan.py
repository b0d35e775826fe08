"""How a step is computed: into how many slices a minibatch is cut, and on how many BLAS threads."""

from __future__ import annotations

import os
from dataclasses import dataclass

SMALLEST_SHARE = 6_000_000
"""Floating-point operations of a step that a BLAS thread must have to itself to gain more than it costs."""


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

        threads = min(cores, step_flops / SMALLEST_SHARE), at least 1

    There is one slice: BLAS shares a product out to its threads for less than it costs to wake threads of Python's,
    two dozen times a step. ``docs/performance.md`` has the measurements.

    Args:
        step_flops: floating-point operations of a step, forward and backward.
        slices: pinned by the spec, or None.
        threads: pinned by the spec, or None.
    """
    worthwhile = max(1, min(available_cores(), step_flops // SMALLEST_SHARE))
    return Plan(
        slices=slices if slices is not None else 1,
        threads=threads if threads is not None else worthwhile,
    )


def available_cores() -> int:
    """Return the number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
