"""Reads arrays from .npy and .npz files of the user's, without ever running code from them."""

from __future__ import annotations

import zipfile
from typing import TYPE_CHECKING, Any

import numpy as np

from mlpkit.errors import DataError

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray


NUMPY_SUFFIXES = (".npy", ".npz")


def read_numpy_file(path: Path) -> NDArray[Any]:
    """Read the array of an .npy file, or of an .npz file the one called ``x`` or the only one.

    Raises:
        DataError: the file is missing, corrupt, of another format, or holds something else than numbers.
    """
    if path.suffix not in NUMPY_SUFFIXES:
        raise DataError(path, f"unknown file type '{path.suffix}'; expected .npy or .npz")
    try:
        loaded = np.load(path, allow_pickle=False)
        array = loaded if isinstance(loaded, np.ndarray) else _only_array(path, loaded)
    except FileNotFoundError as error:
        raise DataError(path, "no such file") from error
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise DataError(path, f"can't be read as a NumPy file: {error}") from error
    if array.dtype.kind not in "biuf":
        raise DataError(path, f"holds {array.dtype}; expected numbers")
    return array


def _only_array(path: Path, archive: Any) -> NDArray[Any]:
    names = list(archive.files)
    if "x" not in names and len(names) != 1:
        raise DataError(path, f"holds {len(names)} arrays ({', '.join(names)}); expected one, or one called 'x'")
    found: NDArray[Any] = archive["x" if "x" in names else names[0]]
    return found
