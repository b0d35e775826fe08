"""Makes Python what it is in WebAssembly, as far as it goes: without threads, processes, and some modules.

A program imports this first. ``tests/test_system.py`` runs the same one in Pyodide.
"""

from __future__ import annotations

import _thread
import os
import sys
import threading
from types import ModuleType, SimpleNamespace

MISSING_MODULES = (
    "_multiprocessing",
    "_posixshmem",
    "curses",
    "fcntl",  # in some versions
    "grp",
    "pwd",
    "readline",
    "resource",
    "syslog",
    "termios",  # in some versions
)
MISSING_FUNCTIONS = ("forkpty", "geteuid", "mkfifo", "posix_spawn", "posix_spawnp", "sched_getaffinity")
NO_THREAD = "can't start new thread"
NO_PROCESS = "emscripten doesn't support processes."


def _no_thread(*_args, **_kwargs):
    raise RuntimeError(NO_THREAD)


def _no_process(*_args, **_kwargs):
    raise OSError(138, NO_PROCESS)


def _no_libraries():
    """Give threadpoolctl the modules that tell it that Pyodide has loaded no libraries."""
    module = ModuleType("pyodide_js._module")
    module.LDSO = SimpleNamespace(loadedLibsByName=SimpleNamespace(as_object_map=dict))
    sys.modules |= {"pyodide_js": ModuleType("pyodide_js"), "pyodide_js._module": module}


sys.platform = "emscripten"  # by which subprocess refuses to start processes
sys.executable, os.environ["PATH"] = "/nowhere/python", "/nowhere"  # there are no programs
for name in MISSING_MODULES:
    sys.modules[name] = None
for name in MISSING_FUNCTIONS:
    if hasattr(os, name):
        delattr(os, name)
os.fork = _no_process
for module in (_thread, threading):
    for name in ("start_new_thread", "start_joinable_thread", "_start_new_thread", "_start_joinable_thread"):
        if hasattr(module, name):
            setattr(module, name, _no_thread)
_no_libraries()
