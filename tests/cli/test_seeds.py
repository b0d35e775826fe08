"""``mlpkit run --seeds``, and what resume, evaluate and other commands do with such a folder."""

from __future__ import annotations

import json
import re
import signal
from pathlib import Path

import pytest

from mlpkit.errors import UsageError
from mlpkit.verbs.run.training import override_of


def cells(line):
    return re.split(r"\s{2,}", line.strip())


def events_of(text):
    return [json.loads(line) for line in text.splitlines()]


@pytest.fixture
def two(invoke, cwd):
    """Return what the training of two seeds printed."""
    done = invoke("run", "tiny.yaml", "--seeds", "2", "--set", "seed=4")
    assert (done.code, done.err) == (0, "")
    return done.out.splitlines()


def test_two_seeds(two, invoke, cwd):
    """One training, looked at from all sides: a line an evaluation, summary, folder, and what other commands say."""
    evaluations = [line.split()[:2] for line in two[1:] if re.match(r" +\d", line)]
    assert sorted(evaluations) == [["4", "2"], ["4", "4"], ["5", "2"], ["5", "4"]]
    assert two[0].split()[:4] == ["seed", "iteration", "epoch", "train_loss"]
    metrics = {seed: json.loads((cwd / f"runs/tiny/seed-{seed}/metrics.json").read_text())["test"] for seed in (4, 5)}
    for seed, test in metrics.items():
        assert f"seed {seed}: test loss {test['loss']:.4f}, accuracy {test['accuracy']:.4f}" in two
    at = next(i for i, line in enumerate(two) if "mean ± 95 %" in line)
    table = two[at:-1]
    assert cells(table[0]) == ["mean ± 95 %", "std", "runs"]
    loss = json.loads((cwd / "runs/tiny/metrics.json").read_text())["test"]["loss"]
    assert loss["mean"] == pytest.approx((metrics[4]["loss"] + metrics[5]["loss"]) / 2)
    shown = f"{loss['mean']:.4f} ± {(loss['high'] - loss['low']) / 2:.4f}"
    assert cells(table[1]) == ["test loss", shown, f"{loss['std']:.4f}", "2"]
    assert [cells(line)[0] for line in table[2:]] == [
        "test accuracy",
        *(f"{s} {m}" for s in ("validation", "train") for m in ("loss", "accuracy")),
    ]
    assert two[-1] == "saved in runs/tiny"
    names = [".lock", "metrics.json", "seed-4", "seed-5", "seeds.json"]
    assert sorted(path.name for path in (cwd / "runs/tiny").iterdir()) == names

    again = invoke("resume", "runs/tiny")
    assert (again.code, again.err) == (0, "runs/tiny: the runs are finished; nothing was left to do\n")
    assert again.out.splitlines() == two[at:]

    evaluated = invoke("evaluate", "runs/tiny", "--split", "test").out.splitlines()
    assert [cells(line) for line in evaluated] == [cells(line) for line in table[:3]]
    found = json.loads(invoke("evaluate", "runs/tiny", "--split", "test", "--json").out)
    assert found["seeds"] == {str(seed): {"test": test} for seed, test in metrics.items()}
    assert found["metrics"]["test"]["loss"] == pytest.approx(loss)

    for verb in (["predict", "runs/tiny", "x.npy"], ["repro", "runs/tiny"], ["export", "runs/tiny", "--to", "x.c"]):
        refused = invoke(*verb)
        assert refused.code == 2
        assert "holds the runs of several seeds; give one of them: runs/tiny/seed-4, runs/tiny/seed-5" in refused.err


