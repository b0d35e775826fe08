"""Takes away what only POSIX has, from each Python process that finds this folder in PYTHONPATH.

The modules of tests can still import those of POSIX, by ``posix_tests``.

Locks on files are those of Windows, made with the ones of this system. ``os`` keeps what Python's own modules and NumPy
call where ``sys.platform`` isn't ``win32``, such as ``getuid`` and ``uname``; ``mypy --platform win32`` finds those in
mlpkit.
"""

import errno
import fcntl
import os
import random  # noqa: F401 - it asks for register_at_fork only once
import shutil
import signal
import subprocess
import sys
import threading  # noqa: F401 - as random
from contextlib import suppress
from importlib import import_module
from types import ModuleType

with suppress(ImportError):
    import locket  # noqa: F401 - Dask's, which on Windows calls the system if there is no fcntl
    import psutil  # noqa: F401 - Dask's, which imports resource where sys.platform isn't win32

MODULES = ("fcntl", "resource", "termios", "tty", "pty", "grp", "pwd", "syslog", "curses", "_curses", "readline")
FUNCTIONS = [
    "fork",
    "forkpty",
    "killpg",
    "getpgid",
    "getpgrp",
    "setpgid",
    "setsid",
    "getsid",
    "wait3",
    "wait4",
    "nice",
    "getpriority",
    "setpriority",
    "sched_getaffinity",
    "sched_setaffinity",
    "sched_yield",
    "register_at_fork",
    "pread",
    "pwrite",
    "preadv",
    "pwritev",
    "readv",
    "writev",
    "posix_fadvise",
    "posix_fallocate",
    "confstr",
    "getloadavg",
    "chown",
    "lchown",
    "fchown",
    "fchmod",
    "statvfs",
    "fstatvfs",
    "O_DIRECTORY",
    "O_NOFOLLOW",
    "O_NONBLOCK",
    "O_CLOEXEC",
]
SIGNALS = [
    "SIGHUP",
    "SIGUSR1",
    "SIGUSR2",
    "SIGALRM",
    "SIGQUIT",
    "SIGTSTP",
    "SIGCONT",
    "alarm",
    "setitimer",
    "pthread_sigmask",
    "sigwait",
]

flock, LOCK, UNLOCK = fcntl.flock, fcntl.LOCK_EX | fcntl.LOCK_NB, fcntl.LOCK_UN


def locking(descriptor: int, mode: int, count: int) -> None:
    """Lock a byte of a file, or give it back, as Windows does."""
    try:
        flock(descriptor, mode)
    except BlockingIOError as error:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES)) from error


class Popen(subprocess.Popen):
    """A process, whose options may be those of Windows."""

    def __init__(self, *arguments, creationflags=0, **options):
        super().__init__(*arguments, **options)


subprocess.Popen = Popen
shutil._use_fd_functions = False
REAL = {}
for name in MODULES:
    with suppress(ImportError):
        REAL[name] = import_module(name)
    sys.modules[name] = None
for module, names in ((os, FUNCTIONS), (signal, SIGNALS)):
    for name in names:
        if hasattr(module, name):
            delattr(module, name)
sys.modules["msvcrt"] = msvcrt = ModuleType("msvcrt")
msvcrt.locking, msvcrt.LK_NBLCK, msvcrt.LK_UNLCK = locking, LOCK, UNLOCK
