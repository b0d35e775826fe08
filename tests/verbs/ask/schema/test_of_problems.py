"""What a command that fails prints with ``--json``: what its schema takes, and what it refuses."""

from __future__ import annotations

import pytest
from jsonschema import Draft202012Validator

from mlpkit.verbs.ask.schema import problem_schema

VALIDATOR = Draft202012Validator(problem_schema())
PROBLEM = {
    "code": "unknown-key",
    "message": "m",
    "file": "a.yaml",
    "line": 1,
    "column": 2,
    "end_line": 1,
    "end_column": 3,
    "path": None,
    "expected": None,
    "help": "h",
    "notes": ["n"],
    "fix": {"path": None, "old": "a", "new": "b"},
    "docs": "d",
}
DOCUMENT = {"ok": False, "problems": [PROBLEM], "warnings": [], "more": 1}


def with_problem(**changes):
    return DOCUMENT | {"problems": [PROBLEM | changes]}


@pytest.mark.parametrize(
    "document", [DOCUMENT, with_problem(fix=None, line=None, end_column=None, file=None, notes=[])]
)
def test_it_takes_what_is_printed(document):
    VALIDATOR.validate(document)
    VALIDATOR.validate(document | {"warnings": document["problems"]})


@pytest.mark.parametrize(
    "document",
    [
        *(
            {key: value for key, value in DOCUMENT.items() if key != missing}
            for missing in ("ok", "problems", "warnings")
        ),
        DOCUMENT | {"ok": True},
        DOCUMENT | {"problems": []},
        DOCUMENT | {"warnings": [1]},
        *(with_problem(**{key: 0}) for key in PROBLEM),
        *(with_problem(**{key: None}) for key in ("code", "message", "notes", "docs")),
        *(
            DOCUMENT | {"problems": [{key: value for key, value in PROBLEM.items() if key != missing}]}
            for missing in PROBLEM
        ),
        with_problem(code="no-such-code"),
        with_problem(notes=[None]),
        with_problem(fix={"path": None, "old": "a"}),
        with_problem(fix={"path": None, "old": "a", "new": None}),
        with_problem(fix=PROBLEM["fix"] | {"more": 1}),
        with_problem(more=1),
    ],
    ids=str,
)
def test_it_refuses_what_is_not(document):
    assert not VALIDATOR.is_valid(document)
