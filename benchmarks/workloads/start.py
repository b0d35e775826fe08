"""From the start of a process to the end of its first training step."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import start_up
from bench import say
from comparison import Comparison, failures_of, figures_of
from contestants.roster import OURS
from contestants.task import Task
from processes import contest
from rounds import Side, take_turns

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bench import Bench

TASK = Task((50, 50), 1000, "sgd")
"""That of the main spec."""


def start(bench: Bench) -> list[Comparison]:
    """Compare whole starts: ``mlpkit run`` on the main spec, and each peer's imports, data, network and first step."""
    title = "process start to the end of the first step, 784-50-50-10, minibatches of 1000"
    say(f"{title} ...")
    sides = [Side(entry) for entry in (OURS, *bench.peers)]
    warm_failures = take_turns(sides, 1, lambda side: first_step(bench, side)).failures  # fills caches of bytecode
    measured = take_turns(
        [side for side in sides if side not in warm_failures], bench.rounds(), lambda side: first_step(bench, side)
    )
    measured.failures |= warm_failures
    return [Comparison("start", title, "s", figures_of(measured, "seconds"), failures=failures_of(measured))]


def first_step(bench: Bench, side: Side) -> Mapping[str, float]:
    """Return the seconds from the start of a process to the end of its first step."""
    if side.entry is OURS:
        return {"seconds": start_up.first_step()}
    began = time.time()
    report = contest(side.entry, "first_step", TASK, bench.folder, threads=side.threads)
    return {"seconds": report["finished"] - began}
