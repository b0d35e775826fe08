"""Weights of images, from a CSV file."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from mlpkit import DataError
from mlpkit_plugins.files.class_folders import ClassFile
from mlpkit_plugins.formats.csv_file import CsvFile
from mlpkit_plugins.formats.shown_text import shown_text

FILE: Final = "file"
WEIGHT: Final = "weight"
"""The columns: an image's path relative to the folder, with slashes, and its weight."""


def with_weights(files: Sequence[ClassFile], path: Path, name: str) -> list[ClassFile]:
    """Return images with their weights in a CSV file; images of weight 0 are left out."""
    weights = _weights(path, name)
    absent = [file.key for file in files if file.key not in weights]
    if absent:
        count = f"{len(absent):,} of {len(files):,} images have" if len(absent) > 1 else "an image has"
        message = f"{count} no row, such as {shown_text(absent[0])}; add one for each, with the class before the name"
        raise DataError(name, message, column=FILE)
    counting = [file._replace(weight=weights[file.key]) for file in files if weights[file.key]]
    if not counting:
        raise DataError(name, "the weight of every image is 0", column=WEIGHT)
    return counting


def _weights(path: Path, name: str) -> dict[str, float]:
    """Return the weights by an image's path relative to the folder."""
    table = CsvFile(path, name=name)
    for column in (FILE, WEIGHT):
        if column not in table.header:
            message = f"there is no such column; expected '{FILE}' and '{WEIGHT}'"
            raise DataError(name, message, row=table.header_row, column=column)
    weights = {}
    for block in table.blocks((FILE, WEIGHT)):
        for row, file, text in zip(block.rows.tolist(), *block.columns, strict=True):
            weights[file.strip()] = _weight(name, row, text)
    return weights


def _weight(name: str, row: int, text: str) -> float:
    try:
        weight = float(text)
    except ValueError:
        weight = math.nan
    if not 0 <= weight < math.inf:
        message = f"{shown_text(text)} is not a weight; expected 0 or more"
        raise DataError(name, message, row=row, column=WEIGHT)
    return weight
