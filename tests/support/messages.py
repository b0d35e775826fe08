"""The messages of errors."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable


def message(action: Callable[[], object], kind: type[Exception], path: object = "", *, name: str = "") -> str:
    """Return the message of the error that a call raises, with a name in place of a path."""
    with pytest.raises(kind) as caught:
        action()
    return str(caught.value).replace(str(path), name) if name else str(caught.value)
