"""A line of a log is whole, or it isn't there."""

from __future__ import annotations

import errno
import math
import os
from typing import TYPE_CHECKING, Any

import pytest

from mlpkit.errors import RunFolderError, StorageError
from mlpkit.runs.json_files import append_line, read_lines, readable_lines

if TYPE_CHECKING:
    from pathlib import Path

FIRST = {"iteration": 1, "epoch": 0.1, "validation_loss": None, "name": "a\nb"}
SECOND = {"iteration": 2}


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "history.jsonl"


def test_lines_keep_their_order_and_that_of_their_keys(log: Path) -> None:
    append_line(log, {"b": 1, "a": 0.1})
    append_line(log, SECOND)
    assert log.read_bytes() == b'{"b":1,"a":0.1}\n{"iteration":2}\n'
    assert [list(line) for line in read_lines(log)] == [["b", "a"], ["iteration"]]


def test_a_missing_log_is_empty(log: Path) -> None:
    assert read_lines(log) == []


def test_each_line_is_one_write(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    writes: list[bytes] = []
    real = os.write

    def write(descriptor: int, data: bytes) -> int:
        writes.append(data)
        return real(descriptor, data)

    monkeypatch.setattr(os, "write", write)
    append_line(log, FIRST)
    append_line(log, SECOND)
    assert b"".join(writes) == log.read_bytes()
    assert len(writes) == 2


@pytest.mark.parametrize("kept", range(1, 16))
def test_a_torn_last_line_is_not_read_and_makes_room_for_the_next(log: Path, kept: int) -> None:
    append_line(log, FIRST)
    whole = log.read_bytes()
    append_line(log, SECOND)
    second = log.read_bytes()[len(whole) :]
    assert len(second) == 16
    log.write_bytes(whole + second[:kept])
    assert read_lines(log) == [FIRST]
    append_line(log, {"iteration": 3})
    assert read_lines(log) == [FIRST, {"iteration": 3}]


def test_a_log_of_a_torn_line_only_is_empty(log: Path) -> None:
    log.write_bytes(b'{"iter')
    assert read_lines(log) == []
    append_line(log, SECOND)
    assert read_lines(log) == [SECOND]


@pytest.mark.parametrize("function", ["open", "fstat", "write", "close"])
@pytest.mark.parametrize(
    "failure", [OSError(errno.ENOSPC, "No space left on device"), KeyboardInterrupt()], ids=["ENOSPC", "Ctrl+C"]
)
def test_a_failure_leaves_whole_lines(log: Path, failing: Any, function: str, failure: BaseException) -> None:
    append_line(log, FIRST)
    expected = StorageError if isinstance(failure, OSError) else KeyboardInterrupt
    with failing(function, failure), pytest.raises(expected):
        append_line(log, SECOND)
    assert read_lines(log) == ([FIRST, SECOND] if function == "close" else [FIRST])
    append_line(log, {"iteration": 3})
    assert read_lines(log)[-1] == {"iteration": 3}


def test_a_short_write_is_reported_and_not_read(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    append_line(log, FIRST)
    real = os.write
    with monkeypatch.context() as patch:
        patch.setattr(os, "write", lambda descriptor, data: real(descriptor, data[:-1]))
        with pytest.raises(StorageError) as raised:
            append_line(log, SECOND)
    assert read_lines(log) == [FIRST]
    assert str(raised.value) == (
        f"{log}: can't be written: No space left on device; free space on this disk, or choose another folder"
    )


def test_a_number_that_is_not_finite_is_refused_and_nothing_is_written(log: Path) -> None:
    with pytest.raises(StorageError) as raised:
        append_line(log, {"train_loss": math.nan})
    assert str(raised.value) == (
        f"{log}: can't be written: train_loss is nan, and JSON has only finite numbers; "
        "write None for a number that is missing"
    )
    assert not log.exists()


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        (b"{", "Expecting property name enclosed in double quotes: line 1 column 2 (char 1)"),
        (b"[1]", "expected a JSON object"),
        (b'{"a":NaN}', "NaN is not a finite number"),
        (b"", "Expecting value: line 1 column 1 (char 0)"),
    ],
)
def test_a_damaged_line_is_named(log: Path, line: bytes, fault: str) -> None:
    log.write_bytes(b'{"a":1}\n' + line + b"\n")
    with pytest.raises(RunFolderError) as raised:
        read_lines(log)
    assert str(raised.value) == (f"{log}:2: is damaged: {fault}; restore the file from a copy, or repeat the run")


def test_a_folder_in_its_place_is_reported(log: Path) -> None:
    log.mkdir()
    with pytest.raises(RunFolderError, match="can't be read: Is a directory"):
        read_lines(log)
    with pytest.raises(StorageError, match="can't be written: Is a directory"):
        append_line(log, FIRST)


def test_what_can_be_read_of_a_damaged_log(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    assert readable_lines(path) == []
    path.write_bytes(b'{"a":1}\n\0\0\0\n[1]\n{"a":2}\n{"a":3')
    assert readable_lines(path) == [{"a": 1}, {"a": 2}]


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    other, path = tmp_path / "other", tmp_path / "log"
    path.symlink_to(other)
    with pytest.raises(StorageError, match="a link is in its place; remove the link"):
        append_line(path, {"x": 1})
    assert not other.exists()
