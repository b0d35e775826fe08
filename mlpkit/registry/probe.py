"""Loads plugins in a subprocess, so that one that hangs, exits or patches its process can't affect this one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

from mlpkit.errors import PluginError
from mlpkit.registry.plugin import Plugin, PluginOrigin, Status, error_summary, load_component
from mlpkit.second_process import ALTERED, NoAnswerError, answers_of
from mlpkit.system import can_start_processes

LONGEST_LOAD: Final = 60.0
"""Seconds after which a plugin that is still loading counts as broken."""


class Provided(NamedTuple):
    """A component that a plugin declares, by its name without namespace, with its fault and what computes it."""

    kind: str
    name: str
    deprecated: str | None = None
    fault: str = ""
    computed_by: str = ""
    aliases: tuple[str, ...] = ()


class ProbeResult(NamedTuple):
    """The result of examining a plugin: why it can't be loaded, or its components."""

    reason: str = ""
    provided: tuple[Provided, ...] = ()

    @property
    def sound(self) -> bool:
        """Whether there is nothing wrong with it."""
        return not self.reason and not any(component.fault for component in self.provided)


def examine(
    plugins: Sequence[Plugin], *, with_components: bool = True, longest_load: float = LONGEST_LOAD
) -> list[ProbeResult]:
    """Return a verdict on each plugin, leaving this process as it is.

    Plugins share a process until one of them fails, or loads for too many seconds. That one is looked at once more, as
    the first in a new process: a fault counts only where no other plugin can have caused it. If no process can be
    started, plugins are loaded into this one. A plugin that is loaded, refused or blocked is judged by what is known of
    it.
    """
    for plugin in plugins:
        plugin.refuse_if_incompatible()
    waiting = [plugin for plugin in plugins if plugin.status is Status.FOUND and plugin.origin.target is not None]
    found: dict[int, ProbeResult] = {}
    while waiting and can_start_processes():
        verdicts = list(_in_one_process(waiting, with_components, longest_load))
        if len(verdicts) > 1 and not verdicts[-1].sound:
            verdicts.pop()
        for verdict in verdicts:
            found[id(waiting.pop(0))] = verdict
    return [found.get(id(plugin)) or verdict_here(plugin, with_components=with_components) for plugin in plugins]


def verdict_here(plugin: Plugin, *, with_components: bool = True) -> ProbeResult:
    """Load a plugin in this process, if that was not tried yet, and return the verdict."""
    if not plugin.load():
        return ProbeResult(plugin.reason)
    provided = []
    for declared in plugin.declarations.values():
        fault = computed_by = ""
        if with_components:
            try:
                component = load_component(plugin, declared)
                reason = f" ({component.computed_by_reason})" if component.computed_by_reason else ""
                computed_by = f"{component.computed_by}{reason}" if component.computed_by else ""
            except PluginError as error:
                fault = str(error)
        about = declared.kind, declared.name, declared.advice
        provided.append(Provided(*about, fault, computed_by, declared.aliases))
    return ProbeResult("", tuple(provided))


def _in_one_process(plugins: Sequence[Plugin], with_components: bool, longest_load: float) -> Iterator[ProbeResult]:
    """Yield verdicts up to the first on a plugin that is not sound."""
    targets = [plugin.origin.target for plugin in plugins]
    described = [
        (plugin.namespace, plugin.source, plugin.version, isinstance(target, Path), str(target))
        for plugin, target in zip(plugins, targets, strict=True)
    ]
    request = {"with_components": with_components, "plugins": described}
    with answers_of(f"{__name__}:probe", request, longest_load) as answers:
        for _ in plugins:
            try:
                reason, provided = next(answers)
                found = tuple(Provided._make((*fields, tuple(aliases))) for *fields, aliases in provided)
                verdict = ProbeResult(str(reason), found)
            except NoAnswerError as error:
                verdict = ProbeResult(str(error))
            except (TypeError, ValueError):
                verdict = ProbeResult(ALTERED)
            yield verdict
            if not verdict.sound:
                return


def probe(request: Mapping[str, Any]) -> Iterator[ProbeResult]:
    """Yield a verdict on each plugin that is described, up to the first that is not sound; harms this process."""
    for namespace, source, version, is_file, target in request["plugins"]:
        plugin = Plugin(namespace, PluginOrigin(Path(target) if is_file else target, source, version))
        try:
            verdict = verdict_here(plugin, with_components=request["with_components"])
        except BaseException as error:  # a plugin may raise KeyboardInterrupt
            verdict = ProbeResult(error_summary(error))
        yield verdict
        if not verdict.sound:
            return
