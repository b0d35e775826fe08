"""Examples and checks of initializers: shape, dtype, and random numbers of the first values."""

from __future__ import annotations

import copy
from math import prod
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from mlpkit.components.initializer import Fans
from mlpkit.testing.suite.check import CheckFailure, checks_examples
from mlpkit.testing.suite.comparison import expect_same_bits
from mlpkit.testing.suite.example import ExampleWithShape

if TYPE_CHECKING:
    from mlpkit.components.initializer import Initializer
    from mlpkit.testing.suite.comparison import Arrays


class InitializerExample(ExampleWithShape):
    """An initializer of a parameter of a shape."""

    form = "a list of pairs of parameters and the shape of an array to fill"
    sample = "[({'std': 0.1}, (4, 3))]"
    place: ClassVar[tuple[int, ...]] = (5, 3)

    def draw(self, initializer: Initializer, dtype: str = "float64", number: int = 0) -> Any:
        """Return first values.

        Args:
            initializer: the initializer.
            dtype: the network's dtype.
            number: number of the random stream.
        """
        shape = self.shape
        fans = Fans(prod(shape[:-1]), shape[-1] if shape else 1)
        return initializer(shape, fans, self.random("initializer", number), np.dtype(dtype))

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

    Layers may use initializers for arrays of their own.
    """
    for dtype in ("float32", "float64"):
        found = np.asarray(example.draw(example.make(), dtype)).dtype
        if found != dtype:
            raise CheckFailure(f"it returned {found} for {dtype}", expected=dtype, remedy="end with .astype(dtype)")


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
    remedy = "keep nothing in self, and draw from rng alone"
    expect_same_bits(found, expected, "when the object had been used before", remedy)
    if repr(vars(used)) != repr(before):
        raise CheckFailure(
            f"drawing values changed {', '.join(sorted(vars(used)))}", expected="an object that doesn't change"
        )


@checks_examples("initializer")
def values_are_new_each_time(example: InitializerExample) -> None:
    """Does each call return an array of its own?

    Two parameters in one array would be trained as one.
    """
    initializer = example.make()
    first = np.asarray(example.draw(initializer))
    second = np.asarray(example.draw(initializer))
    if np.shares_memory(first, second):
        raise CheckFailure("two calls returned the same memory", expected="a new array at each call")
