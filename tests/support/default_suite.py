"""What the default suite leaves to ``pytest -m full``: slow tests, and conformance but for one component of each kind.

A test is slow if it opens a browser, or if a list names it.

``tests/slow_tests.txt`` lists the tests that take ``LIMIT`` seconds of processor time or more. ``pytest
--write-slow-tests`` measures the tests that it runs and renews their lines, and ``-m "not long and not fuzz"`` runs all
of them. A line without brackets stands for all cases of a function. A line that begins with ``!`` names a test that
stays in the default suite: it finds mutants that no quick test does. Those lines are written by hand.
"""

from __future__ import annotations

import os
from collections import Counter, defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

LIST = Path(__file__).parents[1] / "slow_tests.txt"
LIMIT = 0.3
CONFORMANCE = "tests/plugins/test_conformance.py::test_builtins"


def mark_full(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark as ``full`` what the default suite leaves out, but for the tests that the command line names one by one."""
    lines = set(LIST.read_text("utf-8").splitlines())
    named = [argument.partition("::")[2] for argument in config.args if "::" in argument]
    first: dict[str, str] = {}
    for item in items:
        function = function_of(item.nodeid)
        full = not lines.isdisjoint([function, item.nodeid]) and lines.isdisjoint([f"!{function}", f"!{item.nodeid}"])
        full |= "browser" in item.fixturenames  # type: ignore[attr-defined]
        if function == CONFORMANCE:
            subject = item.callspec.params["subject"]  # type: ignore[attr-defined]
            full |= first.setdefault(subject.kind, subject.name) != subject.name
        asked_for = any(item.nodeid.partition("::")[2].startswith(each) for each in named)
        special = item.get_closest_marker("long") or item.get_closest_marker("fuzz")
        if full and not asked_for and not special:
            item.add_marker("full")


def function_of(test: str) -> str:
    """Return the name of a test without its case."""
    return test.partition("[")[0]


def processor_time() -> float:
    """Return the seconds that this process has computed, and those of its children that have ended."""
    return sum(os.times()[:4])


class Recorder:
    """Measures tests and renews ``LIST``; in a worker of pytest-xdist, it only measures.

    What the set-up of a fixture takes that tests share is divided among those that use it.
    """

    def __init__(self) -> None:
        self._began = 0.0
        self._set_up: Counter[str] = Counter()
        self._records: list[dict[str, Any]] = []

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(self, fixturedef: pytest.FixtureDef[Any]) -> Iterator[None]:
        began = processor_time()
        try:
            return (yield)
        finally:
            if fixturedef.scope != "function":
                self._set_up[f"{fixturedef.baseid} {fixturedef.argname}"] += processor_time() - began

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self) -> Iterator[None]:
        self._began = processor_time()
        self._set_up.clear()
        return (yield)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item: pytest.Function) -> Iterator[None]:
        report = yield
        if report.when == "teardown":
            report.measured = {
                "test": item.nodeid,
                "seconds": processor_time() - self._began - self._set_up.total(),
                "set_up": dict(self._set_up),
                "uses": [
                    f"{found[-1].baseid} {found[-1].argname}"
                    for found in item._fixtureinfo.name2fixturedefs.values()
                    if found[-1].scope != "function"
                ],
            }
        return report

    def pytest_runtest_logreport(self, report: Any) -> None:
        if report.when == "teardown":
            self._records.append(report.measured)

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if not hasattr(session.config, "workerinput"):
            before = LIST.read_text("utf-8").splitlines()
            known = [line for line in before if line.startswith("#") or is_there(line, session.config.rootpath)]
            LIST.write_text(renewed(known, seconds_of(self._records)), "utf-8")


def seconds_of(records: list[dict[str, Any]]) -> dict[str, float]:
    """Return the seconds of each test, with its share of the fixtures that it uses."""
    set_up, users = Counter[str](), Counter[str]()
    for record in records:
        set_up.update(record["set_up"])
        users.update(record["uses"])
    return {
        record["test"]: record["seconds"] + sum(set_up[each] / users[each] for each in record["uses"])
        for record in records
    }


def is_there(line: str, root: Path) -> bool:
    """Return whether the tree has the test that a line names."""
    path, *_, name = function_of(line.removeprefix("!")).split("::")
    file = root / path
    return file.is_file() and name in file.read_text("utf-8")


def renewed(before: list[str], seconds: dict[str, float]) -> str:
    """Return the list with new lines for the tests that were measured."""
    cases = defaultdict(list)
    for test in seconds:
        cases[function_of(test)].append(test)
    head = [line for line in before if line.startswith(("#", "!"))]
    lines = {line for line in before if line not in head and line not in seconds and line not in cases}
    for function, tests in cases.items():
        slow = [test for test in tests if seconds[test] >= LIMIT]
        lines |= {function} if 2 * len(slow) > len(tests) else set(slow)
    needed = [line for line in sorted(lines) if function_of(line) not in lines - {line}]
    return "\n".join([*head, *needed, ""])
