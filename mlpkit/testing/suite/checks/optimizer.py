"""Examples and checks of optimizers: blocks, declarations and steps."""

from __future__ import annotations

import copy
import itertools
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from mlpkit.components.optimizer import Step
from mlpkit.components.schedule import Progress, Schedule, rate_at
from mlpkit.testing.suite.check import CheckFailure, checks_examples
from mlpkit.testing.suite.comparison import expect_same_bits
from mlpkit.testing.suite.example import Example

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mlpkit.components.optimizer import Optimizer
    from mlpkit.testing.suite.comparison import Arrays


VALUE: Final = "the parameters"
SIZE: Final = 53
"""Elements of the flat array; not a multiple of the vector length of any processor."""


class OptimizerExample(Example):
    """An optimizer on a flat array of parameters."""

    def start(self, optimizer: Optimizer, dtype: str = "float64", size: int = SIZE) -> Arrays:
        """Return parameters and slots before the first step, by name."""
        value = self.random("value").normal(size=size).astype(dtype)
        return {VALUE: value} | {slot: np.zeros(size, dtype) for slot in optimizer.slots}

    def gradient(self, step: int, dtype: str = "float64", size: int = SIZE) -> NDArray[Any]:
        """Return the gradient of a step, counted from 1."""
        return self.random("gradient", step).normal(size=size).astype(dtype)

    def step(
        self,
        optimizer: Optimizer,
        arrays: Arrays,
        gradient: NDArray[Any],
        *,
        step: int = 1,
        decay: float = 1.0,
        learning_rate: float | None = None,
    ) -> None:
        """Call ``update`` once, as the trainer would on one block."""
        progress = Progress(step - 1, (step - 1) / 10, 100)
        if learning_rate is None:
            learning_rate = rate_at(optimizer.learning_rate, progress)
        slots = {slot: arrays[slot] for slot in optimizer.slots}
        optimizer.update(arrays[VALUE], gradient, slots, Step(learning_rate, step, decay, progress))
        for slot in optimizer.slots:
            arrays[slot] = slots[slot]

    def run(self, steps: int = 3, dtype: str = "float64") -> Arrays:
        """Take steps with a new optimizer, and return parameters and slots."""
        optimizer = self.make()
        arrays = self.start(optimizer, dtype)
        for step in range(1, steps + 1):
            self.step(optimizer, arrays, self.gradient(step, dtype), step=step)
        return arrays

    def exercise(self) -> Arrays:
        """Take steps in both dtypes."""
        return {
            f"{what} in {dtype}": array
            for dtype in ("float32", "float64")
            for what, array in self.run(dtype=dtype).items()
        }


CUTS: Final = ((0, 1, 20, SIZE), (0, 26, SIZE), (0, 16, 32, 48, SIZE))
STEPS: Final = 3


@checks_examples("optimizer")
def blocks_may_be_cut_anywhere(example: OptimizerExample) -> None:
    """If the optimizer is elementwise, does it give the same bits for any blocks?

    Blocks fit into the processor's cache, and are distributed to threads.
    """
    if not example.make().elementwise:
        return
    whole = example.run(STEPS)
    remedy = "update each element from its own values only, or set elementwise = False"
    for cuts in CUTS:
        optimizer = example.make()
        arrays = example.start(optimizer)
        for step in range(1, STEPS + 1):
            gradient = example.gradient(step)
            for begin, end in itertools.pairwise(cuts):
                block = {what: array[begin:end] for what, array in arrays.items()}
                example.step(optimizer, block, gradient[begin:end], step=step)
        expect_same_bits(arrays, whole, f"in blocks that begin at {cuts[:-1]}", remedy)


@checks_examples("optimizer")
def slots_are_all_that_it_keeps(example: OptimizerExample) -> None:
    """Does a new object continue from the slots as the old one would have?

    A checkpoint holds parameters, slots and the number of the step, and nothing else.
    """
    expected = example.run(STEPS)
    arrays = example.start(example.make())
    for step in range(1, STEPS + 1):
        example.step(example.make(), arrays, example.gradient(step), step=step)
    remedy = "keep everything that must survive a step in slots; step.number counts steps from 1"
    expect_same_bits(arrays, expected, "when a new object took over after each step", remedy)


@checks_examples("optimizer")
def update_leaves_no_trace_in_the_object(example: OptimizerExample) -> None:
    """Are the object's attributes the same after ``update`` as before?

    Several threads call ``update`` of one object at once, on different blocks.
    """
    optimizer = example.make()
    before = _attributes(optimizer)
    example.step(optimizer, example.start(optimizer), example.gradient(1))
    after = _attributes(optimizer)
    changed = [name for name in after if before.get(name) != after[name]]
    if changed:
        raise CheckFailure(
            f"update changed self.{', self.'.join(changed)}",
            expected="an object that doesn't change",
            remedy="keep values in slots, and scratch arrays in local variables",
        )


