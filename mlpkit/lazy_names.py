"""Names that are loaded when they are first used: of a package, of a class, or of a module above the caller's."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from importlib import import_module
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mlpkit.deprecation import Deprecation


def lazy_names(
    package: dict[str, Any],
    home_of: Mapping[str, str],
    submodules: Collection[str] = (),
    deprecated: Mapping[str, tuple[str, Deprecation]] = MappingProxyType({}),
) -> tuple[Callable[[str], object], Callable[[], list[str]]]:
    """Return ``__getattr__`` and ``__dir__`` of a package (PEP 562): a name is loaded from its module, and kept.

    Args:
        package: the package's ``globals()``.
        home_of: the module that each public name lives in.
        submodules: public modules of the package.
        deprecated: by name, the ``module:name`` that it stands for, with a warning at each use.
    """

    def get(name: str) -> object:
        if name in submodules:
            return import_module(f"{package['__name__']}.{name}")
        if name in deprecated:
            place, deprecation = deprecated[name]
            deprecation.warn(f"{package['__name__']}.{name}")
            return load(place)
        if name not in home_of:
            raise AttributeError(f"module '{package['__name__']}' has no attribute '{name}'")
        value: object = getattr(import_module(home_of[name]), name)
        package[name] = value
        return value

    return get, lambda: sorted([*package["__all__"], *submodules])


def load(place: str) -> Any:
    """Return the object at ``module:name``, its module imported now."""
    module, _, name = place.partition(":")
    return getattr(import_module(module), name)


class LazyMethod:
    """A method whose function is in a module above the class's own, and is loaded when it is first used."""

    def __init__(self, module: str, name: str) -> None:
        self._place = f"{module}:{name}"

    def __get__(self, instance: object, owner: type) -> Callable[..., Any]:
        """Return the function, bound to an object if there is one."""
        method: Callable[..., Any] = load(self._place).__get__(instance, owner)
        return method
