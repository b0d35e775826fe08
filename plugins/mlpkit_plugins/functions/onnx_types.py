"""Numbers that stand for dtypes in ONNX's operator ``Cast``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import numpy as np

FLOAT32: Final = 1
INT64: Final = 7
FLOAT64: Final = 11


def float_type(dtype: np.dtype[Any]) -> int:
    """Return the number of a network's dtype."""
    return {"float32": FLOAT32, "float64": FLOAT64}[dtype.name]
