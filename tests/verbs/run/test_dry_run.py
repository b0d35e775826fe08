"""``mlpkit run --dry-run``: an estimate of what a run costs, compared with what it does cost."""

from __future__ import annotations

import json
import os
import sys
from time import perf_counter

import pytest

from mlpkit.verbs.run.dry_run import Cost, _Clock, _lines

SLOW = ("--plugin", "acme.py", "--set", "layers.Relu1={acme.Slow: {seconds: 0.01}}")
"""Options with which a step and each minibatch of an evaluation take 10 ms and little more, whatever the machine."""


@pytest.fixture
def estimate(invoke):
    """Return a function that returns what a dry run prints as JSON."""

    def run(*arguments):
        done = invoke("run", *arguments, "--dry-run", "--json")
        assert done.code == 0, done.err
        return json.loads(done.out)

    return run


def sizes_in(folder, pattern):
    return [path.stat().st_size for path in folder.glob(pattern)]


def test_it_prints_an_estimate_and_writes_nothing(mlpkit, cwd):
    before = sorted(cwd.rglob("*"))
    done = mlpkit("run", "tiny.yaml", "--dry-run")
    assert (done.code, done.err) == (0, "")
    steps, *rest = done.out.splitlines()
    assert steps.startswith("tiny.yaml: 4 steps of ")
    assert ", 3 evaluations of " in steps
    assert [line.partition(": ")[0] for line in rest] == ["time", "memory", "disk"]
    assert sorted(cwd.rglob("*")) == before


def test_time_is_that_of_a_run(invoke, estimate):
    long = (*SLOW, "--set", "training.iterations=200", "--set", "training.evaluate_every=50")
    found = estimate("tiny.yaml", *long)
    (spec,) = found["specs"]
    assert (spec["steps"], spec["evaluations"]) == (200, 5)
    assert spec["seconds_per_step"] == pytest.approx(0.011, rel=0.5)
    began = perf_counter()
    assert invoke("run", "tiny.yaml", "--quiet", *long).code == 0
    assert found["seconds"] == pytest.approx(perf_counter() - began, rel=0.5)


def test_disk_is_that_of_a_run(invoke, estimate, cwd):
    kept = ("--set", "training.checkpoint={every: 1, keep: 3, best: loss}", "--set", "layers.Affine1.units=4000")
    found = estimate("tiny.yaml", *kept)
    assert invoke("run", "tiny.yaml", "--quiet", *kept).code == 0
    files = sizes_in(cwd / "runs/tiny", "**/*.safetensors")
    assert len(files) == 5
    assert found["disk"] == pytest.approx(sum(files), rel=0.05)
    assert estimate("tiny.yaml", *kept[2:])["disk"] == pytest.approx(min(files), rel=0.05)
    rare = ("--set", "training.checkpoint={every: 3, keep: 3}", *kept[2:])
    assert estimate("tiny.yaml", *rare)["disk"] == pytest.approx(2 * min(files), rel=0.05)


@pytest.mark.parametrize(
    ("checkpoint", "files"),
    [
        ("{every_epochs: 1, keep: 3}", 2),  # of three steps, in a run of four
        ("{every_epochs: 2, keep: 3}", 1),
        ("{every: 5, best: loss}", 2),
        ("{every: 5, every_epochs: 1, best: loss}", 3),
        ("{every_seconds: 1.0e-9, keep: 3}", 4),
        ("{every_seconds: 1.0e+9, keep: 3}", 1),
    ],
)
def test_disk_has_the_checkpoints_that_there_will_be(checkpoint, files, estimate):
    large = ("tiny.yaml", "--set", "layers.Affine1.units=2000")
    found = estimate(*large, "--set", f"training.checkpoint={checkpoint}")["disk"]
    assert found == pytest.approx(files * estimate(*large, "--set", "training.checkpoint=null")["disk"], rel=0.02)


def test_time_is_that_of_steps_and_evaluations_and_of_opening_the_data(estimate):
    (found,) = estimate("tiny.yaml", *SLOW, "--set", "training.iterations=5")["specs"]
    steps, evaluations = 5 * found["seconds_per_step"], 4 * found["seconds_per_evaluation"]
    assert (found["steps"], found["evaluations"]) == (5, 4)
    assert 0 < found["seconds"] - steps - evaluations < found["seconds"] - max(steps, evaluations)


def test_memory_is_that_of_a_run(mlpkit, started):
    large = ("--set", "layers.Affine1.units=100000", "--set", "training.batch_size=2", "--set", "training.iterations=2")
    found = json.loads(mlpkit("run", "tiny.yaml", "--dry-run", "--json", *large).out)
    _, status, used = os.wait4(started("run", "tiny.yaml", "--quiet", *large).pid, 0)
    assert status == 0
    assert found["memory"] == pytest.approx(used.ru_maxrss * (1 if sys.platform == "darwin" else 1024), rel=0.3)


