"""Keys of a spec as people read them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


def short_keys(keys: Sequence[str]) -> list[str]:
    """Return the last parts of keys, as many of each as it takes to tell it from the others."""
    parts = [key.split(".") for key in keys]
    return [
        next(
            ".".join(own[-count:])
            for count in range(1, len(own) + 1)
            if count == len(own) or sum(other[-count:] == own[-count:] for other in parts) == 1
        )
        for own in parts
    ]
