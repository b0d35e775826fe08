"""Warnings that a thread raises while it works for a request, which belong into the answer."""

from __future__ import annotations

import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


class _Noticed(threading.local):
    texts: list[str] | None = None


_NOTICED = _Noticed()


@contextmanager
def noticed() -> Iterator[list[str]]:
    """Return a list to which this thread's warnings are added until the end of the block."""
    before, _NOTICED.texts = _NOTICED.texts, []
    try:
        yield _NOTICED.texts
    finally:
        _NOTICED.texts = before


@contextmanager
def warnings_by_thread() -> Iterator[None]:
    """Let ``noticed`` take warnings, until the end of the block; others are shown as before."""
    with warnings.catch_warnings():
        earlier = warnings.showwarning

        def show(message: Warning | str, category: type[Warning], *place: Any, **named: Any) -> None:
            if _NOTICED.texts is None or not issubclass(category, UserWarning):
                earlier(message, category, *place, **named)
            else:
                _NOTICED.texts.append(str(message))

        warnings.showwarning = show
        yield
