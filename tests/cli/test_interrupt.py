"""What signals do to a training run: the handlers themselves, and real processes."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import signal
import subprocess
import termios
import threading
import time

import pytest

from mlpkit.cli.interrupt import Interrupted, Interrupts
from mlpkit.terminal import output
from mlpkit.training.events import Event

SLEEPY = (
    "--plugin",
    "acme.py",
    "--set",
    "layers=[acme.Slow: {seconds: 60}, Affine: {units: 10}, SoftmaxWithLoss]",
)

CODES = [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]


@pytest.fixture(autouse=True)
def _handlers_are_put_back():
    before = [signal.getsignal(number) for number, _ in CODES]
    yield
    assert [signal.getsignal(number) for number, _ in CODES] == before


@pytest.mark.parametrize(("number", "code"), CODES)
def test_before_training_a_signal_is_an_exception(number, code):
    with Interrupts() as interrupts, pytest.raises(Interrupted) as caught:
        signal.raise_signal(number)
    assert caught.value.exit_code == interrupts.exit_code == code


@pytest.mark.parametrize(("number", "code"), CODES)
def test_in_training_a_signal_is_a_request_and_the_next_one_is_the_systems(number, code):
    noticed = []
    with Interrupts() as interrupts:
        interrupts.before_stopping = lambda: noticed.append(True)
        interrupts(Event(0, "started", (100,)))
        assert interrupts.exit_code == 0
        os.kill(os.getpid(), number)
        assert (interrupts.stop.reason, interrupts.exit_code, noticed) == (number.name, code, [True])
        assert {signal.getsignal(number) for number, _ in CODES} == {signal.SIG_DFL}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_that_was_ignored_stays_ignored(number):
    before = signal.signal(number, signal.SIG_IGN)
    try:
        with Interrupts() as interrupts:
            os.kill(os.getpid(), number)
            assert interrupts.received is None
        assert signal.getsignal(number) is signal.SIG_IGN
    finally:
        signal.signal(number, before)


def test_only_until_the_end_of_the_block_is_the_output_of_a_closed_terminal_discarded(monkeypatch):
    monkeypatch.setattr(output, "_give_up", lambda stream: None)

    def write():
        with output.ignore_hangup():
            raise OSError(errno.ENOSPC, "the disk is full")

    with Interrupts() as interrupts:
        interrupts.training_began = True
        signal.raise_signal(signal.SIGHUP)
        write()
    with pytest.raises(OSError, match="full"):
        write()


def test_outside_the_main_thread_nothing_changes():
    found = []

    def enter():
        before = signal.getsignal(signal.SIGINT)
        with Interrupts():
            found.append(signal.getsignal(signal.SIGINT) is before)

    thread = threading.Thread(target=enter)
    thread.start()
    thread.join()
    assert found == [True]


def test_a_run_works_outside_the_main_thread(invoke, cwd):
    codes = []
    thread = threading.Thread(target=lambda: codes.append(invoke("run", "tiny.yaml", "--quiet").code))
    thread.start()
    thread.join()
    assert codes == [0]


@pytest.mark.parametrize(("number", "code"), CODES)
def test_a_stopped_run_keeps_history_and_model(number, code, started, forever, cwd, invoke):
    process = started("run", "tiny.yaml", "--json", *forever)
    events = [json.loads(process.stdout.readline()) for _ in range(3)]
    assert [event["event"] for event in events] == ["started", "evaluation", "evaluation"]
    process.send_signal(number)
    events += map(json.loads, process.stdout)  # communicate would lose lines that readline read ahead
    err = process.stderr.read()
    process.wait(timeout=20)
    last = events[-1]
    assert process.returncode == code
    assert (last["event"], last["reason"], last["folder"]) == ("stopped", number.name, "runs/tiny")
    assert err.splitlines() == [
        f"stopped after step {last['steps']} by {number.name}; saved in runs/tiny",
        "resume it with: mlpkit resume runs/tiny",
    ]

    folder = cwd / "runs/tiny"
    history = [json.loads(line) for line in (folder / "history.jsonl").read_text().splitlines()]
    assert history == [{key: event[key] for key in event if key != "event"} for event in events[1:-1]]
    assert not (folder / "metrics.json").exists()
    assert invoke("evaluate", "runs/tiny", "--split", "test").code == 0


def test_a_second_signal_ends_the_program_at_once(started, cwd):
    process = started("run", "tiny.yaml", *SLEEPY)
    assert process.stderr.readline() == "forward\n"
    process.send_signal(signal.SIGINT)
    time.sleep(0.3)
    assert process.poll() is None  # the step goes on
    began = time.monotonic()
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=20)
    assert time.monotonic() - began < 5
    assert (process.returncode, out, err) == (-signal.SIGINT, "", "")
    assert not list((cwd / "runs/tiny").glob("*.tmp"))
    assert (cwd / "runs/tiny/spec.yaml").is_file()


@pytest.mark.parametrize(("number", "code"), CODES)
@pytest.mark.parametrize("out", [(), ("--out", "kept/here")])
def test_a_signal_while_data_is_read_ends_the_run_and_leaves_no_folder(number, code, out, started, cwd):
    process = started("run", "tiny.yaml", "--plugin", "acme.py", "--set", "data=acme.slow_data", *out)
    assert process.stderr.readline() == "opening\n"
    process.send_signal(number)
    printed, err = process.communicate(timeout=10)
    assert (process.returncode, printed, err) == (code, "", "")
    assert [path for path in cwd.rglob("*") if "tiny" in path.name or "here" in path.name] == [cwd / "tiny.yaml"]


@pytest.fixture
def closing_terminal(cwd, environment, program):
    """Return a function that starts the program on a terminal, and closes that once some text has appeared on it."""
    processes = []

    def run(*arguments, until, ignored=False, **env):
        ours, theirs = os.openpty()

        def take_terminal():
            fcntl.ioctl(theirs, termios.TIOCSCTTY, 0)
            if ignored:
                signal.signal(signal.SIGHUP, signal.SIG_IGN)

        process = subprocess.Popen(
            [*program, *arguments],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            cwd=cwd,
            env=environment | env,
            start_new_session=True,
            preexec_fn=take_terminal,  # noqa: PLW1509 - it makes two system calls
        )
        processes.append(process)
        os.close(theirs)
        seen = b""
        while until not in seen:
            seen += os.read(ours, 1000)
        os.close(ours)
        return process.wait(timeout=30)

    yield run
    for process in processes:
        process.kill()
        process.wait()


@pytest.mark.parametrize("kind", ["xterm", "dumb"])
def test_a_closed_terminal_ends_the_run_in_order(kind, closing_terminal, forever, cwd, invoke):
    assert closing_terminal("run", "tiny.yaml", *forever, until=b"validation", TERM=kind) == 129
    folder = cwd / "runs/tiny"
    (checkpoint,) = (folder / "checkpoints").iterdir()
    steps = int(checkpoint.stem.removeprefix("step-"))
    assert invoke("evaluate", folder, "--split", "test").code == 0
    assert closing_terminal("resume", "runs/tiny", until=b"resuming after step", TERM=kind) == 129
    assert int(next((folder / "checkpoints").iterdir()).stem.removeprefix("step-")) >= steps


@pytest.mark.parametrize("kind", ["xterm", "dumb"])
def test_a_run_that_ignores_hangups_outlives_its_terminal(kind, closing_terminal, cwd):
    steps = ("--set", "training.iterations=20000", "--set", "training.evaluate_every=100")
    assert closing_terminal("run", "tiny.yaml", *steps, until=b"validation", ignored=True, TERM=kind) == 0
    history = (cwd / "runs/tiny/history.jsonl").read_text().splitlines()
    assert json.loads(history[-1])["iteration"] == 20000


def test_a_reader_that_goes_with_the_terminal_is_not_missed(started, forever, cwd):
    process = started("run", "tiny.yaml", "--json", *forever)
    process.stdout.readline()
    process.send_signal(signal.SIGHUP)
    process.stdout.close()
    assert process.stderr.read().endswith("resume it with: mlpkit resume runs/tiny\n")
    assert process.wait(timeout=20) == 129
    assert list((cwd / "runs/tiny/checkpoints").iterdir())
