"""How values are written in messages."""

from __future__ import annotations

import pytest

from mlpkit.components.schema.context import show


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, "null"),
        (True, "true"),
        (False, "false"),
        ("a", "'a'"),
        ("x" * 41, f"'{'x' * 40}...'"),
        ("x" * 40, f"'{'x' * 40}'"),
        ({"a": 1}, "a mapping"),
        ([1], "a list"),
        ((1,), "a list"),
        (0.1, "0.1"),
        (10**60, f"1{'0' * 39}..."),
    ],
)
def test_shows(value, shown):
    assert show(value) == shown
