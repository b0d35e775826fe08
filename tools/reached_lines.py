"""Records the lines of mlpkit that a process runs. It needs Python 3.12 or later.

``tools/record_tests.py`` makes each process import this module that has ``MLPKIT_REACHED_LINES``, the name of a folder:
there, each writes a file of its own.
"""

from __future__ import annotations

import json
import os
import sys
import time
import types
from collections import defaultdict
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[1]
RECORDS = ROOT / "build" / "reached_lines"
VARIABLE = "MLPKIT_REACHED_LINES"


class Recorder:
    """Records the lines that this process runs: at once to a file, or in memory, for ``write``."""

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._root = str(ROOT) + os.sep
        self._monitoring = sys.monitoring  # type: ignore[attr-defined]
        self._tool = self._monitoring.PROFILER_ID
        self.lines: set[tuple[str, int]] | None = None
        self._start_file()
        os.register_at_fork(after_in_child=self._start_file)
        self._monitoring.use_tool_id(self._tool, "reached_lines")
        self._monitoring.register_callback(self._tool, self._monitoring.events.LINE, self._record)
        sys.addaudithook(self._module_runs)

    def _module_runs(self, event: str, arguments: tuple[Any, ...]) -> None:
        """Watch the code of a module of mlpkit that begins to run, also if pytest has rewritten its assertions."""
        if event != "exec" or not isinstance(code := arguments[0], types.CodeType):
            return
        if code.co_filename.startswith((f"{self._root}mlpkit", f"{self._root}plugins")):
            self._watch(code)

    def _start_file(self) -> None:
        test = os.environ.get("PYTEST_CURRENT_TEST", "").rpartition(" ")[0]
        self.lines = None
        path = Path(self._folder, f"{os.getpid()}-{time.monotonic_ns()}.child")
        self._file = os.open(path, os.O_CREAT | os.O_APPEND | os.O_WRONLY)
        os.write(self._file, f"{test}\n".encode())

    def _watch(self, code: types.CodeType) -> None:
        self._monitoring.set_local_events(self._tool, code, self._monitoring.events.LINE)
        for constant in code.co_consts:
            if isinstance(constant, types.CodeType):
                self._watch(constant)

    def _record(self, code: types.CodeType, line: int) -> Any:
        file = code.co_filename.removeprefix(self._root)
        if self.lines is not None:
            self.lines.add((file, line))
        else:
            with suppress(OSError):  # the process may have closed all its files
                os.write(self._file, f"{file}:{line}\n".encode())
        return self._monitoring.DISABLE

    def begin(self) -> None:
        """Record lines in memory from now on, also those that were recorded before."""
        self.lines = set()
        self._monitoring.restart_events()

    def write(self, test: str, seconds: float) -> None:
        """Write the lines of a test."""
        grouped = defaultdict(list)
        for file, line in sorted(self.lines or ()):
            grouped[file].append(line)
        record = json.dumps({"test": test, "seconds": seconds, "lines": grouped})
        with Path(self._folder, f"{os.getpid()}.tests").open("a", encoding="utf-8") as output:
            output.write(record + "\n")
        self.lines = None


recorder = Recorder(os.environ[VARIABLE]) if VARIABLE in os.environ else None


def read_records(folder: Path) -> Iterator[tuple[str, float, dict[str, set[int]]]]:
    """Yield the name of each test, its seconds, and the lines by file, with those of the processes that it started."""
    for path in sorted(folder.glob("*.tests")):
        with path.open(encoding="utf-8") as file:
            for line in file:
                record = json.loads(line)
                yield record["test"], record["seconds"], {name: set(each) for name, each in record["lines"].items()}
    for path in sorted(folder.glob("*.child")):
        test, *reached = path.read_text("utf-8").splitlines()
        if test:
            lines = defaultdict(set)
            for file, _, line in (each.rpartition(":") for each in reached):
                if line.isdigit():  # the process may have been killed while it wrote
                    lines[file].add(int(line))
            yield test, 0, lines
