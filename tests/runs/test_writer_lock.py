"""A run folder has one writer at a time."""

from __future__ import annotations

import errno
import fcntl
import os
import socket
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from mlpkit.errors import RunFolderError, StorageError
from mlpkit.runs.folder import RunFolder
from mlpkit.runs.writer_lock import WriterLock

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HOLD = """
import pathlib, sys
from mlpkit.runs.writer_lock import WriterLock
lock = WriterLock(pathlib.Path(sys.argv[1]))
lock.acquire()
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / ".lock"


@pytest.fixture
def holder(path: Path) -> Iterator[subprocess.Popen[str]]:
    """Return another process that holds the lock."""
    command = [sys.executable, "-c", HOLD, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def test_a_second_writer_is_refused_at_once_and_the_message_names_the_first(
    path: Path, holder: subprocess.Popen[str]
) -> None:
    with pytest.raises(RunFolderError) as raised:
        WriterLock(path).acquire()
    assert str(raised.value) == (f"{path.parent}: process {holder.pid} is writing to it; wait until that is done")


def test_who_reads_an_unfinished_run_is_asked_to_wait_for_its_writer(path: Path, holder: subprocess.Popen[str]) -> None:
    (path.parent / "spec.yaml").touch()
    folder = RunFolder.open(path.parent)
    unfinished = f"{path.parent}: holds no model.safetensors: the run is not finished; "
    for _ in range(2):
        with pytest.raises(RunFolderError) as raised:
            folder.load_model()
        assert str(raised.value) == (f"{unfinished}process {holder.pid} is writing to it; wait until that is done")
    holder.kill()
    holder.wait()
    with pytest.raises(RunFolderError, match="the run is not finished; start a new run"):
        folder.load_model()
    WriterLock(path).acquire()  # a look takes nothing away


def test_a_writer_that_is_killed_leaves_the_lock_free(path: Path, holder: subprocess.Popen[str]) -> None:
    holder.kill()
    holder.wait()
    lock = WriterLock(path)
    lock.acquire()
    assert path.read_text() == f"{os.getpid()}\n{socket.gethostname()}\n"
    lock.release()


def test_who_looks_knows_process_and_machine_of_the_writer(path: Path, holder: subprocess.Popen[str]) -> None:
    writer = WriterLock(path).another_writer()
    assert writer == (holder.pid, socket.gethostname())
    assert writer.is_here
    path.write_text("12\nelsewhere\n")
    with pytest.raises(RunFolderError, match="process 12 on elsewhere is writing to it"):
        WriterLock(path).acquire()
    path.write_text("12\n")  # as versions before 0.1 wrote it
    assert str(WriterLock(path).another_writer()) == "process 12"


def test_a_second_writer_in_the_same_process_is_refused(path: Path) -> None:
    first, second = WriterLock(path), WriterLock(path)
    first.acquire()
    first.acquire()
    with pytest.raises(RunFolderError, match="this process is writing to it"):
        second.acquire()
    first.release()
    first.release()
    second.acquire()
    second.release()


def test_a_holder_without_a_number_is_another_process(path: Path) -> None:
    lock = WriterLock(path)
    lock.acquire()
    path.write_text("")
    with pytest.raises(RunFolderError, match="another process is writing to it"):
        WriterLock(path).acquire()
    lock.release()


def test_a_release_frees_the_lock_though_a_forked_process_lives_on(path: Path) -> None:
    lock = WriterLock(path)
    lock.acquire()
    descriptor = os.open(path, os.O_RDWR)
    assert lock._descriptor is not None
    shared = os.dup(lock._descriptor)  # as a fork would share it
    lock.release()
    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    os.close(descriptor)
    os.close(shared)


@pytest.mark.parametrize("code", [errno.ENOLCK, errno.EIO])
def test_a_file_system_without_locks_is_reported(path: Path, monkeypatch: pytest.MonkeyPatch, code: int) -> None:
    def fail(*_: object) -> None:
        raise OSError(code, os.strerror(code))

    with monkeypatch.context() as patch:
        patch.setattr(fcntl, "flock", fail)
        with pytest.raises(StorageError, match=f"can't be locked: {os.strerror(code)}; "):
            WriterLock(path).acquire()
    lock = WriterLock(path)
    lock.acquire()
    lock.release()


def test_a_folder_that_is_gone_is_reported(tmp_path: Path) -> None:
    lock = WriterLock(tmp_path / "gone" / ".lock")
    with pytest.raises(StorageError, match="can't be locked: No such file or directory; check that its folder"):
        lock.acquire()


def test_nothing_of_an_earlier_longer_number_is_left(path: Path) -> None:
    path.write_text("123456789012\n")
    lock = WriterLock(path)
    lock.acquire()
    assert path.read_text() == f"{os.getpid()}\n{socket.gethostname()}\n"
    lock.release()


@pytest.mark.parametrize("function", ["ftruncate", "write"])
def test_a_failure_after_the_lock_was_taken_gives_it_back(path: Path, failing: Any, function: str) -> None:
    lock = WriterLock(path)
    failure = OSError(errno.ENOSPC, "No space left on device")
    with failing(function, failure), pytest.raises(StorageError, match="can't be locked: No space left"):
        lock.acquire()
    lock.acquire()
    lock.release()


def descriptors() -> int:
    return len(os.listdir("/dev/fd"))  # noqa: PTH208 - pathlib would hide that this opens one itself


def test_no_descriptor_is_left_open(path: Path) -> None:
    before = descriptors()
    first = WriterLock(path)
    first.acquire()
    with pytest.raises(RunFolderError):
        WriterLock(path).acquire()
    assert WriterLock(path).another_writer()
    assert descriptors() == before + 1
    first.release()
    assert WriterLock(path).another_writer() is None
    assert descriptors() == before


def test_a_lock_on_a_file_that_was_removed_meanwhile_does_not_count(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run that ends before training began removes its folder and the lock file in it."""
    other, lock = WriterLock(path), WriterLock(path)
    real = fcntl.flock
    removed = []

    def flock(descriptor: int, operation: int) -> None:
        if not removed:
            removed.append(path.unlink())
        real(descriptor, operation)

    monkeypatch.setattr(fcntl, "flock", flock)
    before = descriptors()
    lock.acquire()
    assert descriptors() == before + 1
    with pytest.raises(RunFolderError, match="this process is writing to it"):
        other.acquire()


