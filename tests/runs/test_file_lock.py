"""Locks on files, by flock and as on Windows."""

from __future__ import annotations

import errno
import os
import sys
from types import SimpleNamespace

import pytest

from mlpkit.runs import writer_lock
from mlpkit.runs.writer_lock import lock, require_unlocked, unlock


class Windows:
    """Locks on bytes: mandatory, exclusive, and of an open file."""

    LK_NBLCK, LK_UNLCK = 2, 0

    def __init__(self):
        self.holders = {}

    def locking(self, descriptor, mode, count):
        place = (os.fstat(descriptor).st_ino, os.lseek(descriptor, 0, os.SEEK_CUR), count)
        if self.holders.get(place, descriptor) != descriptor:
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        if mode == self.LK_UNLCK:
            del self.holders[place]
        else:
            self.holders[place] = descriptor


@pytest.fixture(params=["flock", "Windows"])
def system(request, monkeypatch):
    windows = Windows()
    if request.param == "Windows":
        monkeypatch.setattr(writer_lock, "fcntl", None)
        monkeypatch.setitem(sys.modules, "msvcrt", windows)
    elif writer_lock.fcntl is None:
        pytest.skip("this system has no flock")
    return windows


@pytest.fixture
def files(system, tmp_path):
    (tmp_path / "lock").touch()
    opened = SimpleNamespace(**{name: os.open(tmp_path / "lock", os.O_RDWR) for name in ("first", "second")})
    yield opened
    for descriptor in vars(opened).values():
        os.close(descriptor)


def test_a_locked_file_is_neither_locked_again_nor_unlocked(files):
    lock(files.first)
    for call in (lock, require_unlocked):
        with pytest.raises(BlockingIOError) as raised:
            call(files.second)
        assert raised.value.errno in {errno.EACCES, errno.EAGAIN}
    unlock(files.first)
    require_unlocked(files.second)
    lock(files.second)


def test_who_asks_leaves_no_lock(files):
    require_unlocked(files.first)
    lock(files.second)


def test_the_content_of_a_locked_file_can_be_read(files, system):
    lock(files.first)
    assert all(place > 1 << 20 for _, place, _ in system.holders)
