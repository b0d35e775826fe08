"""Declarations: slots, learning rate and flags are what the trainer takes them for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlpkit.components.schedule import Schedule
from mlpkit.testing.suite.check import checks_examples
from mlpkit.testing.suite.comparison import expect_same_bits
from mlpkit.testing.suite.nonconformity import Nonconformity

if TYPE_CHECKING:
    from mlpkit.testing.suite.examples.optimizer import OptimizerExample


@checks_examples("optimizer", says_why_unusable=True)
def has_a_learning_rate(example: OptimizerExample) -> None:
    """Has the constructor set ``self.learning_rate`` to a number or a schedule?

    The trainer evaluates it before each step and writes it into the history.
    """
    rate = getattr(example.make(), "learning_rate", None)
    if isinstance(rate, bool) or not isinstance(rate, int | float | Schedule):
        raise Nonconformity(
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
        raise Nonconformity(f"slots is {slots!r}", expected='a tuple of distinct names, such as ("m", "v")')


@checks_examples("optimizer")
def looks_at_decay_only_if_it_says_so(example: OptimizerExample) -> None:
    """If ``uses_decay`` is false, does ``update`` give the same bits whatever ``step.decay`` is?

    Blocks then hold weights and biases alike, and ``step.decay`` has no meaning.
    """
    optimizer = example.make()
    if optimizer.uses_decay:
        return
    results = []
    for decay in (True, False):
        arrays = example.start(optimizer)
        example.step(optimizer, arrays, example.gradient(1), decay=decay)
        results.append(arrays)
    expect_same_bits(results[0], results[1], "with step.decay true in place of false", "set uses_decay = True")
