"""The last checkpoints and the best one are kept; a damaged one is passed over."""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from mlpkit.errors import RunFolderError, StorageError
from mlpkit.runs.files import remove_leftovers
from mlpkit.runs.folder import Checkpoints

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def checkpoints(tmp_path: Path) -> Checkpoints:
    return Checkpoints(tmp_path / "run" / "checkpoints")


def save(checkpoints: Checkpoints, *steps: int, keep: int = 2) -> None:
    checkpoints.directory.parent.mkdir(exist_ok=True)
    for step in steps:
        checkpoints.save(step, {"x": np.full(3, step)}, {"step": step}, keep=keep)


def names(checkpoints: Checkpoints) -> list[str]:
    return sorted(path.name for path in checkpoints.directory.iterdir())


def file(checkpoints: Checkpoints, step: int) -> Path:
    return checkpoints.directory / f"step-{step:09}.safetensors"


def refusal(checkpoints: Checkpoints) -> str:
    with pytest.raises(RunFolderError) as raised:
        checkpoints.load_newest(lambda fault: None)
    return str(raised.value)


@pytest.mark.parametrize("keep", [1, 2, 5])
def test_as_many_as_are_to_be_kept_are_kept(checkpoints: Checkpoints, keep: int) -> None:
    save(checkpoints, *range(0, 100, 10), keep=keep)
    assert checkpoints.steps() == list(range(90, 90 - 10 * keep, -10))
    found = checkpoints.load_newest(pytest.fail)
    assert found.path == file(checkpoints, 90)
    assert found.metadata == {"step": 90}
    assert found.arrays["x"].tolist() == [90, 90, 90]


def test_the_best_stays_however_old_it_is(checkpoints: Checkpoints) -> None:
    save(checkpoints, 1)
    checkpoints.save_best({"x": np.zeros(1)}, {"step": 1})
    save(checkpoints, 2, 3, 4)
    assert names(checkpoints) == ["best.safetensors", "step-000000003.safetensors", "step-000000004.safetensors"]


def test_steps_are_sorted_as_numbers(checkpoints: Checkpoints) -> None:
    save(checkpoints, 999_999_999, 1_000_000_000, 10_000_000_000, keep=9)
    assert checkpoints.steps() == [10_000_000_000, 1_000_000_000, 999_999_999]


def test_a_step_that_is_saved_again_removes_a_later_one_of_a_future_that_was_given_up(checkpoints: Checkpoints) -> None:
    save(checkpoints, 10, 20, 30, keep=3)
    save(checkpoints, 20, keep=3)
    assert checkpoints.steps() == [20, 10]


@pytest.mark.parametrize("damage", ["cut", "flip", "empty"])
def test_a_damaged_one_is_passed_over_and_named(checkpoints: Checkpoints, damage: str) -> None:
    save(checkpoints, 10, 20)
    newest = file(checkpoints, 20)
    content = newest.read_bytes()
    flipped = content[:-1] + bytes([content[-1] ^ 1])
    newest.write_bytes({"cut": content[:-1], "flip": flipped, "empty": b""}[damage])
    told: list[str] = []
    assert checkpoints.load_newest(told.append).metadata == {"step": 10}
    assert len(told) == 1
    assert told[0].startswith(f"{newest}: is ")


def test_the_best_is_the_last_resort(checkpoints: Checkpoints) -> None:
    save(checkpoints, 10, 20)
    checkpoints.save_best({"x": np.zeros(1)}, {"step": 5})
    for step in (10, 20):
        file(checkpoints, step).write_bytes(b"x" * 100)
    told: list[str] = []
    assert checkpoints.load_newest(told.append).metadata == {"step": 5}
    assert len(told) == 2


def test_without_a_whole_one_there_is_advice(checkpoints: Checkpoints) -> None:
    folder = checkpoints.directory.parent
    advice = f"start a new run: mlpkit run {folder / 'resolved.yaml'}"
    assert refusal(checkpoints) == f"{folder}: can't be resumed: it has no checkpoint yet; {advice}"
    save(checkpoints, 1)
    file(checkpoints, 1).write_bytes(b"")
    assert refusal(checkpoints) == f"{folder}: can't be resumed: every checkpoint is damaged; {advice}"


