"""A plugin of pytest that skips the tests of ``skipped.txt``, which need POSIX themselves."""

from __future__ import annotations

from pathlib import Path

import pytest

ROWS = [line.split(" | ") for line in Path(__file__).with_name("skipped.txt").read_text("utf-8").splitlines()]
REASONS = {test: reason for test, reason in ROWS}
used: set[str] = set()


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave out a file that can't be imported."""
    name = collection_path.relative_to(config.rootpath).as_posix()
    if name in REASONS:
        used.add(name)
        return True
    return None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip single tests, by their names without parameters."""
    for item in items:
        name = item.nodeid.partition("[")[0]
        if name in REASONS:
            used.add(name)
            item.add_marker(pytest.mark.skip(reason=f"needs POSIX: {REASONS[name]}"))