def test_several_runs_cost_several_times_as_much(estimate, cwd):
    (cwd / "other.yaml").write_text((cwd / "tiny.yaml").read_text().replace("units: 5", "units: 50"))
    one = estimate("tiny.yaml")
    seeds = estimate("tiny.yaml", "--seeds", "3", "--workers", "1")
    assert (one["runs"], one["at_once"]) == (1, 1)
    assert (seeds["runs"], seeds["at_once"]) == (3, 1)
    assert seeds["disk"] == 3 * one["disk"]
    assert seeds["seconds"] == pytest.approx(3 * seeds["specs"][0]["seconds"])
    shared = estimate("tiny.yaml", "--seeds", "3", "--workers", "3")
    assert shared["at_once"] == 3
    assert shared["memory"] > 2 * one["memory"]
    assert shared["seconds"] == pytest.approx(shared["specs"][0]["seconds"])
    both = estimate("tiny.yaml", "other.yaml")
    assert [spec["spec"] for spec in both["specs"]] == ["tiny.yaml", "other.yaml"]
    assert both["runs"] == 2
    assert both["disk"] > 5 * one["disk"]


def test_an_ensemble_keeps_each_network_twice(invoke, estimate, cwd):
    large = ("--set", "layers.Affine1.units=4000", "--set", "ensemble.members=2")
    found = estimate("tiny.yaml", *large)
    assert found["runs"] == 2
    assert invoke("run", "tiny.yaml", "--quiet", *large).code == 0
    assert found["disk"] == pytest.approx(sum(sizes_in(cwd / "runs/tiny", "**/*.safetensors")), rel=0.05)


def test_a_time_limit_is_the_time(estimate):
    (spec,) = estimate("tiny.yaml", *SLOW, "--set", "training.iterations=null", "--set", "training.seconds=20")["specs"]
    assert spec["seconds"] == pytest.approx(20, rel=0.1)
    assert spec["steps"] == pytest.approx(
        20 / (spec["seconds_per_step"] + spec["seconds_per_evaluation"] / 2), rel=0.01
    )


@pytest.mark.parametrize(
    ("options", "code", "exit_code"),
    [
        (("layers.Affine1.unit=5",), "unknown-key", 2),
        (("training.optimizer.sgd.learning_rate=1e30", "training.iterations=50"), "diverged", 1),
    ],
)
def test_what_would_fail_fails(options, code, exit_code, invoke):
    done = invoke("run", "tiny.yaml", "--dry-run", "--json", *(word for each in options for word in ("--set", each)))
    assert done.code == exit_code
    assert [problem["code"] for problem in json.loads(done.out)["problems"]] == [code]


def test_callbacks_are_left_out_and_early_stopping_may_end_a_run_earlier(estimate, invoke, cwd):
    code = "from mlpkit import Callback, component, hookimpl\n\n\nclass Writer(Callback):\n"
    code += "    def on_start(self, training):\n        open(training.folder / 'mine.txt', 'x').close()\n\n\n"
    code += "@hookimpl\ndef mlpkit_components():\n    return [component('callback', 'writer', Writer)]\n"
    (cwd / "own.py").write_text(code)
    options = ("--plugin", "own.py", "--set", "training.callbacks=[own.writer]", "--set", "training.iterations=300")
    stopping = ("--set", "training.early_stopping={patience: 1}")
    assert estimate("tiny.yaml", *options, *stopping)["specs"][0]["steps"] == 300
    assert invoke("run", "tiny.yaml", "--quiet", *options).code == 0
    assert (cwd / "runs/tiny/mine.txt").exists()


def test_what_it_prints():
    """Below ten seconds with milliseconds, above without."""
    costs = [Cost("a.yaml", 3, 1234, 5, 0.0025, 0.5, 8.0, 10, 2), Cost("b.yaml", 1, 20, 1, 1.5, 0.02, 30.0, 10, 2)]
    total = {"runs": 4, "at_once": 2, "seconds": 9.5, "memory": 2_500_000_000, "disk": 1_300_000}
    assert [*_lines(costs, total)] == [
        "a.yaml: 3 runs, each of 1,234 steps of 2.5 ms, 5 evaluations of 500 ms",
        "b.yaml: 20 steps of 1.5 s, 1 evaluation of 20 ms",
        "time: about 9.5 s, 4 runs, 2 at once",
        "memory: about 2.5 GB",
        "disk: 1.3 MB",
    ]
    assert [*_lines(costs[1:], total | {"runs": 1, "seconds": 65.0})][1] == "time: about 1 min 05 s"


@pytest.mark.parametrize(
    ("times", "step"), [([0, 9], 9), ([0, 9, 10], 1), ([0, 7, 8, 10, 13], 2.5), ([0, 5, 6, 7, 8, 9], 1)]
)
def test_the_first_half_of_the_steps_does_not_count(times, step):
    clock = _Clock()
    clock._times = times
    assert clock.of_step == step
