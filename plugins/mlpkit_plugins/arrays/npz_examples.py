"""Arrays of an .npz file as examples."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from mlpkit import DataError
from mlpkit_plugins.arrays.array_split import Examples
from mlpkit_plugins.arrays.target_arrays import weight_array
from mlpkit_plugins.formats.npz_file import npz_array


def npz_examples(path: Path, name: str, inputs: str, targets: str, weights: str | None = None) -> Examples:
    """Open inputs, targets and perhaps weights, and read their headers."""
    with reading(path, name) as file:
        x, t = (npz_array(file, array, name) for array in (inputs, targets))
        examples = Examples(x, t, f"{name}, array '{inputs}'", f"{name}, array '{targets}'", (path,))
        if weights is None:
            return examples
        values, count = npz_array(file, weights, name)[:], t.shape[0] if t.shape else 0
    return examples._replace(weights=weight_array(values, count, f"{name}, array '{weights}'"))


@contextmanager
def reading(path: Path, name: str) -> Iterator[IO[bytes]]:
    """Open an .npz file, which mustn't be empty."""
    try:
        with path.open("rb") as file:
            if not os.fstat(file.fileno()).st_size:  # a file in /proc might never end
                raise DataError(name, "the file is empty; expected an .npz file")
            yield file
    except OSError as error:
        raise DataError(name, f"can't be read: {error.strerror or error}") from error
