"""The hook through which all plugins, the built-ins included, provide their components."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

import pluggy

from mlpkit.components.kinds import KINDS
from mlpkit.deprecation import Deprecation
from mlpkit.errors import PluginError

ENTRY_POINT_GROUP: Final = "mlpkit"
"""Group of the entry points that name plugins, and the name of pluggy's project."""

hookspec = pluggy.HookspecMarker(ENTRY_POINT_GROUP)
hookimpl = pluggy.HookimplMarker(ENTRY_POINT_GROUP)


class ComponentDeclaration(NamedTuple):
    """A component that a plugin provides; ``component`` describes the attributes."""

    kind: str
    name: str
    target: type | str
    extra: str | None = None
    deprecated: Deprecation | None = None
    default: bool = False
    aliases: tuple[str, ...] = ()

    @property
    def advice(self) -> str | None:
        """What to use instead of a deprecated component."""
        return self.deprecated.instead if self.deprecated else None


def component(
    kind: str,
    name: str,
    target: type | str,
    *,
    extra: str | None = None,
    deprecated: Deprecation | str | None = None,
    default: bool = False,
    aliases: Sequence[str] = (),
) -> ComponentDeclaration:
    """Declare a component for the list that ``mlpkit_components`` returns.

    Args:
        kind: its kind: the name of its base class in lower case, such as ``layer`` or ``optimizer``.
        name: its name, CamelCase for layers and losses, snake_case for other kinds.
        target: the class, or ``"package.module:Class"`` to import it only when a spec names it.
        extra: the extra of your distribution that installs further packages for the component, if it needs any.
        deprecated: for a deprecated component, a ``Deprecation``, or what to do instead, such as ``"use
            acme.NewLayer"``; specs that name it get a warning, and so do calls of a verb.
        default: whether ``mlpkit.fit`` takes it if no component of its kind is given. Only that of a built-in counts:
            an installed plugin changes no result.
        aliases: what other libraries call it, such as ``Dense``. Specs can't use them; the error suggests ``name``.

    Raises:
        PluginError: the kind is unknown, the name is spelt wrong, the target is neither, the advice is empty or not a
            string, or an alias is not a string.
    """
    if kind not in KINDS:
        raise PluginError(f"unknown kind '{kind}'; expected one of {', '.join(KINDS)}")
    if not isinstance(name, str) or not KINDS[kind].spells(name):
        raise PluginError(f"{name!r} can't be the name of a {kind}; expected {KINDS[kind].spelling}")
    if not isinstance(target, type) and not (isinstance(target, str) and target.count(":") == 1):
        raise PluginError(f"{kind} {name}: {target!r} is not a class; expected a class or 'package.module:Class'")
    given = deprecated
    if isinstance(deprecated, str):
        deprecated = Deprecation(deprecated)
    if deprecated is not None and not (isinstance(deprecated, Deprecation) and deprecated.instead.strip()):
        raise PluginError(f"{kind} {name}: deprecated={given!r} is not advice; expected what to use instead")
    if isinstance(aliases, str) or not all(isinstance(alias, str) for alias in aliases):
        raise PluginError(f"{kind} {name}: aliases={aliases!r} are not names; expected a list of strings")
    return ComponentDeclaration(kind, name, target, extra, deprecated, default, tuple(aliases))


@hookspec
def mlpkit_components() -> Sequence[ComponentDeclaration]:  # type: ignore[empty-body]
    """Return the components that this plugin provides."""
