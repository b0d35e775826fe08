"""Writes IDX files, MNIST's format."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np


def write_idx(path: str | Path, values: np.ndarray) -> None:
    """Write an array of bytes."""
    header = struct.pack(f">HBB{values.ndim}I", 0, 8, values.ndim, *values.shape)
    Path(path).write_bytes(header + values.astype(np.uint8).tobytes())
