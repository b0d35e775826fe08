"""What commands print with ``--json`` when they fail."""

from __future__ import annotations

import json
from importlib import import_module

import click
import pytest
from problem_documents import valid_problems

from mlpkit.cli.exit_codes import problems_document
from mlpkit.cli.verbs import VERBS
from mlpkit.errors import DataError, Diagnostic, ParameterError, SpecSchemaError

FAILING = {
    "run": ["missing.yaml"],
    "resume": ["missing"],
    "check": ["missing.yaml"],
    "data": ["missing.yaml"],
    "explain": ["missing.yaml"],
    "show": ["Missing"],
    "plugins": ["--plugin", "missing.py"],
    "init": ["missing"],
    "sweep": ["missing.yaml"],
    "tune-rate": ["missing.yaml"],
    "distill": ["missing", "--into", "small.yaml"],
    "evaluate": ["missing"],
    "predict": ["missing", "rows.npy"],
    "serve": ["missing"],
    "export": ["missing", "--to", "model.onnx"],
    "provenance": ["missing.onnx"],
    "runs": ["missing"],
    "compare": ["missing", "lost"],
    "report": ["missing"],
    "card": ["missing"],
    "doctor": ["missing"],
    "trace": ["missing", "--step", "1"],
    "repro": ["missing"],
    "check-plugin": ["missing"],
    "new-homework": ["layer", "Missing"],
    "grade": ["missing"],
}


def verbs_with_json() -> list[str]:
    commands = {name: import_module(f"mlpkit.verbs.{verb.module}").command for name, verb in VERBS.items()}
    return [name for name, command in commands.items() if any(each.name == "as_json" for each in command.params)]


@pytest.mark.parametrize("verb", verbs_with_json())
def test_a_failing_command_prints_one_document_with_its_problems(invoke, verb):
    done = invoke(verb, *FAILING[verb], "--json")
    (document,) = map(json.loads, done.out.splitlines())
    assert done.code in (1, 2)
    assert document.pop("spec", "missing.yaml") == "missing.yaml"
    (problem,) = valid_problems(document)
    assert problem["message"] in done.err
    assert "missing" in problem["message"].lower() or problem["file"] == "missing"


@pytest.mark.parametrize("arguments", [("run", "--jso"), ("run", "--json"), ("evaluate", "runs", "--what", "--json")])
def test_wrong_usage_is_a_problem_only_if_json_is_wanted(invoke, arguments):
    done = invoke(*arguments)
    assert done.code == 2
    if "--json" not in arguments:
        assert done.out == ""
        return
    (problem,) = valid_problems(json.loads(done.out))
    assert (problem["code"], problem["file"]) == ("wrong-usage", None)


def test_an_argument_after_two_dashes_is_no_option(invoke):
    assert invoke("run", "--", "--json").out == ""


def test_problems_have_ends_counted_in_characters(cwd, invoke):
    (cwd / "wrong.yaml").write_text((cwd / "tiny.yaml").read_text().replace("batch_size", "batchsize"))
    done = invoke("run", "wrong.yaml", "--json")
    (problem,) = valid_problems(json.loads(done.out))
    line = (cwd / "wrong.yaml").read_text().splitlines()[problem["line"] - 1]
    assert line[problem["column"] - 1 : problem["end_column"] - 1] == "batchsize"
    assert (problem["line"], problem["path"]) == (problem["end_line"], "training.batchsize")
    assert (problem["code"], problem["docs"]) == ("unknown-key", "docs/problems.md#unknown-key")


def test_several_wrong_specs_are_one_document(cwd, invoke):
    for name, key in (("first", "batch_sise"), ("second", "iteration")):
        (cwd / f"{name}.yaml").write_text((cwd / "tiny.yaml").read_text().replace("  iterations: 4", f"  {key}: 4"))
    done = invoke("run", "tiny.yaml", "first.yaml", "second.yaml", "--json")
    problems = valid_problems(json.loads(done.out))
    assert done.code == 2
    assert [(each["file"], each["path"]) for each in problems if each["code"] == "unknown-key"] == [
        ("first.yaml", "training.batch_sise"),
        ("second.yaml", "training.iteration"),
    ]


def test_notes_of_an_error_are_notes_of_its_problem(invoke):
    done = invoke("check", "mnist_3layer.yaml", "--json")
    document = json.loads(done.out)
    del document["spec"]
    (problem,) = valid_problems(document)
    (note,) = problem["notes"]
    assert note == "help: mlpkit ships a spec of that name; 'mlpkit init mnist_3layer' copies it here"


def test_a_diverged_training_ends_with_its_problem(invoke):
    done = invoke("run", "tiny.yaml", "--json", "--set", "training.optimizer={sgd: {learning_rate: 1.0e+30}}")
    *events, last = map(json.loads, done.out.splitlines())
    assert done.code == 1
    assert all("event" in event for event in events)
    assert [problem["code"] for problem in valid_problems(last)] == ["diverged"]


def raised(error, *notes):
    for note in notes:
        error.add_note(note)
    return error


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (MemoryError("no 40 GiB"), {"code": "out-of-resources", "message": "not enough memory: no 40 GiB; close"}),
        (click.UsageError("no such option"), {"code": "wrong-usage", "message": "no such option"}),
        (KeyError("shelf"), {"code": "internal-error", "message": "internal error: KeyError: 'shelf' (at "}),
        (
            raised(ParameterError("units", "is 0", expected="1 or more", remedy="write 1"), "note: in a.yaml", "  b"),
            {
                "code": "wrong-value",
                "message": "units: is 0",
                "expected": "1 or more",
                "help": "write 1",
                "notes": ["in a.yaml", "b"],
            },
        ),
        (
            raised(DataError("a.csv", "is odd", row=2), "note: read twice"),
            {"code": "wrong-data", "message": "a.csv, row 2: is odd", "file": "a.csv", "notes": ["read twice"]},
        ),
        (
            raised(
                SpecSchemaError([Diagnostic("a", 1, 2, "one", notes=("x",)), Diagnostic("b", 3, 4, "two")]), "note: y"
            ),
            {"code": "wrong-value", "message": "one", "file": "a", "line": 1, "column": 2, "notes": ["x", "y"]},
        ),
    ],
)
def test_an_error_is_a_problem_with_all_that_is_known_of_it(error, expected):
    try:
        raise error
    except Exception as caught:
        document = problems_document(caught, [Diagnostic("w", 5, 6, "odd")])
    (first, *others), (warning,) = document["problems"], document["warnings"]
    assert first["message"].startswith(expected["message"])
    unknown = dict.fromkeys(("file", "line", "column", "expected", "help"))
    wanted = {"notes": [], **unknown, **expected, "message": first["message"]}
    assert {key: first[key] for key in wanted} == wanted
    assert [problem["message"] for problem in others] == (["two"] if isinstance(error, SpecSchemaError) else [])
    assert (warning["line"], warning["message"]) == (5, "odd")
