"""``mlpkit resume``."""

from __future__ import annotations

import errno
import json
import os
import re
import shlex

import pytest

STOPPING = '''\
import os, signal
from mlpkit import Callback, component, hookimpl


class Stop(Callback):
    """Sends this process a signal after a step, unless the environment says otherwise."""

    def on_step(self, training, loss):
        if training.progress.step == int(os.environ.get("STOP_AT", "0")):
            os.kill(os.getpid(), signal.SIGINT)


@hookimpl
def mlpkit_components():
    return [component("callback", "stop", Stop)]
'''
PLUGIN = ("--plugin", "stopping.py")
SPEC = ("run", "tiny.yaml", "--out", "run", "--set", "training.callbacks=[stopping.stop]", *PLUGIN)


@pytest.fixture
def stopped(cwd, invoke):
    """Stop the tiny run after its third step of four."""
    (cwd / "stopping.py").write_text(STOPPING)
    done = invoke(*SPEC, env={"STOP_AT": "3"})
    assert (done.code, done.err.splitlines()) == (
        130,
        ["stopped after step 3 by SIGINT; saved in run", "resume it with: mlpkit resume run"],
    )
    return cwd / "run"


def test_lines(stopped, invoke, cwd):
    done = invoke("resume", "run", *PLUGIN)
    assert (done.code, done.err) == (0, "resuming after step 3\n")
    heading, evaluation, test, kept = done.out.splitlines()
    assert heading.split()[0] == "iteration"
    assert evaluation.split()[0] == "4"
    assert test.startswith("test ")
    assert kept == "saved in run"
    history = [json.loads(line)["iteration"] for line in (stopped / "history.jsonl").read_text().splitlines()]
    assert history == [2, 4]


def test_json(stopped, invoke):
    done = invoke("resume", "run", *PLUGIN, "--json")
    assert (done.code, done.err) == (0, "")
    events = [json.loads(line) for line in done.out.splitlines()]
    assert [event["event"] for event in events] == ["resumed", "started", "evaluation", "done"]
    assert events[0] == {"event": "resumed", "step": 3}
    assert events[1] == {"event": "started", "steps": 4}


def test_quiet_tells_of_a_damaged_checkpoint_all_the_same(stopped, invoke):
    done = invoke("resume", "run", *PLUGIN, "--quiet", "--json")
    assert (done.code, done.err) == (2, "error: --quiet and --json can't both be given\n")
    (stopped / "checkpoints/step-000000001.safetensors").write_bytes(
        (stopped / "checkpoints/step-000000003.safetensors").read_bytes()
    )
    (stopped / "checkpoints/step-000000003.safetensors").write_bytes(b"")
    done = invoke("resume", "run", *PLUGIN, "--quiet")
    assert (done.code, done.out) == (0, "")
    assert re.fullmatch(
        r"warning: run/checkpoints/step-000000003\.safetensors: is damaged: .*; "
        r"the run continues from the checkpoint of step 3 instead\n",
        done.err,
    )


def test_a_finished_run_is_left_alone_and_reported_again(stopped, invoke):
    first = invoke("resume", "run", *PLUGIN)
    done = invoke("resume", "run", *PLUGIN)
    assert (done.code, done.err) == (0, "run: the run is finished; to train longer: mlpkit resume run --iterations 8\n")
    assert done.out.splitlines() == first.out.splitlines()[-2:]


def test_a_finished_run_of_epochs_is_trained_for_longer_by_epochs(invoke):
    epochs = ("--set", "training.iterations=null", "--set", "training.epochs=3")
    assert invoke("run", "tiny.yaml", "--out", "a run", "--quiet", *epochs).code == 0
    assert invoke("resume", "a run", "--quiet").err == ""
    told = invoke("resume", "a run").err
    assert told == "a run: the run is finished; to train longer: mlpkit resume 'a run' --epochs 6\n"


