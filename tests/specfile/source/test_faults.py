"""Collecting faults."""

from __future__ import annotations

import pytest

from mlpkit.components.schema.context import MOST_PROBLEMS
from mlpkit.errors import SpecSyntaxError
from mlpkit.specfile.source import DiagnosticList, SourceText, Span


def test_faults_come_text_by_text_and_line_by_line():
    first, second = SourceText("first", "abc", order=0), SourceText("second", "abc", order=1)
    faults = DiagnosticList()
    for place in (Span(second, 0, 1), Span(first, 2, 3), Span(first, 0, 1)):
        faults.report(place, "wrong")
    with pytest.raises(SpecSyntaxError) as caught:
        faults.raise_if_any()
    assert [(fault.file, fault.column) for fault in caught.value.faults] == [("first", 1), ("first", 3), ("second", 1)]


def test_no_faults_raise_nothing():
    DiagnosticList().raise_if_any()


def test_there_are_never_more_faults_than_anybody_reads():
    faults = DiagnosticList()
    for _ in range(MOST_PROBLEMS + 1):
        faults.report(Span(SourceText("s", "a"), 0, 1), "wrong")
    with pytest.raises(SpecSyntaxError) as caught:
        faults.raise_if_any()
    assert len(caught.value.faults) == MOST_PROBLEMS
