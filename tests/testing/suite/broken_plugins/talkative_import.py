"""prints its version at import

Caught by: import_leaves_the_process_alone
"""

from mlpkit import Layer, component, hookimpl

print("same 1.0")


class Same(Layer):
    """The inputs themselves, y = x."""

    def forward(self, x):
        return x

    def backward(self, dy):
        return dy


@hookimpl
def mlpkit_components():
    return [component("layer", "Same", Same)]
