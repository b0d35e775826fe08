"""What tests need from the machine: without it they are skipped, and where ``MLPKIT_EXPECT`` lists it, they fail.

A machine of CI has a compiler, and a processor that flushes subnormal numbers. If mlpkit finds neither there, mlpkit is
wrong, and a skipped test would hide it.
"""

from __future__ import annotations

import os
from typing import Any

import pytest

KNOWN = {
    "browser": "Chromium or Chrome",
    "compiler": "a C compiler, as cc and gcc",
    "flush": "mlpkit flushes subnormal numbers to zero",
    "kernels": "mlpkit has compiled kernels, and they compute products",
    "node": "Node",
    "packages": "those of the extra test",
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
    """Return a module, as ``pytest.importorskip`` does; fail if it can't be imported and ``what`` is expected here."""
    __tracebackhide__ = True
    try:
        return pytest.importorskip(name, reason=reason, exc_type=ImportError)
    except pytest.skip.Exception as skipped:
        require(what, False, str(skipped))


def require_package(name: str, reason: str | None = None) -> Any:
    """Return a package of the extra ``test``, as ``require_module`` does."""
    __tracebackhide__ = True
    return require_module("packages", name, reason)
