"""Examples and checks of optimizers: blocks, declarations and steps."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

import numpy as np

from mlpkit.array import Array
from mlpkit.components.optimizer import Optimizer, Step
from mlpkit.components.schedule import Progress, Schedule, rate_at
from mlpkit.components.target import is_length
from mlpkit.testing.suite.check import Arrays, check_same_bits, checks_examples, require, unchanged_object
from mlpkit.testing.suite.plugin_under_test import Example

VALUE: Final = "the parameters"
SIZE: Final = 53
"""Elements of the flat array; not a multiple of any processor's vector length."""


SHAPES: Final = {
    "Affine1.W": (7, 5),
    "Affine1.b": (5,),
    "Affine2.W": (2, 4),
    "Conv2d1.W": (1, 2, 2, 1),
    "Prelu1.a": (1,),
}
"""Shapes of the parameters for optimizers that see parameters; their elements add up to ``SIZE``."""


class Piece(NamedTuple):
    """The arguments of one call of ``update``, as views."""

    value: Array
    gradient: Array
    slots: Arrays
    name: str


class OptimizerExample(Example):
    """An optimizer on a flat array of parameters."""

    def start(self, optimizer: Optimizer, dtype: str = "float64") -> Arrays:
        """Return the initial parameters and slots, by name."""
        value = self.random("value").normal(size=SIZE).astype(dtype)
        sizes = dict.fromkeys(optimizer.slots, SIZE)
        if optimizer.sees == "parameters":
            sizes = {slot: sum(map(math.prod, shapes.values())) for slot, shapes in _slot_shapes(optimizer).items()}
        return {VALUE: value} | {slot: np.zeros(slot_size, dtype) for slot, slot_size in sizes.items()}

    def gradient(self, step: int, dtype: str = "float64") -> Array:
        """Return the gradient of a step, counted from 1."""
        return self.random("gradient", step).normal(size=SIZE).astype(dtype)

    def step(
        self,
        optimizer: Optimizer,
        arrays: Arrays,
        gradient: Array,
        *,
        step: int = 1,
        decay: float = 1.0,
        learning_rate: float | None = None,
    ) -> None:
        """Call ``update`` like the trainer, once for one block or for each parameter."""
        progress = Progress(step - 1, (step - 1) / 10, 100)
        if learning_rate is None:
            learning_rate = rate_at(optimizer.learning_rate, progress)
        now = Step(learning_rate, step, decay, progress)
        for piece in _pieces(optimizer, arrays, gradient):
            slots = dict(piece.slots)
            optimizer.update(piece.value, piece.gradient, slots, now._replace(name=piece.name))
            arrays.update({slot: array for slot, array in slots.items() if array is not piece.slots[slot]})

    def after_step(self, **how: float) -> Arrays:
        """Take one step with a new optimizer, and return parameters and slots; ``how`` are arguments of ``step``."""
        optimizer = self.make()
        arrays = self.start(optimizer)
        self.step(optimizer, arrays, self.gradient(1), **how)  # type: ignore[arg-type]  # decay or learning rate
        return arrays

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


def _slot_shapes(optimizer: Optimizer) -> dict[str, dict[str, tuple[int, ...]]]:
    """Return the shape of each slot for each parameter."""
    shapes: dict[str, dict[str, tuple[int, ...]]] = {}
    for name, shape in SHAPES.items():
        for slot, slot_shape in optimizer.slots_of(name, shape).items():
            shapes.setdefault(slot, {})[name] = slot_shape
    return shapes


def _pieces(optimizer: Optimizer, arrays: Arrays, gradient: Array) -> list[Piece]:
    """Return the arguments of each call of ``update``: the whole array, or one parameter."""
    slots = {what: array for what, array in arrays.items() if what != VALUE}
    if optimizer.sees != "parameters":
        return [Piece(arrays[VALUE], gradient, slots, "")]
    values, gradients = (_views(flat, SHAPES) for flat in (arrays[VALUE], gradient))
    slot_views = {slot: _views(slots[slot], shapes) for slot, shapes in _slot_shapes(optimizer).items()}
    return [
        Piece(values[name], gradients[name], {slot: of[name] for slot, of in slot_views.items() if name in of}, name)
        for name in SHAPES
    ]


def _views(flat: Array, shapes: Mapping[str, tuple[int, ...]]) -> Arrays:
    """Split a flat array into parts of these shapes."""
    parts = np.split(flat, np.cumsum([*map(math.prod, shapes.values())])[:-1])
    return {name: part.reshape(shape) for (name, shape), part in zip(shapes.items(), parts, strict=True)}


