"""What a parser's complaint means; what texts give it is in ``test_yaml_dialect`` and in ``wrong_specs``."""

from __future__ import annotations

import pytest

from mlpkit.specfile.source import SourceText
from mlpkit.specfile.yaml_mistakes import Evidence, explain
from mlpkit.specfile.yaml_parser import ParserProblem

TEXT = "a: 1\n  # more\n\n  b: 2\n"


@pytest.mark.parametrize(
    ("context", "message"),
    [
        ("while dreaming", "this is not YAML: while dreaming, found a unicorn"),
        ("", "this is not YAML: found a unicorn"),
    ],
)
def test_an_unknown_complaint_is_passed_on(context, message):
    mistake = explain(SourceText("s", TEXT), ParserProblem(context, 0, "found a unicorn", 3), None)
    assert (mistake.start, mistake.end, mistake.message) == (3, 4, message)
    assert (mistake.remedy, mistake.code) == ("", "yaml-syntax")


def test_lines_are_looked_at_without_blank_ones_and_comments():
    evidence = Evidence(SourceText("s", TEXT), ParserProblem("", None, "", TEXT.index("b")), None)
    assert (evidence.line, evidence.before, evidence.at_line_start, evidence.character) == (4, "  ", True, "b")
    assert [evidence.previous_line(number) for number in (4, 3, 2, 1)] == [1, 1, 1, None]
    assert [(evidence.line_start(n), evidence.indentation(n)) for n in (1, 2, 4)] == [(0, 0), (7, 2), (17, 2)]
    assert evidence.start == evidence.position
    assert evidence.in_column_of_start
    assert not Evidence(SourceText("s", TEXT), ParserProblem("", 0, "", TEXT.index("b")), None).in_column_of_start
