"""A run that was interrupted and resumed comes to the same bits as one that was not."""

from __future__ import annotations

import random

import pytest

VARIANTS = ("shuffled", "drawn", "best", "averaged", "stopped", "timed", "table", "images", "frozen")
OPTIMIZERS = ("sgd", "adam", "adamw")
CASES = [(variant, optimizer) for variant in VARIANTS for optimizer in OPTIMIZERS]
STEPS = 120
BEFORE_AN_EVALUATION = dict(zip(VARIANTS, (50, 40, 70, 30, 60, 105, 91, 100, 66), strict=True))
"""A step after which an evaluation is due, which is then done by the resumed run."""


def interrupted_at(step, together, results):
    """Interrupt a run after a step, resume it, and return what it comes to."""
    folder = together.start(halt_at=step)
    assert not (folder / "metrics.json").exists(), f"the run was not interrupted at step {step}"
    together.resume(folder)
    return results(folder)


def check(variant, optimizer, steps, runs, specs, results):
    together = runs(specs.spec_text(variant, optimizer))
    expected = results(together.start())
    for step in steps:
        assert interrupted_at(step, together, results) == expected, f"other bits after an interruption at step {step}"


@pytest.mark.parametrize(("variant", "optimizer"), CASES)
def test_interrupted_at_some_steps(variant, optimizer, runs, specs, results):
    first = 1 + 5 * CASES.index((variant, optimizer))
    steps = {BEFORE_AN_EVALUATION[variant], *(1 + (first + step) % STEPS for step in (0, 81))}
    check(variant, optimizer, steps, runs, specs, results)


@pytest.mark.long
@pytest.mark.parametrize(("variant", "optimizer"), CASES)
def test_interrupted_at_every_step(variant, optimizer, runs, specs, results):
    check(variant, optimizer, range(1, STEPS + 1), runs, specs, results)


def chains(count, runs, specs, results):
    draw = random.Random(0)
    for number in range(count):
        variant, optimizer = CASES[number % len(CASES)]
        together = runs(specs.spec_text(variant, optimizer))
        folder, expected = f"chain{number}", results(together.start(out=together.folder / f"whole{number}"))
        steps = sorted(draw.sample(range(1, STEPS), 3))
        folder = together.start(halt_at=steps[0], out=together.folder / f"chain{number}")
        for step in steps[1:]:
            assert together.resume(folder, halt_at=step).stopped
        assert not together.resume(folder).stopped
        assert results(folder) == expected, f"{variant} {optimizer} {steps}"


def test_some_chains_of_three_interruptions(runs, specs, results):
    chains(4, runs, specs, results)


@pytest.mark.long
def test_fifty_chains_of_three_interruptions(runs, specs, results):
    chains(50, runs, specs, results)
