"""The four files of MNIST, which ship with mlpkit, or of a data set in the same format."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mlpkit import DataError, ParameterError
from mlpkit_plugins.formats.idx import idx_header, read_idx_and_checksum

TRAIN_IMAGES = "train-images-idx3-ubyte"
TRAIN_LABELS = "train-labels-idx1-ubyte"
TEST_IMAGES = "t10k-images-idx3-ubyte"
TEST_LABELS = "t10k-labels-idx1-ubyte"

RANKS = {TRAIN_IMAGES: 3, TRAIN_LABELS: 1, TEST_IMAGES: 3, TEST_LABELS: 1}
"""Number of dimensions in each file: images are (examples, height, width), labels (examples,)."""

FOLDER = Path(__file__).with_name("mnist_files")
"""The shipped files, compressed."""

CHECKSUMS = {
    TRAIN_IMAGES: "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    TRAIN_LABELS: "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    TEST_IMAGES: "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    TEST_LABELS: "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
}
"""SHA-256 of the decompressed content of each shipped file."""

_REMEDY = "leave out 'directory' to use the MNIST files that ship with mlpkit"


def mnist_paths(directory: str | None) -> dict[str, Path]:
    """Return the paths of the shipped files, or of those in another folder, by name."""
    if directory is None:
        return {name: FOLDER / f"{name}.gz" for name in RANKS}
    expected = f"a folder with {', '.join(RANKS)}, plain or .gz"
    try:
        folder = Path(directory).expanduser()
        present = {entry.name for entry in folder.iterdir()}
    except (OSError, ValueError, RuntimeError) as error:  # a null character; a ~ without a home folder
        message = f"can't read the folder '{directory}': {getattr(error, 'strerror', None) or error}"
        raise ParameterError("directory", message, expected=expected, remedy=_REMEDY) from error
    paths = {name: folder / file for name in RANKS for file in reversed(_spellings(name)) if file in present}
    missing = [name for name in RANKS if name not in paths]
    if missing:
        message = f"the folder '{directory}' has no {', '.join(missing)}"
        raise ParameterError("directory", message, expected=expected, remedy=_REMEDY)
    return paths


def read_mnist(name: str, path: Path) -> tuple[NDArray[np.uint8], str]:
    """Return the array of a file, a shipped one from the cache, and the SHA-256 of its decompressed content."""
    if path.parent == FOLDER:
        return read_through_cache(path, RANKS[name], CHECKSUMS[name]), CHECKSUMS[name]
    return read_idx_and_checksum(path, RANKS[name])


def _spellings(name: str) -> list[str]:
    """Return the names that a file may have, in order of preference."""
    dotted = name.replace("-idx", ".idx")
    return [name, dotted, f"{name}.gz", f"{dotted}.gz"]


def cache_folder() -> Path:
    """Return the folder for decompressed MNIST files, which need not exist, and can be deleted at any time.

    It is in ``~/.cache/mlpkit`` on Linux, in ``~/Library/Caches/mlpkit`` on macOS, or in the folder that the
    environment variable ``MLPKIT_CACHE`` names.
    """
    chosen = os.environ.get("MLPKIT_CACHE")
    if not chosen:
        import platformdirs  # noqa: PLC0415 - slow to load, and needed only here

        chosen = platformdirs.user_cache_dir("mlpkit")
    return Path(chosen) / "mnist"


def read_through_cache(compressed: Path, rank: int, checksum: str) -> NDArray[np.uint8]:
    """Read a compressed IDX file, from its decompressed copy if that has this SHA-256; otherwise write such a copy."""
    copy = cache_folder() / compressed.stem
    values = _read_copy(copy, rank, checksum)
    if values is None:
        values, actual = read_idx_and_checksum(compressed, rank)
        if actual != checksum:
            message = f"the SHA-256 of its decompressed content is {actual}; expected {checksum}; reinstall mlpkit"
            raise DataError(compressed, message)
        _write_copy(copy, values)
    return values


def _read_copy(copy: Path, rank: int, checksum: str) -> NDArray[np.uint8] | None:
    try:
        values, actual = read_idx_and_checksum(copy, rank)
    except DataError:  # missing or damaged; the compressed file is read instead
        return None
    return values if actual == checksum else None


def _write_copy(copy: Path, values: NDArray[np.uint8]) -> None:
    """Write the copy atomically; if several processes do so at once, the last one wins."""
    temporary = copy.with_name(f".{copy.name}.{os.getpid()}-{os.urandom(4).hex()}")
    with contextlib.suppress(OSError):  # the folder is full or read-only; the arrays in memory are enough
        copy.parent.mkdir(parents=True, exist_ok=True)
        try:
            with temporary.open("xb") as file:
                file.write(idx_header(values.shape))
                file.write(values.data)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(copy)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
