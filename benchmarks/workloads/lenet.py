"""LeNet-5 against PyTorch: a training step, and each convolution alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import targets
from bench import say
from comparison import Comparison, failures_of, figures_of
from contestants.roster import OURS, PYTORCH
from contestants.task import Task
from processes import contest
from rounds import Side, take_turns

from workloads.steps import time_steps

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bench import Bench
    from contestants.roster import Entry
    from rounds import Measured

BATCH_SIZES = (32, 64, 128, 256)
CONVOLUTIONS = ("Conv2d1", "Conv2d2")


def lenet(bench: Bench) -> list[Comparison]:
    """Compare the training of LeNet-5 with PyTorch's."""
    comparisons = []
    entries = [OURS, *(entry for entry in bench.peers if entry is PYTORCH)]
    for batch_size in BATCH_SIZES:
        task = Task((120, 84), batch_size, "sgd", filters=(6, 16))
        say(f"LeNet-5, minibatches of {batch_size} ...")
        of_steps = time_steps(bench, task, entries, rounds=bench.rounds())
        of_convolutions = time_convolutions(bench, task, entries)
        parts = [(name, of_convolutions, name, "forward and backward") for name in CONVOLUTIONS]
        for part, measured, figure, what in [("step", of_steps, "seconds", "sgd step"), *parts]:
            compared = Comparison(
                "lenet",
                f"LeNet-5, minibatches of {batch_size}: {what}{'' if part == 'step' else f' of {part}'}",
                "s",
                figures_of(measured, figure),
                {"batch_size": batch_size, "part": part},
                failures=failures_of(measured),
            )
            target = targets.LENET_AGAINST_PYTORCH["step" if part == "step" else "convolution"]
            compared.ask_ratio(compared.figure("pytorch"), target, "PyTorch eager / mlpkit")
            comparisons.append(compared)
    return comparisons


def time_convolutions(bench: Bench, task: Task, entries: list[Entry]) -> Measured:
    """Time forward and backward of each convolution, PyTorch on all numbers of threads that are worth a try.

    Args:
        bench: the options.
        task: the network.
        entries: who takes part.
    """

    def measure(side: Side) -> Mapping[str, float]:
        timing = {"warm_up": bench.warm_up, "seconds": bench.seconds}
        report: Mapping[str, float] = contest(
            side.entry, "convolutions", task, bench.folder, threads=side.threads, **timing
        )
        return report

    sides = [Side(entry, threads) for entry in entries for threads in entry.thread_counts(task.flops, bench.cores)]
    return take_turns(sides, bench.rounds(), measure)