def test_a_link_is_not_followed_to_a_file_that_would_be_overwritten(path: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.write_text("precious")
    path.symlink_to(other)
    with pytest.raises(StorageError, match=r"can't be locked: .*; a link is in its place; remove the link"):
        WriterLock(path).acquire()
    assert other.read_text() == "precious"


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir])
def test_what_is_no_file_is_not_locked(path: Path, make: Any) -> None:
    make(path)
    with pytest.raises(StorageError, match=r"can't be locked: (Invalid argument|Is a directory);"):
        WriterLock(path).acquire()


def test_readers_that_look_for_the_writer_keep_no_writer_out(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path.touch()
    looks = [os.open(path, os.O_RDONLY) for _ in range(3)]
    for look in looks:
        fcntl.flock(look, fcntl.LOCK_SH)
    monkeypatch.setattr("time.sleep", lambda _: os.close(looks.pop()))
    lock = WriterLock(path)
    lock.acquire()
    assert not looks
    lock.release()


def test_a_writer_that_waits_for_a_reader_hinders_no_other_one(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path.touch()
    look = os.open(path, os.O_RDONLY)
    fcntl.flock(look, fcntl.LOCK_SH)
    other = WriterLock(path)

    def other_comes(_: float) -> None:
        os.close(look)
        other.acquire()

    monkeypatch.setattr("time.sleep", other_comes)
    with pytest.raises(RunFolderError, match="this process is writing to it"):
        WriterLock(path).acquire()
    other.release()


def test_a_reader_that_stays_is_waited_for_two_seconds(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path.touch()
    look = os.open(path, os.O_RDONLY)
    fcntl.flock(look, fcntl.LOCK_SH)
    waited: list[float] = []
    monkeypatch.setattr("time.sleep", waited.append)
    with pytest.raises(RunFolderError, match="another process is writing to it; wait until that is done"):
        WriterLock(path).acquire()
    assert sum(waited) == pytest.approx(2)
    os.close(look)


@pytest.mark.parametrize("removes_open_files", [True, False])
def test_a_lock_that_is_removed_is_free(path: Path, monkeypatch: pytest.MonkeyPatch, removes_open_files: bool) -> None:
    monkeypatch.setattr("mlpkit.runs.writer_lock.REMOVES_OPEN_FILES", removes_open_files)
    lock = WriterLock(path)
    lock.acquire()
    if not removes_open_files:  # such a system refuses to
        monkeypatch.setattr(type(path), "unlink", lambda self, **_: self.rename("gone") if lock._descriptor else None)
    lock.remove()
    assert path.exists() != removes_open_files
    other = WriterLock(path)
    other.acquire()
    other.release()


def test_who_looks_finds_no_writer_where_the_file_system_has_no_locks(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    path.write_text("12\nelsewhere\n")
    before = len(os.listdir("/dev/fd"))  # noqa: PTH208 - pathlib would hide that this opens one itself
    monkeypatch.setattr(fcntl, "flock", fail)
    assert WriterLock(path).another_writer() is None
    assert len(os.listdir("/dev/fd")) == before  # noqa: PTH208
