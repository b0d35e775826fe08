"""Where plugins come from, and whether they can be used with this version of mlpkit."""

from __future__ import annotations

import importlib.util
import re
import sys
from functools import reduce
from importlib import import_module
from importlib.machinery import ModuleSpec, SourceFileLoader
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

from mlpkit.registry.distributions import PROGRAM
from mlpkit.version import VERSION

if TYPE_CHECKING:
    from types import CodeType, ModuleType

    from mlpkit.registry.distributions import InstalledDistribution


ABOUT_MLPKIT: Final = re.compile(r"\s*mlpkit(?![\w.-])", re.IGNORECASE)
"""The beginning of a requirement of mlpkit, and not of ``mlpkit-extras``."""


def incompatibility(distribution: InstalledDistribution) -> str:
    """Return why a distribution can't be used with this version of mlpkit; empty if it can."""
    if distribution.identity == PROGRAM:  # which needs no reading of its metadata
        return ""
    about = [requirement for requirement in distribution.requirements if ABOUT_MLPKIT.match(requirement)]
    if not about:
        return ""
    from packaging.requirements import InvalidRequirement, Requirement  # noqa: PLC0415 - few plugins get here

    for text in about:
        try:
            requirement = Requirement(text)
        except InvalidRequirement:
            return f"its metadata requires {text!r}, which is no requirement"
        applies = requirement.marker is None or requirement.marker.evaluate({"extra": ""})
        if applies and not requirement.specifier.contains(VERSION, prereleases=True):
            return f"it requires mlpkit{requirement.specifier}, and this is mlpkit {VERSION}"
    return ""


class PluginOrigin(Protocol):
    """Where a plugin comes from."""

    @property
    def source(self) -> str:
        """What to call it in messages: a distribution, a file, a module."""

    @property
    def version(self) -> str:
        """The distribution's version; empty if it has no version."""

    @property
    def file(self) -> str:
        """The file that is loaded, as far as that is known without loading it; else empty."""

    @property
    def target(self) -> Path | str | None:
        """What another process would load: a file, or ``package.module:object``; None if it lives here only."""

    @property
    def incompatibility(self) -> str:
        """Why it can't be used with this version of mlpkit; empty if it can."""

    def load(self) -> object:
        """Import it, and return the object that carries the hook."""


class FileOrigin(NamedTuple):
    """A Python file.

    Args:
        path: the file.
    """

    path: Path
    version: str = ""
    incompatibility: str = ""

    @property
    def source(self) -> str:
        """Its path, as given."""
        return str(self.path)

    @property
    def file(self) -> str:
        """Its path."""
        return str(self.target)

    @property
    def target(self) -> Path:
        """Its path, from wherever it is used."""
        return self.path.absolute()

    def load(self) -> object:
        """Run the file."""
        return load_target(self.path)


class ModuleOrigin(NamedTuple):
    """A module that can be imported.

    Args:
        name: its name.
    """

    name: str
    version: str = ""
    incompatibility: str = ""

    @property
    def source(self) -> str:
        """What it is called."""
        return f"module {self.name}"

    @property
    def file(self) -> str:
        """Where it, or the outermost package around it, is."""
        return _file_of_module(self.name)

    @property
    def target(self) -> str:
        """Its name."""
        return self.name

    def load(self) -> object:
        """Import it."""
        return load_target(self.name)


class GivenObject(NamedTuple):
    """A module, or another object, that is there already, as in a notebook.

    Args:
        carrier: what carries the hook.
        source: what to call it in messages.
    """

    carrier: object
    source: str
    version: str = ""
    target: None = None
    incompatibility: str = ""

    @property
    def file(self) -> str:
        """Where it was read from."""
        return getattr(self.carrier, "__file__", None) or ""

    def load(self) -> object:
        """Return it."""
        return self.carrier


class EntryPointOrigin(NamedTuple):
    """An entry point of an installed distribution.

    Args:
        value: what the entry point names: ``package.module``, or ``package.module:object``.
        distribution: the distribution.
    """

    value: str
    distribution: InstalledDistribution

    @property
    def source(self) -> str:
        """The distribution's name."""
        return self.distribution.name or self.value

    @property
    def version(self) -> str:
        """The distribution's version."""
        return self.distribution.version

    @property
    def file(self) -> str:
        """Where the module, or the outermost package around it, is."""
        return _file_of_module(self.value.partition(":")[0].strip())

    @property
    def target(self) -> str:
        """What the entry point names."""
        return self.value

    @property
    def incompatibility(self) -> str:
        """What the distribution's metadata says of this version of mlpkit."""
        return incompatibility(self.distribution)

    def load(self) -> object:
        """Import the module, and return it, or the object that is named in it."""
        return load_target(self.value)


def load_target(target: Path | str) -> object:
    """Run a file, or import ``package.module``, or ``package.module:object.attribute``, and return what it is.

    Raises:
        ValueError: the text is neither.
    """
    if isinstance(target, Path):
        return _run_file(target)
    return _import_object(target)


def _import_object(value: str) -> object:
    module, colon, attributes = (part.strip() for part in value.partition("[")[0].partition(":"))
    names = attributes.split(".") if colon else []
    if not all(name.isidentifier() for name in (*module.split("."), *names)):
        raise ValueError(f"{value!r} names no object; expected package.module or package.module:object")
    return reduce(getattr, names, import_module(module))


def _file_of_module(name: str) -> str:
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
