"""replaces a function of NumPy by one of its own

Caught by: other_specs_keep_their_results
"""

import numpy as np

from mlpkit import Layer, component, hookimpl

_exp = np.exp


def _steeper(x, **others):
    return _exp(np.multiply(x, 1 + 1e-6), **others)


np.exp = _steeper


class Same(Layer):
    """The inputs themselves, y = x."""

    def forward(self, x):
        return x

    def backward(self, dy):
        return dy


@hookimpl
def mlpkit_components():
    return [component("layer", "Same", Same)]
