"""``mlpkit sweep`` whose trials train several seeds, folds or members, in processes that are killed or not."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import time
from contextlib import suppress
from pathlib import Path

import pytest
from swept_folders import holders, trials_in, values_of, wait_for

SWEEP = """\
sweep:
  search:
    layers.Affine1.units: {low: 4, high: 16}
    training.optimizer.sgd.learning_rate: {low: 0.001, high: 0.5, log: true}
  maximize: validation_accuracy
  trials: TRIALS
"""
LONGER = {"iterations: 4": "iterations: 3000", "evaluate_every: 2": "evaluate_every: 500\n  checkpoint: {every: 250}"}
NOT_BYTES = {"timing.jsonl", "trial.json", ".lock", "report.html", "checkpoints"}


@pytest.fixture
def spec(work):
    """The tiny spec with a sweep of several networks a trial."""

    def write(several, trials, changes=None):
        text = Path("tiny.yaml").read_text() + f"{several}\n{SWEEP.replace('TRIALS', str(trials))}"
        for old, new in (changes or {}).items():
            assert old in text
            text = text.replace(old, new)
        Path("tiny.yaml").write_text(text)

    return write


def contents(folder):
    """All that the trials of a sweep came to, and its best."""
    found = {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(Path(folder).rglob("*"))
        if path.is_file() and not {path.name, path.parent.name} & NOT_BYTES and path.parent != Path(folder)
    }
    return found, values_of(folder), (Path(folder) / "best.yaml").read_text()


def test_a_sweep_of_two_seeds_a_trial(invoke, spec):
    """The objective is the mean; the end says what the best won by, and other commands know the folders."""
    spec("seeds: 2", 2)
    checked = invoke("check", "tiny.yaml").out
    assert "  sweep over layers.Affine1.units, training.optimizer.sgd.learning_rate\n" in checked
    done = invoke("sweep", "tiny.yaml", "--workers", 1)
    assert (done.code, done.err) == (0, "")
    folder = Path("runs/tiny")
    metrics = [json.loads((trial / "metrics.json").read_text()) for trial in trials_in(folder)]
    means = [each["validation"]["accuracy"]["mean"] for each in metrics]
    best = means.index(max(means))
    lines = done.out.splitlines()
    assert lines[best].startswith(f"trial {best}: validation_accuracy {means[best]:.4f}, the best so far;")
    lead = f"trial {best} leads trial {1 - best} by {abs(means[0] - means[1]):.4f}, "
    assert lines[-3].startswith(lead)
    assert "(seed by seed, paired t-test, 95 %: " in lines[-3]
    heading = (folder / "best.yaml").read_text().splitlines()[:2]
    assert heading[0].startswith(f"# The best of 2 finished trials: trial {best}, validation_accuracy")
    assert heading[1] == f"# In the sweep, {lines[-3]}."
    assert "seeds: 2" in (folder / "best.yaml").read_text()
    assert invoke("check", folder / "best.yaml").code == 0
    events = [json.loads(line) for line in invoke("sweep", "--resume", folder, "--json").out.splitlines()]
    told = events[-1]["lead"]
    assert (told["trial"], told["over"], told["paired_by"]) == (best, 1 - best, "seed")
    assert told["low"] <= told["by"] <= told["high"]
    assert told["beyond_chance"] is (told["p_value"] < 0.05)
    assert invoke("runs", "runs").out.count("tiny") >= 1
    assert invoke("compare", folder / "trial-0", folder / "trial-1").code == 0
    assert "give one of them: runs/tiny/trial-0" in invoke("predict", folder, "x.csv").err


@pytest.mark.long
@pytest.mark.parametrize("several", ["seeds: 2", "ensemble: {folds: 2}", "ensemble: {members: 2}"])
def test_twenty_kills_at_random_lose_nothing(several, started, invoke, spec):
    spec(several, 20, LONGER)
    assert invoke("sweep", "tiny.yaml", "--out", "plain", "--quiet", "--workers", 2).code == 0
    chance, kills = random.Random(several), 0
    while True:
        begun = Path("killed/sweep.yaml").exists()
        if not begun:
            shutil.rmtree("killed", ignore_errors=True)
        words = ("--resume", "killed") if begun else ("tiny.yaml", "--out", "killed")
        driver = started("sweep", *words, "--workers", 2, "--quiet")
        while driver.poll() is None:
            if chance.random() < 0.8:  # in the middle of a trial; otherwise at any time, while the driver starts, too
                wait_for(lambda driver=driver: driver.poll() is not None or holders("killed"))
            time.sleep(chance.uniform(0.01, 1))
            victims = [*holders("killed").values()] if chance.random() < 0.6 else [driver.pid]
            if kills < 20 and victims:
                kills += 1
                with suppress(ProcessLookupError):  # it has ended meanwhile
                    os.kill(chance.choice(victims), signal.SIGKILL)
        set_aside = [path for path in trials_in("killed") if (path / "failure.json").exists()]  # those killed twice
        if driver.returncode == 0 and not set_aside:
            break
        assert driver.returncode in (0, -signal.SIGKILL)
    assert kills == 20
    assert contents("killed") == contents("plain")
