"""What the tests of the schema share."""

from __future__ import annotations

import pytest

from mlpkit.components.schema.checking import INVALID, Checking


@pytest.fixture
def checked():
    """Return a function that checks a value and returns the result, or the faults as text."""

    def check(value_type, value, resolve=None):
        checking = Checking(resolve)
        result = value_type.check(value, ("p",), checking)
        assert (result is INVALID) == bool(checking.faults)
        return [str(fault) for fault in checking.faults] if checking.faults else result

    return check


@pytest.fixture
def references():
    """Return what stands for JSON Schema's references to kinds of component."""
    return lambda kinds: {"$ref": "#/" + "-or-".join(kinds)}
