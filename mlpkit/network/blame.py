"""Saying which component failed, when an exception of its own ends the work."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlpkit.errors import ComponentFailure, MlpkitError

if TYPE_CHECKING:
    from mlpkit.components.operation import Operation


class Blame:
    """Turns an exception of a component's own into an error that says what failed; ours pass as they are.

    In the training step a plain ``try`` stands in its place, which costs nothing as long as nothing is raised.

    Args:
        what: the component and what it was to do, as in ``the metric accuracy failed``.

    Raises:
        ComponentFailure: the component raised an exception of its own.
    """

    def __init__(self, what: str) -> None:
        self.what = what

    def __enter__(self) -> None:
        """Begin to watch."""

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        """Turn the exception that ended the block, if one did."""
        if isinstance(error, Exception) and not isinstance(error, MlpkitError):
            raise failure(self.what, error) from error


def failure(what: str, error: Exception) -> ComponentFailure:
    """Return the error that says what failed, and why."""
    return ComponentFailure(f"{what}: {type(error).__name__}: {error}")


def failed_in(operation: Operation, method: str) -> str:
    """Say which member of the stack failed, and in which method."""
    return f"{operation.kind} {operation.path} ({operation.type_name}) failed in {method}"
