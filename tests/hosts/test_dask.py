"""A sweep over three hosts, one of which is cut off in the middle, and comes back or doesn't."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from sweep_engines import SWEEP
from swept_folders import contents, holders, wait_for

import mlpkit

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(
        importlib.util.find_spec("distributed") is None, reason='needs Dask: pip install "mlpkit[dask]"'
    ),
]
DELAYED = '''\
import os
import time

from mlpkit import Layer, component, hookimpl


class Delayed(Layer):
    """Hands on its inputs, y = x, after as many seconds as the environment says."""

    def forward(self, x):
        time.sleep(float(os.environ.get("SECONDS_OF_A_STEP", "0")) if self.training else 0)
        return x

    def backward(self, dy):
        return dy


@hookimpl
def mlpkit_components():
    return [component("layer", "Delayed", Delayed)]
'''
SECONDS_OF_A_STEP = 0.02
LOST_AFTER = 12
"""Seconds after which Dask takes a connection for lost; its default is 30."""

LONGEST = 300
"""Seconds that a sweep may take; a trial takes at least 40, so that one on a lost host is stopped in the middle."""

LEFT_ALONE = 60
"""Seconds after which nothing runs on a host that was cut off: its worker ends, and before it the training."""


@pytest.fixture
def spec(folder):
    text = Path("spec.yaml").read_text() + SWEEP
    for before, after in {
        "  - Relu\n": "  - Relu\n  - delayed.Delayed\n",
        "iterations: 120": "iterations: 2000",
        "evaluate_every: 60": "evaluate_every: 500",
        "every: 10}": "every: 50}",
        "  slices: 3\n": "",
    }.items():
        text = text.replace(before, after)
    Path("spec.yaml").write_text(text)
    Path("delayed.py").write_text(DELAYED)


@pytest.fixture
def address(hosts):
    """The address of the scheduler on the first host."""
    return f"tcp://{hosts.addresses['node-a']}:8786"


@pytest.fixture
def dask(begin):
    """A function that starts a part of the cluster on a host."""

    def start(part, host, *arguments, lost_after=LOST_AFTER):
        patience = {"DASK_DISTRIBUTED__COMM__TIMEOUTS__TCP": f"{lost_after}s"}
        command = [sys.executable, "-m", f"distributed.cli.dask_{part}", "--host", host, "--no-dashboard", *arguments]
        begin(host, *command, **patience, SECONDS_OF_A_STEP=str(SECONDS_OF_A_STEP))

    return start


@pytest.fixture
def work(hosts, dask, address):
    """A function that starts a worker on a host."""
    dask("scheduler", "node-a")
    return lambda host, **patience: dask("worker", host, address, "--nthreads", 1, **patience)


def trained_on(hosts, name):
    """The trials that a host trains, by the numbers of the processes."""
    there = hosts.processes(name)
    return {pid: trial for trial, pid in holders("swept").items() if str(pid) in there}


def others_of(trained, pid):
    return [trial for process, trial in trained.items() if process != pid]


def has_checkpoint(trial):
    return any((trial / "checkpoints").glob("step-*"))


def wait_for_workers(hosts, address, count):
    """Wait until a cluster has ``count`` workers."""
    code = f"from distributed import Client; Client({address!r}).wait_for_workers({count}, timeout=60)"
    subprocess.run(hosts.command("node-a", sys.executable, "-c", code), check=True)


@pytest.mark.usefixtures("spec")
@pytest.mark.parametrize("comes_back", ["never", "at once", "as another worker"])
def test_a_sweep_that_loses_a_host_goes_on(comes_back, hosts, begin, work, address):
    mlpkit.sweep(mlpkit.load_spec("spec.yaml", plugins=["delayed.py"]), "swept", workers=1)
    plain = contents("swept")
    shutil.rmtree("swept")
    work("node-b", lost_after=LOST_AFTER if comes_back == "never" else 3 * LOST_AFTER)  # after the scheduler noticed
    work("node-c")
    program = [sys.executable, "-m", "mlpkit", "sweep", "spec.yaml", "--plugin", "delayed.py", "--out", "swept"]
    wait_for_workers(hosts, address, 2)
    driver = begin("node-a", *program, "--on", "dask", "--scheduler", address, "--quiet")
    wait_for(lambda: any(map(has_checkpoint, trained_on(hosts, "node-b").values())))
    ((pid, trial),) = trained_on(hosts, "node-b").items()
    hosts.cut("node-b")
    if comes_back == "at once":
        time.sleep(1)
        hosts.mend("node-b")
    if comes_back == "as another worker":
        time.sleep(LOST_AFTER + 3)
        hosts.mend("node-b")
        work("node-b")
    if comes_back != "at once":
        goes_on_at = "node-c" if comes_back == "never" else "node-b"
        wait_for(lambda: trial in others_of(trained_on(hosts, goes_on_at), pid), LONGEST)
    assert driver.wait(timeout=LONGEST) == 0
    assert driver.stderr.read() == ""
    assert contents("swept") == plain
    if comes_back == "never":
        wait_for(lambda: not hosts.processes("node-b"), LEFT_ALONE)
