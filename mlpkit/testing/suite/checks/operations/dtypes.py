"""Dtypes: what comes out has the network's dtype."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mlpkit.components.layer import Layer
from mlpkit.testing.suite.check import checks_examples
from mlpkit.testing.suite.nonconformity import Nonconformity

if TYPE_CHECKING:
    from mlpkit.testing.suite.examples.operation import OperationExample


@checks_examples("layer", "loss")
def float32_stays_float32(example: OperationExample) -> None:
    """In a float32 network, is everything that comes out float32?

    One float64 array makes all that follows twice as slow, and NumPy makes one easily: ``np.sqrt(2.0) * x`` is one,
    ``math.sqrt(2.0) * x`` is not.
    """
    _expect_dtype(example, "float32", "look for NumPy's own numbers and for arrays made without a dtype")


@checks_examples("layer", "loss")
def float64_stays_float64(example: OperationExample) -> None:
    """In a float64 network, is everything that comes out float64?

    Who asks for float64 needs the digits, and gradients can't be checked without them.
    """
    _expect_dtype(example, "float64", "make arrays with dtype=self.dtype, and not with float32")


def _expect_dtype(example: OperationExample, dtype: str, remedy: str) -> None:
    operation, batch = example.ready(dtype), example.batch(dtype=dtype)
    outputs = example.forward(operation, batch)
    found = {"backward": example.backward(operation, batch)}
    if isinstance(operation, Layer):
        found["forward"] = outputs
    for method, array in found.items():
        if np.asarray(array).dtype != dtype:
            raise Nonconformity(
                f"{method} returned {np.asarray(array).dtype} for {dtype} inputs", expected=dtype, remedy=remedy
            )
