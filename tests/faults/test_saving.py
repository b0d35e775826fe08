"""Whatever fails while something is saved, what was saved before is still there."""

from __future__ import annotations

import contextlib
import importlib.util
import signal
import sys
from pathlib import Path

import numpy as np
import pytest

import mlpkit
from mlpkit.errors import StorageError
from mlpkit.runs.files import remove_leftovers
from mlpkit.runs.folder import RunFolder

KINDS = ("ENOSPC", "full disk", "EIO", "EACCES", "short write", "interrupt")
SPEC = """\
mlpkit: 1
data: acme.blobs
layers:
  - Affine: {units: 4}
  - SoftmaxWithLoss
training:
  optimizer: {sgd: {learning_rate: 0.05, momentum: 0.9}}
  batch_size: 16
  iterations: 8
  evaluate_every: 3
  checkpoint: {every: 2, best: loss}
  callbacks: [csv_logger]
"""


@pytest.fixture(scope="session")
def failing_call():
    """Return the context manager in which a call of the system fails."""
    spec = importlib.util.spec_from_file_location("failing_calls", Path(__file__).with_name("failing_calls.py"))
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module.failing_call


@pytest.fixture
def folder(tmp_path):
    """Return the folder of a run with two checkpoints."""
    (tmp_path / "spec.yaml").touch()
    found = RunFolder.open(tmp_path)
    for step in (1, 2):
        found.checkpoints.save(step, *content(step), keep=2)
    return found


def content(step):
    return {"x": np.full(100, float(step))}, {"step": step}


def newest(folder):
    """Return the step of the newest checkpoint, none of which may be damaged."""
    damaged = []
    found = folder.checkpoints.load_newest(damaged.append)
    assert damaged == []
    step = found.metadata["step"]
    assert found.arrays["x"].tolist() == [float(step)] * 100
    return step


@pytest.mark.parametrize("kind", KINDS)
def test_a_checkpoint_whose_nth_call_fails(kind, folder, failing_call):
    outcomes = []
    for call in range(1, 100):
        with failing_call(kind, call) as made:
            try:
                folder.checkpoints.save(3, *content(3), keep=2)
                outcome = "saved"
            except (StorageError, KeyboardInterrupt, mlpkit.RunFolderError) as error:
                outcome = type(error).__name__
        if len(made) < call:
            break
        outcomes.append(outcome)
        assert newest(folder) == (3 if outcome == "saved" else newest(folder)) >= 2
        assert not list(folder.directory.rglob("*.tmp")), f"call {call}, {made[-1]}, left a temporary file"
        (folder.checkpoints.directory / "step-000000003.safetensors").unlink(missing_ok=True)
        folder.checkpoints.save(1, *content(1), keep=9)
        folder.checkpoints.save(2, *content(2), keep=2)
    assert len(outcomes) > 8, "too few calls were reached"
    failing = {"short write": set(), "interrupt": {"KeyboardInterrupt"}}.get(kind, {"StorageError", "RunFolderError"})
    assert set(outcomes) - {"saved"} <= failing
    assert (outcomes.count("saved") == len(outcomes)) == (kind == "short write")


def test_a_process_killed_at_the_nth_call(folder, server):
    for call in range(1, 100):
        pid = server.start(deed="save_dying", directory=folder.directory, call=call)
        code = server.wait(pid)["code"]
        if code == 0:
            break
        assert code == -signal.SIGKILL
        assert newest(folder) in (2, 3)
        (folder.checkpoints.directory / "step-000000003.safetensors").unlink(missing_ok=True)
        remove_leftovers(folder.checkpoints.directory)
        assert not list(folder.directory.rglob("*.tmp"))
        folder.checkpoints.save(1, *content(1), keep=9)
        folder.checkpoints.save(2, *content(2), keep=2)
    assert 8 < call < 99


def whole_runs(kind, calls, runs, results, failing_call):
    """Let the nth call of a whole run fail, for each n, and resume what there is."""
    together = runs(SPEC)
    expected = results(together.start())
    reached = resumed = 0
    for call in calls:
        out = together.folder / f"call{call}"
        ours = (StorageError, mlpkit.RunFolderError, KeyboardInterrupt)
        with contextlib.suppress(*ours), failing_call(kind, call) as made:
            together.start(out=out)
        if len(made) < call:
            break
        reached += 1
        assert not list(out.rglob("*.tmp")) if out.exists() else True
        if not (out / "checkpoints").is_dir() or not RunFolder.open(out).checkpoints.steps():
            continue
        together.resume(out)
        assert results(out) == expected, f"other bits after a failure at call {call}, {made[call - 1]}"
        resumed += 1
    return reached, resumed


@pytest.mark.parametrize("kind", KINDS)
def test_a_run_whose_nth_call_fails_for_some_n(kind, runs, results, failing_call):
    reached, resumed = whole_runs(kind, range(5 + KINDS.index(kind), 400, 9), runs, results, failing_call)
    assert reached > 10
    assert resumed > 5


@pytest.mark.long
@pytest.mark.parametrize("kind", KINDS)
def test_a_run_whose_nth_call_fails_for_every_n(kind, runs, results, failing_call):
    reached, resumed = whole_runs(kind, range(1, 400), runs, results, failing_call)
    assert reached > 100
    assert resumed > 60