def test_a_changed_spec_is_refused(stopped, invoke):
    resolved = stopped / "resolved.yaml"
    resolved.write_text(resolved.read_text().replace("learning_rate: 0.1", "learning_rate: 0.2"))
    done = invoke("resume", "run", *PLUGIN)
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith("error: run: can't be resumed: what it depends on has changed since step 3:\n")
    assert "learning_rate: 0.2" in done.err


def test_a_resumed_run_can_be_interrupted_again(stopped, invoke):
    done = invoke("resume", "run", *PLUGIN, env={"STOP_AT": "4"})
    assert (done.code, done.err.splitlines()[-1]) == (130, "resume it with: mlpkit resume run")
    assert invoke("resume", "run", *PLUGIN).code == 0


def test_on_a_terminal_the_bar_goes_on_where_it_was(stopped, terminal):
    screen = terminal("resume", "run", *PLUGIN)
    assert screen.wait_for_end() == 0
    assert "resuming after step 3" in [line.strip() for line in screen.lines()]
    assert re.fullmatch(r"saved in run, after \d+ s", screen.lines()[-2])


def test_a_folder_that_is_not_a_run(cwd, invoke):
    done = invoke("resume", "nothing")
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith("error: nothing: no such folder; expected the folder of a run")


def test_a_finished_run_is_trained_for_longer_by_the_command_that_resume_names(cwd, invoke):
    assert invoke("run", "tiny.yaml", "--no-report").code == 0
    done = invoke("resume", "runs/tiny")
    way = done.err.removeprefix("runs/tiny: the run is finished; to train longer: mlpkit ").split()
    assert way == ["resume", "runs/tiny", "--iterations", "8"]
    longer = invoke(*way, "--no-report")
    assert (longer.code, longer.err.splitlines()[0]) == (0, "resuming after step 4")
    assert longer.out.splitlines()[-1] == "saved in runs/tiny-2"
    history = [json.loads(line)["iteration"] for line in (cwd / "runs/tiny-2/history.jsonl").read_text().splitlines()]
    assert history == [2, 4, 6, 8]
    for arguments, fault in (
        (("--iterations", "3"), "runs/tiny: 3 steps in all is not more than the 4 already done; give more"),
        (("--out", "x"), "expected either --epochs N or --iterations N, to train a finished run for longer"),
    ):
        refused = invoke("resume", "runs/tiny", *arguments)
        assert (refused.code, refused.err) == (2, f"error: {fault}\n")
    assert [folder.name for folder in sorted((cwd / "runs").iterdir())] == ["tiny", "tiny-2"]


@pytest.mark.parametrize(
    ("checkpoints", "kept"),
    [
        ("{every: 3}", "the checkpoint of step 3 is kept; mlpkit resume 'a run' continues from there"),
        ("null", "no checkpoint is kept; mlpkit run 'a run/resolved.yaml' trains again"),
    ],
)
def test_a_run_whose_model_cannot_be_written_says_how_to_get_it(checkpoints, kept, cwd, invoke, monkeypatch):
    arguments = ("run", "tiny.yaml", "--set", f"training.checkpoint={checkpoints}", "--out")
    assert invoke(*arguments, "whole").code == 0
    replace = os.replace

    def full(source, target):
        if target.name == "model.safetensors":
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        replace(source, target)

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", full)
        patch.setattr("mlpkit.jobs.run_recorder.SECONDS_FOR_ROOM", 0)
        done = invoke(*arguments, "a run")
    assert (done.code, done.err.splitlines()[1]) == (1, f"  note: {kept}, and writes the model")

    again = shlex.split(re.search(r"mlpkit (.*) (continues|trains)", kept)[1])
    assert invoke(*again, *(("--out", "again") if again[0] == "run" else ())).code == 0
    model = cwd / ("again" if again[0] == "run" else "a run") / "model.safetensors"
    assert model.read_bytes() == (cwd / "whole/model.safetensors").read_bytes()
