"""``mlpkit sweep``, in processes that are killed and in one that isn't."""

from __future__ import annotations

import json
import os
import re
import signal
from pathlib import Path

import pytest
from swept_folders import contents, holders, trials_in, values_of, wait_for

SWEEP = """\
sweep:
  search:
    training.optimizer: [sgd, adam]
    training.optimizer.learning_rate: {low: 0.001, high: 0.5, log: true}
    layers.Affine1.units: {low: 4, high: 16}
  maximize: validation_accuracy
  trials: 5
"""
LONGER = {"iterations: 4": "iterations: 3000", "evaluate_every: 2": "evaluate_every: 500\n  checkpoint: {every: 250}"}


@pytest.fixture
def spec(cwd):
    """The tiny spec with a sweep, and what changes it."""

    def write(changes=None, sweep=SWEEP, name="tiny.yaml"):
        text = Path("tiny.yaml").read_text().partition("sweep:")[0] + sweep
        for old, new in (changes or {}).items():
            assert old in text
            text = text.replace(old, new)
        Path(name).write_text(text)
        return name

    return write


def test_a_sweep(invoke, spec):
    """One sweep, looked at from all sides: a line a trial, table, folder, best, and what other commands say."""
    spec()
    checked = invoke("check", "tiny.yaml").out
    assert "  sweep over training.optimizer, training.optimizer.learning_rate, layers.Affine1.units\n" in checked
    done = invoke("sweep", "tiny.yaml", "--workers", 2, "--report")
    assert (done.code, done.err) == (0, "")
    *lines, last = done.out.splitlines()
    assert last == "report in runs/tiny/report.html"
    begins = [
        re.match(r"trial (\d): validation_accuracy 0\.\d{4}( \(best 0\.\d{4}, trial \d\)|, the best so far);", line)
        for line in lines[:5]
    ]
    assert sorted(found[1] for found in begins) == list("01234")
    assert lines[-2:] == ["the best, ready to run: runs/tiny/best.yaml", "saved in runs/tiny"]
    folder = Path("runs/tiny")
    names = [
        ".lock",
        "best.yaml",
        "progress.json",
        "report.html",
        "sweep.yaml",
        *(f"trial-{number}" for number in range(5)),
    ]
    assert sorted(path.name for path in folder.iterdir()) == names
    assert (folder / "sweep.yaml").exists()
    metrics = [json.loads((path / "metrics.json").read_text()) for path in trials_in(folder)]
    accuracies = [each["validation"]["accuracy"] for each in metrics]
    best = accuracies.index(max(accuracies))
    assert lines[5].split() == [
        "trial",
        "validation_accuracy",
        "optimizer",
        "learning_rate",
        "units",
    ]
    assert lines[6].split()[:2] == [str(best), f"{max(accuracies):.4f}"]

    by_hand = [f"--set={key}={value}" for key, value in values_of(folder)[f"trial-{best}"].items()]
    threads = "--set=training.threads=1"
    assert invoke("run", "tiny.yaml", *by_hand, threads, "--out", "hand", "--quiet").code == 0
    assert invoke("run", folder / "best.yaml", threads, "--out", "best", "--quiet").code == 0
    trial = folder / f"trial-{best}"
    for name in ("resolved.yaml", "history.jsonl", "metrics.json", "model.safetensors"):
        assert (trial / name).read_bytes() == Path("hand", name).read_bytes() == Path("best", name).read_bytes()

    again = invoke("sweep", "--resume", "runs/tiny")
    assert again.code == 0
    assert again.out.splitlines() == lines[5:]
    more = invoke("sweep", "--resume", "runs/tiny", "--add-trials", 2, "--json")
    events = [json.loads(line) for line in more.out.splitlines()]
    assert events[0] == {"event": "began", "planned": 7, "over": [0, 1, 2, 3, 4], "workers": events[0]["workers"]}
    assert sorted(event["trial"] for event in events if event["event"] == "trial") == [5, 6]
    assert (events[-1]["event"], len(events[-1]["trials"]), events[-1]["folder"]) == ("done", 7, "runs/tiny")
    assert len(trials_in(folder)) == 7

    listed = invoke("runs", "runs/tiny")
    assert listed.out.count("finished") == 7
    resumed = invoke("resume", "runs/tiny", "--quiet")
    assert (resumed.code, resumed.err) == (0, "")
    refused = invoke("resume", "runs/tiny", "--live")
    assert (refused.code, "for a sweep, leave it out: mlpkit live runs/tiny" in refused.err) == (2, True)
    refused = invoke("resume", "runs/tiny", "--epochs", 3)
    assert (refused.code, "runs/tiny: has several runs; --epochs" in refused.err) == (2, True)
    assert "holds the trials of a sweep; give one of them: runs/tiny/trial-0" in invoke("evaluate", "runs/tiny").err


