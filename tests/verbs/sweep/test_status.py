"""``mlpkit sweep --status`` and ``--stop``, beside a driver at work and beside none."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

import loans_sweep
import pytest
from swept_folders import holders, wait_for

import mlpkit
from mlpkit.errors import UsageError
from mlpkit.runs.writer_lock import WriterLock
from mlpkit.verbs.sweep.folder import SweepFolder
from mlpkit.verbs.sweep.specs import text_for_folder
from mlpkit.verbs.sweep.trial import train_trial

SWEEP = """\
sweep:
  search: {layers.Affine1.units: [4, 5, 6]}
  sampler: grid
  maximize: validation_accuracy
"""
GO_ON = "resume it with: mlpkit sweep --resume runs/tiny\n"


@pytest.fixture
def spec(cwd):
    Path("tiny.yaml").write_text(Path("tiny.yaml").read_text() + SWEEP)


@pytest.fixture
def at_rest(spec):
    """A sweep of three finished trials."""
    with SweepFolder.create(
        Path("runs/tiny"), text_for_folder(mlpkit.load_spec("tiny.yaml"), Path("runs/tiny"))
    ) as kept:
        for number, units in enumerate((4, 5, 6)):
            train_trial(kept.begin(number, {"layers.Affine1.units": units}, 0.0).directory)


@pytest.mark.usefixtures("spec")
def test_a_sweep_at_work_is_looked_at_and_stopped(started, forever, invoke):
    driver = started("sweep", "tiny.yaml", *forever, "--workers", 1)
    wait_for(lambda: holders("runs/tiny"))
    shown = invoke("sweep", "--status", "runs/tiny")
    assert (shown.code, shown.err) == (0, "")
    progress, spent, by = shown.out.splitlines()
    assert progress == "0 of 3 trials done, 1 running"
    assert spent.startswith("at work for ")
    assert by == f"driver: process {driver.pid} on {socket.gethostname()}"
    status = json.loads(invoke("sweep", "--status", "runs/tiny", "--json").out)
    assert status["driver"] == {"pid": driver.pid, "host": socket.gethostname()}
    assert (status["planned"], status["counts"], status["best"]) == (3, {"running": 1}, None)
    assert driver.poll() is None

    stopped = invoke("sweep", "--stop", "runs/tiny")
    assert stopped.code == 0
    assert stopped.err == (
        f"asking process {driver.pid} to stop, and waiting until its trials are saved\nruns/tiny: stopped; {GO_ON}"
    )
    assert not holders("runs/tiny")
    assert driver.wait(timeout=20) == 130  # as by Ctrl-C
    assert "stopped by mlpkit sweep --stop, with 0 trials done; saved in runs/tiny\n" in driver.stderr.read()
    assert list(Path("runs/tiny/trial-0/checkpoints").iterdir())
    assert invoke("sweep", "--status", "runs/tiny").out.splitlines()[::2] == [
        "0 of 3 trials done, 1 stopped",
        f"no driver is running; {GO_ON.strip()}",
    ]
    again = invoke("sweep", "--stop", "runs/tiny")
    assert (again.code, again.err) == (0, f"runs/tiny: no driver is running; {GO_ON}")


@pytest.mark.usefixtures("at_rest")
def test_a_sweep_at_rest_is_left_as_it_is(invoke):
    folder = Path("runs/tiny")
    before = {path: (path.stat().st_mtime_ns, path.stat().st_size) for path in folder.rglob("*")}
    lines = invoke("sweep", "--status", folder).out.splitlines()
    assert lines[0].split() == ["trial", "validation_accuracy", "units"]
    assert (lines[4], lines[6]) == ("3 of 3 trials done, 3 finished", "no driver is running, and no trial is left")
    status = json.loads(invoke("sweep", "--status", folder, "--json").out)
    assert (status["driver"], status["counts"]) == (None, {"finished": 3})
    metrics = {n: json.loads((folder / f"trial-{n}/metrics.json").read_text()) for n in range(3)}
    best = status["best"]
    assert best["results"]["validation_accuracy"] == max(each["validation"]["accuracy"] for each in metrics.values())
    assert best["values"] == json.loads((folder / f"trial-{best['trial']}/trial.json").read_text())["values"]
    assert json.loads(invoke("sweep", "--stop", folder, "--json").out) == {"stopped": False, "folder": "runs/tiny"}
    quiet = invoke("sweep", "--stop", folder, "--quiet")
    assert (quiet.code, quiet.out, quiet.err) == (0, "", "")
    assert {path: (path.stat().st_mtime_ns, path.stat().st_size) for path in folder.rglob("*")} == before


@pytest.mark.usefixtures("at_rest")
def test_a_report_of_a_sweep_is_named_in_words_alone(invoke):
    report = Path("runs/tiny/report.html")
    for option, said in (("--json", '"event": "done"'), ("--quiet", "")):
        done = invoke("sweep", "--resume", "runs/tiny", "--report", option)
        assert (done.code, done.err, said in done.out, "report" in done.out) == (0, "", True, False)
        report.unlink()
    assert invoke("sweep", "--resume", "runs/tiny", "--report").out.endswith("\nreport in runs/tiny/report.html\n")


@pytest.mark.usefixtures("at_rest")
def test_a_sweep_without_a_finished_trial_has_failed(invoke):
    for number in range(3):
        Path(f"runs/tiny/trial-{number}/metrics.json").unlink()
        failure = '{"state": "diverged", "steps": 3, "message": "it was infinite"}'
        Path(f"runs/tiny/trial-{number}/failure.json").write_text(failure)
    done = invoke("sweep", "--resume", "runs/tiny")
    assert (done.code, done.out) == (1, "saved in runs/tiny\n")
    assert done.err == "3 trials diverged: 0, 1, 2\nno trial is finished, so there is no best\n"


@pytest.mark.usefixtures("at_rest")
def test_a_stop_is_asked_for_in_the_folder_however_often_and_no_process_gets_a_signal(invoke, started):
    """The driver may be on another machine, or in a container that shares this one's name and has other numbers."""
    folder, lock = Path("runs/tiny"), WriterLock(Path("runs/tiny/.lock"))
    asked, here = folder / ".stop", socket.gethostname()
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as bystander:
        lock.path.write_text(f"{bystander.pid}\n{here}\n")  # of a driver that has ended
        assert "no driver is running" in invoke("sweep", "--stop", folder).err
        lock.acquire()
        lock.path.write_text(f"{bystander.pid}\n{here}\n")
        first = started("sweep", "--stop", folder)
        wait_for(asked.exists)
        first.send_signal(signal.SIGINT)
        assert first.wait(timeout=20) == 130
        for note, driver in (
            (f"{bystander.pid}\n{here}\n", f"process {bystander.pid}"),
            (f"{bystander.pid}\nelsewhere\n", f"process {bystander.pid} on elsewhere"),
            ("", "another process"),
        ):
            lock.acquire()
            lock.path.write_text(note)
            assert invoke("sweep", "--status", folder).out.splitlines()[-1].startswith(f"driver: {driver}")
            threading.Timer(0.2, lock.release).start()
            done = invoke("sweep", "--stop", folder)
            assert (done.code, done.err.splitlines()[0].startswith(f"asking {driver} to stop, ")) == (0, True)
            assert not asked.exists()
        assert bystander.poll() is None
        bystander.communicate(b"\n")
    assert bystander.returncode == 0


