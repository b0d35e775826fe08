"""Wrong specs: each is refused at the right line, with advice that helps, and word for word with its message.

A case is a file ``wrong_specs/<case>.yaml``. Beside it ``<case>.txt`` holds the whole message, and ``<case>.set``,
if there is one, the overrides, one a line. Files that cases extend are in ``wrong_specs/bases``.
``wrong_specs.expected`` has the places and codes of each case's mistakes, and what was meant, as a reader of the spec
judges it.

To add a case, write its YAML and run this file: the failure shows the message. Read it as a user would; if it says
what is wrong, where, and what to do, save it by ``pytest tests/specfile/test_wrong_specs.py --renew-golden``. Then add
a line to ``wrong_specs.expected``.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest
from problem_documents import valid_problems
from requirements import require_components_of

from mlpkit.cli.exit_codes import problems_document
from mlpkit.errors import Diagnostic, SpecError
from mlpkit.jobs.check import check
from mlpkit.specfile.spec import read_spec

HERE = Path(__file__).parent
FOLDER = HERE / "wrong_specs"


class Case(NamedTuple):
    """A wrong spec, the places and codes of its mistakes, and what was meant, by place."""

    name: str
    mistakes: list[str]
    meant: list[tuple[str, str]]


def read_cases() -> list[Case]:
    cases: list[Case] = []
    for line in (HERE / "wrong_specs.expected").read_text("utf-8").splitlines():
        if line.startswith("    "):
            place, _, words = line.strip().partition(": ")
            cases[-1].meant.append((place, words))
        elif not line.startswith("#"):
            name, _, places = line.partition(": ")
            cases.append(Case(name, places.split(), []))
    return cases


CASES = read_cases()


@cache
def refusal(name: str) -> SpecError:
    """Return the error of a case."""
    require_components_of(Path(f"{name}.yaml").read_text("utf-8", "replace"))
    overrides = Path(f"{name}.set")
    given = overrides.read_text("utf-8").splitlines() if overrides.exists() else ()
    with pytest.raises(SpecError) as caught:
        check(read_spec(f"{name}.yaml", overrides=given))
    return caught.value


def place_of(case: Case, fault: Diagnostic) -> str:
    """Return the line of a fault, with its file if that is not the case's own."""
    return str(fault.line) if fault.file == f"{case.name}.yaml" else f"{fault.file}:{fault.line}"


@pytest.fixture(autouse=True)
def in_their_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(FOLDER)


def test_there_are_two_hundred_and_a_line_for_each() -> None:
    names = sorted(case.name for case in CASES)
    assert len(names) >= 200
    assert names == sorted(path.stem for path in FOLDER.glob("*.yaml"))
    assert [path.name for path in FOLDER.iterdir() if path.is_file() and path.stem not in names] == []


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_message(case, golden):
    golden(Path(f"{case.name}.txt"), f"{refusal(case.name)}\n")


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_mistakes_are_found_where_they_are_with_their_codes(case: Case) -> None:
    found = [f"{place_of(case, fault)}/{fault.code}" for fault in refusal(case.name).faults]
    assert found == case.mistakes


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_mistakes_come_out_as_data(case: Case) -> None:
    error = refusal(case.name)
    problems = valid_problems({"ok": False, **problems_document(error)})
    assert [problem["message"] for problem in problems] == [fault.message for fault in error.faults]
    for problem in problems:
        begin, end = ((problem[f"{at}line"], problem[f"{at}column"]) for at in ("", "end_"))
        assert begin < end


def test_the_advice_is_right_in_at_least_95_of_100() -> None:
    meant, missed = 0, []
    for case in CASES:
        faults = refusal(case.name).faults
        for place, words in case.meant:
            meant += 1
            advice = "\n".join(fault.remedy for fault in faults if place_of(case, fault) == place)
            if not any(word in advice for word in words.split("|")):
                missed.append(f"{case.name}, line {place}: {words} is not in '{advice}'")
    print(f"{len(CASES)} wrong specs; {meant - len(missed)} of {meant} pieces of advice are right")  # noqa: T201
    print("\n".join(missed))  # noqa: T201
    assert meant >= 100
    assert len(missed) <= 0.05 * meant