CUTS: Final = ((0, 1, 20, SIZE), (0, 26, SIZE), (0, 16, 32, 48, SIZE))
STEPS: Final = 3


@checks_examples("optimizer")
def blocks_may_be_cut_anywhere(example: OptimizerExample) -> None:
    """If the optimizer sees blocks, does it give the same bits for blocks of any size?

    Blocks fit into the processor's cache, and are shared among threads.
    """
    optimizer = example.make()
    if optimizer.sees == "parameters" or not optimizer.elementwise:
        return
    whole = example.run(STEPS)
    remedy = 'update each element from its own values only, or set sees = "parameters"'
    for cuts in CUTS:
        optimizer = example.make()
        arrays = example.start(optimizer)
        for step in range(1, STEPS + 1):
            gradient = example.gradient(step)
            for begin, end in itertools.pairwise(cuts):
                block = {what: array[begin:end] for what, array in arrays.items()}
                example.step(optimizer, block, gradient[begin:end], step=step)
        check_same_bits(arrays, whole, f"in blocks that begin at {cuts[:-1]}", remedy)


@checks_examples("optimizer")
def slots_are_all_that_it_keeps(example: OptimizerExample) -> None:
    """Does a new object continue from the slots as the old one would have?

    A checkpoint contains only parameters, slots and the number of the step.
    """
    expected = example.run(STEPS)
    arrays = example.start(example.make())
    for step in range(1, STEPS + 1):
        example.step(example.make(), arrays, example.gradient(step), step=step)
    remedy = "keep everything that must survive a step in slots; step.number counts steps from 1"
    check_same_bits(arrays, expected, "when a new object took over after each step", remedy)


@checks_examples("optimizer")
def update_leaves_no_trace_in_the_object(example: OptimizerExample) -> None:
    """Are the object's attributes unchanged after ``update``?

    Several threads call ``update`` of one object at once, with different blocks.
    """
    optimizer = example.make()
    remedy = "keep values in slots, and scratch arrays in local variables"
    with unchanged_object("update", optimizer, remedy=remedy):
        example.step(optimizer, example.start(optimizer), example.gradient(1))


@checks_examples("optimizer", says_why_unusable=True)
def declares_its_rate_and_slots(example: OptimizerExample) -> None:
    """Are ``learning_rate``, ``sees``, ``slots`` and ``slots_of`` a rate, a word, a tuple of names, and shapes by name?

    The trainer evaluates the rate before each step, and allocates the slots of each parameter in these shapes.
    """
    optimizer = example.make()
    rate = getattr(optimizer, "learning_rate", None)
    is_rate = isinstance(rate, int | float | Schedule) and not isinstance(rate, bool)
    remedy = "take the parameter learning_rate: Rate and keep it"
    require(is_rate, f"self.learning_rate is {rate!r}", expected="a number or a schedule", remedy=remedy)
    sees, slots = optimizer.sees, optimizer.slots
    require(sees in ("blocks", "parameters"), f"sees is {sees!r}", expected='"blocks" or "parameters"')
    are_names = isinstance(slots, tuple) and _are_names(slots) and len(set(slots)) == len(slots)
    require(are_names, f"slots is {slots!r}", expected='a tuple of distinct names, such as ("m", "v")')
    for name, shape in SHAPES.items():
        shapes = optimizer.slots_of(name, shape)
        are_shapes = isinstance(shapes, Mapping) and _are_names(shapes) and all(map(_is_shape, shapes.values()))
        happened = f"slots_of({name!r}, {shape}) returned {shapes!r}"
        require(are_shapes, happened, expected='shapes by name, such as {"m": (7, 5)}')


@checks_examples("optimizer")
def rows_may_lie_apart(example: OptimizerExample) -> None:
    """If the optimizer sees parameters, does it change them in the same way if there are gaps between their rows?

    Rows of some lengths have gaps in memory, since they would compete for the processor's cache otherwise.
    """
    optimizer = example.make()
    if optimizer.sees != "parameters":
        return
    contiguous, padded = example.start(optimizer), example.start(optimizer)
    example.step(optimizer, contiguous, example.gradient(1))
    now = Step(rate_at(optimizer.learning_rate, Progress(0, 0.0, 100)), 1, 1.0, Progress(0, 0.0, 100))
    for piece in _pieces(optimizer, padded, example.gradient(1)):
        slots = {slot: _with_gaps(array) for slot, array in piece.slots.items()}
        value = _with_gaps(piece.value)
        optimizer.update(value, _with_gaps(piece.gradient), slots, now._replace(name=piece.name))
        piece.value[...] = value
    require(
        np.allclose(contiguous[VALUE], padded[VALUE], rtol=1e-9, atol=1e-12),
        "update changed a parameter with gaps between its rows differently",
        expected="the same numbers for any memory layout",
        remedy="write value[...] = ..., or use out=; value.reshape(-1) may be a copy",
    )


