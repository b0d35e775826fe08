"""A pytest plugin for ``tools/mutants.py``: runs the tests listed in the file ``MLPKIT_CHOSEN_TESTS``, file by file.

A line names a test, or a file or folder of tests.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.hookimpl(wrapper=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> Iterator[None]:
    """Leave out the other tests, and begin with the files that are named first."""
    yield
    chosen = Path(os.environ["MLPKIT_CHOSEN_TESTS"]).read_text("utf-8").splitlines()
    names, files = set(chosen), list(dict.fromkeys(test.partition("::")[0] for test in chosen))
    left_out = [item for item in items if names.isdisjoint([item.nodeid, *_files(item)])]
    config.hook.pytest_deselected(items=left_out)
    kept = set(items) - set(left_out)
    rank = {file: place for place, file in enumerate(files)}
    items[:] = sorted(
        (item for item in items if item in kept),
        key=lambda item: min(rank.get(each, len(rank)) for each in _files(item)),
    )


def _files(item: pytest.Item) -> list[str]:
    """Return the file of a test, and the folders above it."""
    file = Path(item.nodeid.partition("::")[0])
    return [each.as_posix() for each in (file, *file.parents)]
