"""Functions in the place of an object's methods."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@contextmanager
def replaced_methods(owner: object, **methods: Callable[..., Any]) -> Iterator[None]:
    """Put functions in the place of an object's methods for the time of a block.

    Args:
        owner: the object; its class stays as it is.
        methods: the functions, by the method's name.
    """
    before = {name: vars(owner)[name] for name in methods if name in vars(owner)}
    vars(owner).update(methods)
    try:
        yield
    finally:
        for name in methods:
            del vars(owner)[name]
        vars(owner).update(before)