def _with_gaps(array: Array) -> Array:
    """Return a copy with gaps between its rows."""
    wide = np.zeros((*array.shape[:-1], array.shape[-1] + 3), array.dtype)
    view = wide[..., : array.shape[-1]]
    view[...] = array
    return view


def _is_shape(shape: object) -> bool:
    return isinstance(shape, tuple) and all(map(is_length, shape))


def _are_names(slots: Iterable[object]) -> bool:
    return all(isinstance(slot, str) and slot.isidentifier() for slot in slots)


@checks_examples("optimizer")
def decay_is_a_factor(example: OptimizerExample) -> None:
    """If ``uses_decay`` is set, does the value decay more with ``step.decay`` 2 than with 1, and otherwise not at all?

    ``training.decays`` sets ``step.decay`` of single parameters to any number from 0 up. Without ``uses_decay``, blocks
    contain both weights and biases, and ``step.decay`` has no meaning.
    """
    without, once, twice = (example.after_step(decay=decay)[VALUE] for decay in (0.0, 1.0, 2.0))
    if not example.make().uses_decay:
        check_same_bits({VALUE: once}, {VALUE: without}, "with step.decay 1 instead of 0", "set uses_decay = True")
    require(
        (without == once).all() or (once != twice).any(),
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
    happened = f"|x|² went from {before:.6g} to {after:.6g} in thirty steps"
    require(after < before, happened, expected="a decrease", remedy="change value in place, against the gradient")


@checks_examples("optimizer")
def slots_are_changed_in_place(example: OptimizerExample) -> None:
    """Does ``update`` change the arrays of slots in place?

    A new array in ``slots`` is lost: the trainer passes the old one again.
    """
    optimizer = example.make()
    arrays = example.start(optimizer)
    before = dict(arrays)
    example.step(optimizer, arrays, example.gradient(1))
    for slot, array in before.items():
        happened, expected = f"update put a new array into the slot {slot}", "changes in the existing array"
        remedy = "write slots[name][...] = ..., or use out="
        require(arrays[slot] is array, happened, expected=expected, remedy=remedy)


@checks_examples("optimizer")
def the_learning_rate_given_counts(example: OptimizerExample) -> None:
    """Does ``update`` use ``step.learning_rate``, not ``self.learning_rate``?

    The attribute may be a schedule; the step has its value.
    """
    usual = rate_at(example.make().learning_rate, Progress(0, 0.0, 100)) or 0.1
    one, other = (example.after_step(learning_rate=rate)[VALUE] for rate in (usual, 0.5 * usual))
    require(
        (one != other).any(),
        "update gave the same for two learning rates",
        expected="the change to depend on step.learning_rate",
        remedy="use step.learning_rate in update, not self.learning_rate",
    )


@checks_examples("optimizer")
def float64_keeps_its_digits(example: OptimizerExample) -> None:
    """In float64, does a difference in the eleventh digit of a parameter survive a step?

    It doesn't if part of the computation is in float32.
    """
    optimizer = example.make()
    results = []
    for offset in (0.0, 1e-11):
        arrays = example.start(optimizer)
        arrays[VALUE] += offset
        example.step(optimizer, arrays, example.gradient(1))
        results.append(arrays[VALUE])
    require(
        (np.abs(results[1] - results[0] - 1e-11) < 5e-12).all(),
        "a difference of 1e-11 between parameters was lost in a step",
        expected="float64 throughout",
        remedy="create arrays with the dtype of value",
    )


@checks_examples("optimizer")
def vanishing_gradients_keep_parameters_finite(example: OptimizerExample) -> None:
    """Is everything finite after steps whose gradients are zero, or as small as float32 can represent?

    Dead units and initial values of zero give such gradients.
    """
    for size in (0.0, 1e-38):
        optimizer = example.make()
        arrays = example.start(optimizer, "float32")
        with np.errstate(all="ignore"):
            for step in range(1, 4):
                gradient = np.full_like(arrays[VALUE], size)
                example.step(optimizer, arrays, gradient, step=step)
        for what, array in arrays.items():
            require(
                np.isfinite(array).all(),
                f"{what} had values that are not finite after three steps with gradients of {size:g}",
                expected="finite numbers",
                remedy="add a small epsilon where you divide",
            )
