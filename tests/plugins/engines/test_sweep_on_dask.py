"""``mlpkit sweep --on dask``: the same sweep as with local workers, whatever is killed."""

from __future__ import annotations

import importlib.util
import os
import shutil
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest
from requirements import Optional, requires
from sweep_engines import LONGER, SWEEP
from swept_folders import contents, holders, swept_plainly, trials_in, wait_for

psutil = Optional("psutil")

needs_dask = requires(
    "packages", importlib.util.find_spec("distributed") is not None, 'needs Dask: pip install "mlpkit[dask]"'
)


@pytest.fixture
def spec(cwd, digits):
    """The tiny spec with a sweep, and a relative path: workers of a cluster were started elsewhere."""
    text = Path("tiny.yaml").read_text()
    Path("tiny.yaml").write_text(text.replace(str(digits), os.path.relpath(digits, cwd)) + SWEEP)


@pytest.fixture
def cluster(cwd, environment):
    """A function that starts a scheduler and two workers, and returns its address and the scheduler's process."""
    started = []

    def begin(*command):
        process = subprocess.Popen(
            [sys.executable, "-m", *command], cwd=cwd.parent, env=environment, stderr=subprocess.DEVNULL
        )
        started.append(process)
        return process

    def start(name="scheduler.json", workers=2):
        file = cwd.parent / name
        found = "--scheduler-file", str(file)
        scheduler = begin("distributed.cli.dask_scheduler", *found, "--port", "0", "--no-dashboard")
        for _ in range(workers):
            begin("distributed.cli.dask_worker", *found, "--nthreads", "1", "--no-dashboard")

        def ready():
            from distributed import Client

            with Client(scheduler_file=str(file), set_as_default=False) as client:
                return client.scheduler.address if len(client.nthreads()) == workers else ""

        wait_for(file.exists)
        return wait_for(ready), scheduler

    yield start
    for process in started:
        of_it = psutil.Process(process.pid).children(recursive=True)
        for each in (process, *of_it):  # a nanny would start its worker again
            with suppress(psutil.NoSuchProcess):
                each.kill()
        process.wait()


def in_the_middle(folder, beside=None):
    """Wait until a trial, beside one, has a checkpoint and is trained; return its folder and its process."""

    def found():
        trained = [(trial, pid) for trial, pid in holders(folder).items() if trial != beside]
        return next(((trial, pid) for trial, pid in trained if checkpoints(trial)), None)

    return wait_for(found)


def checkpoints(trial):
    return list((trial / "checkpoints").glob("*.safetensors"))


@needs_dask
@pytest.mark.usefixtures("spec")
def test_a_cluster_on_this_machine_does_the_same_sweep(invoke, mlpkit):
    plain = swept_plainly(invoke)
    done = mlpkit("sweep", "tiny.yaml", "--out", "swept", "--workers", 1, "--on", "dask")
    assert (done.code, done.err) == (0, "")
    assert contents("swept") == plain


@needs_dask
@pytest.mark.long
@pytest.mark.usefixtures("spec")
def test_killed_workers_lose_nothing(started, invoke, environment):
    """The process that trains a trial is killed, then a worker of Dask; it gives the trial to another, or gives up."""
    plain = swept_plainly(invoke, *LONGER)
    for env, said in (
        ({}, ""),
        ({"DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": "0"}, "ended with its Dask worker; it continues from"),
    ):
        words = ("tiny.yaml", "--out", "swept", "--workers", 2, "--on", "dask", "--json", *LONGER)
        driver = started("sweep", *words, env=environment | env)
        first, pid = in_the_middle("swept")
        os.kill(pid, signal.SIGKILL)
        name = first.name.replace("-", " ")
        assert (
            f"{name}: its process ended by SIGKILL; it continues from its last checkpoint" in driver.stderr.readline()
        )
        second, pid = in_the_middle("swept", beside=first)
        psutil.Process(pid).parent().kill()
        assert driver.wait(timeout=120) == 0
        noticed = driver.stderr.read()
        assert said in noticed
        assert bool(said) == (second.name.replace("-", " ") in noticed)
        assert contents("swept") == plain
        shutil.rmtree("swept")


@needs_dask
@pytest.mark.long
@pytest.mark.usefixtures("spec")
def test_a_killed_scheduler_and_a_killed_driver_lose_nothing(started, invoke, mlpkit, cluster):
    plain = swept_plainly(invoke, *LONGER)
    address, scheduler = cluster()
    first = started("sweep", "tiny.yaml", "--out", "swept", "--on", "dask", "--scheduler", address, *LONGER)
    in_the_middle("swept")
    scheduler.kill()
    assert first.wait(timeout=60) == 1
    folder = Path("swept").resolve()
    assert first.stderr.read() == (
        "error: the Dask scheduler has ended, or can't be reached any more; "
        f"resume with: mlpkit sweep --resume {folder}\n"
        "  note: the run so far is saved in swept\n"
    )
    address, _ = cluster("second.json")
    resume = ("sweep", "--resume", "swept", "--on", "dask", "--scheduler", address)
    second = started(*resume)
    in_the_middle("swept")
    second.kill()
    done = mlpkit(*resume)
    assert (done.code, done.err) == (0, "")
    assert contents("swept") == plain


@needs_dask
@pytest.mark.long
@pytest.mark.usefixtures("spec")
def test_ctrl_c_stops_the_trials_on_a_cluster(started, cluster, forever):
    address, _ = cluster(workers=1)
    driver = started("sweep", "tiny.yaml", "--on", "dask", "--scheduler", address, *forever)
    wait_for(lambda: holders("runs/tiny"))
    driver.send_signal(signal.SIGINT)
    assert driver.wait(timeout=60) == 130
    assert not holders("runs/tiny")
    assert len(checkpoints(trials_in("runs/tiny")[0])) == 1


@needs_dask
@pytest.mark.usefixtures("spec")
@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("nowhere", "'nowhere' is not the address of a Dask scheduler, such as tcp://192.0.2.1:8786"),
        ("tcp://127.0.0.1:9", "no Dask scheduler answers at tcp://127.0.0.1:9; start one: dask scheduler"),
    ],
)
def test_a_wrong_scheduler_is_named_before_anything_is_written(address, message, invoke, monkeypatch):
    monkeypatch.setattr("mlpkit_plugins.engines.dask_workers.LONGEST_WAIT", 0.2)
    done = invoke("sweep", "tiny.yaml", "--on", "dask", "--scheduler", address, "--out", "x")
    assert (done.code, done.err) == (2, f"error: {message}\n")
    assert not Path("x").exists()
