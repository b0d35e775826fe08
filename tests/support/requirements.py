"""What tests need from the machine: without it they are skipped, and where ``MLPKIT_EXPECT`` lists it, they fail.

A machine of CI has a compiler, and a processor that flushes subnormal numbers. If mlpkit finds neither there, mlpkit is
wrong, and a skipped test would hide it.
"""

from __future__ import annotations

import os
import re
from importlib import import_module
from typing import TYPE_CHECKING, Any

import pytest

from mlpkit.errors import PluginError
from mlpkit.registry.registry import installed

if TYPE_CHECKING:
    from mlpkit.registry.registry import RegisteredComponent

KNOWN = {
    "browser": "Chromium or Chrome",
    "compiler": "a C compiler, as cc and gcc",
    "flush": "mlpkit flushes subnormal numbers to zero",
    "kernels": "mlpkit has compiled kernels, and they compute products",
    "node": "Node",
    "packages": "those of the extra test-all",
}
EXPECTED = frozenset(filter(None, os.environ.get("MLPKIT_EXPECT", "").split(",")))
if unknown := EXPECTED - KNOWN.keys():
    raise pytest.UsageError(f"MLPKIT_EXPECT: {', '.join(sorted(unknown))}: the words are {', '.join(KNOWN)}")


def require(what: str, there: bool, reason: str) -> None:
    """Skip a test, or the module that calls this, if something is missing; fail if it is expected here.

    Args:
        what: a word of ``KNOWN``, or anything else that may be missing everywhere.
        there: whether the machine has it.
        reason: why the test is skipped.
    """
    __tracebackhide__ = True
    if there:
        return
    if what in EXPECTED:
        pytest.fail(f"MLPKIT_EXPECT lists {what!r}, but: {reason}", pytrace=False)
    pytest.skip(reason, allow_module_level=True)


def requires(what: str, there: bool, reason: str) -> pytest.MarkDecorator:
    """Return ``require`` as a mark of tests; if the thing is expected and missing, their whole module fails."""
    if what in EXPECTED:
        require(what, there, reason)
    return pytest.mark.skipif(not there, reason=reason)


def require_module(what: str, name: str, reason: str | None = None) -> Any:
    """Return a module; without it, skip the test or module that calls this, or fail, as ``require`` does."""
    __tracebackhide__ = True
    try:
        return import_module(name)
    except ImportError as error:
        require(what, False, reason or f'needs {error.name or name}: pip install ".[test-all]"')


def require_package(name: str, reason: str | None = None) -> Any:
    """Return a package of the extra ``test-all``, or a module that needs one, as ``require_module`` does."""
    __tracebackhide__ = True
    return require_module("packages", name, reason)


def require_component(found: RegisteredComponent) -> Any:
    """Return the class of a component, as ``require_package`` does if it needs a package."""
    __tracebackhide__ = True
    try:
        return found.component
    except PluginError as error:
        if not isinstance(error.__cause__, ImportError):
            raise
        require("packages", False, str(error))


def require_components_of(text: str) -> None:
    """Require the packages of the components that a text names, as ``require_package`` does."""
    __tracebackhide__ = True
    for found in installed().components():
        if found.declaration.extra and re.search(rf"\b{found.name}\b", text):
            require_component(found)


class Optional:
    """What only some tests of a file use of the extra ``test-all``: without it, those are skipped.

    Args:
        module: a package, or a module that needs one.
        name: something in it; without a name, this stands for the module.
    """

    def __init__(self, module: str, name: str | None = None) -> None:
        self._module, self._name = module, name

    def __getattr__(self, name: str) -> Any:
        __tracebackhide__ = True
        if name.startswith("__"):  # pytest looks for them when it collects
            raise AttributeError(name)
        return getattr(self._found(), name)

    def __call__(self, *arguments: Any, **options: Any) -> Any:
        __tracebackhide__ = True
        return self._found()(*arguments, **options)

    def _found(self) -> Any:
        __tracebackhide__ = True
        module = require_package(self._module)
        return module if self._name is None else getattr(module, self._name)