def test_a_killed_worker_and_a_killed_driver_lose_nothing(started, invoke, spec):
    """A worker is killed in the middle of a trial, then the driver; the result is that of the undisturbed sweep."""
    spec({**LONGER, "trials: 5": "trials: 3"})
    assert invoke("sweep", "tiny.yaml", "--out", "plain", "--quiet", "--workers", 1).code == 0
    driver = started("sweep", "tiny.yaml", "--out", "killed", "--workers", 1, "--json")
    trial, pid = wait_for(lambda: next(iter(holders("killed").items()), None))
    wait_for(lambda: list((trial / "checkpoints").glob("*.safetensors")))
    os.kill(pid, signal.SIGKILL)
    assert (
        f"{trial.name.replace('-', ' ')}: its process ended by SIGKILL; it continues from its last checkpoint"
        in driver.stderr.readline()
    )
    wait_for(lambda: len(trials_in("killed")) > 1 and list((trials_in("killed")[-1] / "checkpoints").glob("*")))
    driver.kill()
    driver.wait()
    again = invoke("sweep", "tiny.yaml", "--out", "killed")
    way = "mlpkit sweep --resume killed"
    assert again.err == f"error: killed: holds a sweep already; resume it with {way}, or choose another folder\n"
    resumed = invoke("resume", "killed", "--json")
    events = [json.loads(line) for line in resumed.out.splitlines()]
    assert (resumed.code, events[-1]["event"]) == (0, "done")
    assert contents("killed") == contents("plain")


def test_ctrl_c_stops_all_and_says_how_to_go_on(started, spec, forever, invoke):
    spec()
    process = started("sweep", "tiny.yaml", "--json", *forever)
    wait_for(lambda: holders("runs/tiny"))
    second = invoke("sweep", "--resume", "runs/tiny")
    assert (second.code, "is writing to it; wait until that is done" in second.err) == (2, True)
    process.send_signal(signal.SIGINT)
    events = [json.loads(line) for line in process.stdout.read().splitlines()]
    assert process.stderr.read().splitlines() == [
        "stopped by SIGINT, with 0 trials done; saved in runs/tiny",
        "resume it with: mlpkit sweep --resume runs/tiny",
    ]
    assert process.wait(timeout=20) == 130
    assert (events[-1]["event"], events[-1]["reason"]) == ("stopped", "SIGINT")
    assert not holders("runs/tiny")


def test_a_trial_that_hangs_goes_on_in_another_process(started, spec):
    spec({**LONGER, "trials: 5": "trials: 2\n  timeout: 1"})
    driver = started("sweep", "tiny.yaml", "--out", "swept", "--workers", 1, "--quiet")
    trial, pid = wait_for(lambda: next(iter(holders("swept").items()), None))
    wait_for(lambda: list((trial / "checkpoints").glob("*.safetensors")))
    os.kill(pid, signal.SIGSTOP)
    _, said = driver.communicate(timeout=60)
    ended = f"{trial.name.replace('-', ' ')}: its process ended after 1 s without progress"
    assert f"{ended}; it continues from its last checkpoint" in said
    assert driver.returncode == 0
    assert all((trial / "metrics.json").exists() for trial in trials_in("swept"))


def test_a_weak_trial_ends_early_keeps_its_checkpoint_and_can_go_on(invoke, spec):
    """Six good rates, then one that learns nothing: it is worse than the median at its first evaluation."""
    rates = ", ".join(str(0.1 + i / 100) for i in range(6))
    search = f"sweep:\n  search: {{training.optimizer.sgd.learning_rate: [{rates}, 1.0e-7]}}\n  sampler: grid\n"
    spec({"iterations: 4": "iterations: 60", "evaluate_every: 2": "evaluate_every: 20"}, f"{search}  prune: median\n")
    done = invoke("sweep", "tiny.yaml", "--workers", 1)
    assert done.code == 0
    assert "trial 6: pruned; training.optimizer.sgd.learning_rate=1.0e-07" in done.out
    assert "1 trial pruned: 6" in done.err
    folder = Path("runs/tiny/trial-6")
    assert json.loads((folder / "failure.json").read_text()) == {
        "message": "pruned (median) after step 20",
        "state": "pruned",
        "steps": 20,
    }
    assert [path.name for path in (folder / "checkpoints").iterdir()] == ["step-000000020.safetensors"]
    assert "pruned" in invoke("runs", "runs/tiny").out
    assert invoke("resume", folder, "--quiet").code == 0
    threads = "--set=training.threads=1"
    alone = ("--set", "training.optimizer.sgd.learning_rate=1.0e-7", threads, "--out", "alone", "--quiet")
    assert invoke("run", "tiny.yaml", *alone).code == 0
    assert (folder / "model.safetensors").read_bytes() == Path("alone/model.safetensors").read_bytes()
    resumed = invoke("sweep", "--resume", "runs/tiny")
    assert "pruned" not in resumed.err


