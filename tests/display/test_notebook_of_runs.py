"""Several seeds in a notebook: one output of the cell."""

from __future__ import annotations

import pytest
from html_tables import rows_of

import mlpkit
from mlpkit.components.schedule import Progress
from mlpkit.display.notebook import Notebook
from mlpkit.training.events import TrainingEnd
from mlpkit.training.health import Symptom


class Cell:
    """A cell of a notebook, with a clock that stands unless it is set."""

    def __init__(self):
        self.now = 0.0
        self.outputs = 0
        self.versions = []

    def display(self, shown, display_id):
        assert display_id is True
        self.outputs += 1
        self.update(shown)
        return self

    def update(self, shown):
        self.versions.append((repr(shown), shown._repr_html_()))


@pytest.fixture
def cell():
    return Cell()


@pytest.fixture
def progress(cell):
    progress = Notebook(cell.display, lambda: cell.now, what="seed")
    progress.began(0, [0, 8], 1)
    return progress


def test_it_is_one_output_with_a_row_for_each_seed(cell, progress):
    progress.started(0, 100)
    cell.now = 2.0
    progress.stepped(0, Progress(50, 0.5, 100), 0.25)
    text, html = cell.versions[-1]
    assert text == "seed 0: 50 of 100 steps, loss 0.2500, 2 s left\nseed 8: not started yet"
    assert html.count("<progress") == 1
    assert '<progress value="50" max="100"' in html
    results = {"test": {"loss": 0.2, "accuracy": 0.9, "table": [[1]]}, "train": {"loss": 0.1, "accuracy": 0.9}}
    progress.over(0, TrainingEnd(100, metrics=results))
    progress.resumed(8, 40)
    progress.started(8, None)
    progress.over(8, TrainingEnd(60, stopped="SIGINT"))
    assert cell.outputs == 1
    assert "<progress" not in cell.versions[-1][1]
    assert rows_of(cell.versions[-1][1]) == [
        ["seed 0", "100 steps: test loss 0.2000, accuracy 0.9000"],
        ["seed 8", "stopped after 60 steps"],
    ]


def test_a_failure_and_what_is_not_as_it_should_be_stand_below(cell, progress):
    dead = Symptom("dead_units", "Relu1", "all <of them>", ("less",), 10)
    for seed in (0, 8):
        progress.started(seed, 100)
        progress.diagnosed(seed, dead)
        progress.over(seed, TrainingEnd(10, failure="it <diverged>"))
    text, html = cell.versions[-1]
    assert text.splitlines() == ["seed 0: failed: it <diverged>", "seed 8: failed: the same as seed 0"]
    assert "failed: it &lt;diverged&gt;" in html
    assert html.count("note: seed 0: dead units in Relu1: all &lt;of them&gt;; try less") == 1
    assert "note: seed 8" not in html


def test_it_is_drawn_five_times_a_second(cell, progress):
    progress.started(0, 1000)
    drawn = len(cell.versions)
    for step in range(1000):
        cell.now += 0.001
        progress.stepped(0, Progress(step, 0.0, 1000), 0.5)
    assert len(cell.versions) - drawn <= 5


def test_a_notebook_gets_it_unless_it_is_to_be_quiet(cell, monkeypatch, work):
    monkeypatch.setattr("mlpkit.display.notebook.notebook_output", lambda: cell.display)
    spec = mlpkit.load_spec("tiny.yaml", overrides={"training.epochs": 1})
    mlpkit.run(spec, seeds=1, quiet=True)
    assert cell.outputs == 0
    found = mlpkit.run(spec, "group", seeds=1)
    loss = f"{found.metrics['test']['loss'].mean:.4f}"
    assert cell.outputs == 1
    assert cell.versions[-1][0].startswith(f"seed 3: 4 steps: test loss {loss}, accuracy ")
    mlpkit.resume_seeds(found)
    assert cell.outputs == 1