@pytest.fixture
def begun(cwd):
    """The folder of a sweep without trials, and the lock of a driver that is on another machine."""
    with loans_sweep.begun() as folder:
        pass
    lock = WriterLock(folder.directory / ".lock")
    lock.acquire()
    lock.path.write_text("12\nelsewhere\n")
    yield folder, lock
    lock.release()


def test_whether_a_driver_was_stopped_is_returned(begun, invoke):
    folder, lock = begun
    ended = threading.Thread(target=lambda: (wait_for(folder.stop_requested), lock.release()))
    ended.start()
    assert mlpkit.stop_sweep(folder.directory) is True
    ended.join()
    assert not folder.stop_requested()
    assert mlpkit.stop_sweep(folder.directory) is False
    assert not folder.stop_requested()


def test_the_process_at_work_does_not_stop_itself(begun):
    folder, lock = begun
    lock.path.write_text(f"{os.getpid()}\n{socket.gethostname()}\n")
    with pytest.raises(UsageError, match=r"^s: this process is at work on it; end the sweep with its StopRequest, or"):
        mlpkit.stop_sweep(folder.directory)
    assert not folder.stop_requested()


@pytest.mark.usefixtures("at_rest")
def test_a_folder_that_takes_no_request(invoke):
    lock, asked = WriterLock(Path("runs/tiny/.lock")), Path("runs/tiny/.stop")
    lock.acquire()
    lock.path.write_text("12\nelsewhere\n")
    asked.mkdir()
    refused = invoke("sweep", "--stop", "runs/tiny", "--quiet")
    assert refused.code == 2
    assert refused.err.startswith(
        "error: runs/tiny: can't ask process 12 on elsewhere to stop; press Ctrl-C where it runs: runs/tiny/.stop: "
    )
    lock.release()


