"""Evaluations as rows of a CSV file."""

from __future__ import annotations

import csv

import pytest

import mlpkit
from mlpkit_plugins.callbacks.csv_logger import CsvLogger


@pytest.fixture
def spec(logging_spec):
    return logging_spec("csv_logger")


def test_a_row_an_evaluation_below_the_names_of_the_figures(spec):
    run = mlpkit.run(spec, "run")
    with (run.folder / "history.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [{key: float(value) for key, value in row.items()} for row in rows] == run.history
    assert (run.folder / "history.csv").read_bytes().count(b"\r\n") == 4


def test_a_run_that_was_interrupted_ends_up_with_the_same_file(spec, run_until):
    whole = mlpkit.run(spec, "whole")
    run_until(spec, "again", 4)
    path = whole.folder.parent / "again/history.csv"
    path.write_bytes(path.read_bytes() + b"99,0.5,0.1,0.2")  # as if it had been killed later
    mlpkit.resume("again")
    assert path.read_bytes() == (whole.folder / "history.csv").read_bytes()


@pytest.mark.parametrize("evaluations", [0, 1])
@pytest.mark.parametrize("content", ["precious", None])
def test_a_link_in_a_run_folder_from_a_stranger_is_not_followed(spec, run_until, tmp_path, evaluations, content):
    run_until(spec, "run", 2 * evaluations)
    path, other = tmp_path / "run/history.csv", tmp_path / "other"
    path.unlink(missing_ok=True)
    path.symlink_to(other)
    if content is not None:
        other.write_text(content)
    mlpkit.resume("run")
    assert (other.read_text() if other.exists() else None) == content
    assert len(path.read_text().splitlines()) == 4


def test_a_file_that_cannot_be_written_is_an_error(spec, run_until, tmp_path):
    run_until(spec, "run", 0)
    (tmp_path / "run/history.csv").mkdir()
    with pytest.raises(
        mlpkit.StorageError, match=r"^run/history.csv: can't be written: .*; check the disk, and what is"
    ):
        mlpkit.resume("run")


def test_the_file_may_have_another_name(spec, tmp_path):
    other = mlpkit.load_spec("s.yaml", overrides={"training.callbacks": [{"csv_logger": {"file": "figures.csv"}}]})
    assert (mlpkit.run(other, "run").folder / "figures.csv").is_file()


@pytest.mark.parametrize("name", ["history.jsonl", "a.csv\n", ""])
def test_names_that_are_none(name):
    with pytest.raises(mlpkit.ParameterError, match=r"expected a name that ends in \.csv"):
        CsvLogger(name)


@pytest.mark.parametrize("name", ["../a.csv", "a/b.csv", '"a\\n.csv"'])
def test_names_that_are_not_of_a_file_in_the_run_folder(logging_spec, tmp_path, name):
    spec = logging_spec(f"csv_logger: {{file: {name}}}")
    before = set(tmp_path.rglob("*"))
    with pytest.raises(mlpkit.SpecError, match=r"can't be the name of a file in the run folder"):
        mlpkit.run(spec, "run")
    assert set(tmp_path.rglob("*")) == before


def test_without_a_folder_nothing_is_written(spec, tmp_path):
    before = set(tmp_path.rglob("*"))
    mlpkit.run(spec)
    assert set(tmp_path.rglob("*")) == before
