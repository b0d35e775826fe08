"""PyYAML's two parsers, which must tell the same events."""

from __future__ import annotations

import pytest

from mlpkit.specfile.yaml_parser import ParserProblem, events, span


def told(text: str) -> list[tuple[str, str | None, tuple[int, int]]]:
    return [(type(event).__name__, getattr(event, "value", None), span(event)) for event in events(text)]


def test_events_have_positions_in_characters():
    assert told("é: \U0001f600\r\nb: [1]\r\n")[3:7] == [
        ("ScalarEvent", "é", (0, 1)),
        ("ScalarEvent", "\U0001f600", (3, 4)),
        ("ScalarEvent", "b", (6, 7)),
        ("SequenceStartEvent", None, (9, 10)),
    ]


@pytest.mark.parametrize(
    "text", ["a:\t1", "a: 1\t# note", "a: [1,\t2]", "a\t: 1", "a: 1 \t\n", "a: [\t\n \t1\n]", 'a: "b"\t\n']
)
def test_a_tab_may_stand_between_tokens(text):
    values = [value for _, value, _ in told(text) if value]
    assert values in (["a", "1"], ["a", "1", "2"], ["a", "b"])


@pytest.mark.parametrize(
    ("text", "position"), [("a:\n\tb: 1", 3), ("a: b: c", 4), ("a: [1", 5), ('a: "\\UFFFFFFFF"', 6)]
)
def test_a_problem_has_its_position(text, position):
    with pytest.raises(ParserProblem) as caught:
        told(text)
    assert caught.value.position == position


@pytest.mark.parametrize("before", ["", "a: ", '"b": '])
def test_what_is_no_escape_is_in_the_text_whose_quote_is_the_last_before_it(before):
    with pytest.raises(ParserProblem) as caught:
        told(f'{before}"\\UFFFFFFFF"')
    assert (caught.value.context_start, caught.value.position) == (len(before), len(before) + 3)
