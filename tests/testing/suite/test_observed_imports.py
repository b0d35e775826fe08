"""What counts as a change of the process."""

from __future__ import annotations

import os
import random
import sys
import threading

import numpy as np

from mlpkit.specfile.shipped_specs import shipped_specs
from mlpkit.testing.check_plugin import checks_for
from mlpkit.testing.suite import observed_imports
from mlpkit.testing.suite.observed_imports import (
    ObservedImports,
    changes,
    process_kept,
    process_state,
    results_of_shipped_specs,
)
from mlpkit.testing.suite.plugin_under_test import subjects_of
from mlpkit_plugins.layers.relu import Relu


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


class Slow(threading.Thread):
    """A thread that runs until it is joined."""

    def __init__(self):
        self.awaited = threading.Event()
        super().__init__(target=self.awaited.wait, daemon=True)

    def join(self, timeout=None):
        self.awaited.set()
        super().join(timeout)


class Concurrent(Relu):
    """Starts a thread and doesn't wait for it."""

    def forward(self, x):
        Slow().start()
        return super().forward(x)


def test_a_thread_of_a_component_gets_time_to_end():
    (subject,) = subjects_of(Concurrent)
    (check,) = (check for check in checks_for("layer") if check.name == "the_process_is_left_alone")
    check.function(subject.examples[0])
    assert not [thread for thread in threading.enumerate() if isinstance(thread, Slow)]


def change_the_process(folder):
    """Change everything that belongs to the process but the threads, and return what is changed."""
    np.seterr(over="raise" if np.geterr()["over"] != "raise" else "ignore")
    np.set_printoptions(precision=np.get_printoptions()["precision"] + 1)
    os.environ["MLPKIT_CHANGED"] = "yes"
    os.chdir(folder)
    sys.path.append(str(folder))
    np.random.random()
    random.random()
    return [what for what in process_state() if what != "the running threads"]


def test_each_setting_that_changes_is_named_and_restored(tmp_path):
    with process_kept() as before:
        expected = change_the_process(tmp_path)
        assert changes(before, process_state()) == expected
        assert len(expected) == 7
    assert changes(before, process_state()) == []


class Talkative:
    """Does something when it is loaded."""

    def __init__(self, *texts):
        self.texts = texts

    def __call__(self):
        for text in self.texts:
            print(text, file=sys.stderr if text == "error" else sys.stdout)


def test_what_an_import_prints_is_a_change_by_its_name():
    observed = ObservedImports()
    observed.observe("quiet", Talkative())
    observed.observe("loud", Talkative("out", "error"))
    assert observed.changed == {"quiet": [], "loud": [r"the output, with 'out\nerror\n'"]}
    assert observed.seconds.keys() == {"quiet", "loud"}
    assert all(0 <= seconds < 1 for seconds in observed.seconds.values())


def test_another_result_or_another_error_of_a_spec_is_a_change(tmp_path, monkeypatch):
    spec = shipped_specs()["quick"].read_text("utf-8")
    paths = {name: tmp_path / f"{name}.yaml" for name in ("broken", "sound")}
    monkeypatch.setattr(observed_imports, "shipped_specs", lambda _: paths)

    def checksum(broken, sound):
        for path, text in zip(paths.values(), (broken, sound), strict=True):
            path.write_text(text, encoding="utf-8")
        return results_of_shipped_specs()

    first = checksum("mlpkit: 7", spec)
    assert checksum("mlpkit: 7", spec) == first
    others = [("mlpkit: 8", spec), ("mlpkit: 7", "mlpkit: 7"), ("mlpkit: 7", spec.replace("sgd:", "adam:"))]
    assert len({first, *(checksum(*texts) for texts in others)}) == 4