@checks_examples("optimizer")
def several_threads_may_update(example: OptimizerExample) -> None:
    """Do several threads, each on a block of its own, give the same bits as one?

    The trainer distributes blocks to its workers.
    """
    size, blocks = 4096, 4
    results: list[Arrays] = []
    for workers in (1, blocks):
        optimizer = example.make()
        arrays = example.start(optimizer, size=size)

        def update(begin: int, optimizer: Any = optimizer, arrays: Arrays = arrays) -> None:
            part = slice(begin, begin + size // blocks)
            block = {what: array[part] for what, array in arrays.items()}
            example.step(optimizer, block, example.gradient(1, size=size)[part])

        with ThreadPoolExecutor(workers) as threads:
            list(threads.map(update, range(0, size, size // blocks)))
        results.append(arrays)
    expect_same_bits(results[1], results[0], "on several threads", "share no scratch arrays between calls of update")


def _attributes(optimizer: Any) -> dict[str, Any]:
    return {
        name: value.tobytes() if isinstance(value, np.ndarray) else copy.deepcopy(value)
        for name, value in vars(optimizer).items()
        if not hasattr(value, "kind")  # components, such as a schedule, have checks of their own
    }


@checks_examples("optimizer", says_why_unusable=True)
def has_a_learning_rate(example: OptimizerExample) -> None:
    """Has the constructor set ``self.learning_rate`` to a number or a schedule?

    The trainer evaluates it before each step and writes it into the history.
    """
    rate = getattr(example.make(), "learning_rate", None)
    if isinstance(rate, bool) or not isinstance(rate, int | float | Schedule):
        raise CheckFailure(
            f"self.learning_rate is {rate!r}",
            expected="a number or a schedule",
            remedy="take the parameter learning_rate: Rate and keep it",
        )


@checks_examples("optimizer")
def slots_are_distinct_names(example: OptimizerExample) -> None:
    """Is ``slots`` a tuple of distinct names?

    Each is an array of its own in the trainer, and in a checkpoint.
    """
    slots = example.make().slots
    names = isinstance(slots, tuple) and all(isinstance(slot, str) and slot.isidentifier() for slot in slots)
    if not names or len(set(slots)) < len(slots):
        raise CheckFailure(f"slots is {slots!r}", expected='a tuple of distinct names, such as ("m", "v")')


@checks_examples("optimizer")
def looks_at_decay_only_if_it_says_so(example: OptimizerExample) -> None:
    """If ``uses_decay`` is false, does ``update`` give the same bits whatever ``step.decay`` is?

    Blocks then hold weights and biases alike, and ``step.decay`` has no meaning.
    """
    optimizer = example.make()
    if optimizer.uses_decay:
        return
    results = []
    for decay in (1.0, 0.0):
        arrays = example.start(optimizer)
        example.step(optimizer, arrays, example.gradient(1), decay=decay)
        results.append(arrays)
    expect_same_bits(results[0], results[1], "with step.decay 1 in place of 0", "set uses_decay = True")


@checks_examples("optimizer")
def decay_is_a_factor(example: OptimizerExample) -> None:
    """If the value decays, does it decay more with ``step.decay`` 2 than with 1?

    ``training.decays`` sets it to any number from 0 up, for single parameters.
    """
    results = []
    for decay in (0.0, 1.0, 2.0):
        arrays = example.start(example.make())
        example.step(example.make(), arrays, example.gradient(1), decay=decay)
        results.append(arrays[VALUE])
    if (results[0] != results[1]).any() and (results[1] == results[2]).all():
        raise CheckFailure(
            "update gave the same for step.decay 1 and 2",
            expected="twice the weight decay",
            remedy="multiply the weight decay by step.decay",
        )


@checks_examples("optimizer")
def steps_go_downhill(example: OptimizerExample) -> None:
    """Do thirty steps against the gradient of ½ |x|² make it smaller?

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
        raise CheckFailure(
            f"|x|² went from {before:.6g} to {after:.6g} in thirty steps",
            expected="it to fall",
            remedy="change value in place, against the gradient",
        )


@checks_examples("optimizer")
def slots_are_changed_in_place(example: OptimizerExample) -> None:
    """Are the slots' arrays the same objects after ``update`` as before?

    A new array in a slot's place is lost: the trainer passes the old one again.
    """
    optimizer = example.make()
    arrays = example.start(optimizer)
    before = dict(arrays)
    example.step(optimizer, arrays, example.gradient(1))
    for slot in optimizer.slots:
        if arrays[slot] is not before[slot]:
            raise CheckFailure(
                f"update put a new array into the slot {slot}",
                expected="the existing array to be changed",
                remedy="write slots[name][...] = ..., or use out=",
            )


@checks_examples("optimizer")
def the_learning_rate_given_counts(example: OptimizerExample) -> None:
    """Does ``update`` use ``step.learning_rate``, not ``self.learning_rate``?

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
        raise CheckFailure(
            "update gave the same for two learning rates",
            expected="the change to depend on step.learning_rate",
            remedy="use step.learning_rate in update, not self.learning_rate",
        )


@checks_examples("optimizer")
def float64_keeps_its_digits(example: OptimizerExample) -> None:
    """In float64, does a difference in the eleventh digit of a parameter survive a step?

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
        raise CheckFailure(
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
        raise CheckFailure(
            f"after three steps float32 and float64 differ by {difference:.2g}",
            expected="at most a ten-thousandth of the largest parameter",
        )


@checks_examples("optimizer")
def vanishing_gradients_keep_parameters_finite(example: OptimizerExample) -> None:
    """Is everything finite after steps whose gradients are zero, or as small as float32 can represent?

    Dead units, and first values of zero, give such gradients.
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
                raise CheckFailure(
                    f"{what} held values that are not finite after three steps with gradients of {size:g}",
                    expected="finite numbers",
                    remedy="add a small epsilon where you divide",
                )
