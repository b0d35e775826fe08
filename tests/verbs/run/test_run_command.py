"""``mlpkit run``, in a pipe; for signals see test_interrupt.py, for terminals training/test_screen.py."""

from __future__ import annotations

import json
import os
import re
import resource
import subprocess
import sys
from types import SimpleNamespace

import pytest
from drawn_screen import DrawnScreen

from mlpkit.verbs.run.training import note_slow_components

FILES = {
    ".lock",
    "history.jsonl",
    "lock.json",
    "metrics.json",
    "model.safetensors",
    "resolved.yaml",
    "run.json",
    "spec.yaml",
    "timing.jsonl",
    "health.jsonl",
}


def _names(folder):
    return {path.name for path in folder.iterdir()}


def test_a_run_prints_a_line_an_evaluation_and_the_outcome(cwd, mlpkit):
    done = mlpkit("run", "tiny.yaml")
    assert (done.code, done.err) == (0, "")
    heading, first, second, best, test, folder = done.out.splitlines()
    assert heading.split() == [
        "iteration",
        "epoch",
        "train_loss",
        "validation_loss",
        "train_accuracy",
        "validation_accuracy",
    ]
    assert len(heading) == len(first) == len(second)
    history = [json.loads(line) for line in (cwd / "runs/tiny/history.jsonl").read_text().splitlines()]
    for line, record in zip((first, second), history, strict=True):
        shown = dict(zip(heading.split(), map(float, line.split()), strict=True))
        assert shown == {key: pytest.approx(record[key], abs=6e-3) for key in shown}
    metrics = json.loads((cwd / "runs/tiny/metrics.json").read_text())["test"]
    value, iteration = min((record["validation_loss"], record["iteration"]) for record in history)
    assert best == f"best validation loss {value:.4f}, at iteration {iteration}"
    assert test == f"test loss {metrics['loss']:.4f}, accuracy {metrics['accuracy']:.4f}"
    assert folder == "saved in runs/tiny"
    assert _names(cwd / "runs/tiny") >= FILES


def test_the_same_spec_prints_the_same_text(invoke):
    first, second = (invoke("run", "tiny.yaml", "--out", f"out/{i}") for i in range(2))
    assert first.out.replace("out/0", "out/1") == second.out


def test_json_is_an_event_a_line(cwd, mlpkit):
    done = mlpkit("run", "tiny.yaml", "--json")
    assert (done.code, done.err) == (0, "")
    events = [json.loads(line) for line in done.out.splitlines()]
    history = [json.loads(line) for line in (cwd / "runs/tiny/history.jsonl").read_text().splitlines()]
    assert events == [
        {"event": "started", "steps": 4},
        *({"event": "evaluation", **record} for record in history),
        {
            "event": "done",
            "steps": 4,
            "metrics": json.loads((cwd / "runs/tiny/metrics.json").read_text()),
            "folder": "runs/tiny",
        },
    ]


ENDING = """\
from mlpkit import Callback, component, hookimpl

class Enough(Callback):
    def on_evaluation(self, training, record):
        training.stop("it is good enough")

@hookimpl
def mlpkit_components():
    return [component("callback", "enough", Enough)]
"""


def test_a_run_that_a_callback_ended_is_finished_and_says_why(cwd, invoke):
    (cwd / "ending.py").write_text(ENDING)
    options = ("tiny.yaml", "--set", "training.callbacks=[ending.enough]", "--plugin", "ending.py")
    done = invoke("run", *options)
    assert (done.code, done.err) == (0, "")
    assert done.out.splitlines()[2] == "stopped early, after step 2: it is good enough"
    assert done.out.splitlines()[3].startswith("test loss ")
    last = json.loads(invoke("run", *options, "--json").out.splitlines()[-1])
    assert (last["event"], last["steps"], last["reason"]) == ("done", 2, "it is good enough")


def test_a_time_takes_the_place_of_a_number_of_steps(invoke):
    options = ("--set", "training.iterations=null", "--set", "training.seconds=0.05")
    done = invoke("run", "tiny.yaml", *options, "--json")
    assert (done.code, done.err) == (0, "")
    first, *_, last = [json.loads(line) for line in done.out.splitlines()]
    assert first == {"event": "started", "steps": None}
    assert (last["event"], last["reason"]) == ("done", "the time of 0.05 s is over")


