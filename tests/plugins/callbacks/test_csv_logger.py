"""Evaluations as rows of a CSV file."""

from __future__ import annotations

import csv

import pytest

import mlpkit
from mlpkit.training.observer import Observer
from mlpkit.training.stopping import StopRequest
from mlpkit_plugins.callbacks.csv_logger import CsvLogger

SPEC = """\
mlpkit: 1
data: mnist
layers: [Affine: {units: 10}, SoftmaxWithLoss]
training:
  optimizer: sgd
  batch_size: 10
  iterations: 6
  evaluate_every: 2
  metrics: [accuracy]
  callbacks: [csv_logger]
  checkpoint: {every: 1}
"""


class StopAfter(Observer):
    """Asks to stop at an evaluation."""

    def __init__(self, stop, iteration):
        self.stop, self.iteration = stop, iteration

    def evaluated(self, record, seconds):
        if record["iteration"] == self.iteration:
            self.stop.stop("SIGINT")


@pytest.fixture
def spec(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "s.yaml").write_text(SPEC)
    return mlpkit.load_spec("s.yaml")


def test_a_row_an_evaluation_below_the_names_of_the_figures(spec):
    run = mlpkit.run(spec, "run")
    with (run.folder / "history.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [{key: float(value) for key, value in row.items()} for row in rows] == run.history
    assert (run.folder / "history.csv").read_bytes().count(b"\r\n") == 4


def test_a_run_that_was_interrupted_ends_up_with_the_same_file(spec):
    whole = mlpkit.run(spec, "whole")
    stop = StopRequest()
    assert mlpkit.run(spec, "again", observer=StopAfter(stop, 4), stop=stop).stopped
    path = whole.folder.parent / "again/history.csv"
    path.write_bytes(path.read_bytes() + b"99,0.5,0.1,0.2")  # as if it had been killed later
    mlpkit.resume("again")
    assert path.read_bytes() == (whole.folder / "history.csv").read_bytes()


@pytest.mark.parametrize("evaluations", [0, 1])
@pytest.mark.parametrize("content", ["precious", None])
def test_a_link_in_a_run_folder_from_a_stranger_is_not_followed(spec, tmp_path, evaluations, content):
    stop = StopRequest()
    if evaluations == 0:
        stop.stop("SIGINT")
    mlpkit.run(spec, "run", observer=StopAfter(stop, 2), stop=stop)
    path, other = tmp_path / "run/history.csv", tmp_path / "other"
    path.unlink(missing_ok=True)
    path.symlink_to(other)
    if content is not None:
        other.write_text(content)
    mlpkit.resume("run")
    assert (other.read_text() if other.exists() else None) == content
    assert len(path.read_text().splitlines()) == 4


def test_a_file_that_cannot_be_written_is_told(spec, tmp_path):
    stop = StopRequest()
    stop.stop("SIGINT")
    mlpkit.run(spec, "run", stop=stop)
    (tmp_path / "run/history.csv").mkdir()
    with pytest.raises(
        mlpkit.StorageError, match=r"^run/history.csv: can't be written: .*; check the disk, or what is"
    ):
        mlpkit.resume("run")


def test_the_file_may_have_another_name(spec, tmp_path):
    other = mlpkit.load_spec("s.yaml", overrides={"training.callbacks": [{"csv_logger": {"file": "figures.csv"}}]})
    assert (mlpkit.run(other, "run").folder / "figures.csv").is_file()


@pytest.mark.parametrize("name", ["history.jsonl", "../a.csv", "a/b.csv", "", "a\n.csv"])
def test_names_that_are_none(name):
    with pytest.raises(mlpkit.ParameterError, match=r"expected a name that ends in \.csv"):
        CsvLogger(name)


def test_without_a_folder_nothing_is_written(spec, tmp_path):
    before = set(tmp_path.rglob("*"))
    mlpkit.run(spec)
    assert set(tmp_path.rglob("*")) == before
