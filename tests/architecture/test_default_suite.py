"""The default suite leaves slow tests out, unless they are named, and measures which are slow."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

SUPPORT = Path(__file__).parents[1] / "support"
CONFTEST = """
from pathlib import Path
import default_suite, pytest

default_suite.LIST = Path(__file__).with_name("slow_tests.txt")

def pytest_addoption(parser):
    parser.addoption("--write-slow-tests", action="store_true")

def pytest_configure(config):
    if config.getoption("write_slow_tests"):
        config.pluginmanager.register(default_suite.Recorder())

@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config, items):
    default_suite.mark_full(config, items)
"""
SETTINGS = """
[pytest]
pythonpath = {}
addopts = --strict-markers -p no:cacheprovider -m "not long and not full"
markers =
    full
    long
"""
TESTS = """
import os, pytest

def compute(seconds):
    begin = sum(os.times()[:2])
    while sum(os.times()[:2]) < begin + seconds: pass

@pytest.fixture(scope="module")
def shared(): compute(0.4)

@pytest.mark.parametrize("i", range(4))
def test_quick(i, shared): pass

def test_kept(): compute(0.4)

def test_slow(): compute(0.4)

@pytest.mark.parametrize("seconds", [0, 0.1, 0.4])
def test_one_is_slow(seconds): compute(seconds)

@pytest.mark.parametrize("seconds", [0, 0.4, 0.5])
def test_most_are_slow(seconds): compute(seconds)

@pytest.mark.long
def test_long(): compute(0.4)
"""
QUICK = {*(f"test_quick[{i}]" for i in range(4)), "test_kept", "test_one_is_slow[0]", "test_one_is_slow[0.1]"}
SLOW = {"test_slow", "test_one_is_slow[0.4]", *(f"test_most_are_slow[{i}]" for i in (0, 0.4, 0.5))}
LIST = """\
# How it is renewed.
!test_it.py::test_kept
test_it.py::test_kept
test_it.py::test_long
test_it.py::test_most_are_slow
test_it.py::test_one_is_slow[0.4]
test_it.py::test_slow
"""


@pytest.fixture
def run(tmp_path):
    """Return a function that runs the tests with options, and returns the names of those that passed."""
    files = {
        "conftest.py": CONFTEST,
        "pytest.ini": SETTINGS.format(SUPPORT),
        "test_it.py": TESTS,
        "slow_tests.txt": LIST,
    }
    for name, text in files.items():
        (tmp_path / name).write_text(text, "utf-8")

    def run_tests(*options):
        command = [sys.executable, "-m", "pytest", "-p", "no:hypothesispytest", "-rA", *options]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        return set(re.findall(r"^PASSED test_it.py::(\S+)$", done.stdout, re.MULTILINE))

    return run_tests


def test_slow_tests_are_left_out(run):
    assert run() == QUICK
    assert run("-m", "full") == SLOW


def test_a_test_that_is_named_runs_in_any_case(run):
    assert run("test_it.py::test_slow", "test_it.py::test_most_are_slow[0.4]") == {
        "test_slow",
        "test_most_are_slow[0.4]",
    }


def test_a_run_renews_the_lines_of_the_tests_that_it_runs(run, tmp_path):
    before = LIST.replace("test_slow", "test_quick").replace("test_it.py::test_most_are_slow", "test_it.py::test_gone")
    (tmp_path / "slow_tests.txt").write_text(before, "utf-8")
    run("--write-slow-tests", "-m", "not long", "-n", "2")
    assert (tmp_path / "slow_tests.txt").read_text("utf-8") == LIST
