"""Saying which component failed, when an exception of its own ends the work."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from mlpkit.errors import ComponentFailure, MlpkitError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlpkit.components.operation import Operation


@contextmanager
def blame(what: str) -> Iterator[None]:
    """Turn an exception of a component's own into an error that says what failed; ours pass as they are.

    Args:
        what: the component and what it was to do, as in ``the metric accuracy failed``.

    Raises:
        ComponentFailure: the component raised an exception of its own.
    """
    try:
        yield
    except MlpkitError:
        raise
    except Exception as error:
        raise failure(what, error) from error


def failure(what: str, error: Exception) -> ComponentFailure:
    """Return the error that says what failed, and why."""
    return ComponentFailure(f"{what}: {type(error).__name__}: {error}")


def failed_in(operation: Operation, method: str) -> str:
    """Say which member of the stack failed, and in which method."""
    return f"{operation.kind} {operation.path} ({operation.type_name}) failed in {method}"
