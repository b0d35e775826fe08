"""computes a table at import

Caught by: import_is_quick
"""

from mlpkit import Layer, component, hookimpl

started = __import__("time").process_time()
while __import__("time").process_time() < started + 1.2:
    pass


class Same(Layer):
    """The inputs themselves, y = x."""

    def forward(self, x):
        return x

    def backward(self, dy):
        return dy


@hookimpl
def mlpkit_components():
    return [component("layer", "Same", Same)]
