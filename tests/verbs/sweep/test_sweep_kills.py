"""A sweep whose processes are killed at random, on every engine, comes to what an undisturbed one does."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import time
from collections import Counter
from contextlib import closing, suppress
from pathlib import Path

import pytest
from sweep_engines import ENGINES, is_alive
from swept_folders import contents, holders, trials_in, wait_for

SWEEP = """\
sweep:
  search:
    training.optimizer: [sgd, adam]
    training.optimizer.learning_rate: {low: 0.001, high: 0.5, log: true}
    layers.Affine1.units: {low: 4, high: 16}
  maximize: validation_accuracy
  trials: 60
"""
LONGER = {"iterations: 4": "iterations: 3000", "evaluate_every: 2": "evaluate_every: 500\n  checkpoint: {every: 250}"}
KILLS = 20
SHARES = {"trial": 10, "driver": 5, "worker": 3, "scheduler": 2}
"""Of what is killed: the process that trains a trial, the driver, what a trial's process belongs to, a scheduler."""


SEVERAL = {"seeds": "seeds: 2\n", "members": "ensemble: {members: 2}\n", "folds": "ensemble: {folds: 2}\n"}


@pytest.mark.long
@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("name", ENGINES)
def test_twenty_kills_at_random_lose_nothing(name, seed, undergo):
    if lacking := ENGINES[name].lacks():
        pytest.skip(f"needs {', '.join(lacking)}")
    undergo(ENGINES[name], seed)


@pytest.mark.long
@pytest.mark.parametrize("several", SEVERAL)
def test_twenty_kills_at_random_lose_nothing_of_several_networks(several, undergo):
    undergo(ENGINES["local"], 0, {"trials: 60": "trials: 20"}, SEVERAL[several])


@pytest.fixture
def undergo(cwd, invoke, environment, program, tmp_path):
    """A function that does a sweep in peace, and again with kills on an engine; both must come to the same."""

    def do(kind, seed, changes=None, more=""):
        text = Path("tiny.yaml").read_text() + SWEEP + more
        for old, new in (LONGER | (changes or {})).items():
            assert old in text
            text = text.replace(old, new)
        Path("tiny.yaml").write_text(text)
        assert invoke("sweep", "tiny.yaml", "--out", "swept", "--quiet", "--workers", 2).code == 0
        plain, trials = contents("swept"), len(trials_in("swept"))
        shutil.rmtree("swept")
        with closing(kind(tmp_path, environment, program)) as engine:
            kills = killed_until_done(engine, random.Random(seed), trials)
        print(dict(kills))  # noqa: T201 - to see with -s what was killed
        said = Path("log").read_text()
        assert "internal error" not in said
        assert "Traceback" not in said
        assert kills.total() == KILLS
        assert contents("swept") == plain
        assert len(trials_in("swept")) == trials

    return do


def killed_until_done(engine, chance, trials):
    """Run a sweep on an engine, resume it after each kill, and return what was killed."""
    kills = Counter()
    with Path("log").open("w") as log:
        while True:
            engine.repair()
            driver = started(engine, log)
            try:
                while driver.poll() is None:
                    if kill_one(engine, driver, chance, kills, trials):
                        engine.repair()
            finally:
                driver.kill()
                driver.wait()
            set_aside = [path for path in trials_in("swept") if (path / "failure.json").exists()]  # those killed twice
            if driver.returncode == 0 and not set_aside:
                return kills


def started(engine, log):
    begun = Path("swept/sweep.yaml").exists()
    if not begun:
        shutil.rmtree("swept", ignore_errors=True)
    words = ("--resume", "swept") if begun else ("tiny.yaml", "--out", "swept")
    return subprocess.Popen(engine.command(*words, "--quiet"), env=engine.environment, stdout=log, stderr=log)


def pause(seconds, until_ended):
    """Wait some seconds, or until enough trials have ended: fast machines end all of them before the last kill."""
    end = time.monotonic() + seconds
    while time.monotonic() < end and len([*Path("swept").glob("trial-*/metrics.json")]) < until_ended:
        time.sleep(0.005)


def kill_one(engine, driver, chance, kills, trials):
    """Wait a while, and kill a process unless enough were; return whether it was."""
    if chance.random() < 0.8:  # in the middle of a trial; otherwise at any time, while the driver starts, too
        wait_for(lambda: driver.poll() is not None or holders("swept"), seconds=120)
    pause(chance.uniform(0.01, 1), until_ended=kills.total() * trials // 30)
    victims = engine.victims(driver, "swept") if kills.total() < KILLS else {}
    (what,) = chance.choices([*SHARES], [*SHARES.values()])
    if not victims.get(what):
        return False
    victim = chance.choice(victims[what])
    with suppress(ProcessLookupError):  # it has ended meanwhile
        os.kill(victim, signal.SIGKILL)
        kills[what] += 1
    wait_for(lambda: not is_alive(victim))
    return True
