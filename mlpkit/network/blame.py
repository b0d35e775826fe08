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


class BlameOperation(Blame):
    """The same for a method of an operation, or of one inside it.

    Args:
        operation: a member of the stack.
        method: the name of its method that is called.
    """

    def __init__(self, operation: Operation, method: str) -> None:
        self.operation = operation
        self.method = method

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        """Turn the exception that ended the block, if one did."""
        if isinstance(error, Exception) and not isinstance(error, MlpkitError):
            raise failure_in(self.operation, self.method, error) from error


def failure(what: str, error: Exception) -> ComponentFailure:
    """Return the error that says what failed, and why."""
    return ComponentFailure(f"{what}: {type(error).__name__}: {error}")


def failure_in(operation: Operation, method: str, error: Exception) -> ComponentFailure:
    """Return the error that says which member of the stack failed, or which layer inside it, and in which method."""
    failed = culprit(operation, error)
    return failure(f"{failed.kind} {failed.path} ({failed.type_name}) failed in {method}", error)


def culprit(operation: Operation, error: Exception) -> Operation:
    """Return whose method raised an exception: that of an operation, or of one inside it.

    The exception's traceback says it, so that a layer that calls the layers inside it need do nothing to have them
    named.
    """
    inside = {id(member): member for member in operation.operations()}
    found, trace = operation, error.__traceback__
    while trace is not None:
        found = inside.get(id(trace.tb_frame.f_locals.get("self")), found)
        trace = trace.tb_next
    return found
