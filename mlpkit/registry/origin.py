"""Where plugins come from, and how they are loaded."""

from __future__ import annotations

import importlib.util
import sys
from dataclasses import dataclass
from functools import reduce
from importlib import import_module
from importlib.machinery import ModuleSpec, SourceFileLoader
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import CodeType, ModuleType

    from mlpkit.registry.distributions import InstalledDistribution


@dataclass(frozen=True)
class PluginOrigin:
    """Where a plugin comes from: a file, a module, an installed distribution, or an object that is there already.

    Args:
        reference: what to load: a file, ``package.module`` or ``package.module:object``; None if there is a carrier.
        name: what to call it in messages; by default as its distribution.
        release: its version, if it has no distribution.
        carrier: the object that carries the hook, such as a module in a notebook.
        distribution: the distribution that has it as an entry point.
    """

    reference: Path | str | None
    name: str = ""
    release: str = ""
    carrier: object = None
    distribution: InstalledDistribution | None = None

    @property
    def source(self) -> str:
        """What to call it in messages: a distribution, a file, a module."""
        return self.name or (self.distribution.name if self.distribution else "") or str(self.reference)

    @property
    def version(self) -> str:
        """The distribution's version; empty if it has no version."""
        return self.distribution.version if self.distribution else self.release

    @property
    def target(self) -> Path | str | None:
        """What another process would load, from wherever it runs; None if it lives here only."""
        return self.reference.absolute() if isinstance(self.reference, Path) else self.reference

    @property
    def file(self) -> str:
        """The file that is loaded, as far as that is known without loading it; else empty."""
        if isinstance(self.reference, str):
            return _file_of_module(self.reference.partition(":")[0].strip())
        return str(self.target or getattr(self.carrier, "__file__", None) or "")

    def load(self) -> object:
        """Run the file, or import ``package.module:object.attribute``, and return the object that carries the hook.

        Raises:
            ValueError: the text names no object.
        """
        if self.reference is None:
            return self.carrier
        if isinstance(self.reference, Path):
            return _run_file(self.reference)
        module, colon, attributes = (part.strip() for part in self.reference.partition("[")[0].partition(":"))
        names = attributes.split(".") if colon else []
        if not all(name.isidentifier() for name in (*module.split("."), *names)):
            raise ValueError(f"{self.reference!r} names no object; expected package.module or package.module:object")
        return reduce(getattr, names, import_module(module))


def _file_of_module(name: str) -> str:
    """Return the file of a module, or of the outermost package around it if it isn't loaded."""
    outermost = name.partition(".")[0]
    loaded = sys.modules.get(name) or sys.modules.get(outermost)
    if loaded is not None:
        return getattr(loaded, "__file__", None) or ""
    try:
        spec = importlib.util.find_spec(outermost)
    except (ImportError, ValueError):
        return ""
    return (spec.origin or "") if spec is not None and spec.has_location else ""


class _UncachedLoader(SourceFileLoader):
    """Compiles a file at each import: it leaves no cache beside the user's file, and never runs an outdated one."""

    def get_code(self, fullname: str) -> CodeType:
        """Return the code of the file as it is now."""
        return self.source_to_code(self.get_data(self.path), self.path)


def _run_file(path: Path) -> ModuleType:
    name = f"mlpkit_local_{path.stem}"
    loader = _UncachedLoader(name, str(path))
    spec = ModuleSpec(name, loader, origin=str(path))
    spec.has_location = True
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        loader.exec_module(module)
    except BaseException:
        sys.modules.pop(name, None)
        raise
    return module
