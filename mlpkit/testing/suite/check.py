"""Checks, the errors that they raise, and comparisons of named arrays."""

from __future__ import annotations

import inspect
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from mlpkit.array import Array
from mlpkit.components.graph import Graph
from mlpkit.errors import MlpkitError, NotExportableError
from mlpkit.graph.evaluator import evaluate
from mlpkit.network.component_errors import named


class CheckFailure(MlpkitError, AssertionError):  # noqa: N818 - reads better in a test's report
    """A component doesn't conform to its kind.

    Args:
        happened: what the component did.
        expected: what was expected instead.
        remedy: what to do.
    """

    def __init__(self, happened: str, *, expected: str, remedy: str = "") -> None:
        self.happened = happened
        self.expected = expected
        self.remedy = remedy
        super().__init__(f"{happened}; expected {expected}" + (f"; {remedy}" if remedy else ""))


def require(condition: object, happened: str, *, expected: str, remedy: str = "") -> None:
    """Raise ``CheckFailure`` unless a condition is true."""
    if not condition:
        raise CheckFailure(happened, expected=expected, remedy=remedy)


class NotApplicable(Exception):  # noqa: N818 - not an error: there is nothing to check
    """A check doesn't apply to a component; the message is the reason."""


class Blocked(NotApplicable):
    """A check is blocked by an earlier check that failed."""

    def __init__(self, earlier: str) -> None:
        super().__init__(f"there is nothing to check until {earlier} passes")


def described(error: Exception) -> str:
    """Describe an exception and, unless mlpkit raised it on purpose, where it was raised."""
    cause = error.__cause__ if isinstance(error, MlpkitError) else error
    text = str(error) if isinstance(error, MlpkitError) else named(error)
    if cause is None or isinstance(cause, MlpkitError):
        return text
    last = traceback.extract_tb(cause.__traceback__)[-1]
    return f"{text} (at {last.filename}:{last.lineno})"


@contextmanager
def failing_with(
    happened: str, *, expected: str, remedy: str = "", except_for: type[Exception] = NotApplicable
) -> Iterator[None]:
    """Turn an exception that ends the block, except for some, into a ``CheckFailure`` that begins with ``happened``."""
    try:
        yield
    except (CheckFailure, NotApplicable, except_for):
        raise
    except Exception as error:
        raise CheckFailure(f"{happened} {described(error)}", expected=expected, remedy=remedy) from error


@contextmanager
def unchanged(method: str, arrays: Mapping[str, Array], remedy: str = "write into a new array") -> Iterator[None]:
    """Check that a method, which the block calls, doesn't write into some arrays, by name."""
    before = {what: array.tobytes() for what, array in arrays.items()}
    yield
    for what, array in arrays.items():
        if array.tobytes() != before[what]:
            raise CheckFailure(f"{method} wrote into {what}", expected=f"{what} to be unchanged", remedy=remedy)


@contextmanager
def unchanged_object(
    method: str, component: object, *, expected: str = "an object that doesn't change", remedy: str = ""
) -> Iterator[None]:
    """Check that a method, which the block calls, changes no attribute of an object."""
    before = _attributes(component)
    yield
    changed = [name for name, value in _attributes(component).items() if before.get(name) != value]
    require(not changed, f"{method} changed self.{', self.'.join(changed)}", expected=expected, remedy=remedy)


def _attributes(component: object) -> dict[str, Any]:
    """Return an object's attributes as values that later changes leave alone; components have their own checks."""
    return {name: _as_it_is(value) for name, value in vars(component).items() if not hasattr(value, "kind")}


def _as_it_is(value: object) -> object:
    if isinstance(value, np.ndarray):
        return value.tobytes()
    is_plain_object = type(value).__repr__ is object.__repr__ and hasattr(value, "__dict__")
    return _attributes(value) if is_plain_object else repr(value)