def test_json_has_an_event_for_all_that_happens_and_a_run_that_fails_ends_with_1(invoke, cwd):
    """Seeds 1 and 2 fail: they are those that the plugin refuses."""
    Path("picky.py").write_text(
        '''\
from mlpkit import Callback, component, hookimpl


class Picky(Callback):
    """Refuses some runs.

    Source: none.
    """

    def on_evaluation(self, training, record):
        if str(training.folder).endswith(("-1", "-2")):
            raise ValueError("not this one")


@hookimpl
def mlpkit_components():
    return [component("callback", "picky", Picky)]
'''
    )
    sick = ("--set", "layers.Affine2.weights={normal: {std: 100}}")
    options = ("--plugin", "picky.py", "--set", "training.callbacks=[picky.picky]", "--json")
    done = invoke("run", "tiny.yaml", "--seeds", "2,1,5", *options, *sick)
    assert done.code == 1
    events = events_of(done.out)
    assert events[0] == {"event": "began", "seeds": [2, 1, 5]}
    of_five = [event["event"] for event in events if event.get("seed") == 5]
    assert [event for event in of_five if event != "symptom"] == ["started", "evaluation", "evaluation", "finished"]
    assert "first_weights_too_large" in {event["name"] for event in events if event["event"] == "symptom"}
    failed = {event["seed"]: event["error"] for event in events if event["event"] == "failed"}
    assert failed.keys() == {1, 2}
    assert "not this one" in failed[1]
    assert (events[-1]["event"], events[-1]["failed"], events[-1]["folder"]) == ("done", [1, 2], "runs/tiny")
    assert events[-1]["metrics"]["test"]["loss"]["n"] == 1
    first, second = sorted(done.err.splitlines(), key=len, reverse=True)[:2]
    assert "not this one" in first
    assert re.fullmatch(r"error: seed [12]: the same as seed [12]", second)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_stops_all_and_says_how_to_go_on(number, code, started, forever, cwd, invoke):
    process = started("run", "tiny.yaml", "--json", "--seeds", "2", *forever)
    while json.loads(process.stdout.readline())["event"] != "evaluation":
        pass
    process.send_signal(number)
    events = events_of(process.stdout.read())
    assert process.stderr.read().splitlines() == [
        f"stopped by {number.name}, with 0 of 2 runs finished; saved in runs/tiny",
        "resume it with: mlpkit resume runs/tiny",
    ]
    assert process.wait(timeout=20) == code
    assert events[-1] == {"event": "stopped", "reason": number.name, "folder": "runs/tiny"}
    assert not (cwd / "runs/tiny/metrics.json").exists()
    assert any((cwd / f"runs/tiny/seed-{seed}/checkpoints").exists() for seed in (0, 1))
    assert invoke("evaluate", "runs/tiny").err == (
        "error: runs/tiny: none of its runs is finished; resume it with: mlpkit resume runs/tiny\n"
    )


def test_a_killed_program_leaves_no_process_that_trains(started, forever, cwd):
    process = started("run", "tiny.yaml", "--json", "--seeds", "2", *forever)
    while (event := json.loads(process.stdout.readline()))["event"] != "evaluation":
        pass
    process.kill()
    process.wait()
    folder = cwd / f"runs/tiny/seed-{event['seed']}"
    from mlpkit.runs.writer_lock import WriterLock

    while WriterLock(folder / ".lock").another_writer():
        pass
    assert (folder / "checkpoints").exists()


def test_a_wrong_spec_leaves_nothing(invoke, cwd):
    done = invoke("run", "tiny.yaml", "--seeds", "2", "--set", "training.freeze=[Conv*]")
    assert done.code == 2
    assert not (cwd / "runs/tiny").exists()


@pytest.mark.parametrize(
    ("seeds", "override"), [("5", "seeds=5"), ("3,5,8", "seeds=[3, 5, 8]"), (" 03, 5", "seeds=[3, 5]")]
)
def test_the_option_stands_for_a_key(seeds, override):
    assert override_of(seeds) == override


@pytest.mark.parametrize("seeds", ["x", "", "1,", "-1", "1.5", "²"])
def test_another_text_is_wrong_usage(seeds):
    with pytest.raises(
        UsageError, match="expected a number of seeds, such as --seeds 5, or a list, such as --seeds 3,5,8"
    ):
        override_of(seeds)


def test_a_symptom_is_told_of_the_first_seed_that_has_it(invoke, cwd):
    dead = ("--set", "layers.Affine1.weights={normal: {std: 0.01, mean: -5.0}}")
    done = invoke("run", "tiny.yaml", "--seeds", "2", *dead)
    (note,) = done.err.splitlines()
    assert re.match(r"note: seed [01]: dead units in Relu1: 100 % of its 5 units ", note)
