"""Steps: they change the parameters in place, downhill, and by the learning rate that is given."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mlpkit.components.schedule import Progress, rate_at
from mlpkit.testing.suite.check import checks_examples
from mlpkit.testing.suite.examples.optimizer import VALUE
from mlpkit.testing.suite.nonconformity import Nonconformity

if TYPE_CHECKING:
    from mlpkit.testing.suite.examples.optimizer import OptimizerExample


@checks_examples("optimizer")
def steps_go_downhill(example: OptimizerExample) -> None:
    """Do thirty steps along the gradient of ½ |x|² make it smaller?

    That is what an optimizer is for.
    """
    optimizer = example.make()
    arrays = example.start(optimizer)
    value = arrays[VALUE]
    before = float(value @ value)
    for step in range(1, 31):
        example.step(optimizer, arrays, value.copy(), step=step)
    after = float(value @ value)
    if not after < before:
        raise Nonconformity(
            f"|x|² went from {before:.6g} to {after:.6g} in thirty steps",
            expected="it to fall",
            remedy="change value in place, against the gradient",
        )


@checks_examples("optimizer")
def slots_are_changed_in_place(example: OptimizerExample) -> None:
    """Are the slots' arrays the same objects after ``update`` as before?

    A new array in a slot's place is lost: the trainer hands in the old one again.
    """
    optimizer = example.make()
    arrays = example.start(optimizer)
    before = dict(arrays)
    example.step(optimizer, arrays, example.gradient(1))
    for slot in optimizer.slots:
        if arrays[slot] is not before[slot]:
            raise Nonconformity(
                f"update put a new array into the slot {slot}",
                expected="the array that is there to be changed",
                remedy="write slots[name][...] = ..., or use out=",
            )


@checks_examples("optimizer")
def the_learning_rate_given_counts(example: OptimizerExample) -> None:
    """Does ``update`` go by ``step.learning_rate``, and not by ``self.learning_rate``?

    The attribute may be a schedule; the step has its value.
    """
    optimizer = example.make()
    usual = rate_at(optimizer.learning_rate, Progress(0, 0.0, 100))
    results = []
    for learning_rate in (usual or 0.1, 0.5 * (usual or 0.1)):
        arrays = example.start(optimizer)
        example.step(optimizer, arrays, example.gradient(1), learning_rate=learning_rate)
        results.append(arrays[VALUE])
    if (results[0] == results[1]).all():
        raise Nonconformity(
            "update gave the same for two learning rates",
            expected="the change to depend on step.learning_rate",
            remedy="use step.learning_rate in update, and not self.learning_rate",
        )


@checks_examples("optimizer")
def float64_keeps_its_digits(example: OptimizerExample) -> None:
    """In float64, does a difference in the eleventh digit of a parameter outlive a step?

    It doesn't if a part of the computation is in float32.
    """
    optimizer = example.make()
    results = []
    for offset in (0.0, 1e-11):
        arrays = example.start(optimizer)
        arrays[VALUE] += offset
        example.step(optimizer, arrays, example.gradient(1))
        results.append(arrays[VALUE])
    if not (np.abs(results[1] - results[0] - 1e-11) < 5e-12).all():
        raise Nonconformity(
            "a difference of 1e-11 between parameters was lost in a step",
            expected="float64 throughout",
            remedy="make arrays with the dtype of value",
        )


@checks_examples("optimizer")
def float32_is_as_good_as_its_digits(example: OptimizerExample) -> None:
    """Do a few steps in float32 agree with the same in float64, to about six digits?

    Networks compute in float32 unless a spec says otherwise.
    """
    single, double = example.run(dtype="float32")[VALUE], example.run(dtype="float64")[VALUE]
    difference = float(np.abs(single - double).max())
    if single.dtype != np.float32 or not difference <= 1e-4 * float(np.abs(double).max()):
        raise Nonconformity(
            f"after three steps float32 and float64 differ by {difference:.2g}",
            expected="at most a ten-thousandth of the largest parameter",
        )


@checks_examples("optimizer")
def vanishing_gradients_keep_parameters_finite(example: OptimizerExample) -> None:
    """Is everything finite after steps whose gradients are zero, or as small as float32 can say?

    Units that are dead, and first values that are zero, give such gradients.
    """
    for size in (0.0, 1e-38):
        optimizer = example.make()
        arrays = example.start(optimizer, "float32")
        with np.errstate(all="ignore"):
            for step in range(1, 4):
                gradient = np.full_like(arrays[VALUE], size)
                example.step(optimizer, arrays, gradient, step=step)
        for what, array in arrays.items():
            if not np.isfinite(array).all():
                raise Nonconformity(
                    f"{what} held what is not finite after three steps with gradients of {size:g}",
                    expected="finite numbers",
                    remedy="add a small epsilon where you divide",
                )
