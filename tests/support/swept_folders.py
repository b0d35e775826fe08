"""What the folders of sweeps hold, and which processes train there."""

from __future__ import annotations

import json
import shutil
import time
from pathlib import Path

from mlpkit.runs.writer_lock import WriterLock

RESULTS = {
    "spec.yaml",
    "resolved.yaml",
    "run.json",
    "lock.json",
    "history.jsonl",
    "health.jsonl",
    "metrics.json",
    "model.safetensors",
    "seeds.json",
    "spread.json",
    "out_of_fold.csv",
}


def trials_in(folder):
    return sorted(Path(folder).glob("trial-*"), key=lambda path: int(path.name[6:]))


def values_of(folder):
    return {path.name: json.loads((path / "trial.json").read_text())["values"] for path in trials_in(folder)}


def contents(folder):
    """All that the trials of a sweep came to, with each of their networks, and its best."""
    found = {
        str(path.relative_to(folder)): path.read_bytes()
        for trial in trials_in(folder)
        for path in trial.rglob("*")
        if path.name in RESULTS
    }
    best = (Path(folder) / "best.yaml").read_text()
    return found, values_of(folder), best


def holders(folder):
    """The processes that train now, by the folder of the trial."""
    found = {path: WriterLock(path / ".lock").another_writer() for path in trials_in(folder)}
    return {path: writer.pid for path, writer in found.items() if writer and writer.pid}


def wait_for(condition, seconds=60):
    end = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < end
        time.sleep(0.005)
    return found


def swept_plainly(invoke, *options):
    """Return what local workers make of ``tiny.yaml``, in the folder that another engine's have afterwards."""
    assert invoke("sweep", "tiny.yaml", "--out", "swept", "--quiet", "--workers", 2, *options).code == 0
    plain = contents("swept")
    shutil.rmtree("swept")
    return plain