def test_quiet_prints_nothing_but_errors(cwd, invoke):
    done = invoke("run", "tiny.yaml", "--quiet")
    assert (done.code, done.out, done.err) == (0, "", "")
    assert _names(cwd / "runs/tiny") >= FILES
    assert invoke("run", "missing.yaml", "--quiet").err != ""


def test_quiet_and_json_exclude_each_other(invoke):
    done = invoke("run", "tiny.yaml", "--quiet", "--json")
    assert (done.code, done.err) == (2, "error: --quiet and --json can't both be given\n")


def test_folders_are_numbered_and_named_after_the_spec(cwd, invoke):
    outs = [invoke("run", "tiny.yaml", "--set", "name=other").out for _ in range(3)]
    assert [out.splitlines()[-1] for out in outs] == [
        f"saved in runs/{name}" for name in ("other", "other-2", "other-3")
    ]


def test_overrides_are_part_of_the_run(cwd, invoke):
    invoke("run", "tiny.yaml", "--set", "training.iterations=6", "--set", "layers.Affine1.units=3")
    history = (cwd / "runs/tiny/history.jsonl").read_text().splitlines()
    assert [json.loads(line)["iteration"] for line in history] == [2, 4, 6]
    assert "units: 3" in (cwd / "runs/tiny/resolved.yaml").read_text()


def test_a_chosen_folder_is_made_with_its_parents(cwd, invoke):
    done = invoke("run", "tiny.yaml", "--out", "a/ж/c")
    assert done.out.endswith("saved in a/ж/c\n")
    assert not (cwd / "runs").exists()
    again = invoke("run", "tiny.yaml", "--out", "a/ж/c")
    assert (again.code, again.out) == (2, "")
    assert again.err.startswith("error: a/ж/c: holds ")
    assert _names(cwd / "a/ж/c") >= FILES


def test_runs_lie_where_the_program_was_started(cwd, invoke, monkeypatch):
    (cwd / "elsewhere").mkdir()
    monkeypatch.chdir(cwd / "elsewhere")
    assert invoke("run", "../tiny.yaml").code == 0
    assert (cwd / "elsewhere/runs/tiny/model.safetensors").is_file()


@pytest.mark.parametrize(
    ("override", "code"),
    [
        ("training.batch_size=0", 2),  # a wrong value
        ("data.mnist.flatten=false", 2),  # a wrong shape
        ("data.mnist.directory=nowhere", 2),  # no data
    ],
)
def test_a_run_that_never_began_leaves_no_folder(override, code, cwd, invoke):
    done = invoke("run", "tiny.yaml", "--set", override)
    assert (done.code, done.out) == (code, "")
    assert not list((cwd / "runs").glob("*"))


def test_data_that_turns_out_to_be_damaged_leaves_no_folder(cwd, digits, invoke):
    copies = cwd / "copies"
    copies.mkdir()
    for file in digits.iterdir():
        (copies / file.name).write_bytes(file.read_bytes())
    labels = copies / "train-labels-idx1-ubyte"
    labels.write_bytes(labels.read_bytes()[:-1] + b"\x63")  # a label that is no class
    done = invoke("run", "tiny.yaml", "--set", f"data.mnist.directory={copies}")
    assert (done.code, done.out) == (1, "")
    assert done.err.startswith("error: ")
    assert not list((cwd / "runs").glob("*"))


def test_a_run_that_diverges_keeps_what_there_is(cwd, mlpkit):
    done = mlpkit("run", "tiny.yaml", "--set", "training.optimizer.sgd.learning_rate=1e30")
    assert done.code == 1
    symptom, error, kept = done.err.splitlines()
    assert symptom.startswith("note: diverging: the loss is no longer finite; try ")
    assert error.startswith("error: training diverged: ")
    assert kept == "  note: the run so far is saved in runs/tiny"
    assert (cwd / "runs/tiny/model.safetensors").is_file()


def test_a_run_that_diverges_at_once_can_be_looked_into(cwd, invoke):
    done = invoke("run", "tiny.yaml", "--quiet", "--set", "training.optimizer={adam: {learning_rate: 1e38}}")
    assert (done.code, done.err.splitlines()[-1]) == (1, "  note: the run so far is saved in runs/tiny")
    assert not (cwd / "runs/tiny/model.safetensors").exists()
    assert invoke("doctor", "runs/tiny").out.startswith("diverging\n")


