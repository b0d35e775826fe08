"""What a run folder holds, by name."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Final

from mlpkit.errors import RunFolderError
from mlpkit.runs.files import file_hash, reading_error

SPEC: Final = "spec.yaml"
RESOLVED: Final = "resolved.yaml"
RUN_JSON: Final = "run.json"
LOCK: Final = "lock.json"
HISTORY: Final = "history.jsonl"
TIMING: Final = "timing.jsonl"
METRICS: Final = "metrics.json"
HEALTH: Final = "health.jsonl"
FAILURE: Final = "failure.json"
MODEL: Final = "model.safetensors"
CHECKPOINTS: Final = "checkpoints"
WRITER: Final = ".lock"
REPORT: Final = "report.html"
CARD: Final = "card.md"
CARD_JSON: Final = "card.json"
TRIAL: Final = "trial.json"
BACKGROUND: Final = "background.safetensors"
"""Training rows that explanations compare with; written once a prediction is explained."""
STATISTICS: Final = "statistics.json"
"""Counts of the columns in training; written once new rows are compared with them."""
OWN_NAMES: Final = (
    *(SPEC, RESOLVED, RUN_JSON, LOCK, HISTORY, TIMING, HEALTH, METRICS, FAILURE, TRIAL, CHECKPOINTS, MODEL, REPORT),
    *(BACKGROUND, STATISTICS, CARD, CARD_JSON),
)
"""What a run folder has of its own, beside hidden files; no callback may use these names."""

SEEDS: Final = "seeds.json"
"""What makes a folder that of the runs of several seeds, and not a run itself."""

SWEEP: Final = "sweep.yaml"
"""What makes a folder that of a sweep, beside the run folders of its trials: the spec that they are made from."""
BEST: Final = "best.yaml"
PROGRESS: Final = "progress.json"
STOP: Final = ".stop"
"""The file by which another process asks the driver of a sweep to stop."""

MEMBERS: Final = "members"
"""The folder with a run folder for each network of an ensemble, which makes a run that of an ensemble."""
SPREAD: Final = "spread.json"
OUT_OF_FOLD: Final = "out_of_fold.csv"

SPLITS: Final = ("test", "validation", "train")
"""The splits that results are for, in the order in which people look for them."""

_CHECKPOINT: Final = re.compile(r"step-(\d{9,})\.safetensors")
"""The name of a checkpoint, with the steps done."""


def checkpoint_steps(folder: Path) -> list[int]:
    """Return the steps that the checkpoints in a folder were saved after, the last first; none without a folder."""
    try:
        names = os.listdir(folder)  # noqa: PTH208 - names are all that is needed
    except FileNotFoundError:
        return []
    except OSError as error:
        raise reading_error(folder, error, RunFolderError, action="listed") from error
    return sorted((int(found[1]) for name in names if (found := _CHECKPOINT.fullmatch(name))), reverse=True)


def has_file(directory: Path, name: str) -> bool:
    """Whether a file is in a folder; a folder that can't be looked into, as its name is too long, has none."""
    try:
        return (directory / name).is_file()
    except OSError:
        return False


RESULTS: Final = (HISTORY, METRICS, MODEL)
"""The files of a run folder that the same spec, seed and versions give the same bytes."""


def result_hashes(directory: Path) -> dict[str, str | None]:
    """Return the SHA-256 of each result of a run, None for one that is not there, or raise ``RunFolderError``."""
    return {name: file_hash(directory / name) for name in RESULTS}
