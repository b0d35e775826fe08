"""replaces a function of NumPy by one of its own

Caught by: other_specs_keep_their_results
"""

import numpy as np

from mlpkit import Layer, component, hookimpl

_matmul = np.matmul


def _rounded(*arguments, **others):
    product = _matmul(*arguments, **others)
    product *= 1 + 1e-6
    return product


np.matmul = _rounded


class Same(Layer):
    """The inputs themselves, y = x."""

    def forward(self, x):
        return x

    def backward(self, dy):
        return dy


@hookimpl
def mlpkit_components():
    return [component("layer", "Same", Same)]
