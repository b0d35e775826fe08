"""The tests of the tests: every check catches at least one component that is broken on purpose."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from mlpkit.errors import UsageError
from mlpkit.testing.check_plugin import all_checks, run_check
from mlpkit.testing.suite.check import CheckFailure, NotApplicable
from mlpkit.testing.suite.plugin_under_test import subjects_of

HERE = Path(__file__).parent
MESSAGES = HERE / "messages.txt"
sys.path.insert(0, str(HERE))  # the broken components stand in modules of their own

import sound
from kill_matrix import rows

ROWS = rows()
CHECKS = {check.name: check for check in all_checks()}
SOUND = [
    cls for cls in vars(sound).values() if isinstance(cls, type) and cls.__module__ == "sound" and hasattr(cls, "kind")
]


@pytest.fixture(scope="module")
def compare(pytestconfig):
    """Return a function that compares a message with that of the golden file, which is written at the end if asked."""
    known = dict(line.split(": ", 1) for line in MESSAGES.read_text("utf-8").splitlines())
    renew, found = pytestconfig.getoption("renew_golden"), {}

    def compare_or_note(name, message):
        found[name] = without_circumstances(message)
        assert renew or found[name] == known.get(name), "if the message is right: pytest --renew-golden"

    yield compare_or_note
    if renew:
        text = "".join(f"{name}: {message}\n" for name, message in sorted((known | found).items()))
        MESSAGES.write_text(text, encoding="utf-8")


def without_circumstances(message):
    """Return a message on one line: four digits of a number, and none by chance; no words of an exception."""
    line = re.sub(r"(\w+(?:Error|Exception))(?:: (?!layer |loss )(?:(?!; expected ).)*?)? \(at [^)]*\)", r"\1", message)
    line = re.sub(r"by up to \S+ in a second object", "in a second object", line)
    return re.sub(r"-?\d+\.\d{5,}", lambda number: f"{float(number[0]):.4g}", " ".join(line.split()))


def named(found):
    return pytest.mark.parametrize("row", found, ids=[f"{row.check}-{row.name}" for row in found])


@named([row for row in ROWS if isinstance(row.component, type)])
def test_a_broken_component_is_caught_by_its_check(row, compare):
    (subject,) = subjects_of(row.component)
    with pytest.raises(CheckFailure) as caught:
        run_check(CHECKS[row.check], subject)
    message = str(caught.value)
    assert message.startswith(subject.name)
    compare(f"{row.check} {row.kind} {row.name}", message)


@named([row for row in ROWS if not isinstance(row.component, type)])
def test_a_broken_plugin_is_caught_by_its_check(row):
    """Ask in a process of its own: what such a plugin does at import, it does to the process."""
    command = [sys.executable, "-m", "mlpkit", "check-plugin", str(row.component), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr in ("", "same 1.0\n")  # what a plugin prints is kept out of the results
    (failed,) = json.loads(done.stdout)["failed"]
    assert failed["check"] == row.check
    assert "; expected " in failed["reason"]


@pytest.mark.parametrize("component", SOUND, ids=lambda component: component.__name__)
def test_what_the_broken_ones_were_made_from_is_sound(component):
    (subject,) = subjects_of(component)
    for check in all_checks():
        if subject.kind in check.kinds:
            with suppress(NotApplicable):  # a new process can't import a class of these tests
                run_check(check, subject)


class NoQueue(sound.Processes):
    """Has no queue here."""

    def start(self, most):
        raise UsageError("no queue here")


@pytest.mark.parametrize("check", [check for check in all_checks() if "engine" in check.kinds], ids=lambda c: c.name)
def test_an_engine_that_cannot_start_here_fails_no_check(check):
    (subject,) = subjects_of(NoQueue)
    with suppress(NotApplicable):
        run_check(check, subject)


def test_every_check_has_a_row():
    assert {row.check for row in ROWS} == set(CHECKS)
    assert len(ROWS) >= 100


def test_every_row_says_what_is_wrong():
    for row in ROWS:
        assert row.fault
        assert row.fault[0].islower()
