"""What the tests of the schema share."""

from __future__ import annotations

import pytest

from mlpkit.components.schema.context import INVALID, CheckContext


@pytest.fixture
def checked():
    """Return a function that checks a value and returns the result, or the faults as text."""

    def check(value_type, value, resolve=None):
        context = CheckContext(resolve)
        result = value_type.check(value, ("p",), context)
        assert (result is INVALID) == bool(context.faults)
        return [str(fault) for fault in context.faults] if context.faults else result

    return check


@pytest.fixture
def references():
    """Return what stands for JSON Schema's references to kinds of component."""
    return lambda kinds: {"$ref": "#/" + "-or-".join(kinds)}
