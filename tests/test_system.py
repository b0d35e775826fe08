"""Where Python can't start threads or processes, everything works that needs none, and the rest says what it needs."""

from __future__ import annotations

import ctypes
import errno
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
from prepared_pyodide import pyodide
from requirements import require_package

from mlpkit import system
from mlpkit.system import (
    address_limit,
    available_cores,
    descriptor_limit,
    is_regular,
    kill_group,
    memory_limit,
    peak_memory,
    real_path,
    shortage,
    yield_core,
)
from mlpkit_plugins.exporters.js_engines import NODE, find_program

SUPPORT = Path(__file__).parent / "support"
NODE_PROGRAM = Path(__file__).parent / "node" / "run_in_pyodide.mjs"
STAND_IN = """
import webassembly
import json, pathlib, sys
from webassembly_program import results
print(json.dumps(results(pathlib.Path(sys.argv[1]))))
"""
IN_PYODIDE = """
import json, pathlib, sys, tempfile
sys.path.append("/modules")
from webassembly_program import results
json.dumps(results(pathlib.Path(tempfile.mkdtemp())))
"""


@pytest.fixture(scope="module", params=["a stand-in", pytest.param("Pyodide", marks=pytest.mark.long)])
def found(request, tmp_path_factory):
    """What a program comes to in WebAssembly, and in what stands in for it."""
    folder = tmp_path_factory.mktemp("work")
    if request.param == "a stand-in":
        command = [sys.executable, "-W", "error", "-c", STAND_IN, str(folder)]
    else:
        wheel = pyodide(folder)
        command = [find_program(NODE), NODE_PROGRAM, folder / "pyodide", wheel, SUPPORT, IN_PYODIDE]
    done = subprocess.run(
        command, env=os.environ | {"PYTHONPATH": str(SUPPORT)}, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    return json.loads(done.stdout)


def test_a_run_is_kept_with_its_checkpoints(found):
    run = found["trained"]
    assert run["checkpoints"] == ["best.safetensors", "step-000000060.safetensors", "step-000000090.safetensors"]
    assert {"model.safetensors", "metrics.json", "lock.json"} <= set(run["files"])


def test_a_model_is_loaded_and_predicts(found):
    assert found["trained"]["accuracy"] > 0.9
    assert found["trained"]["predicted"] == "foxglove"


def test_a_model_is_exported_and_said_to_be_unproved(found):
    require_package("onnxruntime")
    assert found["exported"]["written"]
    assert found["exported"]["warning"].startswith(
        "not proved to compute what the model does: there is no JavaScript engine"
    )


def test_a_stopped_run_goes_on_to_the_same_results(found):
    assert found["resumed"] == {"stopped": 40, "steps": 100, "same": True}


def test_arrays_are_trained_on(found):
    assert found["fitted"]["accuracy"] > 0.8
    assert found["fitted"]["predicted"] == ["above"]


def test_plugins_are_looked_at_in_the_same_process(found):
    broken = "ModuleNotFoundError: No module named 'no_such_library' (broken.py, line 1)"
    assert found["plugins"] == {"mlpkit": "", "acme": "", "broken": broken}


def test_what_needs_processes_says_so(found):
    missing = "needs processes or threads, which Python can't start in WebAssembly"
    assert found["refused"] == {
        "seeds": f"training with several seeds {missing}",
        "live": [2, f"error: a live page {missing}\n"],
    }


def test_there_is_a_core(monkeypatch):
    assert available_cores() >= 1
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    for count, cores in ((7, 7), (None, 1)):
        monkeypatch.setattr(os, "cpu_count", lambda count=count: count)
        assert available_cores() == cores
    monkeypatch.setattr(os, "cpu_count", lambda: 7)
    for platform in ("emscripten", "wasi"):
        monkeypatch.setattr(sys, "platform", platform)
        assert available_cores() == 1


def test_without_a_call_to_yield_the_core_sleeping_no_time_does_it(monkeypatch):
    slept = []
    monkeypatch.setattr(time, "sleep", slept.append)
    monkeypatch.delattr(os, "sched_yield", raising=False)
    yield_core()
    assert slept == [0]


@pytest.mark.parametrize("there", [True, False], ids=["taskkill", "no taskkill"])
def test_without_groups_of_processes_taskkill_ends_those_that_a_process_has_started(
    there, tmp_path, monkeypatch, capfd
):
    """Windows has taskkill, which may fail since a process has ended, and says so."""
    if there:
        (tmp_path / "taskkill").write_text(f'#!/bin/sh\necho "$@" > {tmp_path}/asked\necho no >&2\necho yes\nexit 1\n')
        (tmp_path / "taskkill").chmod(0o755)
    killed = []
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delattr(os, "killpg")
    kill_group(SimpleNamespace(pid=4321, kill=lambda: killed.append(4321)))
    assert killed == [4321]
    assert capfd.readouterr() == ("", "")
    assert not there or (tmp_path / "asked").read_text() == "/F /T /PID 4321\n"


def test_windows_is_asked_for_the_memory_of_the_machine_and_of_this_process(monkeypatch):
    """Its functions refuse a structure of the wrong size; the first has the size inside, the second gets it."""

    def of_machine(filled):
        if len(filled) * 8 == filled[0] == 64:  # MEMORYSTATUSEX
            filled[:] = range(1001, 1009)

    def of_process(process, filled, size):
        if process.value == ctypes.c_void_p(-1).value and size == len(filled) * 8 == 72:  # PROCESS_MEMORY_COUNTERS
            filled[:] = range(2001, 2010)

    monkeypatch.setattr(ctypes, "windll", SimpleNamespace(kernel32=SimpleNamespace()), raising=False)
    ctypes.windll.kernel32.GlobalMemoryStatusEx = of_machine
    ctypes.windll.kernel32.K32GetProcessMemoryInfo = of_process
    monkeypatch.setitem(sys.modules, "resource", None)
    monkeypatch.delattr(os, "sysconf")
    monkeypatch.setattr(system, "OWN_CGROUP", Path("nowhere"))
    assert (memory_limit(), peak_memory()) == (None, 0)  # neither Windows nor another system that tells
    assert (address_limit(), descriptor_limit()) == (None, sys.maxsize)
    with monkeypatch.context() as windows:
        windows.setattr(os, "name", "nt")
        found = memory_limit(), peak_memory()
    assert found == (1002, 2002)


FILES, MEMORY = "too many open files; close some", "not enough memory"


@pytest.mark.parametrize(
    ("error", "found"),
    [
        (MemoryError(), f"{MEMORY}; close other programs, raise the limit (ulimit -v)"),
        (MemoryError("no 40 GiB"), f"{MEMORY}: no 40 GiB; close"),
        (OSError(errno.EMFILE, "x"), FILES),
        (OSError(errno.ENFILE, "x"), FILES),
        (OSError(errno.ENOMEM, "x"), f"{MEMORY}; close"),
        (OSError(errno.EIO, "Too many open files"), ""),
        (OSError("no number"), ""),
        (FileNotFoundError(errno.ENOENT, "No usable temporary directory found"), "can't create a temporary"),
        (FileNotFoundError(errno.ENOENT, "x"), ""),
        (ImportError("/a.so: failed to map segment from shared object"), f"{MEMORY}; close"),
        (ImportError("/a.so: cannot allocate memory in static TLS block"), f"{MEMORY}; close"),
        (ImportError("/a.so: cannot open shared object file: Too many open files"), FILES),
        (RuntimeError("can't start new thread"), "no thread can be started; there is too little memory"),
        (RuntimeError("x"), ""),
        (ValueError("can't start new thread"), ""),
    ],
)
def test_a_shortage_is_found_in_an_exception_and_in_what_caused_it(error, found):
    assert shortage(error).startswith(found)
    assert bool(shortage(error)) == bool(found)
    second, third = KeyError(), LookupError()
    second.__context__, third.__cause__ = error, second
    assert shortage(third) == shortage(error)


@pytest.mark.skipif(sys.platform != "linux", reason="/proc is Linux's")
def test_the_peak_of_memory_and_the_limit_of_files_are_those_that_the_system_knows():
    (peak,) = (line.split()[1] for line in Path("/proc/self/status").read_text().splitlines() if "VmHWM" in line)
    assert peak_memory() == pytest.approx(int(peak) * 1024, rel=0.1)
    program = f"ulimit -n 123; exec {sys.executable} -c 'from mlpkit import system; print(system.descriptor_limit())'"
    assert subprocess.run(["sh", "-c", program], capture_output=True, text=True, check=True).stdout == "123\n"


def test_only_a_file_with_an_end_is_regular(tmp_path):
    (tmp_path / "file").write_text("")
    (tmp_path / "link").symlink_to(tmp_path / "file")
    os.mkfifo(tmp_path / "pipe")
    names = ("file", "link", "pipe", ".", "/dev/null", "/proc/self/status")
    assert [is_regular(tmp_path / name) for name in names] == [True, True, False, False, False, False]
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    assert [real_path(tmp_path / name).name for name in ("link", "loop")] == ["file", "loop"]
