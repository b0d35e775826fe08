"""A plugin: where it comes from, what became of it, which components its hook declares, and their classes."""

from __future__ import annotations

import importlib.util
import inspect
import os
import sys
from collections.abc import Iterable
from contextlib import redirect_stdout
from dataclasses import dataclass, field
from enum import Enum
from functools import reduce
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Final

import pluggy

from mlpkit.components import hook
from mlpkit.components.component import Component, ComponentType, check_interface
from mlpkit.components.hook import ENTRY_POINT_GROUP, ComponentDeclaration
from mlpkit.components.kinds import KINDS
from mlpkit.components.schema.context import show
from mlpkit.components.schema.signature import schema_of
from mlpkit.components.schema.wording import either_of, nearest, plain_call, with_article
from mlpkit.errors import PluginError, printable
from mlpkit.registry.distributions import InstalledDistribution

HOOK: Final = hook.mlpkit_components.__name__
DECLARED: Final = "a list, as in return [mlpkit.component('layer', 'Swish', Swish)]"
SPELLED: Final = "expected a function of that name, marked with @mlpkit.hookimpl"


def declarations_of(carrier: object, namespace: str) -> dict[str, ComponentDeclaration]:
    """Call the hook of a plugin's module or object, and return the components that it declares, by name."""
    # One manager a plugin, so that no plugin's fault reaches another's.
    manager = pluggy.PluginManager(ENTRY_POINT_GROUP)
    manager.add_hookspecs(hook)
    try:
        manager.register(carrier, namespace)
        manager.check_pending()
    except pluggy.PluginValidationError as error:
        raise PluginError(_wrong_hook(carrier) or str(error)) from error
    if not manager.hook.mlpkit_components.get_hookimpls():
        raise PluginError(_missing_hook(carrier))
    return _by_name(manager.hook.mlpkit_components())


def _by_name(results: list[object]) -> dict[str, ComponentDeclaration]:
    if not results:  # pluggy leaves out None
        raise PluginError(f"{HOOK} returned nothing; expected {DECLARED}")
    declarations: dict[str, ComponentDeclaration] = {}
    for result in results:
        if not isinstance(result, list | tuple) or isinstance(result, ComponentDeclaration):
            raise PluginError(f"{HOOK} returned {type(result).__name__}; expected {DECLARED}")
        for declared in result:
            if not isinstance(declared, ComponentDeclaration):
                raise PluginError(
                    f"{HOOK} returned an item of type {type(declared).__name__}; expected mlpkit.component(...)"
                )
            if declared.name in declarations:
                raise PluginError(f"the component {declared.name} is declared twice")
            declarations[declared.name] = declared
    return declarations


def _missing_hook(carrier: object) -> str:
    if callable(getattr(carrier, HOOK, None)):
        return f"its function {HOOK} is not marked; put @mlpkit.hookimpl above it"
    close = nearest(HOOK, _functions(carrier))
    return f"it has no hook {HOOK}, but {close}; {SPELLED}" if close else f"it has no hook {HOOK}; {SPELLED}"


def _wrong_hook(carrier: object) -> str:
    """Return pluggy's error in our words; empty if it is something else."""
    for name in _functions(carrier):
        marked = getattr(getattr(carrier, name, None), f"{ENTRY_POINT_GROUP}_impl", None)
        if marked and name != HOOK and not marked.get("specname"):
            return f"its hook {show(name)} is not one of mlpkit's; the only one is {HOOK}"
        if marked and name == HOOK:
            arguments = ", ".join(inspect.signature(getattr(carrier, name)).parameters)
            return f"{HOOK} is called without arguments, but takes {arguments}" if arguments else ""
    return ""


def _functions(carrier: object) -> Iterable[str]:
    return [name for name in dir(carrier) if not name.startswith("__") and callable(getattr(carrier, name, None))]


BUILT_IN: Final = "mlpkit"
"""The built-in namespace, and the name of the distribution that owns it."""


class Status(Enum):
    """What became of a plugin."""

    FOUND = "found"
    LOADED = "loaded"
    BROKEN = "broken"
    REFUSED = "refused"
    BLOCKED = "blocked"


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
        """The file that is loaded; empty if it isn't known before loading."""
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


@dataclass
class Plugin:
    """A plugin, first only found, then loaded when something needs it; its components may have faults of their own."""

    namespace: str
    origin: PluginOrigin
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
    def failure(self) -> str:
        """Why it can't be used, for messages."""
        return f"the plugin '{self.namespace}' ({self.label}) is {self.status.value}: {self.reason}"

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
        """Refuse it if its metadata requires another version of mlpkit."""
        distribution = self.origin.distribution
        if self.status is Status.FOUND and distribution and distribution.incompatibility:
            self.refuse(distribution.incompatibility)

    def load(self) -> bool:
        """Load the plugin if that was not tried yet, and return whether it is usable; a failure becomes its status."""
        self.refuse_if_incompatible()
        if self.status is not Status.FOUND:
            return self.usable
        try:
            with redirect_stdout(sys.stderr):  # standard output is for results, which others may read as JSON
                self.declarations = declarations_of(self.origin.load(), self.namespace)
            self.status = Status.LOADED
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # SystemExit, too, is not the plugin's to raise
            self.status, self.reason = Status.BROKEN, error_summary(error)
        return self.usable


