"""The cache of decompressed files: it saves time, is never trusted, and is never needed."""

from __future__ import annotations

import errno
import gzip
import os
import resource
import shutil
import struct
import subprocess
import sys
import tempfile
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import platformdirs
import pytest

from mlpkit import DataError
from mlpkit_plugins.datasets import mnist as mnist_module
from mlpkit_plugins.datasets.mnist import cache_folder, read_through_cache

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

IMAGES = np.random.default_rng(0).integers(0, 256, (50, 28, 28)).astype(np.uint8)
CONTENT = struct.pack(">4I", 0x803, *IMAGES.shape) + IMAGES.tobytes()
CHECKSUM = sha256(CONTENT).hexdigest()
NAME = "some-images-idx3-ubyte"


@pytest.fixture
def compressed(tmp_path: Path) -> Path:
    """Return a file like those that ship with mlpkit."""
    path = tmp_path / "shipped" / f"{NAME}.gz"
    path.parent.mkdir()
    path.write_bytes(gzip.compress(CONTENT, 1))
    return path


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder that will be the cache, which isn't there yet."""
    monkeypatch.setenv("MLPKIT_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "mnist"


def check(compressed: Path) -> None:
    np.testing.assert_array_equal(read_through_cache(compressed, 3, CHECKSUM), IMAGES)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_the_environment_chooses_the_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLPKIT_CACHE", "/some/where")
    assert cache_folder() == Path("/some/where/mnist")
    for unset in (lambda: monkeypatch.setenv("MLPKIT_CACHE", ""), lambda: monkeypatch.delenv("MLPKIT_CACHE")):
        unset()
        assert cache_folder() == Path(platformdirs.user_cache_dir("mlpkit")) / "mnist"


def test_the_copy_is_made_once_and_read_ever_after(compressed: Path, cache: Path) -> None:
    check(compressed)
    assert names(cache) == [NAME]
    assert (cache / NAME).read_bytes() == CONTENT
    made = (cache / NAME).stat()
    compressed.write_bytes(b"no longer needed")
    check(compressed)
    assert (cache / NAME).stat().st_ino == made.st_ino
    assert (cache / NAME).stat().st_mtime_ns == made.st_mtime_ns


def _truncate(copy: Path) -> None:
    copy.write_bytes(CONTENT[:-1])


def _empty(copy: Path) -> None:
    copy.write_bytes(b"")


def _flip(copy: Path) -> None:
    damaged = bytearray(CONTENT)
    damaged[-1] ^= 1
    copy.write_bytes(damaged)


def _put_another(copy: Path) -> None:
    copy.write_bytes(struct.pack(">4I", 0x803, 1, 1, 1) + b"x")


def _put_a_dangling_link(copy: Path) -> None:
    copy.unlink()
    copy.symlink_to("nowhere")


def _put_a_pipe(copy: Path) -> None:
    copy.unlink()
    os.mkfifo(copy)


@pytest.mark.parametrize("damage", [_truncate, _empty, _flip, _put_another, _put_a_dangling_link, _put_a_pipe])
def test_a_broken_copy_is_written_again(compressed: Path, cache: Path, damage: Callable[[Path], None]) -> None:
    check(compressed)
    damage(cache / NAME)
    check(compressed)
    assert names(cache) == [NAME]
    assert (cache / NAME).read_bytes() == CONTENT
    assert not (cache / NAME).is_symlink()


def test_a_folder_in_place_of_the_copy_is_left_alone(compressed: Path, cache: Path) -> None:
    (cache / NAME).mkdir(parents=True)
    check(compressed)
    assert names(cache) == [NAME]
    assert names(cache / NAME) == []


def test_a_file_in_place_of_the_cache_is_left_alone(compressed: Path, cache: Path) -> None:
    cache.parent.write_text("mine")
    check(compressed)
    assert cache.parent.read_text() == "mine"


@pytest.fixture
def read_only(compressed: Path) -> Iterator[Path]:
    """Return a folder, with a compressed file in it, that can't be written to: not by root either, for once."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "mnist").mkdir()
        shutil.copy(compressed, folder)
        for path in (folder / "mnist", folder):
            path.chmod(0o555)
        user = os.geteuid()
        if user == 0:
            os.seteuid(65534)
        try:
            yield folder
        finally:
            os.seteuid(user)
            for path in (folder, folder / "mnist"):
                path.chmod(0o755)


def test_a_read_only_folder_does_not_matter(read_only: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLPKIT_CACHE", str(read_only))
    with pytest.raises(PermissionError):
        (read_only / "mnist" / "x").touch()
    check(read_only / f"{NAME}.gz")
    assert names(read_only / "mnist") == []


def test_a_full_disk_does_not_matter(compressed: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(mnist_module.os, "fsync", full)
    check(compressed)
    assert names(cache) == []


def test_a_write_cut_short_leaves_nothing(compressed: Path, cache: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, hard))  # the kernel refuses to write on from there
    try:
        check(compressed)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert names(cache) == []


def test_an_interrupt_leaves_nothing(compressed: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(_: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(mnist_module.os, "fsync", interrupt)
    with pytest.raises(KeyboardInterrupt):
        read_through_cache(compressed, 3, CHECKSUM)
    assert names(cache) == []


def test_the_copy_appears_only_when_it_is_on_the_disk(
    compressed: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[list[str]] = []
    monkeypatch.setattr(mnist_module.os, "fsync", lambda _: seen.append(names(cache)))
    check(compressed)
    assert len(seen) == 1
    assert NAME not in seen[0]
    assert [name.startswith(f".{NAME}.") for name in seen[0]] == [True]


def test_many_processes_at_once_do_no_harm(compressed: Path, cache: Path) -> None:
    program = (
        "import sys\n"
        "from hashlib import sha256\n"
        "from pathlib import Path\n"
        "from mlpkit_plugins.datasets.mnist import read_through_cache\n"
        "for _ in range(60):\n"
        "    read_through_cache(Path(sys.argv[1]), 3, sys.argv[2])\n"
        "    (Path(sys.argv[3])).unlink(missing_ok=True)\n"
        "read_through_cache(Path(sys.argv[1]), 3, sys.argv[2])\n"
    )
    command = [sys.executable, "-c", program, str(compressed), CHECKSUM, str(cache / NAME)]
    processes = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True) for _ in range(4)]
    for process in processes:
        _, errors = process.communicate(timeout=60)
        assert (process.returncode, errors) == (0, "")
    check(compressed)
    assert names(cache) == [NAME]


def test_a_damaged_shipped_file_is_an_error(compressed: Path, cache: Path) -> None:
    other = bytearray(CONTENT)
    other[100] ^= 1
    compressed.write_bytes(gzip.compress(bytes(other)))
    with pytest.raises(DataError) as caught:
        read_through_cache(compressed, 3, CHECKSUM)
    assert str(caught.value) == (
        f"{compressed}: the SHA-256 of its decompressed content is {sha256(other).hexdigest()}; "
        f"expected {CHECKSUM}; reinstall mlpkit"
    )
    assert not cache.exists()
    compressed.unlink()
    with pytest.raises(DataError, match="no such file"):
        read_through_cache(compressed, 3, CHECKSUM)
