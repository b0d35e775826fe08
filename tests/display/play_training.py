"""Shows a training that never happened on the terminal: ``play_training.py METRICS EVALUATIONS [PAUSE]``.

Every number is made up, so that the screen is the same everywhere. With PAUSE, seconds, the bar stays that long.
"""

from __future__ import annotations

import itertools
import math
import sys
import time
from pathlib import Path

from mlpkit.components.schedule import Progress
from mlpkit.display.display import of_run
from mlpkit.display.screen import Screen
from mlpkit.jobs.train import Run
from mlpkit.training.checkpointing import BestTracker

METRICS = ("accuracy", "f1", "precision", "mean_absolute_error", "roc_auc")
STEPS = 100


def record_of(evaluation: int, metrics: tuple[str, ...]) -> dict[str, float]:
    """Return made-up figures of an evaluation, counted from 1: the validation loss is lowest at the 34th."""
    loss = math.exp(-evaluation / 12)
    record = {"iteration": evaluation * STEPS, "epoch": float(evaluation), "learning_rate": 0.1, "train_loss": loss}
    record["validation_loss"] = 0.2 + ((evaluation - 34) / 34) ** 2
    for split in ("train", "validation"):
        record |= {f"{split}_{name}": (1 - loss / 2) * 10 ** -(4 * (name == "f1")) for name in metrics}
    return record


def play(metrics: tuple[str, ...], evaluations: int, pause: float) -> None:
    """Show a training."""
    with Screen("made up", "runs/made up", clock=itertools.count(0, 75).__next__) as screen:
        screen.monitored(0, BestTracker("loss"))
        screen.started(0, evaluations * STEPS)
        for evaluation in range(1, evaluations + 1):
            screen.evaluated(0, record_of(evaluation, metrics), 0.0)
            screen.stepped(0, Progress(evaluation * STEPS, float(evaluation), evaluations * STEPS), 0.25)
        time.sleep(pause)
        screen.ended(0)
        test = {"loss": 0.25} | dict.fromkeys(metrics, 0.75)
        steps, folder = evaluations * STEPS, Path("runs/made up")
        run = Run(None, metrics={"test": test}, steps=steps, folder=folder, _compared=None, _trained=None)
        screen.finished(of_run(run))


if __name__ == "__main__":
    pause = float(sys.argv[3]) if len(sys.argv) > 3 else 0.0
    play(METRICS[: int(sys.argv[1])], int(sys.argv[2]), pause)
