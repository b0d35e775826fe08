"""What the tests on several hosts share: the hosts, a small training, and a way to start programs there."""

from __future__ import annotations

import os
import subprocess

import numpy as np
import pytest
from several_hosts import SeveralHosts, why_not

DELAY = 0.002
"""Seconds that each frame takes from host to host."""

LOSS = 0.01
"""The share of frames that are lost."""

SPEC = """\
mlpkit: 1
name: shared
data: {csv: {file: points.csv, target: kind}}
layers:
  - Affine: {units: 8}
  - Relu
  - Affine: {units: 3}
  - SoftmaxWithLoss
training:
  optimizer: {adam: {learning_rate: 0.01}}
  batch_size: 30
  iterations: 120
  evaluate_every: 60
  metrics: [accuracy]
  checkpoint: {every: 10}
  slices: 3
  threads: 1
"""


@pytest.fixture
def hosts(tmp_path_factory):
    """Three hosts on a bad network, on which nothing runs."""
    reason = why_not()
    if reason:
        pytest.skip(f"can't make hosts on this machine: {reason}")
    found = SeveralHosts(["node-a", "node-b", "node-c"], tmp_path_factory.mktemp("hosts"), delay=DELAY, loss=LOSS)
    yield found
    found.close()


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The folder to work in, with data and a spec; all hosts share it."""
    monkeypatch.chdir(tmp_path)
    points = np.random.default_rng(0).normal(size=(300, 3)).round(2)
    lines = (f"{x},{y},{z},{'abc'[int(x > y) + int(y > z)]}" for x, y, z in points)
    (tmp_path / "points.csv").write_text("\n".join(["x,y,z,kind", *lines]), encoding="utf-8")
    (tmp_path / "spec.yaml").write_text(SPEC, encoding="utf-8")
    return tmp_path


@pytest.fixture
def begin(hosts, folder):
    """A function that starts a command on a host, and returns its process, which ends with the test at the latest."""
    processes = []

    def start(host, *words, **variables):
        process = subprocess.Popen(
            hosts.command(host, *words),
            env={**os.environ, "OPENBLAS_NUM_THREADS": "1", **variables},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        processes.append(process)
        return process

    yield start
    hosts.close()
    for process in processes:
        process.communicate(timeout=10)
