"""A pytest plugin for ``tools/mutants.py``: runs the tests listed in the file ``MLPKIT_CHOSEN_TESTS``, file by file."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.hookimpl(wrapper=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> Iterator[None]:
    """Leave out the other tests, and begin with the files that are named first; a file is a choice of all its tests."""
    yield
    chosen = Path(os.environ["MLPKIT_CHOSEN_TESTS"]).read_text("utf-8").splitlines()
    rank = {file: position for position, file in reversed(list(enumerate(test.partition("::")[0] for test in chosen)))}
    left_out = [item for item in items if {item.nodeid, item.nodeid.partition("::")[0]}.isdisjoint(chosen)]
    config.hook.pytest_deselected(items=left_out)
    kept = set(items) - set(left_out)
    items[:] = sorted((item for item in items if item in kept), key=lambda item: rank[item.nodeid.partition("::")[0]])
