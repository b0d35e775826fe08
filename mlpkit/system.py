"""What the system lets Python do."""

from __future__ import annotations

import sys

from mlpkit.errors import UsageError


def can_start_processes() -> bool:
    """Whether Python can start processes and threads; in WebAssembly, as in a browser, it has only its own."""
    return sys.platform not in ("emscripten", "wasi")


def expect_processes(what: str) -> None:
    """Make sure that processes and threads can be started.

    Args:
        what: what needs them.

    Raises:
        UsageError: they can't.
    """
    if not can_start_processes():
        raise UsageError(f"{what} needs processes or threads, which Python can't start in WebAssembly")


def address_limit() -> int | None:
    """Return how many bytes of addresses this process may have, as ``ulimit -v`` sets it; None without a limit."""
    return _limit("RLIMIT_AS")


def descriptor_limit() -> int:
    """Return how many files and connections this process may have open, as ``ulimit -n`` sets it."""
    return _limit("RLIMIT_NOFILE") or sys.maxsize


def _limit(name: str) -> int | None:
    try:
        import resource  # noqa: PLC0415 - not in WebAssembly
    except ImportError:
        return None
    limit = resource.getrlimit(getattr(resource, name))[0]
    return None if limit == resource.RLIM_INFINITY else limit
