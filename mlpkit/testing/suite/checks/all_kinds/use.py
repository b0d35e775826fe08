"""Use: the component does its work, on random inputs, before anything is asked about how it does it."""

from __future__ import annotations

from contextlib import chdir
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from mlpkit.components.component import Component
from mlpkit.components.kinds import KINDS
from mlpkit.components.parameter import Parameter
from mlpkit.components.schema.wording import with_article
from mlpkit.network.blame import innermost_operation, shapes_of
from mlpkit.testing.suite.check import checks_examples
from mlpkit.testing.suite.global_randomness import global_randomness_kept
from mlpkit.testing.suite.nonconformity import Nonconformity
from mlpkit.testing.suite.process_state import process_state, restore
from mlpkit.testing.suite.raised import described

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mlpkit.testing.suite.comparison import Arrays
    from mlpkit.testing.suite.examples.example import Example

NUMBERS = "biuf"
"""The kinds of dtype that results have: truth values, integers, floating-point numbers."""


@checks_examples(*KINDS)
def can_be_used(example: Example) -> None:
    """Can the component be used as a training uses it, on random inputs, and do numbers come out?

    Until it can, there is nothing to ask about how it does its work.
    """
    try:
        found = _exercised_apart(example)
    except Exception as error:
        raise Nonconformity(
            f"it raised {described(error)}", expected="it to work on random inputs", remedy=_remedy(error)
        ) from error
    for what, array in found.items():
        if array.dtype.kind not in NUMBERS:
            raise Nonconformity(f"{what} is {_shown(array)}", expected="numbers")


def _exercised_apart(example: Example) -> Arrays:
    """Use a component, and leave the process as it was: what it does there is for other checks to find."""
    before = process_state()
    try:
        with TemporaryDirectory() as folder, chdir(folder), global_randomness_kept():
            return example.exercise()
    finally:
        restore(before)


def _remedy(error: Exception) -> str:
    cause = error.__cause__ or error
    if isinstance(cause, AttributeError) and isinstance(cause.obj, Component):
        return f"set self.{cause.name} before it is read: arrays to be trained in build, others in forward"
    if isinstance(cause, NotImplementedError):
        return "write that method"
    if isinstance(cause, TypeError) and f"'{Parameter.__name__}'" in str(cause):
        return "the array of a parameter is its value, as in self.W.value"
    failed = innermost_operation(error)
    return shapes_of(failed) if failed is not None else ""


def _shown(array: NDArray[Any]) -> str:
    if array.ndim > 0:
        return f"an array of {array.dtype}"
    value = array.item()
    return "None: a return is missing" if value is None else with_article(type(value).__name__)
