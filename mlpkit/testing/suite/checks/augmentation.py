"""Examples and checks of augmentations, which write random changes drawn from ``rng`` into ``out``."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np

from mlpkit.array import Array
from mlpkit.components.augmentation import Augmentation
from mlpkit.errors import WrongUseError
from mlpkit.testing.suite.check import (
    Arrays,
    CheckFailure,
    check_same_bits,
    checks_examples,
    failing_with,
    require,
    unchanged,
)
from mlpkit.testing.suite.plugin_under_test import ROWS, ExampleWithShape


class AugmentationExample(ExampleWithShape):
    """An augmentation of inputs of some shape, with values between 0 and 1 like pixels."""

    sample = "[({'std': 0.1}, (28, 28))]"

    def inputs(self, rows: int = ROWS, dtype: str = "float64", number: int = 0) -> Array:
        """Return a random minibatch."""
        return self.random("batch", number).uniform(size=(rows, *self.shape)).astype(dtype)

    def augment(self, augmentation: Augmentation, x: Array, number: int = 0) -> Any:
        """Return the changed minibatch, written into an array of NaN, with the random stream of a number."""
        return augmentation(x, self.random("augmentation", number), np.full_like(x, np.nan))

    def exercise(self) -> Arrays:
        """Change a minibatch in both dtypes."""
        return {
            f"the changed inputs in {dtype}": np.array(self.augment(self.make(), self.inputs(dtype=dtype)))
            for dtype in ("float32", "float64")
        }


WHAT = "the changed inputs"

SHAPES = ((), (5,), (3, 4), (2, 3, 4), (2, 2, 3, 2))
"""Shapes of inputs that an augmentation is tried on, in addition to its examples."""


@checks_examples("augmentation")
def writes_into_out(example: AugmentationExample) -> None:
    """Does it fill ``out`` with finite numbers and return it, for minibatches of 1 and of 7 rows, in both dtypes?

    The array is reused, so that no step allocates memory; its content is undefined.
    """
    augmentation = example.make()
    for rows, dtype in product((1, 7), ("float32", "float64")):
        x = example.inputs(rows, dtype)
        out = np.full_like(x, np.nan)
        returned = augmentation(x, example.random("augmentation"), out)
        require(
            isinstance(returned, np.ndarray) and returned.shape == x.shape and np.shares_memory(returned, out),
            f"it returned {type(returned).__name__} other than out",
            expected="out, filled",
            remedy="return out",
        )
        require(np.isfinite(out).all(), f"out has numbers that are not finite in {dtype}", expected="finite numbers")


@checks_examples("augmentation")
def leaves_the_minibatch_alone(example: AugmentationExample) -> None:
    """Is ``x`` the same afterwards, and may it be read-only?

    It belongs to the data set, or to the previous augmentation.
    """
    x = example.inputs()
    with unchanged("it", {"x": x}, "write into out"):
        example.augment(example.make(), x)
    x.flags.writeable = False
    example.augment(example.make(), x)


@checks_examples("augmentation")
def other_minibatches_leave_no_trace(example: AugmentationExample) -> None:
    """Does a used object give the same bits as a new one?

    A resumed training must continue as the original would have.
    """
    used, x = example.make(), example.inputs()
    example.augment(used, example.inputs(3, number=1), number=1)
    found = np.array(example.augment(used, x))
    expected = np.array(example.augment(example.make(), x))
    remedy = "keep nothing from step to step, and draw only from rng"
    check_same_bits({WHAT: found}, {WHAT: expected}, "when the object had been used before", remedy)


@checks_examples("augmentation")
def draws_from_rng(example: AugmentationExample) -> None:
    """Does the change depend on ``rng``?

    An augmentation that always makes the same change is preprocessing, and belongs in the data set.
    """
    augmentation, x = example.make(), example.inputs(20)
    results = {np.array(example.augment(augmentation, x, number=number)).tobytes() for number in range(8)}
    require(
        len(results) > 1,
        "it changed the inputs in the same way for eight generators",
        expected="random changes",
        remedy="draw random numbers from rng; prepare inputs in a data set's open and encode",
    )


@checks_examples("augmentation")
def refuses_inputs_it_can_not_change(example: AugmentationExample) -> None:
    """Does ``expect_inputs`` accept the example's shape, and other shapes only if such inputs can be changed?

    It is called before data is read; the error shows the line of the spec, and what would fit.
    """
    for shape in (example.shape, *SHAPES):
        augmentation = example.make()
        try:
            happened = f"expect_inputs, for inputs of shape {shape}, raised"
            with failing_with(happened, expected="ShapeError, or nothing", except_for=WrongUseError):
                augmentation.expect_inputs(shape)
        except WrongUseError as error:
            if shape == example.shape:
                raise CheckFailure(f"expect_inputs refused {shape}: {error}", expected="the example's shape") from error
            continue
        x = example.random("shape", *shape).uniform(size=(3, *shape))
        expected = "ShapeError from expect_inputs for shapes that can't be changed"
        with failing_with(f"inputs of shape {shape} were not refused, and failed:", expected=expected):
            example.augment(augmentation, x)
