"""What may train the trials of a sweep, by the names that ``on`` and ``--on`` take."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from mlpkit.components.engine import LOCAL, Engine, Workers
from mlpkit.components.schema.wording import did_you_mean, with_article
from mlpkit.errors import UsageError
from mlpkit.groups.engine_workers import WorkersOfEngine
from mlpkit.groups.local_workers import LocalWorkers
from mlpkit.network.component_errors import component_errors
from mlpkit.registry.registry import Registry
from mlpkit.system import require_processes


@dataclass(frozen=True)
class EngineChoice:
    """What is to train the trials of a sweep.

    Args:
        name: that of the engine; one of a plugin has its namespace.
        workers: how many trials train at once at most; None for as many as the engine has workers.
        options: values of the engine's parameters, by name; None or empty if not given.
    """

    name: str
    workers: int | None
    options: Mapping[str, Any]

    def require_possible(self, registry: Registry) -> None:
        """Check that the engine exists, and has all options that are given.

        Args:
            registry: the plugins; the one that the engine's namespace names is loaded.

        Raises:
            UsageError: it doesn't.
            UnknownComponentError: no plugin provides the engine.
        """
        require_processes("a sweep")
        if self.workers is not None and self.workers < 1:
            raise UsageError(f"{self.workers} workers can't train anything; expected at least 1")
        built_in = {entry.name: entry for entry in registry.components((Engine.kind,), built_in=True)}
        namespaces = [plugin.namespace for plugin in registry.plugins if plugin.usable]
        if self.name not in (LOCAL, *built_in, *namespaces) and "." not in self.name:
            *others, last = LOCAL, *built_in
            known = f"{', '.join(others)} or {last}" if others else last
            raise UsageError(f"unknown sweep engine '{self.name}'; expected {known}")
        own = () if self.name == LOCAL else registry.find((Engine.kind,), self.name).schema.types
        owners = {option: name for name, entry in built_in.items() for option in entry.schema.types}
        for option in [option for option in self.options if option not in own]:
            if option not in owners:
                parts = f"neither a sweep nor its engine takes '{option}'", did_you_mean(option, (*own, *owners))
                raise UsageError("; ".join(filter(None, parts)))
            if option not in self._given:
                continue
            is_setting = isinstance(self._given[option], Mapping)
            what = f"a setting of {option.capitalize()}" if is_setting else with_article(option)
            raise UsageError(f"{what} goes with the engine {owners[option]}, not with {self.name}")

    @contextmanager
    def started(self, registry: Registry) -> Iterator[Workers]:
        """Return the workers, and end them at the end of the block.

        Raises:
            UsageError: a library is missing, or the workers can't be used.
        """
        workers = self._started_workers(registry)
        try:
            yield workers
        finally:
            workers.shutdown()

    def _started_workers(self, registry: Registry) -> Workers:
        if self.name == LOCAL:
            return LocalWorkers(self.workers)
        with component_errors(f"engine {self.name} failed in start"):
            workers = registry.create(Engine.kind, {self.name: self._given}).start(self.workers)
        return WorkersOfEngine(self.name, workers)

    @property
    def _given(self) -> dict[str, Any]:
        return {option: value for option, value in self.options.items() if value not in (None, "", {})}
