"""What counts as a change of the process."""

from __future__ import annotations

import threading

from mlpkit.testing.suite.observed_imports import changes, process_state


def test_a_thread_that_begins_is_a_change_and_one_that_ends_is_none():
    ended = threading.Event()
    before = process_state()
    thread = threading.Thread(target=ended.wait, daemon=True)
    thread.start()
    during = process_state()
    assert changes(before, during) == ["the running threads"]
    ended.set()
    thread.join()
    assert changes(during, process_state()) == []
