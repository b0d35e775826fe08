"""SQLite's method: let the nth call of the system fail, for every n, until nothing fails any more."""

from __future__ import annotations

import errno
import os
import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

CALLS = ("open", "write", "fsync", "close", "replace", "unlink", "mkdir", "listdir", "ftruncate")
"""Functions of ``os`` through which everything that is saved goes."""

KINDS = ("ENOSPC", "full disk", "EIO", "EACCES", "short write", "interrupt", "kill")
"""How a call can fail."""


@contextmanager
def failing_call(kind: str, call: int) -> Iterator[list[str]]:
    """Let one call fail within the block.

    Args:
        kind: one of ``KINDS``; on a full disk every write fails from then on, a short write writes a part and says so,
            a kill ends the process.
        call: number of the call that fails, from 1.

    Yields:
        the names of the calls so far.
    """
    made: list[str] = []

    def wrapped(name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def stand_in(*args: Any, **kwargs: Any) -> Any:
            made.append(name)
            fails = name == "write" and len(made) >= call if kind == "full disk" else len(made) == call
            return _fail(kind, name, real, args) if fails else real(*args, **kwargs)

        return stand_in

    with patch.multiple(os, **{name: wrapped(name, getattr(os, name)) for name in CALLS}):
        yield made


def _fail(kind: str, name: str, real: Callable[..., Any], args: tuple[Any, ...]) -> Any:
    if kind == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    if kind == "short write":
        return real(args[0], bytes(args[1])[: max(1, len(args[1]) // 2)]) if name == "write" else real(*args)
    if name == "close":
        real(*args)  # Linux closes a descriptor also when it reports an error
    if kind == "interrupt":
        raise KeyboardInterrupt
    code = errno.ENOSPC if kind == "full disk" else getattr(errno, kind)
    raise OSError(code, os.strerror(code))
