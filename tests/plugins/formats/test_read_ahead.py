"""Parts that are read ahead are those of the iterator, in its order, up to its error."""

from __future__ import annotations

import subprocess
import sys
import threading
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlpkit_plugins.formats import csv_fields as module
from mlpkit_plugins.formats.csv_fields import AHEAD, read_ahead


@pytest.fixture(autouse=True)
def two_cores(monkeypatch):
    monkeypatch.setattr(module, "available_cores", lambda: 2)


def readers():
    return [thread for thread in threading.enumerate() if thread.name.startswith("reader")]


def parts_until(length, error, threads=None):
    for number in range(length):
        if threads is not None:
            threads.add(threading.current_thread())
        yield number
    if error is not None:
        raise error


@given(length=st.integers(0, 8), error=st.sampled_from([None, OSError("gone"), MemoryError(), SystemExit(3)]))
def test_parts_come_in_order_and_an_error_after_those_before_it(length, error):
    found, raised = [], None
    try:
        found.extend(read_ahead(parts_until(length, error)))
    except BaseException as caught:
        raised = caught
    assert (found, raised) == (list(range(length)), error)
    assert not readers()


def test_the_next_parts_are_read_while_the_caller_has_one():
    are_read = threading.Event()

    def parts():
        yield from range(AHEAD)
        are_read.set()
        yield AHEAD

    found = read_ahead(parts())
    assert next(found) == 0
    assert are_read.wait(10)
    assert list(found) == list(range(1, AHEAD + 1))


def test_a_caller_that_stops_ends_the_thread_and_what_it_reads():
    numbers = count()
    parts = read_ahead(numbers)
    assert [next(parts), next(parts)] == [0, 1]
    parts.close()
    assert not readers()
    assert next(numbers) <= 2 + AHEAD


def test_a_program_may_end_before_its_parts():
    program = """
from mlpkit_plugins.formats import csv_fields as module
module.available_cores = lambda: 2
parts = module.read_ahead(iter("abc"))
print(next(parts))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    assert (done.stdout, done.stderr) == ("a\n", "")


def test_on_one_core_the_caller_reads(monkeypatch):
    monkeypatch.setattr(module, "available_cores", lambda: 1)
    threads = set()
    assert list(read_ahead(parts_until(3, None, threads))) == [0, 1, 2]
    assert threads == {threading.current_thread()}
