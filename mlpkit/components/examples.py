"""The parameters among what a component's ``examples`` returns."""

from __future__ import annotations

from typing import Any


def example_parameters(component: type) -> list[dict[str, Any]]:
    """Return the parameters of each example that a component shows itself by.

    Args:
        component: its class. Its ``examples`` returns parameters alone, or pairs whose first part they are.
    """
    return [given if isinstance(given, dict) else given[0] for given in component.examples()]  # type: ignore[attr-defined]