def test_a_layers_own_mistake_is_shown_without_a_traceback(mlpkit):
    layers = "layers=[acme.Broken, Affine: {units: 10}, SoftmaxWithLoss]"
    done = mlpkit("run", "tiny.yaml", "--plugin", "acme.py", "--set", layers)
    assert done.code == 1
    assert "acme's own mistake" in done.err
    assert "Traceback" not in done.err


def test_a_folder_that_cant_be_made_is_an_error(cwd, invoke):
    for out in ("tiny.yaml", "tiny.yaml/below", "/proc/mlpkit"):
        done = invoke("run", "tiny.yaml", "--out", out)
        assert done.code in (1, 2)
        assert done.out == ""
        assert re.match(rf"error: {out}: .+; ", done.err)


@pytest.mark.skipif(os.geteuid() == 0, reason="the administrator may write everywhere")
def test_a_folder_that_is_read_only_is_an_error(cwd, invoke):
    cwd.chmod(0o555)
    try:
        done = invoke("run", "tiny.yaml")
    finally:
        cwd.chmod(0o755)
    assert done.code == 1
    assert done.err.startswith("error: runs")


def test_a_full_disk_is_an_error(mlpkit, cwd):
    def limit_files():
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))

    done = mlpkit("run", "tiny.yaml", preexec_fn=limit_files, env={"PYTHONDONTWRITEBYTECODE": "1"})
    assert done.code == 1
    assert re.match(r"error: runs/tiny/\S+: can't be written: File too large; ", done.err)
    assert "Traceback" not in done.err
    assert not list((cwd / "runs/tiny").glob(".mlpkit-*"))


def test_a_reader_that_leaves_ends_the_run_in_silence_and_the_model_is_kept(environment, forever, cwd, invoke):
    command = f"set -o pipefail; {sys.executable} -m mlpkit run tiny.yaml {' '.join(forever)} | head -1"
    done = subprocess.run(
        ["bash", "-c", command],
        env=environment,
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    assert (done.returncode, done.stderr) == (141, "")
    assert done.stdout.split()[0] == "iteration"
    assert invoke("evaluate", "runs/tiny").code == 0


SLOW = """
from mlpkit import component, hookimpl
from mlpkit_plugins.layers.relu import Relu

class Slow(Relu):
    slow_because = "it is made of wood; buy one of steel"

@hookimpl
def mlpkit_components():
    return [component("layer", "Slow", Slow), component("layer", "Slower", Slow)]
"""


def test_a_run_in_a_pipe_does_not_say_what_could_compute_faster(cwd, invoke):
    (cwd / "abacus.py").write_text(SLOW)
    (cwd / "slow.yaml").write_text((cwd / "tiny.yaml").read_text().replace("- Relu", "- abacus.Slow"))
    assert "faster" not in invoke("run", "slow.yaml", "--plugin", "abacus.py").err


def test_on_a_terminal_it_says_so_before_the_first_step(cwd, terminal):
    (cwd / "abacus.py").write_text(SLOW)
    (cwd / "slow.yaml").write_text((cwd / "tiny.yaml").read_text().replace("- Relu", "- abacus.Slow"))
    screen = terminal("run", "slow.yaml", "--plugin", "abacus.py", columns=120)
    assert screen.wait_for_end() == 0
    lines = screen.lines()
    note = next(i for i, line in enumerate(lines) if line.startswith("note: abacus.Slow could compute faster"))
    assert note < next(i for i, line in enumerate(lines) if line.split()[:1] == ["iteration"])


def test_components_of_several_specs_are_named_once_for_each_reason(monkeypatch, capsys):
    reasons = ({"no compiler": ("Relu", "sgd"), "made of wood": ("Slow",)}, {"no compiler": ("sgd", "adam")})
    specs = [SimpleNamespace(registry=SimpleNamespace(slow_because=lambda each=each: each)) for each in reasons]
    wanted = SimpleNamespace(quiet=False)
    note_slow_components(specs, wanted)
    monkeypatch.setattr(sys, "stderr", None)
    note_slow_components(specs, wanted)
    drawn = DrawnScreen(monkeypatch)
    note_slow_components(specs, SimpleNamespace(quiet=True))
    assert (capsys.readouterr(), drawn.lines()) == (("", ""), [""])
    note_slow_components(specs, wanted)
    assert drawn.lines() == [
        "note: Relu, sgd, adam could compute faster: no compiler",
        "note: Slow could compute faster: made of wood",
    ]
