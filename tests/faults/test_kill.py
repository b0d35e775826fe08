"""A run that is killed at any moment can be resumed, and comes to the same bits."""

from __future__ import annotations

import os
import random
import signal
import time

import pytest

from mlpkit import RunFolderError
from mlpkit.runs.folder import RunFolder

SPEC = """\
mlpkit: 1
data: acme.blobs
layers:
  - Affine: {units: 12}
  - acme.Restless
  - Affine: {units: 4}
  - SoftmaxWithLoss
training:
  optimizer: {adam: {learning_rate: {one_cycle: {peak: 0.02}}}}
  batch_size: 16
  iterations: 120
  evaluate_every: 10
  checkpoint: {every: 1, best: loss}
  callbacks: [acme.remembering, csv_logger]
"""


@pytest.fixture
def begun(acme, server, tmp_path):
    """Return a function that begins a run in a process of its own, and how long a whole run takes."""
    spec = tmp_path / "spec.yaml"
    spec.write_text(SPEC, encoding="utf-8")

    def begin(out, deed="run", **arguments):
        return server.start(deed=deed, spec=spec, out=out, **arguments)

    began = time.monotonic()
    whole = tmp_path / "whole"
    assert server.wait(begin(whole))["code"] == 0
    return begin, whole, time.monotonic() - began


def kills(count, seed, begun, server, results, tmp_path, plugin_file):
    """Kill runs at random moments, resume each, and return how many had a checkpoint to go on from."""
    import mlpkit

    begin, whole, seconds = begun
    expected, draw, resumed = results(whole), random.Random(seed), 0
    for number in range(count):
        out = tmp_path / f"killed{number}"
        pid = begin(out)
        time.sleep(draw.uniform(0.05, 1.0) * seconds)
        os.kill(pid, signal.SIGKILL)
        server.wait(pid)
        try:
            folder = RunFolder.open(out)
            saved = folder.checkpoints.steps()
        except RunFolderError:  # killed before there was a folder
            continue
        if not saved:
            with pytest.raises(RunFolderError, match="it has no checkpoint yet"):
                mlpkit.resume(out, plugins=[plugin_file])
            continue
        damaged = []
        newest = folder.checkpoints.load_newest(damaged.append)
        assert damaged == [], "a checkpoint is damaged"
        assert newest.metadata["snapshot"]["step"] == saved[0]
        finished = folder.finished
        assert server.wait(server.start(deed="resume", out=out)) == {"code": 0, "words": ""}
        assert results(out) == expected, f"other bits after a kill, with checkpoints of {saved}"
        assert not [path for path in out.rglob("*.tmp") if not finished]
        resumed += 1
    return resumed


def test_twenty_kills_at_random_moments(begun, server, results, tmp_path, plugin_file):
    assert kills(20, 0, begun, server, results, tmp_path, plugin_file) >= 13


@pytest.mark.long
@pytest.mark.parametrize("seed", range(1, 6))
def test_five_hundred_kills_at_random_moments(seed, begun, server, results, tmp_path, plugin_file):
    assert kills(100, seed, begun, server, results, tmp_path, plugin_file) >= 70


def killed_at_calls(calls, begun, server, results, tmp_path):
    begin, whole, _ = begun
    expected = results(whole)
    for call in calls:
        out = tmp_path / f"call{call}"
        ended = server.wait(begin(out, "run_dying", call=call))
        assert ended["code"] in (0, -signal.SIGKILL), ended
        if not (out / "checkpoints").is_dir() or not RunFolder.open(out).checkpoints.steps():
            continue
        assert server.wait(server.start(deed="resume", out=out)) == {"code": 0, "words": ""}, call
        assert results(out) == expected, f"other bits after a kill at call {call}"


def test_killed_at_every_thirteenth_call_of_the_first_steps(begun, server, results, tmp_path):
    killed_at_calls(range(40, 140, 13), begun, server, results, tmp_path)


@pytest.mark.long
def test_killed_at_every_call_of_the_first_steps(begun, server, results, tmp_path):
    killed_at_calls(range(1, 250), begun, server, results, tmp_path)
