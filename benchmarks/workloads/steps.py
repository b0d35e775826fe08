"""One training step, plain gradient descent or Adam, at several shapes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import targets
from bench import say
from comparison import Comparison, failures_of, figures_of
from contestants.roster import LIMIT, OURS
from contestants.task import Task
from processes import EXAMPLES, contest
from rounds import Side, take_turns

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bench import Bench
    from contestants.roster import Entry
    from rounds import Measured


def sgd_step(bench: Bench) -> list[Comparison]:
    """Compare a step of plain gradient descent with all peers and the limit."""
    comparisons = []
    for shape in bench.shapes:
        compared = step_comparison(bench, "sgd", *shape)
        best = compared.best_peer()
        if best is not None:
            compared.ask_ratio(best, targets.SGD_AGAINST_BEST_PEER.get(shape), f"best peer ({best.title}) / mlpkit")
        compared.ask_ratio(compared.figure("pytorch"), targets.SGD_AGAINST_PYTORCH.get(shape), "PyTorch eager / mlpkit")
        compared.ask_ratio(compared.figure("limit"), targets.SHARE_OF_LIMIT.get(shape), "share of the limit")
        comparisons.append(compared)
    return comparisons


def adam_step(bench: Bench) -> list[Comparison]:
    """Compare a step of Adam with all peers and the limit."""
    comparisons = []
    for shape in bench.shapes:
        compared = step_comparison(bench, "adam", *shape)
        pytorch, jax = targets.ADAM_AGAINST_PYTORCH.get(shape), targets.ADAM_AGAINST_JAX.get(shape)
        compared.ask_ratio(compared.figure("pytorch"), pytorch, "PyTorch with fused Adam / mlpkit")
        compared.ask_ratio(compared.figure("jax"), jax, "JAX / mlpkit")
        comparisons.append(compared)
    return comparisons


def step_comparison(bench: Bench, optimizer: str, hidden: int, batch_size: int) -> Comparison:
    """Compare a step of 784-H-H-10.

    Args:
        bench: the options.
        optimizer: ``sgd`` or ``adam``.
        hidden: units of each hidden layer, H.
        batch_size: examples of a minibatch.
    """
    task = Task((hidden, hidden), batch_size, optimizer)
    title = f"{optimizer} step, 784-{hidden}-{hidden}-10, minibatches of {batch_size}"
    say(f"{title} ...")
    measured = time_steps(bench, task, [OURS, LIMIT, *bench.peers], rounds=bench.rounds())
    about = {"hidden": hidden, "batch_size": batch_size, "optimizer": optimizer}
    return Comparison(
        f"{optimizer}_step", title, "s", figures_of(measured, "seconds"), about, failures=failures_of(measured)
    )


def time_steps(
    bench: Bench, task: Task, entries: Sequence[Entry], *, rounds: int, examples: int = EXAMPLES
) -> Measured:
    """Time the steps of contestants, each on all numbers of threads that are worth a try.

    Args:
        bench: the options.
        task: what to train.
        entries: who takes part.
        rounds: how many rounds.
        examples: training examples.
    """

    def measure(side: Side) -> Mapping[str, float]:
        timing = {"warm_up": bench.warm_up, "seconds": bench.seconds, "examples": examples}
        report: Mapping[str, float] = contest(side.entry, "steps", task, bench.folder, threads=side.threads, **timing)
        return report

    sides = [Side(entry, threads) for entry in entries for threads in entry.thread_counts(task.flops, bench.cores)]
    return take_turns(sides, rounds, measure)
