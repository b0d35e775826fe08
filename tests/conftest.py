"""What all tests have in common."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import TYPE_CHECKING

import default_suite
import posix_tests
import pytest
from command_line import (  # noqa: F401 - fixtures of all tests
    cwd,
    digits,
    environment,
    forever,
    invoke,
    mlpkit,
    program,
    started,
    terminal,
)
from golden_files import compare_or_renew
from headless_browser import Page, browser_page
from hypothesis import HealthCheck, settings
from tiny_work import shared_work, train, work  # noqa: F401 - fixtures of all tests

from mlpkit.system import STOP_SIGNALS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# A machine that tests share with other work is slow now and then, which says nothing about the code. In CI, whether a
# commit passes doesn't depend on luck; a person's runs, and those at night, look for new examples.
patient = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow]}
settings.register_profile("person", max_examples=20)
settings.register_profile("ci", derandomize=True, max_examples=100, **patient)
settings.register_profile("night", max_examples=500, **patient)
settings.load_profile("ci" if os.environ.get("CI") == "true" else "person")

os.environ["MLPKIT_REPORT"] = "0"  # of the thousands of runs, those that are about the report ask for it


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add what renews files of the tests."""
    parser.addoption("--renew-golden", action="store_true", help="write golden files instead of comparing with them")
    parser.addoption("--write-slow-tests", action="store_true", help="measure tests, and renew tests/slow_tests.txt")


def pytest_configure(config: pytest.Config) -> None:
    """Measure tests, if pytest was asked to; skip some without POSIX."""
    if not hasattr(os, "killpg"):
        config.pluginmanager.register(posix_tests)
    if config.getoption("write_slow_tests"):
        config.pluginmanager.register(default_suite.Recorder())


WHOLE_PROGRAM = {
    Path(__file__).parent / name
    for name in (
        "benchmarks",
        "docs",
        "faults",
        "fuzz",
        "hostile",
        "plugin_packages",
        "plugins/test_conformance.py",
        "readme",
        "scikit_learn_checks",
        "site",
        "specs",
    )
}
"""Tests that use whole programs or suites, and so run the lines that the tests of the packages run."""


LONGEST = 3600
"""The limit in seconds for a test that is long or fuzzes; ``pyproject.toml`` has the limit for all others."""


@pytest.hookimpl(tryfirst=True)  # before tests are selected by their marks
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark slow tests, give long ones more time, and measure the coverage of the packages' tests alone."""
    default_suite.mark_full(config, items)
    for item in items:
        if item.get_closest_marker("long") or item.get_closest_marker("fuzz"):
            item.add_marker(pytest.mark.timeout(LONGEST))
    if config.pluginmanager.hasplugin("pytest_cov"):
        for item in items:
            if not WHOLE_PROGRAM.isdisjoint([item.path, *item.path.parents]):
                item.add_marker("no_cover")


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[Path, str], None]:
    """Return a function that compares a text with a golden file, or renews the file if pytest was asked to."""
    renew = request.config.getoption("renew_golden")
    return lambda path, text: compare_or_renew(path, text, renew=renew)


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    """Return a page of a browser that shows nothing on a screen; without a browser, the test is skipped."""
    with browser_page(tmp_path_factory.mktemp("profile")) as opened:
        yield opened


@pytest.fixture(scope="session", autouse=True)
def heeding_signals() -> Iterator[None]:
    """Let the processes that tests start heed signals that a shell's background, or nohup, has pytest ignore."""
    before = {number: signal.getsignal(number) for number in STOP_SIGNALS}
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for number in set(STOP_SIGNALS) - {signal.SIGINT}:
        if before[number] is signal.SIG_IGN:
            signal.signal(number, lambda *_: None)  # pytest goes on ignoring it; its children have the default handler
    yield
    for number, handler in before.items():
        signal.signal(number, handler)
