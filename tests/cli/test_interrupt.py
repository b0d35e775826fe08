"""What signals do to a training run: the handlers themselves, and real processes."""

from __future__ import annotations

import json
import os
import signal
import threading
import time

import pytest

from mlpkit.cli.interrupt import Interrupted, Interrupts

SLEEPY = (
    "--plugin",
    "acme.py",
    "--set",
    "layers=[acme.Slow: {seconds: 60}, Affine: {units: 10}, SoftmaxWithLoss]",
)


@pytest.fixture(autouse=True)
def _handlers_are_put_back():
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    yield
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_before_training_a_signal_is_an_exception(number, code):
    with Interrupts() as interrupts, pytest.raises(Interrupted) as caught:
        signal.raise_signal(number)
    assert caught.value.exit_code == interrupts.exit_code == code


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_in_training_a_signal_is_a_request_and_the_next_one_is_the_systems(number, code):
    noticed = []
    with Interrupts() as interrupts:
        interrupts.before_stopping = lambda: noticed.append(True)
        interrupts.started(100)
        assert interrupts.exit_code == 0
        os.kill(os.getpid(), number)
        assert (interrupts.stop.reason, interrupts.exit_code, noticed) == (number.name, code, [True])
        assert signal.getsignal(signal.SIGINT) is signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


def test_a_signal_that_was_ignored_stays_ignored():
    before = signal.signal(signal.SIGTERM, signal.SIG_IGN)
    try:
        with Interrupts() as interrupts:
            os.kill(os.getpid(), signal.SIGTERM)
            assert interrupts.received is None
        assert signal.getsignal(signal.SIGTERM) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGTERM, before)


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


def test_a_run_works_outside_the_main_thread(invoke, work):
    codes = []
    thread = threading.Thread(target=lambda: codes.append(invoke("run", "tiny.yaml", "--quiet").code))
    thread.start()
    thread.join()
    assert codes == [0]


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_stopped_run_keeps_history_and_model(number, code, started, forever, work, invoke):
    process = started("run", "tiny.yaml", "--json", *forever)
    events = [json.loads(process.stdout.readline()) for _ in range(3)]
    assert [event["event"] for event in events] == ["started", "evaluation", "evaluation"]
    process.send_signal(number)
    out, err = process.communicate(timeout=20)
    events += map(json.loads, out.splitlines())
    last = events[-1]
    assert process.returncode == code
    assert (last["event"], last["reason"], last["folder"]) == ("stopped", number.name, "runs/tiny")
    assert err.splitlines() == [
        f"stopped after step {last['steps']} by {number.name}; kept in runs/tiny",
        "go on with: mlpkit resume runs/tiny",
    ]

    folder = work / "runs/tiny"
    history = [json.loads(line) for line in (folder / "history.jsonl").read_text().splitlines()]
    assert history == [{key: event[key] for key in event if key != "event"} for event in events[1:-1]]
    assert not (folder / "metrics.json").exists()
    assert invoke("evaluate", "runs/tiny", "--split", "test").code == 0


def test_a_second_signal_ends_the_program_at_once(started, work):
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
    assert not list((work / "runs/tiny").glob("*.tmp"))
    assert (work / "runs/tiny/spec.yaml").is_file()


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
@pytest.mark.parametrize("out", [(), ("--out", "kept/here")])
def test_a_signal_while_data_is_read_ends_the_run_and_leaves_no_folder(number, code, out, started, work):
    process = started("run", "tiny.yaml", "--plugin", "acme.py", "--set", "data=acme.slow_data", *out)
    assert process.stderr.readline() == "opening\n"
    process.send_signal(number)
    printed, err = process.communicate(timeout=10)
    assert (process.returncode, printed, err) == (code, "", "")
    assert [path for path in work.rglob("*") if "tiny" in path.name or "here" in path.name] == [work / "tiny.yaml"]
