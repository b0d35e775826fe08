"""The component that a check is asked of."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from mlpkit.testing.suite.examples import examples_of
from mlpkit.testing.suite.observed_imports import ObservedImports, observed_imports

if TYPE_CHECKING:
    from mlpkit.components.component import Component
    from mlpkit.registry.registry import RegisteredComponent, Registry
    from mlpkit.testing.suite.examples.example import Example


@dataclass(frozen=True)
class ComponentUnderTest:
    """A component of a plugin, as the suite sees it.

    Args:
        entry: the component, as registered.
        registry: everything it may be used together with.
        in_new_process: what another process is told to find the plugin: nothing if it is installed, or a path; None
            if another process can't find it.
        answers: whether it passed the checks that the others rest on, as far as they were asked.
    """

    entry: RegisteredComponent
    registry: Registry
    in_new_process: tuple[str, ...] | None
    answers: dict[str, bool] = field(default_factory=dict, init=False)

    @property
    def name(self) -> str:
        """Its name in specs."""
        return self.entry.name

    @property
    def kind(self) -> str:
        """Its kind."""
        return self.entry.kind

    @property
    def component(self) -> type[Component]:
        """Its class."""
        return self.entry.component

    @cached_property
    def examples(self) -> list[Example]:
        """The circumstances that it is checked in."""
        return examples_of(self.entry, self.registry)

    def seen_from_new_process(self) -> ObservedImports:
        """Return what loading the plugin did to a new process."""
        return observed_imports(self.entry.plugin.namespace, self.in_new_process)
