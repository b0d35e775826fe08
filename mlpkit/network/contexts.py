"""The contexts in which a network computes, and one with other functions in the place of methods."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import Any, TypeAlias, TypeVar

from mlpkit.components.operation import Operation

Context: TypeAlias = "Callable[[], AbstractContextManager[object]]"
"""Returns a context manager."""

A = TypeVar("A")
R = TypeVar("R")


def distinct(contexts: Iterable[Context | None]) -> tuple[Context, ...]:
    """Return each context once, in the order in which they are first asked for."""
    return tuple(context for context in dict.fromkeys(contexts) if context is not None)


def rounding_contexts(operations: Iterable[Operation]) -> tuple[Context, ...]:
    """Return the contexts in which operations round the factors of matrix products; empty if none can."""
    return distinct(type(operation).bfloat16_context for operation in operations)


def call_inside(contexts: tuple[Context, ...], function: Callable[[A], R], argument: A) -> R:
    """Return what a function returns for an argument inside contexts, the first one outermost.

    It takes a fraction of the time of an ``ExitStack``, which counts in the prediction of a single row.
    """
    if not contexts:
        return function(argument)
    with contexts[0]():
        return call_inside(contexts[1:], function, argument)


@contextmanager
def all_of(contexts: tuple[Context, ...]) -> Iterator[None]:
    """Enter contexts, the first one outermost."""
    with ExitStack() as stack:
        for context in contexts:
            stack.enter_context(context())
        yield


@contextmanager
def replaced_methods(owner: object, **methods: Callable[..., Any]) -> Iterator[None]:
    """Put functions in the place of an object's methods, by their names, inside the block; its class stays the same."""
    before = {name: vars(owner)[name] for name in methods if name in vars(owner)}
    vars(owner).update(methods)
    try:
        yield
    finally:
        for name in methods:
            del vars(owner)[name]
        vars(owner).update(before)
