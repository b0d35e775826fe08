"""MNIST-like files in a folder of the user's."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mlpkit import ParameterError
from mlpkit_plugins.datasets.mnist_names import RANKS
from mlpkit_plugins.formats.idx import read_idx_and_checksum

_REMEDY = "leave out 'directory' to use the MNIST files that ship with mlpkit"


class DirectoryFiles:
    """The four files in a folder, under their usual names, plain or compressed.

    Args:
        directory: the folder; ``~`` stands for the user's home.

    Raises:
        ParameterError: the folder doesn't exist, or a file is missing in it.
    """

    def __init__(self, directory: str) -> None:
        expected = f"a folder with {', '.join(RANKS)}, plain or .gz"
        try:
            folder = Path(directory).expanduser()
            present = {entry.name for entry in folder.iterdir()}
        except (OSError, ValueError, RuntimeError) as error:  # a null character; a ~ without a home folder
            message = f"can't read the folder '{directory}': {getattr(error, 'strerror', None) or error}"
            raise ParameterError("directory", message, expected=expected, remedy=_REMEDY) from error
        self._paths = {name: folder / file for name in RANKS for file in reversed(_spellings(name)) if file in present}
        missing = [name for name in RANKS if name not in self._paths]
        if missing:
            message = f"the folder '{directory}' has no {', '.join(missing)}"
            raise ParameterError("directory", message, expected=expected, remedy=_REMEDY)

    def path(self, name: str) -> Path:
        """Return the path of a file."""
        return self._paths[name]

    def read(self, name: str) -> tuple[NDArray[np.uint8], str]:
        """Return the array that a file holds, and the SHA-256 of the file's content.

        Raises:
            DataError: the file can't be read, or is not exactly what its header declares.
        """
        return read_idx_and_checksum(self.path(name), RANKS[name])


def _spellings(name: str) -> list[str]:
    """Return the names that a file may have, in order of preference."""
    dotted = name.replace("-idx", ".idx")
    return [name, dotted, f"{name}.gz", f"{dotted}.gz"]
