"""What the system lets Python do."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Iterator
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any, Final

from mlpkit.errors import UsageError

CGROUPS: Final = Path("/sys/fs/cgroup")
OWN_CGROUP: Final = Path("/proc/self/cgroup")


def can_start_processes() -> bool:
    """Whether Python can start processes and threads; in WebAssembly, as in a browser, it has only its own."""
    return sys.platform not in ("emscripten", "wasi")


def available_cores() -> int:
    """Return the number of cores that this process may use."""
    if not can_start_processes():
        return 1
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def require_processes(what: str) -> None:
    """Check that processes and threads, which something needs, can be started."""
    if not can_start_processes():
        raise UsageError(f"{what} needs processes or threads, which Python can't start in WebAssembly")


def real_path(path: str | os.PathLike[str]) -> Path:
    """Return a path without links; of a loop of links, as it is: to open it is an error."""
    return Path(os.path.realpath(path))  # Path.resolve raises a RuntimeError before Python 3.13


def is_regular(path: Path) -> bool:
    """Whether reading a file ends: not so of a pipe or a device, nor of every file in ``/proc``, whose sizes are 0."""
    return stat.S_ISREG(path.stat().st_mode) and not real_path(path).is_relative_to("/proc")


def address_limit() -> int | None:
    """Return how many bytes of addresses this process may have, as ``ulimit -v`` sets it; None without a limit."""
    return _limit("RLIMIT_AS")


def memory_limit() -> int | None:
    """Return how many bytes of memory this process may have; None if that isn't known.

    The least of what the machine has, the container or batch job (cgroup), and ``ulimit -v``.
    """
    limits = [*_cgroup_limits()]
    if hasattr(os, "sysconf") and {"SC_PHYS_PAGES", "SC_PAGE_SIZE"} <= os.sysconf_names.keys():
        limits.append(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    limits += [limit for limit in (address_limit(),) if limit is not None]
    return min(limits, default=None)


def _cgroup_limits() -> Iterator[int]:
    """Go through the limits of memory of this process's cgroup, and of those around it."""
    try:
        lines = OWN_CGROUP.read_text("utf-8").splitlines()
    except OSError:  # not Linux
        return
    versions = {"": (CGROUPS, "memory.max"), "memory": (CGROUPS / "memory", "memory.limit_in_bytes")}
    for line in lines:
        _, controllers, path = line.split(":", 2)
        root, name = versions.get(controllers, (CGROUPS, ""))
        inner = root / path.lstrip("/")
        for folder in (inner, *inner.parents) if name else ():
            if folder.is_relative_to(root):
                with suppress(OSError, ValueError):  # none there, or "max"
                    yield int((folder / name).read_text("ascii"))


def peak_memory() -> int:
    """Return the most bytes of memory that this process has used so far; 0 if that isn't known."""
    resource = _resource()
    if resource is None:
        return 0
    return int(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss) * (1 if sys.platform == "darwin" else 1024)


def descriptor_limit() -> int:
    """Return how many files and connections this process may have open, as ``ulimit -n`` sets it."""
    return _limit("RLIMIT_NOFILE") or sys.maxsize


def _limit(name: str) -> int | None:
    resource = _resource()
    limit = resource and resource.getrlimit(getattr(resource, name))[0]
    return None if resource is None or limit == resource.RLIM_INFINITY else limit


def _resource() -> Any:
    """Return Python's module ``resource``; None in WebAssembly."""
    with suppress(ImportError):
        return import_module("resource")
    return None