@dataclass(frozen=True)
class Check:
    """A check: one question about a component.

    Args:
        kinds: the kinds of component to check.
        each_example: whether it runs on each example of a component, or once per component.
        says_why_unusable: whether it also runs on unusable components, since it may show the reason.
        function: raises ``CheckFailure`` if the answer is no.
    """

    kinds: tuple[str, ...]
    each_example: bool
    says_why_unusable: bool
    function: Callable[[Any], None]

    @property
    def name(self) -> str:
        """The function's name."""
        return self.function.__name__

    @property
    def asks(self) -> str:
        """The question, as a sentence; the reason why it matters follows in the function's docstring."""
        return " ".join(inspect.cleandoc(self.function.__doc__ or "").partition("\n\n")[0].split())


def checks_component(*kinds: str, says_why_unusable: bool = False) -> Callable[[Callable[[Any], None]], Check]:
    """Make a check of a component as a whole from a function."""
    return partial(Check, kinds, False, says_why_unusable)


def checks_examples(*kinds: str, says_why_unusable: bool = False) -> Callable[[Callable[[Any], None]], Check]:
    """Make a check of every example of a component; the arguments are those of ``checks_component``."""
    return partial(Check, kinds, True, says_why_unusable)


Arrays = dict[str, "Array"]


def check_same_bits(found: Mapping[str, Array], expected: Mapping[str, Array], when: str, remedy: str) -> None:
    """Check that two results have the same bits, or raise ``CheckFailure``.

    Args:
        found: arrays by name.
        expected: the expected arrays, by the same names.
        when: the circumstances, such as ``when a step is repeated``.
        remedy: what to do if they differ.
    """
    for what, one, other in _pairs(found, expected, when, remedy):
        if one.tobytes() != other.tobytes():
            raise _differ(what, one, other, when, "the same bits", remedy)


def check_close(
    found: Mapping[str, Array], expected: Mapping[str, Array], when: str, remedy: str, *, tolerance: float
) -> None:
    """Check that two results are the same up to a tolerance, relative to the largest element."""
    for what, one, other in _pairs(found, expected, when, remedy):
        largest = np.abs(other[np.isfinite(other)], dtype=np.float64).max(initial=1.0)
        if not _largest_difference(one, other) <= tolerance * largest:
            raise _differ(what, one, other, when, f"the same within {tolerance:.0e}", remedy)


def _pairs(
    found: Mapping[str, Array], expected: Mapping[str, Array], when: str, remedy: str
) -> list[tuple[str, Array, Array]]:
    pairs = []
    for what in expected:
        one, other = np.asarray(found[what]), np.asarray(expected[what])
        if one.shape != other.shape or one.dtype != other.dtype:
            raise CheckFailure(
                f"{what} became {one.dtype} of shape {one.shape} {when}",
                expected=f"{other.dtype} of shape {other.shape}, as before",
                remedy=remedy,
            )
        pairs.append((what, one, other))
    return pairs


def _differ(what: str, one: Array, other: Array, when: str, expected: str, remedy: str) -> CheckFailure:
    difference = _largest_difference(one, other)
    by = f"by up to {difference:.2g}" if np.isfinite(difference) else "(one of them contains NaN)"
    return CheckFailure(f"{what} changed {by} {when}", expected=expected, remedy=remedy)


def _largest_difference(one: Array, other: Array) -> float:
    """Return the largest difference; NaN equals NaN."""
    with np.errstate(invalid="ignore", over="ignore"):
        difference = np.abs(one.astype(np.float64) - other.astype(np.float64))
    same = (np.isnan(one) & np.isnan(other)) | (one == other)
    worst = np.where(same, 0.0, difference).max(initial=0.0)
    return float(worst) if not np.isnan(worst) else float("inf")


def evaluated(graph: Graph, feeds: Mapping[str, Array], output: str) -> Array:
    """Compute an output of a graph that a component described."""
    try:
        return evaluate(graph, feeds)[output]
    except NotExportableError as error:
        message = f"the graph described by onnx can't be computed: {error}"
        raise CheckFailure(message, expected="operators listed in the reference, as in opset 17") from error
