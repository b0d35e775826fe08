"""Runs tests and records the lines of mlpkit that each reaches, for ``tools/mutants.py``.

    python tools/record_tests.py -n 2 -m "not long and not fuzz"

It runs pytest with these options and with this module as a plugin, on Python 3.12 or later. A file of site-packages has
the processes that tests start record their lines, too.
"""

from __future__ import annotations

import os
import site
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from reached_lines import RECORDS, ROOT, VARIABLE, recorder

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reached_lines import Recorder


class Plugin:
    """Records the lines of each test, with those of the fixtures that it shares with others."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self._of_fixtures: dict[Any, set[tuple[str, int]]] = {}

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: Any) -> Iterator[None]:
        """Record a test."""
        self._recorder.begin()
        began = time.monotonic()
        result = yield
        seconds = round(time.monotonic() - began, 3)
        if self._recorder.lines is not None:
            for definitions in item._fixtureinfo.name2fixturedefs.values():  # noqa: SLF001 - no public name
                self._recorder.lines |= self._of_fixtures.get(definitions[-1], set())
        self._recorder.write(item.nodeid, seconds)
        return result

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(self, fixturedef: Any) -> Iterator[None]:
        """Record the set-up of a fixture."""
        before = self._recorder.lines
        if fixturedef.scope == "function" or before is None:
            return (yield)
        self._recorder.begin()
        try:
            return (yield)
        finally:
            self._of_fixtures[fixturedef] = self._recorder.lines or set()
            self._recorder.lines = before | self._of_fixtures[fixturedef]


def pytest_configure(config: Any) -> None:
    """Record tests, unless this is the process that only distributes them."""
    if recorder and (hasattr(config, "workerinput") or not config.getoption("numprocesses", None)):
        config.pluginmanager.register(Plugin(recorder))


def main() -> None:
    """Run pytest with the options of the command line, and record the lines of each test."""
    RECORDS.mkdir(parents=True, exist_ok=True)
    tools = str(ROOT / "tools")
    Path(site.getsitepackages()[0], "reached_lines.pth").write_text(
        f"import os, sys; os.environ.get({VARIABLE!r}) and (sys.path.append({tools!r}), __import__('reached_lines'))\n"
    )
    environment = os.environ | {VARIABLE: str(RECORDS), "PYTHONPATH": tools}
    command = [sys.executable, "-m", "pytest", "-p", "record_tests", "-q", "--dist", "loadfile", *sys.argv[1:]]
    sys.exit(subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode)


if __name__ == "__main__":
    main()