@pytest.mark.usefixtures("at_rest")
def test_the_process_at_work_is_named_and_does_not_stop_itself(invoke):
    lock = WriterLock(Path("runs/tiny/.lock"))
    lock.acquire()
    assert f"driver: this process on {socket.gethostname()}" in invoke("sweep", "--status", "runs/tiny").out
    refused = invoke("sweep", "--stop", "runs/tiny")
    assert (refused.code, f"process {os.getpid()}" in refused.err) == (2, False)
    lock.release()


@pytest.mark.usefixtures("at_rest")
def test_a_sweep_goes_on_if_it_has_time_or_a_trial_that_failed(invoke):
    path, progress = Path("runs/tiny/sweep.yaml"), Path("runs/tiny/progress.json")
    path.write_text(path.read_text().replace("  sampler: grid\n", "  seconds: 90\n  trials: 9\n"))

    def says(seconds, added=0):
        progress.write_text(json.dumps({"seconds": seconds, "added": added, "trials": None}))
        lines = invoke("sweep", "--status", "runs/tiny").out.splitlines()
        return lines[-3].partition(" done")[0], lines[-1]

    go_on = f"no driver is running; {GO_ON.strip()}"
    assert says(60) == ("3 of 9 trials", go_on)
    assert says(90, added=2)[1] == go_on
    assert says(90) == ("3 of 3 trials", "no driver is running, and no trial is left")
    Path("runs/tiny/trial-1/metrics.json").unlink()
    Path("runs/tiny/trial-1/failure.json").write_text('{"state": "failed", "steps": 0, "message": "disk full"}')
    assert says(90) == ("3 of 3 trials", go_on)


@pytest.mark.parametrize("option", ["--status", "--stop"])
def test_what_is_no_sweep(option, invoke, cwd):
    assert "x: no such folder; expected a folder that mlpkit sweep created" in invoke("sweep", option, "x").err
    assert invoke("sweep", "tiny.yaml", option, "x").code == 2
    assert "--set can't change a sweep that has started" in invoke("sweep", option, "x", "--set", "seed=3").err
    assert invoke("run", "tiny.yaml", "--out", "run", "--quiet").code == 0
    lock = WriterLock(Path("run/.lock"))
    lock.acquire()
    assert invoke("sweep", option, "run").err == "error: run: is a run, not a sweep; give the folder of the sweep\n"
    lock.release()
