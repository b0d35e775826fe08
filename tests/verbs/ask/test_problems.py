"""The codes of problems, on their page and in the schema."""

from __future__ import annotations

import json
import re
from typing import get_args

from jsonschema import Draft202012Validator

from mlpkit.errors import Code
from mlpkit.verbs.ask.explain_command import CODES, PAGE, explain_code


def test_the_page_explains_each_code_and_no_other_in_order() -> None:
    codes = re.findall(r"^### (.*)$", PAGE.read_text("utf-8"), re.MULTILINE)
    assert sorted(codes) == sorted(get_args(Code)) == sorted(set(codes))


def test_an_explanation_is_one_paragraph_without_links() -> None:
    for code in CODES:
        text = explain_code(code)
        assert text.endswith(".")
        assert not re.search(r"\n|#|\]\(", text)


def test_explain_prints_the_section_of_a_code(invoke):
    done = invoke("explain", "duplicate-key")
    assert (done.code, done.err) == (0, "")
    assert done.out == "A mapping has the same key twice. Keep one of the two; a note has the place of the first.\n"
    document = json.loads(invoke("explain", "duplicate-key", "--json").out)
    assert document == {"code": "duplicate-key", "text": done.out.rstrip("\n")}


def test_a_spec_with_the_name_of_a_code_is_a_spec(cwd, invoke):
    (cwd / "diverged").write_text((cwd / "tiny.yaml").read_text())
    assert "training.batch_size" in invoke("explain", "diverged").out


def test_what_a_failing_command_prints_has_the_schema(cwd, invoke):
    validator = Draft202012Validator(json.loads(invoke("schema", "--problems").out))
    (cwd / "wrong.yaml").write_text((cwd / "tiny.yaml").read_text().replace("Relu", "Rleu"))
    printed = json.loads(invoke("check", "wrong.yaml", "--json").out)
    (problem,) = printed["problems"]
    validator.validate(printed | {"warnings": [problem | {"line": 1, "path": None}]})
    for wrong in ({"problems": []}, {"ok": True}, {"warnings": [{}]}, {"problems": [problem | {"line": 0}]}):
        assert not validator.is_valid(printed | wrong)
    for key in problem:
        without = {name: value for name, value in problem.items() if name != key}
        assert not validator.is_valid(printed | {"problems": [without]})
        assert not validator.is_valid(printed | {"problems": [problem | {key: {}, "more": 1}]})


def test_the_schema_of_problems_is_printed(invoke):
    schema = json.loads(invoke("schema", "--problems").out)
    Draft202012Validator.check_schema(schema)
    assert schema["$defs"]["problem"]["properties"]["code"]["enum"] == list(CODES)