def test_a_trial_that_kills_its_worker_twice_is_set_aside(invoke, spec):
    Path("deadly.py").write_text(
        '''\
import os
import signal

from mlpkit import Callback, component, hookimpl


class Deadly(Callback):
    """Kills some runs.

    Source: none.
    """

    def on_step(self, training, loss):
        if training.resolved()["layers.0.Affine.units"] == 6:
            os.kill(os.getpid(), signal.SIGKILL)


@hookimpl
def mlpkit_components():
    return [component("callback", "deadly", Deadly)]
'''
    )
    search = "sweep:\n  search: {layers.Affine1.units: [5, 6, 7]}\n  sampler: grid\n"
    spec({"metrics: [accuracy]": "metrics: [accuracy]\n  callbacks: [deadly.deadly]"}, search)
    done = invoke("sweep", "tiny.yaml", "--plugin", "deadly.py", "--workers", 2)
    assert done.code == 1
    assert "error: trial 1: set aside: 2 processes died training it, the last by SIGKILL" in done.err
    assert "1 trial failed: 1" in done.err
    again = invoke("sweep", "--resume", "runs/tiny", "--plugin", "deadly.py")
    assert again.code == 1
    assert "error: trial 1: set aside: 2 processes died training it, the last by SIGKILL" in again.err


def test_a_sweep_with_failed_trials_has_failed(invoke, spec):
    Path("clumsy.py").write_text(
        '''\
from mlpkit import Callback, component, hookimpl


class Clumsy(Callback):
    """Fails.

    Source: none.
    """

    def on_step(self, training, loss):
        if training.resolved()["seed"] > 0:
            raise RuntimeError("no idea")


@hookimpl
def mlpkit_components():
    return [component("callback", "clumsy", Clumsy)]
'''
    )
    search = "sweep:\n  search: {seed: {low: 0, high: 3}}\n  sampler: grid\n"
    spec({"metrics: [accuracy]": "metrics: [accuracy]\n  callbacks: [clumsy.clumsy]"}, search)
    done = invoke("sweep", "tiny.yaml", "--plugin", "clumsy.py", "--workers", 1)
    assert done.code == 1
    assert "3 trials failed: 1, 2, 3" in done.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "expected a spec, to start a sweep, or one of --resume DIR, --status DIR and --stop DIR"),
        (
            ("tiny.yaml", "--resume", "x"),
            "expected a spec, to start a sweep, or one of --resume DIR, --status DIR and --stop DIR",
        ),
        (
            ("tiny.yaml", "--add-trials", 3),
            "--add-trials goes with --resume DIR; a spec sets its own number of trials",
        ),
        (("--resume", "x", "--set", "seed=3"), "--set can't change a sweep that has started; start another"),
        (("--resume", "x"), "x: no such folder; expected a folder that mlpkit sweep created"),
        (
            ("--resume", "."),
            ".: holds no sweep.yaml, so it is not a sweep; expected a folder that mlpkit sweep created",
        ),
        (("tiny.yaml",), "tiny.yaml: has no section sweep, which sets what to vary; see mlpkit docs sweeps"),
    ],
)
def test_wrong_usage(arguments, message, invoke, cwd):
    done = invoke("sweep", *arguments)
    assert (done.code, done.err) == (2, f"error: {message}\n")
    assert not (cwd / "runs/tiny").exists()


def test_a_sweep_on_a_terminal_has_a_table(terminal, spec):
    spec()
    shown = terminal("sweep", "tiny.yaml", "--workers", 1, columns=120)
    shown.wait_until_shown("1 of 5 trials, 1 training")
    assert any(line.startswith("trial  validation_accuracy") for line in shown.lines())
    assert shown.wait_for_end() == 0
    lines = shown.lines()
    assert lines[0] == "tiny  runs/tiny"
    assert lines[1].split()[:2] == ["trial", "validation_accuracy"]
    assert lines[-3:-1] == ["the best, ready to run: runs/tiny/best.yaml", "saved in runs/tiny"]
    assert lines[-1].startswith("after ")
