"""What loading a plugin does to a process: asked of a new one, where nothing of it was loaded yet."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from typing import Any

from mlpkit.testing.suite.check import NotApplicable

PROGRAM = "mlpkit.testing.suite.new_process"
LONGEST_SECONDS = 120


@dataclass(frozen=True)
class PluginReport:
    """What loading a plugin, and then each of its components, did to a process that had loaded mlpkit and NumPy.

    Args:
        seconds: processor time of each component's import by its name; that of the plugin by its namespace.
        changed: what else the imports changed, likewise.
        printed: what they printed, likewise.
        results_before: checksum of a few steps of every shipped spec, before anything of the plugin was loaded.
        results_after: the same afterwards.
    """

    seconds: dict[str, float]
    changed: dict[str, list[str]]
    printed: dict[str, str]
    results_before: str
    results_after: str


@cache
def report_of(namespace: str, arguments: tuple[str, ...] | None) -> PluginReport:
    """Load a plugin in a new process, once, and return what it did there.

    Args:
        namespace: the plugin's.
        arguments: the path of the plugin if it is not installed; None if a new process can't find it.

    Raises:
        NotApplicable: it can't be found there.
        RuntimeError: the new process failed.
    """
    if arguments is None:
        raise NotApplicable("a new process can't import this class: name its plugin instead")
    command = [sys.executable, "-m", PROGRAM, namespace, *arguments]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=LONGEST_SECONDS, check=False, env=_environment()
    )
    if done.returncode != 0:
        msg = f"loading the plugin {namespace} in a new process ended with exit code {done.returncode}: {done.stderr}"
        raise RuntimeError(msg)
    report: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return PluginReport(**report)


def _environment() -> dict[str, str]:
    """Return this process's environment, with its import path, so that the other finds what this one does."""
    return os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
