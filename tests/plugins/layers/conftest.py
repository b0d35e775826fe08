"""The dtypes that a network computes in."""

from __future__ import annotations

import numpy as np
import pytest


@pytest.fixture(params=["float32", "float64"])
def dtype(request):
    """Return the dtypes that a network computes in."""
    return np.dtype(request.param)
