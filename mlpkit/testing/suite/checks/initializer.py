"""Examples and checks of initializers: shape, dtype and randomness of initial values."""

from __future__ import annotations

import copy
from math import prod
from typing import Any, ClassVar

import numpy as np

from mlpkit.array import Array
from mlpkit.components.initializer import Fans, Initializer
from mlpkit.testing.suite.check import CheckFailure, checks_examples
from mlpkit.testing.suite.comparison import Arrays, check_same_bits
from mlpkit.testing.suite.example import ExampleWithShape


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
def values_have_the_shape_asked_for(example: InitializerExample) -> None:
    """Is the result an array of the requested shape?

    It fills a parameter of that shape.
    """
    values = example.draw(example.make())
    if not isinstance(values, np.ndarray) or values.shape != example.shape:
        raise CheckFailure(f"it returned {np.shape(values)}", expected=f"an array of shape {example.shape}")


@checks_examples("initializer")
def values_have_the_dtype_asked_for(example: InitializerExample) -> None:
    """Does the result have the requested dtype, float32 or float64?

    Layers may use initializers for other arrays.
    """
    for dtype in ("float32", "float64"):
        returned = np.asarray(example.draw(example.make(), dtype)).dtype
        if returned != dtype:
            raise CheckFailure(f"it returned {returned} for {dtype}", expected=dtype, remedy="end with .astype(dtype)")


@checks_examples("initializer")
def values_are_finite(example: InitializerExample) -> None:
    """Are all values finite?

    Training can't start otherwise.
    """
    for dtype in ("float32", "float64"):
        if not np.isfinite(example.draw(example.make(), dtype)).all():
            raise CheckFailure("a value is infinite or not a number", expected="finite values")


@checks_examples("initializer")
def an_initializer_keeps_nothing(example: InitializerExample) -> None:
    """Does a used initializer give the same bits as a new one, and stay unchanged?

    One object may draw the values of many parameters, in any order.
    """
    used = example.make()
    before = copy.deepcopy(vars(used))
    example.draw(used, number=1)
    what = "the values"
    found = {what: np.asarray(example.draw(used))}
    expected = {what: np.asarray(example.draw(example.make()))}
    remedy = "keep nothing in self, and draw only from rng"
    check_same_bits(found, expected, "when the object had been used before", remedy)
    if repr(vars(used)) != repr(before):
        raise CheckFailure(
            f"drawing values changed {', '.join(sorted(vars(used)))}", expected="an object that doesn't change"
        )


@checks_examples("initializer")
def values_are_new_each_time(example: InitializerExample) -> None:
    """Does each call return a new array?

    Two parameters in one array would be trained as one.
    """
    initializer = example.make()
    first = np.asarray(example.draw(initializer))
    second = np.asarray(example.draw(initializer))
    if np.shares_memory(first, second):
        raise CheckFailure("two calls returned the same memory", expected="a new array at each call")


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
            shape, returned = np.shape(values), np.asarray(values).dtype
            if shape != example.shape or returned != dtype:
                message = f"adapt returned {returned} of shape {shape}"
                raise CheckFailure(message, expected=f"{dtype} of shape {example.shape}")
            if not np.isfinite(values).all():
                raise CheckFailure(
                    f"a value adapted to {what} is infinite or not a number", expected="finite values for any inputs"
                )
