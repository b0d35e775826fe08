"""The folder of several runs: its runs, and what they come to together."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from mlpkit.errors import RunFolderError
from mlpkit.groups.folders import EnsembleFolder, SeedsFolder, summary_of
from mlpkit.runs.folder import RunFolder
from mlpkit.runs.kinds import RUN, SEEDS_FOLDER, kind_of
from mlpkit.runs.overview import STOPPED, overview_of

if TYPE_CHECKING:
    from pathlib import Path


def add_run(folder: SeedsFolder, seed: int, metrics: dict[str, Any] | None) -> None:
    with RunFolder.create(folder.members[seed]) as run:
        run.write_spec("mlpkit: 1\n")
        if metrics is not None:
            run.write_metrics(metrics)


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    directory = tmp_path / "runs" / "x"
    with SeedsFolder(RunFolder.create(directory), [3, 5, 8]) as folder:
        add_run(folder, 3, {"test": {"loss": 0.5, "accuracy": 0.9, "confusion_matrix": [[1, 0], [0, 1]]}})
        add_run(folder, 5, {"test": {"loss": 0.7, "accuracy": 0.8}})
        add_run(folder, 8, None)
        folder.write_seeds()
    return directory


def test_a_folder_is_read_as_it_was_made(directory: Path) -> None:
    folder = SeedsFolder.open(directory)
    assert folder.seeds == (3, 5, 8)
    assert folder.members == {seed: directory / f"seed-{seed}" for seed in (3, 5, 8)}
    assert folder.unfinished == [8]
    assert list(folder.results()) == [3, 5]
    assert kind_of(directory) is SEEDS_FOLDER
    assert kind_of(directory / "seed-3") is RUN
    (directory / "seeds.json").write_text('{"seeds": [0, 7]}')
    assert SeedsFolder.open(directory).seeds == (0, 7)


def test_the_summary_has_each_number_of_the_finished_runs(directory: Path) -> None:
    summary = SeedsFolder.open(directory).summary()
    assert list(summary) == ["test"]
    assert sorted(summary["test"]) == ["accuracy", "loss"]
    loss = summary["test"]["loss"]
    assert (loss.n, loss.mean) == (2, pytest.approx(0.6))
    assert loss.half_width == pytest.approx(12.706204736432095 * 0.1, rel=1e-9)  # t of one degree of freedom


def test_the_summary_is_written_as_plain_data(directory: Path) -> None:
    with SeedsFolder.open(directory) as folder:
        folder.write_summary()
    accuracy = json.loads((directory / "metrics.json").read_text())["test"]["accuracy"]
    assert accuracy.keys() == {"n", "mean", "std", "low", "high", "level"}
    assert (accuracy["n"], accuracy["mean"], accuracy["level"]) == (2, pytest.approx(0.85), 0.95)


def test_splits_come_in_one_order_and_a_metric_counts_where_it_is() -> None:
    first = {"train": {"loss": 1.0}, "test": {"loss": 2.0, "accuracy": 0.5}}
    summary = summary_of([first, {"train": {"loss": 3.0}, "test": {"loss": 4.0}}])
    assert list(summary) == ["test", "train"]
    assert (summary["test"]["accuracy"].n, summary["test"]["accuracy"].low) == (1, None)
    assert summary_of([]) == {}


def test_only_one_writes(directory: Path) -> None:
    with SeedsFolder.open(directory) as folder:
        folder.run.claim()
        with pytest.raises(RunFolderError, match="this process is writing to it"):
            SeedsFolder.open(directory).run.claim()
    SeedsFolder.open(directory).run.claim()


def test_a_folder_with_something_in_it_is_left_alone(directory: Path) -> None:
    with pytest.raises(RunFolderError, match=r"holds a run already; resume it with mlpkit resume "):
        SeedsFolder(RunFolder.create(directory), [0, 1])


def test_opened_as_a_run_it_names_its_runs(directory: Path) -> None:
    with pytest.raises(RunFolderError) as raised:
        RunFolder.open(directory)
    runs = ", ".join(str(directory / f"seed-{seed}") for seed in (3, 5, 8))
    assert str(raised.value) == f"{directory}: holds the runs of several seeds; give one of them: {runs}"


@pytest.mark.parametrize("text", ["", "[]", '{"seeds": []}', '{"seeds": [true]}', '{"seeds": [-1]}', '{"seeds": 3}'])
def test_a_damaged_list_of_seeds_is_an_error(directory: Path, text: str) -> None:
    (directory / "seeds.json").write_text(text)
    with pytest.raises(RunFolderError, match=r"seeds\.json: is damaged: .*; restore the file from a copy"):
        SeedsFolder.open(directory)


def test_a_folder_without_seeds_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(RunFolderError, match=r"holds no seeds\.json"):
        SeedsFolder.open(tmp_path)


def test_the_run_of_one_network_is_no_ensemble(directory: Path) -> None:
    with RunFolder.open(directory / "seed-3") as run:
        run.write_resolved("mlpkit: 1\n")
    with pytest.raises(RunFolderError) as caught:
        EnsembleFolder.open(directory / "seed-3")
    assert str(caught.value) == f"{directory / 'seed-3'}: holds the run of one network, not an ensemble"


def test_a_folder_none_of_whose_runs_has_begun_can_be_removed(tmp_path: Path) -> None:
    folder = SeedsFolder(RunFolder.create(tmp_path / "x"), [0, 1])
    add_run(folder, 0, None)
    folder.write_seeds()
    folder.discard()
    assert list(tmp_path.iterdir()) == []


def test_a_run_that_is_yet_to_begin_counts_as_stopped(directory: Path) -> None:
    with RunFolder.open(directory / "seed-8") as run:
        run.write_resolved("mlpkit: 1\nname: x\nseed: 8\ntraining:\n  iterations: 10\n")
    overview = overview_of(directory / "seed-8")
    assert (overview.state, overview.problem) == (STOPPED, "")
