"""A live page in a real browser: of a run in another process, and of runs that the test makes up."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import pytest
from accessibility import violations
from headless_browser import TWO_SCREENS

from mlpkit.verbs.live.server import LiveServer, WatchedRun

SPEC = """\
mlpkit: 1
name: digits
data: mnist
layers: [Affine: {units: 10}, SoftmaxWithLoss]
training:
  optimizer: {sgd: {learning_rate: 0.1}}
  batch_size: 50
  iterations: 1000000
  evaluate_every: 5000                      # a curve of more than 40 evaluations has no points
  metrics: [accuracy]
"""
STATE = "document.getElementById('run-state').textContent"
PROGRESS = "document.getElementById('run-progress').textContent"
BUTTON = "document.getElementById('{}')"


def points(caption):
    """Return an expression for the labels of the points of a curve, as assistive technology reads them."""
    return (
        f"[...document.querySelectorAll('#run-curves figure')]"
        f".filter((figure) => figure.querySelector('figcaption').textContent === '{caption}')"
        ".flatMap((figure) => [...figure.querySelectorAll('.mark-symbol path')])"
        ".map((point) => point.getAttribute('aria-label')).filter((label) => label?.includes('series'))"
    )


def numbers_of(labels):
    """Return the numbers of points: iteration, value and series."""
    found = [re.fullmatch(r"iteration: ([\d,]+); [\w ]+: ([-\d.]+); series: (.*)", label) for label in labels]
    return [(int(match[1].replace(",", "")), float(match[2]), match[3]) for match in found]


@contextmanager
def running(*arguments, folder):
    """Run mlpkit in a folder; if it has not ended by the end of the block, it is killed."""
    command, pipe = [sys.executable, "-m", "mlpkit", *arguments], subprocess.PIPE
    with subprocess.Popen(command, cwd=folder, stdout=pipe, stderr=pipe, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


@contextmanager
def shown(browser, address, screen="desk, light"):
    """Open a page; at the end it has complained of nothing, and asked for nothing from elsewhere."""
    yield browser.show(address, screen=screen)
    assert browser.complaints == []
    assert {request for request in browser.requests if not request.startswith(address)} == set()


def record(iteration, loss, **more):
    losses = {"train_loss": loss, "validation_loss": loss + 0.125}
    return {"iteration": iteration, "epoch": iteration / 100, "learning_rate": 0.1, **losses, **more}


def test_a_run_is_watched_paused_continued_and_stopped(browser, tmp_path):
    (tmp_path / "s.yaml").write_text(SPEC)
    with running("run", "s.yaml", "--out", "run", "--live", folder=tmp_path) as process:
        address = process.stderr.readline().removeprefix("live page: ").strip()
        history = tmp_path / "run/history.jsonl"
        with shown(browser, address):
            browser.wait_for(f"{points('Loss')}.length >= 6")
            begun = numbers_of(browser.evaluate(points("Loss")))
            expected = {
                (each["iteration"], series): each[f"{series}_loss"]
                for each in map(json.loads, history.read_text().splitlines())
                for series in ("train", "validation")
            }
            assert all(value == pytest.approx(expected[step, series]) for step, value, series in begun)
            shown_first = ",".join(browser.evaluate(points("Accuracy")))
            browser.wait_for(
                f"{points('Accuracy')}.join() !== {json.dumps(shown_first)}"
            )  # a fast run keeps its number

            browser.evaluate(BUTTON.format("pause") + ".click()")
            browser.wait_for(f"{STATE} === 'Paused' && {BUTTON.format('pause')}.textContent === 'Continue'")
            before = browser.evaluate(PROGRESS), history.stat().st_size
            time.sleep(0.5)
            assert (browser.evaluate(PROGRESS), history.stat().st_size) == before

            browser.evaluate(BUTTON.format("pause") + ".click()")
            browser.wait_for(f"{STATE} === 'Running' && {PROGRESS} !== '{before[0]}'")
            browser.evaluate(BUTTON.format("stop") + ".click()")
            browser.wait_for(f"{STATE}.startsWith('Stopped: resume it with: mlpkit resume run')")
            assert browser.evaluate(f"{BUTTON.format('pause')}.disabled && {BUTTON.format('stop')}.disabled")
        said = process.communicate(timeout=60)[1]
    assert process.returncode == 130
    assert "by the live page; saved in run\nresume it with: mlpkit resume run" in said
    assert list(Path(tmp_path / "run/checkpoints").glob("*.safetensors"))


@pytest.mark.parametrize("screen", TWO_SCREENS)
@pytest.mark.parametrize("several", [False, True])
def test_the_page_is_accessible_and_fits(several, screen, browser):
    first = WatchedRun(
        "seed-1",
        "running",
        120,
        1000,
        0.25,
        12.0,
        notes=["dead units in <Relu1>"],
        records=[record(50, 1.5), record(100, 0.25)],
    )
    second = WatchedRun("seed-2", "finished", 100, records=[record(50, 1.25, train_accuracy=0.5)])
    runs, spec = ([first, second], "") if several else ([first], "mlpkit: 1\n")
    actions = {} if several else {"pause": print, "continue": print, "stop": print}
    with LiveServer("digits", lambda: runs, actions, spec=spec) as server, shown(browser, server.address, screen):
        browser.wait_for(f"document.querySelectorAll('#run-curves .chart .chart svg').length === {1 + several}")
        assert violations(browser) == []
        assert browser.evaluate("document.documentElement.scrollWidth <= innerWidth")
        if several:
            assert browser.evaluate(STATE) == "2 runs, 1 of them running"
            found = numbers_of(browser.evaluate(points("Validation loss")))
            assert found == [(50, 1.625, "seed-1"), (100, 0.375, "seed-1"), (50, 1.375, "seed-2")]
            assert browser.evaluate("document.querySelector('#run-table tbody').rows.length") == 2
        else:
            assert browser.evaluate(PROGRESS) == "step 120 of 1,000, loss 0.2500, 12 s left"
            assert browser.evaluate("document.getElementById('run-done').value") == 0.12
            assert browser.evaluate("document.getElementById('run-notes').textContent") == "dead units in <Relu1>"


def test_curves_grow_and_the_last_state_arrives_before_the_end(browser):
    run = WatchedRun("digits", "running", records=[record(1, 1.5)])
    with LiveServer("digits", lambda: [run], {}) as server, shown(browser, server.address):
        browser.wait_for(f"{points('Loss')}.length === 2")
        run.records.append(record(2, 0.5))
        browser.wait_for(f"{points('Loss')}.length === 4")
        assert numbers_of(browser.evaluate(points("Loss")))[1] == (2, 0.5, "train")
        run.state, run.message = "finished", "saved in runs/x"
        run.records.append(record(3, 0.25))
        server.__exit__()
        browser.wait_for(f"{STATE} === 'Finished: saved in runs/x'")
        browser.wait_for(f"{points('Loss')}.length === 6")
        time.sleep(0.2)
        assert browser.evaluate(STATE) == "Finished: saved in runs/x"  # and not that it can't be reached
