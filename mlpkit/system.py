"""What the system lets Python do, how Windows differs from POSIX, and what the system has too little of."""

from __future__ import annotations

import errno
import os
import signal
import stat
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from mlpkit.errors import UsageError

if TYPE_CHECKING:
    import subprocess

NO_LINK: Final[int] = getattr(os, "O_NOFOLLOW", 0)
"""Flag of ``os.open`` that refuses a link; Windows has none, but only administrators make links there."""
NO_WAIT: Final[int] = getattr(os, "O_NONBLOCK", 0)
"""Flag of ``os.open`` that doesn't wait for the other end of a pipe."""
BYTES: Final[int] = getattr(os, "O_BINARY", 0)
"""Flag of ``os.open`` without which Windows changes line ends."""
FOLDER: Final[int] = getattr(os, "O_DIRECTORY", 0)
"""Flag of ``os.open`` for a folder, to flush it to the disk; 0 on Windows, whose file system keeps a journal."""
REMOVES_OPEN_FILES: Final = FOLDER != 0
"""Whether an open file can be removed or replaced; not on Windows."""
BUSY: Final = frozenset([] if REMOVES_OPEN_FILES else [errno.EACCES])
"""Numbers of errors that soon pass since someone else has the file open; only on Windows."""

STOP_SIGNALS: Final = tuple(
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK") if hasattr(signal, name)
)
"""The signals that ask a program to end; SIGBREAK is Ctrl-Break or a closed console of Windows."""
HANG_UP: Final[signal.Signals | None] = getattr(signal, "SIGHUP", None)
"""The signal of a closed terminal."""

OWN_GROUP: Final[Mapping[str, Any]] = (
    {"start_new_session": True} if hasattr(os, "killpg") else {"creationflags": 0x200}  # CREATE_NEW_PROCESS_GROUP
)
"""Arguments of ``Popen`` for a process that the terminal's Ctrl-C doesn't reach."""

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


def kill_group(process: subprocess.Popen[str]) -> None:
    """Kill a process that was started with ``OWN_GROUP``, and the processes that it has started."""
    if hasattr(os, "killpg"):
        with suppress(ProcessLookupError, PermissionError):  # it has ended by itself
            os.killpg(process.pid, signal.Signals["SIGKILL"])
    else:
        import subprocess  # noqa: PLC0415 - slow to load

        with suppress(OSError):
            subprocess.run(["taskkill", "/F", "/T", "/PID", str(process.pid)], capture_output=True, check=False)
    process.kill()


def yield_core() -> None:
    """Let other processes run that wait for this core."""
    if hasattr(os, "sched_yield"):
        os.sched_yield()
    else:
        time.sleep(0)


def end_process_after(seconds: int) -> None:
    """Let the system end this process after that time, or never if it is 0; Windows can't."""
    if hasattr(signal, "alarm"):
        signal.alarm(seconds)


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
    names: Mapping[str, int] = getattr(os, "sysconf_names", {})
    if hasattr(os, "sysconf") and {"SC_PHYS_PAGES", "SC_PAGE_SIZE"} <= names.keys():
        limits.append(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    limits += [limit for limit in (address_limit(), _windows("GlobalMemoryStatusEx", 8)) if limit]
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
        return _windows("K32GetProcessMemoryInfo", 9, -1)
    return int(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss) * (1 if sys.platform == "darwin" else 1024)


def descriptor_limit() -> int:
    """Return how many files and connections this process may have open, as ``ulimit -n`` sets it."""
    return _limit("RLIMIT_NOFILE") or sys.maxsize


def _limit(name: str) -> int | None:
    resource = _resource()
    limit = resource and resource.getrlimit(getattr(resource, name))[0]
    return None if resource is None or limit == resource.RLIM_INFINITY else limit


def _resource() -> Any:
    """Return Python's module ``resource``; None on Windows and in WebAssembly."""
    with suppress(ImportError):
        return import_module("resource")
    return None


def _windows(function: str, words: int, *process: int) -> int:
    """Return the second 64-bit word of a structure that Windows fills; 0 on other systems.

    Args:
        function: its name in ``kernel32``.
        words: length of the structure, which begins with its size in bytes.
        *process: the handle of a process, if it takes one.
    """
    if os.name != "nt":
        return 0
    import ctypes  # noqa: PLC0415 - slow to load

    filled = (ctypes.c_uint64 * words)(8 * words)
    size = (8 * words,) if process else ()
    getattr(vars(ctypes)["windll"].kernel32, function)(*map(ctypes.c_void_p, process), filled, *size)
    return int(filled[1])


TOO_MANY_FILES = "too many open files; close some, or raise the limit, as with: ulimit -n 256"
GET_MEMORY = "close other programs, raise the limit (ulimit -v), or try a smaller batch_size, or fewer units"
NO_THREADS = (
    "no thread can be started; there is too little memory, or there are too many processes (ulimit -v, ulimit -u)"
)
NO_TEMPORARY_FILE = (
    "can't create a temporary file: no space is left, or too many files are open; free some space, or close some files"
)
SHORT_OF = {
    errno.EMFILE: TOO_MANY_FILES,
    errno.ENFILE: TOO_MANY_FILES,
    errno.ENOMEM: f"not enough memory; {GET_MEMORY}",
}
LOADING_ERRORS = {
    "Too many open files": TOO_MANY_FILES,
    "failed to map segment": f"not enough memory; {GET_MEMORY}",
    "annot allocate memory": f"not enough memory; {GET_MEMORY}",
    "can't start new thread": NO_THREADS,
}
"""What the loader of libraries and the threads of Python say, in exceptions that have no number."""


def shortage(error: BaseException) -> str:
    """Return what is missing, and what to do, if that is what an exception is about; otherwise nothing."""
    return next(filter(None, map(_shortage, _with_causes(error))), "")


def _with_causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _shortage(error: BaseException) -> str:
    if isinstance(error, MemoryError):
        detail = f": {error}" if str(error) else ""
        return f"not enough memory{detail}; {GET_MEMORY}"
    if isinstance(error, FileNotFoundError) and "No usable temporary directory" in str(error):
        return NO_TEMPORARY_FILE
    if isinstance(error, OSError):
        return SHORT_OF.get(error.errno or 0, "")
    if isinstance(error, ImportError | RuntimeError):
        text = str(error)
        return next((message for sign, message in LOADING_ERRORS.items() if sign in text), "")
    return ""