def load_component(plugin: Plugin, declaration: ComponentDeclaration) -> type[Component]:
    """Return the class of a declared component, or raise a ``PluginError`` with what is wrong about it."""
    if declaration.name in plugin.faults:
        raise PluginError(plugin.faults[declaration.name])
    who = f"{declaration.kind} {plugin.qualified(declaration.name)} of {plugin.label}"
    target = _import_target(who, plugin, declaration)
    base = KINDS[declaration.kind].base_class()
    if not isinstance(target, ComponentType) or not issubclass(target, base):
        raise PluginError(f"{who}: {_of_another_kind(target, declaration.kind)}")
    found: type[Component] = target  # type: ignore[assignment]
    if inspect.isabstract(found):
        missing = sorted(getattr(found, "__abstractmethods__", ()))
        methods = " and ".join(plain_call(name, inspect.getattr_static(found, name)) for name in missing)
        raise PluginError(f"{who}: {found.__name__} is missing {methods}")
    for attribute in ("computed_by", "computed_by_reason", "slow_because"):
        value = getattr(found, attribute)
        if not isinstance(value, str):
            raise PluginError(f"{who}: {found.__name__}.{attribute} is {show(value)}; expected a string")
    try:
        schema_of(found)
        check_interface(found)
    except Exception as error:
        raise PluginError(f"{who}: {error_summary(error)}") from error
    return found


def _of_another_kind(target: object, kind: str) -> str:
    """Return what a declaration's target is instead of a component of that kind, and what to do."""
    base = KINDS[kind].base
    if not isinstance(target, type):
        return f"its target is {with_article(type(target).__name__)}, not a class"
    its_own = getattr(target, "kind", None)
    if isinstance(target, ComponentType) and its_own in KINDS:
        return f"{target.__name__} is {either_of((its_own,))}; declare it as that, or derive it from mlpkit.{base}"
    return f"{target.__name__} is not a subclass of mlpkit.{base}; write class {target.__name__}({base})"


def _import_target(who: str, plugin: Plugin, declaration: ComponentDeclaration) -> object:
    target = declaration.target
    if isinstance(target, type):
        return target
    module, _, name = target.partition(":")
    try:
        with redirect_stdout(sys.stderr):  # standard output is for results, which others may read as JSON
            return getattr(import_module(module), name)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # SystemExit, too, is not the plugin's to raise
        library = (error.name or "") if isinstance(error, ModuleNotFoundError) else ""
        if library and declaration.extra and not f"{module}.".startswith(f"{library}."):  # not a part of the plugin
            command = f'pip install "{plugin.source}[{declaration.extra}]"'
            raise PluginError(f"{who} needs the package {library}; install it with: {command}") from error
        raise PluginError(f"{who} can't be imported: {error_summary(error)}") from error


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


def _run_file(path: Path) -> ModuleType:
    """Run a file as it is now, without a cache next to the user's file."""
    module = ModuleType(f"mlpkit_local_{path.stem}")
    module.__file__ = str(path)
    sys.modules[module.__name__] = module
    try:
        exec(compile(path.read_bytes(), path, "exec"), vars(module))
    except BaseException:
        sys.modules.pop(module.__name__, None)
        raise
    return module


LONGEST_SUMMARY: Final = 500
"""Characters of a message; some print whole files."""

OF_PYTHON: Final = Path(os.__file__).parent
OUR_FOLDERS: Final = (Path(__file__).parents[1], Path(pluggy.__file__).parent)
INSTALLED_FOLDERS: Final = {"site-packages", "dist-packages"}


def error_summary(error: BaseException) -> str:
    """Return the exception's type, its message, and the line of the plugin that it came from."""
    message = one_line(_message(error))
    if not isinstance(error, PluginError):
        message = f"{type(error).__name__}: {message}" if message else type(error).__name__
    place = "" if isinstance(error, SyntaxError) else _place(error)  # whose message ends with a place
    return f"{message} ({place})" if place else message


def one_line(text: str) -> str:
    """Return a text as one line that any terminal can show, shortened if it is long."""
    line = printable(" ".join(text[: 2 * LONGEST_SUMMARY].split()))
    return line if len(line) <= LONGEST_SUMMARY else line[:LONGEST_SUMMARY] + "..."


def _message(error: BaseException) -> str:
    try:
        return str(error)
    except BaseException as another:  # what a plugin raises is a plugin's code too
        return f"its message can't be read: {type(another).__name__}"


def _place(error: BaseException) -> str:
    """Return the innermost line outside of Python and mlpkit, or nothing."""
    place, trace = "", error.__traceback__
    while trace is not None:
        file = Path(trace.tb_frame.f_code.co_filename)
        if not is_foreign(file):
            place = f"{'/'.join(file.parts[-2:]) if file.stem == '__init__' else file.name}, line {trace.tb_lineno}"
        trace = trace.tb_next
    return place


def is_foreign(file: Path) -> bool:
    """Whether a file belongs to Python or to mlpkit, and so isn't the place of a plugin's fault."""
    if not file.is_absolute():  # <frozen importlib._bootstrap>
        return file.name.startswith("<")
    of_python = file.is_relative_to(OF_PYTHON) and not INSTALLED_FOLDERS & set(file.parts)
    return of_python or any(file.is_relative_to(folder) for folder in OUR_FOLDERS)
