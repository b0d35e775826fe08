"""One plugin: where it comes from, and what became of it."""

from __future__ import annotations

import sys
from contextlib import redirect_stdout
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Final

from mlpkit.registry.declarations import declarations_of
from mlpkit.registry.reason import reason_of

if TYPE_CHECKING:
    from mlpkit.components.hook import ComponentDeclaration
    from mlpkit.registry.origin import Origin

BUILT_IN: Final = "mlpkit"
"""The built-in namespace, and the name of the distribution that owns it."""


class Status(Enum):
    """What became of a plugin."""

    FOUND = "found"
    LOADED = "loaded"
    BROKEN = "broken"
    REFUSED = "refused"
    BLOCKED = "blocked"


@dataclass
class Plugin:
    """A plugin, first only found, then loaded when something needs it.

    Args:
        namespace: what its components' names begin with; the built-in namespace is left out there.
        origin: where it comes from.
        status: what became of it.
        reason: why it is broken, refused or blocked.
        declarations: its components by name, once loaded.
        faults: what is known to be wrong with single components, by name.
    """

    namespace: str
    origin: Origin
    status: Status = Status.FOUND
    reason: str = ""
    declarations: dict[str, ComponentDeclaration] = field(default_factory=dict)
    faults: dict[str, str] = field(default_factory=dict)

    @property
    def source(self) -> str:
        """Where it was found: a distribution, a file, a module."""
        return self.origin.source

    @property
    def version(self) -> str:
        """The distribution's version, if there is one."""
        return self.origin.version

    @property
    def label(self) -> str:
        """Source and version, for messages."""
        return f"{self.source} {self.version}".strip()

    @property
    def built_in(self) -> bool:
        """Whether its components go by bare names."""
        return self.namespace == BUILT_IN

    @property
    def usable(self) -> bool:
        """Whether its components can be had, once it is loaded."""
        return self.status in (Status.FOUND, Status.LOADED)

    def qualified(self, name: str) -> str:
        """Return a component's name as specs write it."""
        return name if self.built_in else f"{self.namespace}.{name}"

    def refuse(self, reason: str) -> None:
        """Never load it."""
        self.status, self.reason = Status.REFUSED, reason

    def refuse_if_incompatible(self) -> None:
        """Refuse it if its own metadata says that it isn't made for this version of mlpkit."""
        if self.status is Status.FOUND and self.origin.incompatibility:
            self.refuse(self.origin.incompatibility)

    def ensure_loaded(self) -> None:
        """Load the plugin if that was not tried yet; a failure becomes its status."""
        self.refuse_if_incompatible()
        if self.status is not Status.FOUND:
            return
        try:
            with redirect_stdout(sys.stderr):  # standard output is for results, which others may read as JSON
                self.declarations = declarations_of(self.origin.load(), self.namespace)
            self.status = Status.LOADED
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # SystemExit, too, is not the plugin's to raise
            self.status, self.reason = Status.BROKEN, reason_of(error)
