"""A file is written whole, or the earlier one stays."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from mlpkit.errors import RunFolderError, StorageError
from mlpkit.runs.files import (
    file_hash,
    folders_in,
    make_folder,
    patiently,
    read_limited,
    reading_error,
    require_writable,
    storage_error,
    write_atomically,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

FAILURES = [
    pytest.param(OSError(code, os.strerror(code)), id=errno.errorcode[code])
    for code in (errno.ENOSPC, errno.EIO, errno.EACCES)
] + [pytest.param(KeyboardInterrupt(), id="KeyboardInterrupt")]


LARGE = b"large" * 2**18


@pytest.mark.parametrize(
    "content",
    [b"", b"one", [b"o", memoryview(b"ne")], [], [b"a", LARGE, b"", b"b", b"c"], [LARGE, LARGE], [b"x" * 900_000] * 3],
)
@pytest.mark.parametrize("earlier", [None, b"a longer earlier content"])
def test_the_file_has_the_new_content_and_nothing_else_is_left(
    tmp_path: Path, content: Any, earlier: bytes | None
) -> None:
    path = tmp_path / "file"
    if earlier is not None:
        path.write_bytes(earlier)
    write_atomically(path, content)
    assert path.read_bytes() == b"".join([content] if isinstance(content, bytes) else content)
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("code", [errno.EMFILE, errno.ENFILE])
def test_a_file_is_written_when_a_descriptor_is_free_again(tmp_path: Path, failing: Any, code: int) -> None:
    for call in (1, 2):  # the folder's, and the file's
        with failing("open", OSError(code, os.strerror(code)), call=call) as calls:
            write_atomically(tmp_path / "file", b"content")
        assert calls == [3]
        assert (tmp_path / "file").read_bytes() == b"content"


def test_a_file_is_not_waited_for_without_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*given: object) -> int:
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    monkeypatch.setattr("mlpkit.runs.files.MOST_PATIENCE", 0.2)
    monkeypatch.setattr("mlpkit.runs.files.os.open", refuse)
    with pytest.raises(StorageError, match="Too many open files; close files, or raise the limit of open files"):
        write_atomically(tmp_path / "file", b"content")


def test_what_is_busy_is_tried_every_twentieth_of_a_second_for_two_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    now, tries = [100.0], list[float]()

    def call() -> None:
        tries.append(now[0])
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    monkeypatch.setattr("time.monotonic", lambda: now[0])
    monkeypatch.setattr("time.sleep", lambda seconds: now.append(now.pop() + seconds))
    with pytest.raises(OSError, match="Too many open files"):
        patiently(call, (errno.EMFILE,))
    assert (tries[1], tries[-1]) == pytest.approx((100.05, 102.0), abs=0.06)
    assert len(tries) in (41, 42)  # as sums are rounded
    with pytest.raises(OSError, match="Too many open files"):
        patiently(call, (errno.EBUSY,))
    assert tries[-1] == now[0]


def test_the_permissions_are_those_of_any_new_file(tmp_path: Path) -> None:
    write_atomically(tmp_path / "file", b"")
    (tmp_path / "other").touch()
    assert (tmp_path / "file").stat().st_mode == (tmp_path / "other").stat().st_mode
    assert stat.S_ISREG((tmp_path / "file").stat().st_mode)


@pytest.mark.parametrize("failure", FAILURES)
@pytest.mark.parametrize(
    "at",
    [("open", 1), ("open", 2), ("write", 1), ("write", 2), ("fsync", 1), ("close", 1), ("replace", 1)],
)
@pytest.mark.parametrize("earlier", [None, b"earlier"])
def test_a_failure_leaves_the_earlier_file_and_no_other(
    tmp_path: Path, failing: Any, at: tuple[str, int], failure: BaseException, earlier: bytes | None
) -> None:
    path = tmp_path / "file"
    if earlier is not None:
        path.write_bytes(earlier)
    expected = StorageError if isinstance(failure, OSError) else KeyboardInterrupt
    function, call = at
    with failing(function, failure, call=call), pytest.raises(expected):
        write_atomically(path, [b"n" * 2**21, b"content"])
    assert list(tmp_path.iterdir()) == ([path] if earlier is not None else [])
    if earlier is not None:
        assert path.read_bytes() == earlier


@pytest.mark.parametrize(
    ("function", "call"), [("fsync", 2), ("close", 2)], ids=["fsync of the folder", "close of the folder"]
)
def test_a_failure_after_the_rename_is_reported_and_the_new_file_is_whole(
    tmp_path: Path, failing: Any, function: str, call: int
) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"earlier")
    with (
        failing(function, OSError(errno.EIO, "Input/output error"), call=call),
        pytest.raises(StorageError, match="Input/output error"),
    ):
        write_atomically(path, b"new")
    assert path.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_system_that_cannot_flush_folders_is_no_failure(tmp_path: Path, failing: Any) -> None:
    with failing("fsync", OSError(errno.EINVAL, "Invalid argument"), call=2) as calls:
        write_atomically(tmp_path / "file", b"new")
    assert calls == [2]
    assert (tmp_path / "file").read_bytes() == b"new"


def test_the_content_is_flushed_before_the_rename_and_the_folder_after_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[str] = []
    for name in ("write", "fsync", "replace"):
        real = getattr(os, name)

        def note(*args: Any, name: str = name, real: Any = real) -> Any:
            folder = name == "fsync" and stat.S_ISDIR(os.fstat(args[0]).st_mode)
            calls.append("fsync of the folder" if folder else name)
            return real(*args)

        monkeypatch.setattr(os, name, note)
    write_atomically(tmp_path / "file", b"new")
    assert calls == ["write", "fsync", "replace", "fsync of the folder"]


def test_short_writes_are_continued(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.write
    monkeypatch.setattr(os, "write", lambda descriptor, data: real(descriptor, data[:3]))
    write_atomically(tmp_path / "file", [b"0123456789", b"abcdefg"])
    assert (tmp_path / "file").read_bytes() == b"0123456789abcdefg"


def test_a_failure_of_who_makes_the_content_passes_through(tmp_path: Path) -> None:
    def parts() -> Iterator[bytes]:
        yield b"new"
        raise LookupError

    (tmp_path / "file").write_bytes(b"earlier")
    with pytest.raises(LookupError):
        write_atomically(tmp_path / "file", parts())
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"earlier"]


@pytest.mark.parametrize(
    ("code", "reason", "remedy"),
    [
        (errno.ENOSPC, "No space left on device", "free space on this disk, or choose another folder"),
        (errno.EROFS, "Read-only file system", "choose a folder that is not read-only"),
        (errno.EACCES, "Permission denied", "get permission to write there, or choose another folder"),
        (errno.EIO, "Input/output error", "check the disk or the network drive, or choose another folder"),
        (errno.EXDEV, None, "check the disk, or choose another folder"),
    ],
)
def test_the_message_names_file_reason_and_remedy(
    tmp_path: Path, failing: Any, code: int, reason: str | None, remedy: str
) -> None:
    path = tmp_path / "file"
    with failing("write", OSError(code, os.strerror(code))), pytest.raises(StorageError) as raised:
        write_atomically(path, b"new")
    assert str(raised.value) == f"{path}: can't be written: {reason or os.strerror(code)}; {remedy}"


def test_real_refusals(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "folder" / "inside").mkdir(parents=True)
    for path, advice in [
        (tmp_path / "missing" / "x", "check that its folder still exists"),
        (tmp_path / "file" / "x", "a part of the path is a file; choose another folder"),
        (tmp_path / "folder", "a folder is in its place; move the folder, or choose another name"),
        (tmp_path / ("x" * 300), "choose a shorter name"),
    ]:
        with pytest.raises(StorageError) as raised:
            write_atomically(path, b"new")
        assert str(raised.value).startswith(f"{path}: can't be written: ")
        assert str(raised.value).endswith(advice)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "folder"]


def test_whether_a_file_can_be_written_is_known_beforehand(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "folder").mkdir()
    require_writable(tmp_path / "new")
    require_writable(tmp_path / "file")
    for name, reason in (("folder", "Is a directory"), ("file/x", "Not a directory"), ("none/x", "No such file")):
        with pytest.raises(StorageError, match=f"{tmp_path / name}: can't be written: {reason}"):
            require_writable(tmp_path / name)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "folder"]


@pytest.mark.parametrize("path", ["", ".", "/"])
def test_a_path_without_a_name_is_a_folder(path: str) -> None:
    with pytest.raises(StorageError, match=r"can't be written: Is a directory; a folder is in its place"):
        write_atomically(Path(path), b"")


def test_folders_are_listed_in_their_natural_order(tmp_path: Path) -> None:
    for name in ("seed-10", "seed-2", "a3b10", "a3b9", "a", "2", "10", ".hidden"):
        (tmp_path / name).mkdir()
    (tmp_path / "file").touch()
    assert [path.name for path in folders_in(tmp_path)] == ["2", "10", "a", "a3b9", "a3b10", "seed-2", "seed-10"]
    with pytest.raises(RunFolderError, match="can't be listed: Not a directory; check the path and who may read it"):
        folders_in(tmp_path / "file")


def test_as_much_is_read_as_is_allowed(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x" * 2**20)
    assert read_limited(tmp_path / "file", 2**20) == b"x" * 2**20
    (tmp_path / "file").write_bytes(b"x" * (2**20 + 1))
    with pytest.raises(OSError, match="it is larger than 1 MiB"):
        read_limited(tmp_path / "file", 2**20)
    with pytest.raises(IsADirectoryError):
        read_limited(tmp_path, 9)


def test_a_file_has_its_checksum(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"abc")
    assert file_hash(tmp_path / "file") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert file_hash(tmp_path / "none") is None
    with pytest.raises(RunFolderError, match="can't be read: Is a directory; check the path and who may read it"):
        file_hash(tmp_path)


def test_an_error_of_the_system_has_a_reason_and_a_remedy() -> None:
    path, shortage = Path("x"), OSError(errno.EMFILE, "Too many open files")
    other = "check the disk, or choose another folder"
    assert str(storage_error(path, OSError())) == f"x: can't be written: OSError; {other}"
    assert str(storage_error(path, OSError("odd"), action="made")) == f"x: can't be made: odd; {other}"
    assert "x: can't be read: odd; check the path and" in str(reading_error(path, OSError("odd"), RunFolderError))
    found = reading_error(path, shortage, RunFolderError, action="listed")
    assert isinstance(found, StorageError)
    assert str(found) == "x: can't be listed: Too many open files; close files, or raise the limit of open files"


def test_a_new_folder_is_there_after_a_power_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    flushed: list[bool] = []

    def note(descriptor: int) -> None:
        flushed.append((tmp_path / "new").is_dir() and os.path.samestat(os.fstat(descriptor), tmp_path.stat()))

    monkeypatch.setattr(os, "fsync", note)
    for _ in range(2):
        make_folder(tmp_path / "new")
        assert flushed == [True]


def test_a_folder_that_nobody_may_write_to_is_known_beforehand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda path, mode: (path, mode) != (tmp_path, os.W_OK))
    with pytest.raises(StorageError, match="can't be written: Permission denied; get permission to write there"):
        require_writable(tmp_path / "new")


def test_a_system_that_opens_no_folders_writes_files_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mlpkit.runs.files.FOLDER", 0)
    write_atomically(tmp_path / "file", b"content")
    make_folder(tmp_path / "folder")
    require_writable(tmp_path / "folder" / "file")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "folder"]
    for act in (lambda path: write_atomically(path, b""), require_writable, make_folder):
        with pytest.raises(StorageError, match="No such file or directory; check that its folder still exists"):
            act(tmp_path / "none" / "x")
