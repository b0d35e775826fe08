"""Loads plugins in a subprocess, so that one that hangs, exits or patches its process can't affect this one."""

from __future__ import annotations

import json
import os
import selectors
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from mlpkit.errors import PluginError
from mlpkit.registry.loading import load_component
from mlpkit.registry.plugin import Status

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from mlpkit.components.component import Component
    from mlpkit.registry.plugin import Plugin


LONGEST_LOAD: Final = 60.0
"""Seconds after which a plugin that is still loading counts as broken."""

START: Final = """
import json, sys
sys.path[:] = json.loads(sys.argv[1])
from mlpkit.registry.probe_worker import main
main()
"""


class Provided(NamedTuple):
    """A component that a plugin says it provides.

    Args:
        kind: its kind.
        name: its name, without namespace.
        deprecated: what to use in its place; None if it is not deprecated.
        fault: why it can't be used; empty if it can.
        computed_by: what computes it, and why; empty if it doesn't say.
    """

    kind: str
    name: str
    deprecated: str | None = None
    fault: str = ""
    computed_by: str = ""


class Verdict(NamedTuple):
    """What came of looking at a plugin.

    Args:
        reason: why it can't be loaded; empty if it can.
        provided: its components, if it can.
    """

    reason: str = ""
    provided: tuple[Provided, ...] = ()

    @property
    def sound(self) -> bool:
        """Whether there is nothing wrong with it."""
        return not self.reason and not any(component.fault for component in self.provided)


def examine(
    plugins: Sequence[Plugin], *, with_components: bool = True, longest_load: float = LONGEST_LOAD
) -> list[Verdict]:
    """Return a verdict on each plugin, leaving this process as it is.

    Plugins share a process until one of them fails. That one is looked at once more, as the first in a new process: a
    fault counts only where no other plugin can have caused it.

    Args:
        plugins: the plugins; those that were loaded, or are not to be, are judged by what is known of them.
        with_components: whether to import each component too.
        longest_load: seconds after which a plugin counts as broken.
    """
    for plugin in plugins:
        plugin.refuse_if_incompatible()
    waiting = [plugin for plugin in plugins if plugin.status is Status.FOUND and plugin.origin.target is not None]
    found: dict[int, Verdict] = {}
    while waiting:
        verdicts = list(_in_one_process(waiting, with_components, longest_load))
        if len(verdicts) > 1 and not verdicts[-1].sound:
            verdicts.pop()
        for verdict in verdicts:
            found[id(waiting.pop(0))] = verdict
    return [found.get(id(plugin)) or verdict_here(plugin, with_components=with_components) for plugin in plugins]


def verdict_here(plugin: Plugin, *, with_components: bool = True) -> Verdict:
    """Load a plugin in this process, if that was not tried yet, and return the verdict.

    Args:
        plugin: the plugin.
        with_components: whether to import each component too.
    """
    plugin.ensure_loaded()
    if not plugin.usable:
        return Verdict(plugin.reason)
    provided = []
    for declared in plugin.declarations.values():
        fault = computed_by = ""
        if with_components:
            try:
                computed_by = described_computation(load_component(plugin, declared))
            except PluginError as error:
                fault = str(error)
        provided.append(Provided(declared.kind, declared.name, declared.deprecated, fault, computed_by))
    return Verdict("", tuple(provided))


def described_computation(component: type[Component]) -> str:
    """Return what computes a component, and why; empty if it doesn't say."""
    reason = f" ({component.computed_by_reason})" if component.computed_by_reason else ""
    return f"{component.computed_by}{reason}" if component.computed_by else ""


def _in_one_process(plugins: Sequence[Plugin], with_components: bool, longest_load: float) -> Iterator[Verdict]:
    """Yield verdicts up to the first on a plugin that is not sound."""
    request = json.dumps({"with_components": with_components, "plugins": [_described(plugin) for plugin in plugins]})
    command = [sys.executable, "-P", "-c", START, json.dumps([*map(str, sys.path)])]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            with suppress(BrokenPipeError):  # then it has ended, which is told below
                process.stdin.write(request.encode())
                process.stdin.close()
            answers = _Lines(process.stdout.fileno(), longest_load)
            for _ in plugins:
                line = answers.next()
                verdict = _verdict(line) if line else Verdict(_silence(process, longest_load))
                yield verdict
                if not verdict.sound:
                    return
        finally:
            _end(process)


class _Lines:
    """The lines that come through a pipe, each within a time."""

    def __init__(self, descriptor: int, longest_wait: float) -> None:
        self._descriptor = descriptor
        self._longest_wait = longest_wait
        self._buffer = b""

    def next(self) -> bytes:
        """Return the next line; nothing if none came in time, or the other end is closed."""
        deadline = time.monotonic() + self._longest_wait
        with selectors.DefaultSelector() as selector:
            selector.register(self._descriptor, selectors.EVENT_READ)
            while b"\n" not in self._buffer:
                if not selector.select(max(0.0, deadline - time.monotonic())):
                    return b""
                chunk = os.read(self._descriptor, 65536)
                if not chunk:
                    return b""
                self._buffer += chunk
        line, _, self._buffer = self._buffer.partition(b"\n")
        return line


def _described(plugin: Plugin) -> dict[str, Any]:
    target = plugin.origin.target
    return {
        "namespace": plugin.namespace,
        "source": plugin.source,
        "version": plugin.version,
        "file" if isinstance(target, Path) else "object": str(target),
    }


def _verdict(line: bytes) -> Verdict:
    try:
        reason, provided = json.loads(line)
        return Verdict(str(reason), tuple(Provided(*component) for component in provided))
    except (TypeError, ValueError):
        return Verdict("it altered the process that loaded it, which could say no more")


def _silence(process: subprocess.Popen[bytes], longest_load: float) -> str:
    """Say why no answer came."""
    try:
        code = process.wait(1)
    except subprocess.TimeoutExpired:
        return f"it was still loading after {longest_load:g} s"
    if code < 0:
        return f"it ended the process that loaded it, by {signal.Signals(-code).name}"
    return f"it ended the process that loaded it, with exit code {code}"


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the process, and what it may have started."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):  # it has ended by itself
        process.kill()
