"""What signals do to a run, wherever it is: real processes, real signals."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import mlpkit
from mlpkit.runs.folder import RunFolder

SPEC = """\
mlpkit: 1
name: signalled
data: acme.blobs
layers:
  - Affine: {units: 12}
  - acme.Restless
  - Affine: {units: 4}
  - SoftmaxWithLoss
training:
  optimizer: {sgd: {learning_rate: 0.05, momentum: 0.9}}
  batch_size: 16
  iterations: 20
  evaluate_every: 6
  metrics: [acme.mean_error]
  checkpoint: {every: 8}
  callbacks: [acme.remembering, csv_logger]
"""
PHASES = ("load", "forward", "backward", "save", "write", "evaluate")
"""To save is to copy what training changes; it is written while training goes on, up to the next time."""
LAST_STEPS = {"forward": {1}, "backward": {1}, "evaluate": {6}, "save": {9}, "write": range(8, 18)}
"""Last steps of a run that gets a signal in a phase; while a checkpoint is written, training goes on."""
SIGNALS = {"INT": (signal.SIGINT, 130), "TERM": (signal.SIGTERM, 143), "HUP": (signal.SIGHUP, 129)}


@pytest.fixture(scope="module")
def expected(acme, results, tmp_path_factory):
    """Return the result of the run without an interruption."""
    folder = tmp_path_factory.mktemp("whole")
    (folder / "spec.yaml").write_text(SPEC, encoding="utf-8")
    mlpkit.run(mlpkit.load_spec(folder / "spec.yaml", plugins=[acme]), folder / "run")
    return results(folder / "run")


@pytest.fixture
def dawdling(tmp_path, plugin_file):
    """Return a function that starts the program, waits until a phase has begun, and returns its process."""
    (tmp_path / "spec.yaml").write_text(SPEC, encoding="utf-8")
    processes = []

    def start(phase, seconds, verb=("run", "spec.yaml", "--out", "run")):
        process = subprocess.Popen(
            [sys.executable, "-m", "mlpkit", *verb, "--plugin", str(plugin_file), "--quiet"],
            stderr=subprocess.PIPE,
            cwd=tmp_path,
            env=os.environ | {"ACME_DAWDLE": f"{phase}:{seconds}", "OPENBLAS_NUM_THREADS": "1"},
            encoding="utf-8",
        )
        processes.append(process)
        if phase:
            assert process.stderr.readline() == f"{phase}\n"
        return process

    yield start
    for process in processes:
        process.kill()
        process.communicate()


def wait_until_taken(number, process):
    """Wait until the program has taken its first signal: one more before that would be the same one to the system."""
    status = Path(f"/proc/{process.pid}/status")
    if not status.exists():  # only Linux tells which signals are caught
        return
    deadline = time.monotonic() + 20
    while process.poll() is None and time.monotonic() < deadline:
        caught = next(line for line in status.read_text().splitlines() if line.startswith("SigCgt:"))
        if not int(caught.split()[1], 16) >> (number - 1) & 1:
            return
        time.sleep(0.01)


@pytest.mark.parametrize("phase", PHASES)
@pytest.mark.parametrize("name", SIGNALS)
def test_one_signal_ends_the_run_after_its_step_and_it_can_be_resumed(
    phase, name, dawdling, expected, results, tmp_path, plugin_file
):
    number, code = SIGNALS[name]
    process = dawdling(phase, 0.5)
    process.send_signal(number)
    assert process.communicate(timeout=20)[1] == ""
    assert process.returncode == code
    folder = tmp_path / "run"
    if phase == "load":
        assert not folder.exists()
        return
    assert RunFolder.open(folder).checkpoints.steps()[0] in LAST_STEPS[phase]
    assert mlpkit.resume(folder, plugins=[plugin_file]).steps == 20
    assert results(folder) == expected


@pytest.mark.parametrize("phase", PHASES)
def test_a_second_signal_ends_the_program_at_once_and_loses_only_what_was_not_saved(
    phase, dawdling, expected, results, tmp_path, plugin_file
):
    process = dawdling(phase, 30)
    process.send_signal(signal.SIGINT)
    wait_until_taken(signal.SIGINT, process)
    time.sleep(0.3)
    began = time.monotonic()
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=20)
    assert time.monotonic() - began < 5
    if phase == "load":  # the first signal ends it, unless the second comes before that is done
        assert process.returncode in (130, -signal.SIGINT)
    else:
        assert process.returncode == -signal.SIGINT
    folder = tmp_path / "run"
    if folder.exists() and RunFolder.open(folder).checkpoints.steps():
        assert mlpkit.resume(folder, plugins=[plugin_file]).steps == 20
        assert results(folder) == expected
    elif folder.exists():
        with pytest.raises(mlpkit.RunFolderError, match="it has no checkpoint yet; start a new run: mlpkit run"):
            mlpkit.resume(folder, plugins=[plugin_file])


@pytest.mark.parametrize("phase", ["load", "forward", "evaluate"])
def test_a_resumed_run_is_interrupted_and_resumed_again(phase, dawdling, expected, results, tmp_path):
    assert dawdling("forward", 0.3).send_signal(signal.SIGTERM) is None
    folder = tmp_path / "run"
    while not (folder / "checkpoints").is_dir() or (folder / "model.safetensors").exists() is False:
        time.sleep(0.05)
    time.sleep(0.3)
    again = dawdling(phase, 0.4, ("resume", "run"))
    again.send_signal(signal.SIGINT)
    assert again.wait(timeout=20) == 130
    last = dawdling("", 0, ("resume", "run"))
    assert last.wait(timeout=20) == 0
    assert results(folder) == expected
