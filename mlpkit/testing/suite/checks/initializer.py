"""Examples and checks of initializers: shape, dtype and randomness of initial values."""

from __future__ import annotations

from math import prod
from typing import Any, ClassVar

import numpy as np

from mlpkit.array import Array
from mlpkit.components.initializer import Fans, Initializer
from mlpkit.testing.suite.check import Arrays, check_same_bits, checks_examples, require, unchanged_object
from mlpkit.testing.suite.plugin_under_test import ExampleWithShape


class InitializerExample(ExampleWithShape):
    """An initializer with the shape of a parameter."""

    form = "a list of pairs of parameters and the shape of an array to fill"
    sample = "[({'std': 0.1}, (4, 3))]"
    place: ClassVar[tuple[int, ...]] = (5, 3)

    def draw(self, initializer: Initializer, dtype: str = "float64", number: int = 0) -> Any:
        """Draw initial values from the random stream of a number."""
        shape = self.shape
        fans = Fans(prod(shape[:-1]), shape[-1] if shape else 1)
        return initializer(shape, fans, self.random("initializer", number), np.dtype(dtype))

    def adapted(self, initializer: Initializer, dtype: str, batch: Array) -> Any:
        """Draw initial values adapted to a batch: rows with a feature for each weight, or a bias's outputs."""

        def outputs(values: Array) -> Array:
            y = batch + values if values.ndim == 1 else batch @ values.reshape(-1, values.shape[-1])
            return np.asarray(y, dtype)

        return initializer.adapt(self.draw(initializer, dtype), outputs, -1, self.random("initializer", 1))

    def exercise(self) -> Arrays:
        """Draw values in both dtypes."""
        return {f"the values in {dtype}": np.array(self.draw(self.make(), dtype)) for dtype in ("float32", "float64")}


@checks_examples("initializer")
def values_fill_a_parameter(example: InitializerExample) -> None:
    """Is the result a new array of finite numbers, of the requested shape and dtype, at each call?

    It fills a parameter; two parameters in one array would be trained as one.
    """
    for dtype in ("float32", "float64"):
        initializer = example.make()
        values, others = example.draw(initializer, dtype), example.draw(initializer, dtype)
        _require_values("it", values, example.shape, dtype)
        require(np.isfinite(values).all(), "a value is infinite or not a number", expected="finite values")
        shared = np.shares_memory(values, others)
        require(not shared, "two calls returned the same memory", expected="a new array at each call")


def _require_values(what: str, values: Any, shape: tuple[int, ...], dtype: str) -> None:
    returned = f"{values.dtype} of shape {values.shape}" if isinstance(values, np.ndarray) else type(values).__name__
    expected = f"{dtype} of shape {shape}"
    require(returned == expected, f"{what} returned {returned}", expected=expected, remedy="end with .astype(dtype)")


@checks_examples("initializer")
def an_initializer_keeps_nothing(example: InitializerExample) -> None:
    """Does a used initializer give the same bits as a new one, and stay unchanged?

    One object may draw the values of many parameters, in any order.
    """
    used = example.make()
    with unchanged_object("drawing values", used):
        example.draw(used, number=1)
    what = "the values"
    found = {what: np.asarray(example.draw(used))}
    expected = {what: np.asarray(example.draw(example.make()))}
    remedy = "keep nothing in self, and draw only from rng"
    check_same_bits(found, expected, "when the object had been used before", remedy)


@checks_examples("initializer")
def adapted_values_can_be_trained(example: InitializerExample) -> None:
    """Does ``adapt`` return finite values of the parameter's shape and dtype, even for constant inputs?

    They replace the values from the call.
    """
    initializer = example.make()
    if not initializer.sees_inputs or not example.shape:  # without axes, there are no units
        return
    columns = prod(example.shape[:-1]) if len(example.shape) > 1 else example.shape[0]
    batches = {
        "random inputs": example.random("inputs").normal(size=(6, columns)),
        "constant inputs": np.zeros((6, columns)),
    }
    for dtype in ("float32", "float64"):
        for what, batch in batches.items():
            values = example.adapted(initializer, dtype, batch)
            _require_values("adapt", values, example.shape, dtype)
            happened = f"a value adapted to {what} is infinite or not a number"
            require(np.isfinite(values).all(), happened, expected="finite values for any inputs")
