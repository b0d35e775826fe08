"""Skips the tests of ``without_posix/skipped.txt``, which need POSIX themselves, where it is missing."""

from __future__ import annotations

import sys
from collections.abc import Generator
from pathlib import Path

import pytest

from mlpkit.runs import writer_lock  # noqa: F401 - while modules of POSIX are missing

TABLE = Path(__file__).parent / "without_posix" / "skipped.txt"
REASONS = dict(line.split(" | ") for line in TABLE.read_text("utf-8").splitlines())


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave out a file that can't be imported."""
    return True if collection_path.relative_to(config.rootpath).as_posix() in REASONS else None


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Let the modules of tests import what ``sitecustomize`` took away."""
    real = getattr(sys.modules.get("sitecustomize"), "REAL", {})
    sys.modules.update(real)
    try:
        return (yield)
    finally:
        sys.modules.update(dict.fromkeys(real))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip single tests, by their names without parameters."""
    for item in items:
        reason = REASONS.get(item.nodeid.partition("[")[0])
        if reason is not None:
            item.add_marker(pytest.mark.skip(reason=f"needs POSIX: {reason}"))
