"""What every tracker does: it logs each evaluation once, late if need be, and leaves the process unchanged."""

from __future__ import annotations

import json
import logging
import sys
import warnings
from pathlib import Path

import pytest

from mlpkit import Outcome, Progress, StorageError, TrainingView, UsageError
from mlpkit_plugins.tracking import Tracker, curve, tags_of

FOLDER = Path("runs/seven")
RECORDS = [
    {"iteration": 2, "epoch": 0.5, "train_loss": 0.75, "validation_top_k": 0.25},
    {"iteration": 4, "epoch": 1.0, "train_loss": 0.5, "validation_top_k": 0.5},
    {"iteration": 6, "epoch": 1.5, "train_loss": 0.25, "validation_top_k": 0.75},
]
CURVES = [
    ({"epoch": each["epoch"], "loss/train": each["train_loss"], "top_k/validation": each["validation_top_k"]}, step)
    for each, step in zip(RECORDS, (2, 4, 6), strict=True)
]
LOST = "runs/seven: can't be logged to the notebook: the page is torn; check that it can be reached; the run folder"


class Notebook(Tracker):
    """Keeps what it logs, or raises ``error``."""

    product = "the notebook"

    def __init__(self, last: int = 0):
        self.last, self.error, self.logged, self.ended = last, None, [], []

    def begin(self, training, folder):
        assert folder == FOLDER
        self.run_id = "42"
        return self.last

    def log(self, values, step):
        if self.error is not None:
            raise self.error
        self.logged.append((dict(values), step))

    def end(self, results, step, state):
        self.ended.append((dict(results), step, state))


def view(count, folder=FOLDER):
    """Return a run after some evaluations."""
    return TrainingView(Progress(step=7, epoch=1.75, total_steps=8), {}, folder, RECORDS[:count])


@pytest.mark.parametrize(("last", "logged"), [(0, CURVES), (3, CURVES[1:]), (4, CURVES[2:]), (6, [])])
def test_only_evaluations_after_the_last_logged_step_are_logged_at_the_start(last, logged):
    notebook = Notebook(last)
    notebook.on_start(view(3))
    assert notebook.logged == logged


def test_an_evaluation_that_is_lost_is_logged_with_the_next_one():
    notebook = Notebook()
    notebook.on_start(view(0))
    notebook.error = OSError("the page\n is torn")
    with pytest.warns(UserWarning, match=f"^{LOST} keeps everything; the run continues, and logs it later$"):
        notebook.on_evaluation(view(1), RECORDS[0])
    notebook.error = None
    notebook.on_evaluation(view(2), RECORDS[1])
    assert notebook.logged == CURVES[:2]


@pytest.mark.parametrize(
    ("error", "kind", "message"),
    [
        (OSError("the page\n is torn"), StorageError, f"{LOST} keeps everything"),
        (TimeoutError(), StorageError, LOST.replace("the page is torn", "TimeoutError") + " keeps everything"),
        (UsageError("sign in"), UsageError, "sign in"),
    ],
)
def test_an_error_at_the_start_ends_the_run(error, kind, message):
    notebook = Notebook()
    notebook.error = error
    with pytest.raises(kind) as caught:
        notebook.on_start(view(1))
    assert str(caught.value) == message


RESULTS = {
    "test": {"loss": 0.5, "top_k": 1, "confusion_matrix": [[1, 2]], "r2": float("nan"), "f1": float("inf")},
    "train": {"loss": 0.25},
}


def test_results_that_are_finite_numbers_are_logged_at_the_end():
    notebook = Notebook()
    notebook.on_start(view(1))
    notebook.on_close(view(3), Outcome("finished", RESULTS))
    assert notebook.logged == CURVES
    assert notebook.ended == [
        ({"final/test_loss": 0.5, "final/test_top_k": 1, "final/train_loss": 0.25}, 7, "finished")
    ]


@pytest.mark.parametrize("state", ["finished", "stopped", "failed"])
def test_an_error_at_the_end_is_one_of_a_finished_run(state):
    notebook = Notebook()
    notebook.on_start(view(1))
    notebook.error = OSError("the page is torn")
    if state == "finished":
        with pytest.raises(StorageError, match=LOST):
            notebook.on_close(view(2), Outcome(state))
    else:
        with pytest.warns(UserWarning, match=f"^{LOST} keeps everything$"):
            notebook.on_close(view(2), Outcome(state))
    assert notebook.ended == []


def test_without_a_run_folder_or_before_the_start_nothing_is_logged():
    notebook = Notebook()
    notebook.on_start(view(1, None))
    notebook.on_evaluation(view(2, None), RECORDS[1])
    notebook.on_close(view(2, None), Outcome("finished"))
    notebook.on_close(view(2), Outcome("failed"))
    assert (notebook.logged, notebook.ended, notebook.run_id) == ([], [], "")


def test_a_resumed_run_knows_its_id():
    notebook, again = Notebook(), Notebook()
    notebook.on_start(view(0))
    again.load_state(json.loads(json.dumps(notebook.state())))
    assert again.run_id == "42"


@pytest.mark.parametrize("level", [0, logging.ERROR])
def test_a_library_is_silenced_and_nothing_else_is_changed(capsys, caplog, level):
    class Chatty(Notebook):
        def log(self, values, step):
            sys.stdout.write("hello\n")
            warnings.warn("old", DeprecationWarning, stacklevel=1)
            logging.getLogger("own").warning("careful")
            logging.getLogger("own").error("wrong")

    before = logging.root.manager.disable
    logging.disable(level)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            Chatty().on_start(view(3))
        assert logging.root.manager.disable == level
    finally:
        logging.disable(before)
    assert capsys.readouterr().out == ""
    assert [record.message for record in caplog.records] == ["wrong"] * (0 if level else 3)


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("train_loss", "loss/train"),
        ("validation_mean_squared_error", "mean_squared_error/validation"),
        ("learning_rate", "learning_rate"),
        ("test_loss", "test_loss"),
        ("epoch", "epoch"),
    ],
)
def test_curves_are_grouped_by_value(key, expected):
    assert curve(key) == expected


def test_tags_are_the_hash_of_the_spec_and_the_folder(tmp_path):
    assert tags_of(tmp_path / "run" / ".." / "run") == {
        "mlpkit.spec_hash": "",
        "mlpkit.run_folder": str(tmp_path.resolve() / "run"),
    }
    (tmp_path / "lock.json").write_text('{"spec_hash": "abc", "more": 1}')
    assert tags_of(tmp_path)["mlpkit.spec_hash"] == "abc"
