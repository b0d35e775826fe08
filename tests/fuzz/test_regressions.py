"""Inputs that once failed: accepted wrongly, a foreign exception, or too dear. They stay refused, in our own words."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from fuzzing.watch import campaign

from mlpkit.jobs.check import check
from mlpkit.jobs.load_model import load_trained
from mlpkit.numpy_file import NUMPY_SUFFIXES, read_numpy_file
from mlpkit.specfile.spec import read_spec
from mlpkit_plugins.formats.idx import read_idx
from mlpkit_plugins.formats.image import IMAGE_SUFFIXES, read_image

if TYPE_CHECKING:
    from collections.abc import Callable

HERE = Path(__file__).with_name("regressions")
FILES = sorted(path for path in HERE.rglob("*") if path.is_file())


def loader(path: Path) -> Callable[[Path], Any]:
    """Return what reads a file, by the folder and the ending that it has."""
    if path.parent.name == "specs":
        return lambda file: check(read_spec(file))
    if path.parent.name == "models":
        return load_trained
    if path.suffix in NUMPY_SUFFIXES:
        return read_numpy_file
    return read_image if path.suffix in IMAGE_SUFFIXES else lambda file: read_idx(file, 3)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(HERE).as_posix())
def test_stays_refused(tmp_path: Path, path: Path) -> None:
    campaign(loader(path), [path.read_bytes()], tmp_path / path.name)