def test_what_is_no_checkpoint_is_left_alone(checkpoints: Checkpoints) -> None:
    save(checkpoints, 1)
    (checkpoints.directory / "notes.txt").touch()
    (checkpoints.directory / "step-5.safetensors").touch()
    save(checkpoints, 2, 3, keep=1)
    assert names(checkpoints) == ["notes.txt", "step-000000003.safetensors", "step-5.safetensors"]


def test_leftovers_of_a_killed_process_are_removed(checkpoints: Checkpoints) -> None:
    save(checkpoints, 1)
    (checkpoints.directory / ".mlpkit-0123456789abcdef.tmp").touch()
    remove_leftovers(checkpoints.directory)
    assert names(checkpoints) == ["step-000000001.safetensors"]


@pytest.mark.parametrize(("function", "action"), [("mkdir", "made"), ("unlink", "removed")])
def test_a_folder_that_cannot_be_made_and_a_file_that_cannot_be_removed(
    checkpoints: Checkpoints, failing: Any, function: str, action: str
) -> None:
    checkpoints.directory.parent.mkdir()
    if function == "unlink":
        save(checkpoints, 1)
    refused = OSError(errno.EACCES, os.strerror(errno.EACCES))
    with failing(function, refused), pytest.raises(StorageError) as raised:
        checkpoints.save(2, {"x": np.zeros(3)}, {"step": 2}, keep=1)
    assert f"can't be {action}: Permission denied; get permission to write there" in str(raised.value)
    assert checkpoints.steps() == ([] if function == "mkdir" else [2, 1])


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_folder_that_cannot_be_listed(checkpoints: Checkpoints) -> None:
    save(checkpoints, 1)
    checkpoints.directory.chmod(0)
    try:
        assert "can't be listed: Permission denied; check the path and who may read it" in refusal(checkpoints)
    finally:
        checkpoints.directory.chmod(0o700)


def test_a_file_in_the_place_of_the_folder(checkpoints: Checkpoints) -> None:
    checkpoints.directory.parent.mkdir()
    checkpoints.directory.touch()
    with pytest.raises(StorageError, match="can't be made: File exists; a file is in the way"):
        checkpoints.save(1, {"x": np.zeros(1)}, {}, keep=1)
    assert "can't be listed: Not a directory" in refusal(checkpoints)


def test_a_link_to_the_checkpoints_of_another_run_is_refused(checkpoints: Checkpoints, tmp_path: Path) -> None:
    other = Checkpoints(tmp_path / "other")
    save(other, 1)
    checkpoints.directory.parent.mkdir()
    checkpoints.directory.symlink_to(other.directory)
    assert "is a link; replace it with the folder that it points to" in refusal(checkpoints)


def test_those_before_a_step_come_newest_first_after_the_best(checkpoints: Checkpoints) -> None:
    save(checkpoints, 10, 20, 30, 40, keep=9)
    assert [found.metadata["step"] for found in checkpoints.load_before(31, pytest.fail)] == [30, 20, 10]
    assert [found.metadata["step"] for found in checkpoints.load_before(30, pytest.fail)] == [20, 10]
    checkpoints.save_best({"x": np.zeros(1)}, {"step": 35})
    file(checkpoints, 20).write_bytes(b"")
    damaged: list[str] = []
    assert [found.metadata["step"] for found in checkpoints.load_before(31, damaged.append)] == [35, 30, 10]
    assert len(damaged) == 1
    assert "step-000000020.safetensors: is damaged" in damaged[0]


def test_none_is_read_through_a_link(checkpoints: Checkpoints, tmp_path: Path) -> None:
    save(checkpoints, 10)
    checkpoints.directory.rename(tmp_path / "elsewhere")
    checkpoints.directory.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(RunFolderError, match="is a link"):
        list(checkpoints.load_before(31, pytest.fail))
