"""Errors that name the component whose exception ends the work."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from mlpkit.array import Array
from mlpkit.components.operation import Operation
from mlpkit.components.parameter import Parameter
from mlpkit.errors import ComponentFailure, MlpkitError


@contextmanager
def component_errors(what: str) -> Iterator[None]:
    """Turn a component's exception into a ``ComponentFailure`` that names what failed; mlpkit's errors pass.

    ``what`` is as in ``the metric accuracy failed``. The training step uses a plain ``try`` instead, which costs
    nothing as long as nothing is raised.
    """
    try:
        yield
    except MlpkitError:
        raise
    except Exception as error:
        raise failure(what, error) from error


@contextmanager
def operation_errors(operation: Operation, method: str) -> Iterator[None]:
    """Do the same for a method, by its name, of a member of the stack, or of an operation inside it."""
    try:
        yield
    except MlpkitError:
        raise
    except Exception as error:
        raise operation_failure(operation, method, error) from error


def check_returned(who: str, method: str, found: object, kinds: type | tuple[type, ...], promised: str) -> None:
    """Raise ``ComponentFailure`` if a component's method didn't return what it promises, such as nothing.

    ``who`` is the component, as in ``dataset acme.spirals``; ``promised`` are the kinds in words.
    """
    if not isinstance(found, kinds):
        returned = "None" if found is None else f"something of type {type(found).__name__}"
        raise ComponentFailure(f"{who} returned {returned} from {method}; expected {promised}")


def check_first_values(parameter: Parameter, values: Array) -> Array:
    """Return what an initializer returned, if it has the parameter's shape, or raise ``ComponentFailure``."""
    shape = np.shape(values)
    if shape != parameter.shape:
        returned = f"the initializer of {parameter.path} returned an array of shape {shape}"
        raise ComponentFailure(f"{returned}; expected {parameter.shape}")
    return values


def failure(what: str, error: Exception) -> ComponentFailure:
    """Return the error that names what failed, and why."""
    return ComponentFailure(f"{what}: {named(error)}")


def named(error: Exception) -> str:
    """Return an exception's type and its text, if it has one."""
    text = str(error)
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def operation_failure(operation: Operation, method: str, error: Exception) -> ComponentFailure:
    """Return the error that names the member of the stack that failed, or the layer inside it, and its method."""
    failed = failing_operation(operation, error)
    found = failure(f"{failed.kind} {failed.path} ({failed.type_name}) failed in {method}", error)
    shapes = shapes_of(failed)
    if shapes:
        found.add_note(f"note: {shapes}")
    return found


def failing_operation(operation: Operation, error: Exception) -> Operation:
    """Return the operation whose method raised an exception: this one, or one inside it, as the traceback shows."""
    inside = {id(member) for member in operation.operations()}
    return next((owner for owner in _owners(error) if id(owner) in inside), operation)


def innermost_operation(error: Exception) -> Operation | None:
    """Return the operation whose method raised an exception, or called what raised it; None if no operation did."""
    return next(_owners(error), None)


def shapes_of(operation: Operation) -> str:
    """Describe the shapes of an operation's inputs and parameters, if they are known.

    The exception that NumPy raises where shapes don't fit doesn't name the operation.
    """
    shapes = [f"{parameter.name} has shape {parameter.shape}" for parameter in operation._parameters.values()]
    if operation._input_shape:
        shapes.insert(0, f"its inputs have shape {('rows', *operation._input_shape)}".replace("'", ""))
    return ", ".join(shapes)


def _owners(error: Exception) -> Iterator[Operation]:
    """Yield the operations whose methods an exception went through, innermost first."""
    owners = []
    trace = error.__traceback__
    while trace is not None:
        owners.append(trace.tb_frame.f_locals.get("self"))
        trace = trace.tb_next
    return (owner for owner in reversed(owners) if isinstance(owner, Operation))
