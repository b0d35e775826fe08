"""Shows several seeds that never trained on the terminal: ``play_seeds.py [PAUSE]``.

Every number is made up. With PAUSE, seconds, the bars stay that long.
"""

from __future__ import annotations

import itertools
import sys
import time
from pathlib import Path

from mlpkit.components.schedule import Progress
from mlpkit.display.display import RunNames
from mlpkit.display.group_outcomes import of_seeds
from mlpkit.display.screen import Screen
from mlpkit.groups.folders import summary_of
from mlpkit.groups.seeds import SeedRuns
from mlpkit.training.events import TrainingEnd

SEEDS = (0, 1, 8, 13, 21)


def metrics_of(seed: int) -> dict[str, dict[str, float]]:
    """Return made-up results of a run."""
    return {split: {"loss": 0.25 + seed / 100, "accuracy": 0.95 - seed / 1000} for split in ("test", "validation")}


def play(pause: float) -> None:
    """Show a training of which one run fails."""
    ticks = itertools.count(0, 75)
    with Screen("made up", "runs/made up", RunNames("seed"), clock=lambda: float(next(ticks))) as screen:
        screen.began(0, SEEDS, 2)
        for seed in SEEDS[:2]:
            screen.started(seed, 10_000)
            screen.stepped(seed, Progress(4_500 + 100 * seed, 0.0, 10_000), 0.25)
        screen.over(0, TrainingEnd(10_000, metrics=metrics_of(0)))
        screen.started(8, 10_000)
        time.sleep(pause)
        screen.evaluated(8, {"iteration": 500, "train_loss": 0.25}, 1.0)
        screen.over(8, TrainingEnd(failure="the loss of step 501 is not a number"))
        for seed in (1, 13, 21):
            screen.over(seed, TrainingEnd(10_000, metrics=metrics_of(seed)))
        results = [metrics_of(seed) for seed in (0, 1, 13, 21)]
        screen.finished(
            of_seeds(SeedRuns(SEEDS, summary_of(results), (8,), {8: "..."}, Path("runs/made up"), _load=dict)),
        )


if __name__ == "__main__":
    play(float(sys.argv[1]) if len(sys.argv) > 1 else 0.0)
