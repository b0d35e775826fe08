"""The layers and losses that are installed: built-ins by name, others by namespace, as in ``layers.acme.Conv2d``."""

from __future__ import annotations

from mlpkit.registry.namespace import ComponentNamespace

_INSTALLED = ComponentNamespace(("layer", "loss"))


def __getattr__(name: str) -> object:
    """Return a class, or the layers and losses of a plugin; ``import *`` asks for the names of all."""
    return dir(_INSTALLED) if name == "__all__" else getattr(_INSTALLED, name)


def __dir__() -> list[str]:
    """List what there is."""
    return dir(_INSTALLED)
