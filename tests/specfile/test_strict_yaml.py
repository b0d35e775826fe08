"""The dialect of specs: what it reads, and that it stops in time. What it refuses is in ``wrong_specs``."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from mlpkit.errors import SpecError, SpecSyntaxError
from mlpkit.specfile.document import parse_document
from mlpkit.specfile.nodes import ListNode, MappingNode, plain
from mlpkit.specfile.source import DEEPEST_NESTING, LARGEST_TEXT, MOST_VALUES, REFUSED, DiagnosticList, SourceText
from mlpkit.specfile.strict_yaml import parse_yaml

if TYPE_CHECKING:
    import random

quick = settings(max_examples=60, deadline=None)

STRINGS = st.text(max_size=8).filter(lambda text: not REFUSED.search(text))
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(10**20), 10**20)
    | st.floats(allow_nan=False, allow_infinity=False)
    | STRINGS
)
DATA = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(STRINGS, inner, max_size=4),
    max_leaves=12,
)


def parse(text: str):
    faults = DiagnosticList()
    node = parse_yaml(SourceText("s", text), faults)
    faults.raise_if_any()
    return node


def as_json(data: object, indent: int | None = None) -> str:
    return json.dumps(data, ensure_ascii=False, indent=indent)


def in_blocks(data: object, indentation: str = "") -> str:
    """Return data as YAML in block style, scalars as in JSON."""
    if isinstance(data, dict) and data:
        lines = (f"{indentation}{as_json(key)}:{below(value, indentation)}" for key, value in data.items())
    elif isinstance(data, list) and data:
        lines = (f"{indentation}-{below(value, indentation)}" for value in data)
    else:
        return f"{indentation}{as_json(data)}\n"
    return "".join(lines)


def below(value: object, indentation: str) -> str:
    if isinstance(value, dict | list) and value:
        return "\n" + in_blocks(value, indentation + "  ")
    return f" {as_json(value)}\n"


@quick
@given(DATA, st.sampled_from([None, 0, 1, 2]))
def test_json_is_read_as_what_it_says(data, indent):
    text = as_json(data, indent)
    found = plain(parse(text))
    assert found == data
    assert as_json(found, indent) == text


@quick
@given(DATA)
def test_blocks_are_read_as_what_they_say(data):
    assert as_json(plain(parse(in_blocks(data)))) == as_json(data)


@quick
@given(DATA)
def test_what_pyyaml_writes_in_quotes_is_read_as_what_it_says(data):
    strings = json.loads(json.dumps(data), parse_float=str, parse_int=str, parse_constant=str)
    text = yaml.safe_dump(strings, default_style='"', allow_unicode=True, sort_keys=False)
    if "!!" not in text:  # true, false and null in quotes need tags
        assert plain(parse(text)) == strings


def assert_places_are_right(node, source: SourceText) -> None:
    place = node.origin.place
    rest = source.text[place.start :]
    if isinstance(node, MappingNode):
        for key, entry in node.entries.items():
            assert source.text[entry.key.place.start : entry.key.place.end] == as_json(key)
            assert_places_are_right(entry.node, source)
    elif isinstance(node, ListNode):
        for item in node.items:
            assert_places_are_right(item, source)
    else:
        assert source.text[place.start : place.end] == as_json(node.value)
        assert place.source[place.column - 1 :].startswith(as_json(node.value)[: place.width])
    if rest[:1] in ("{", "["):
        assert as_json(json.loads(source.text[place.start : place.end])) == as_json(plain(node))


@quick
@given(DATA, st.sampled_from([None, 1]))
def test_places_in_json_are_where_the_text_is(data, indent):
    source = SourceText("s", as_json(data, indent))
    assert_places_are_right(parse_yaml(source, DiagnosticList()), source)


@quick
@given(DATA)
def test_places_in_blocks_are_where_the_text_is(data):
    source = SourceText("s", in_blocks(data))
    assert_places_are_right(parse_yaml(source, DiagnosticList()), source)


@pytest.mark.parametrize(
    ("text", "data"),
    [
        ("a: no\nb: 1e-3\nc: 010\nd: '1'", {"a": "no", "b": 0.001, "c": 10, "d": "1"}),
        ("---\na: 1\n...\n", {"a": 1}),
        ("a:\n- 1\n-\nb:\n", {"a": [1, None], "b": None}),
        ("a: |\n  one\n  two\nb: >-\n  three\n  four\n", {"a": "one\ntwo\n", "b": "three four"}),
        ("a: {b: , c}", {"a": {"b": None, "c": None}}),
        ("{a: [1, 2,], b: {c: d,}}", {"a": [1, 2], "b": {"c": "d"}}),
        ("on: 1\n'true': 2\n\"3\": 4\n", {"on": 1, "true": 2, "3": 4}),
        ("'<<': 1", {"<<": 1}),
        ("a: 1\r\nb: 'x\r\n  y'\r\n", {"a": 1, "b": "x y"}),
        ("a: x#y # z", {"a": "x#y"}),
        ("url: http://x:80/y", {"url": "http://x:80/y"}),
    ],
)
def test_texts(text, data):
    assert plain(parse(text)) == data


@pytest.mark.parametrize(
    ("text", "path", "expected"),
    [
        ("a:\nb: 1", ["a"], (1, 1, 1)),
        ("a: [1,\n  2]", ["a"], (1, 4, 3)),
        ("a:\n  bcd: 1", ["a"], (2, 3, 1)),
        ("a:\n- x\n-", ["a", 1], (3, 1, 1)),
        ("a: |\n  text", ["a"], (1, 4, 1)),
        ("a: one\n  two", ["a"], (1, 4, 3)),
        ("{a: , b: 1}", ["a"], (1, 2, 1)),
    ],
)
def test_carets(text, path, expected):
    node = parse(text)
    for part in path:
        node = node.items[part] if isinstance(part, int) else node.entries[part].node
    place = node.origin.place
    assert (place.line, place.column, place.width) == expected


def test_depth_ends_at_the_limit():
    deepest = "[" * DEEPEST_NESTING + "]" * DEEPEST_NESTING
    assert plain(parse(deepest))
    with pytest.raises(SpecSyntaxError, match=r"more than 20 levels deep"):
        parse(f"[{deepest}]")


def test_values_end_at_the_limit():
    assert len(plain(parse(f"[{'1,' * (MOST_VALUES - 1)}]"))) == MOST_VALUES - 1
    with pytest.raises(SpecSyntaxError, match=r"more than 10,000 values"):
        parse(f"[{'1,' * MOST_VALUES}]")


def test_a_long_key_is_shortened_in_messages():
    key = "k" * 1_000_000
    with pytest.raises(SpecSyntaxError) as caught:
        parse(f"? {key}\n: 1\n? {key}\n: 2\n")
    assert len(str(caught.value)) < 500


def test_a_text_without_values_is_no_tree():
    assert parse("# nothing") is None


@pytest.mark.parametrize("unit", ["[", "{a: ", "- ", "a: [", "[[],", "*a ,", "a: 1\n", "&a ", "1,", "'", "#\n"])
def test_bombs_are_refused_at_once(unit):
    text = f"a: [{unit * ((LARGEST_TEXT - 4) // len(unit))}"
    start = time.process_time()
    with pytest.raises(SpecError) as caught:
        parse_document(text)
    assert time.process_time() - start < 30  # six for the parser in Python with coverage; a quadratic one needs minutes
    assert len(str(caught.value)) < 50_000


def test_a_million_brackets_take_little_time_and_memory():
    script = """
import resource, sys, time
from mlpkit.errors import SpecError
from mlpkit.specfile.document import parse_document
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
start = time.process_time()
try:
    parse_document("[" * 1_000_000)
except SpecError as error:
    unit = 1 if sys.platform == "darwin" else 1024
    print(time.process_time() - start, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * unit)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    seconds, memory = map(float, done.stdout.split())
    assert seconds < 1
    assert memory < 100_000_000


SPEC = """\
# a spec
mlpkit: 1
name: 'mnist' # quoted
vars: {hidden: 50, act: Relu}
data:
  mnist: {validation: 5000, path: "a\\tb"}
layers:
  - Affine: {units: $hidden, weights: {normal: {std: 1e-2}}}
  - $act
  - SoftmaxWithLoss
training:
  optimizer: {sgd: {learning_rate: 0.1}}
  metrics: [accuracy]
  note: |
    text
"""
PIECES = [
    *("\n", " ", "  ", "\t", ":", ": ", "- ", "[", "]", "{", "}", ",", "'", '"', "#", "&a", "*a", "!t", "$", "|", ">"),
    *("?", "%", "@", "\\", "---", "...", "<<", ".inf", "1e999", "\0", "\x85", "\U0001f600", "\r", "extends"),
]


@quick
@given(st.randoms(use_true_random=False), st.integers(1, 6))
def test_a_damaged_spec_is_read_or_refused_with_places_inside_it(chance: random.Random, damages: int):
    text = SPEC
    for _ in range(damages):
        start = chance.randrange(len(text) + 1)
        end = min(len(text), start + chance.choice([0, 0, 1, 2, 10]))
        insertion = chance.choice(["", *PIECES, text[end : end + 20]])
        text = text[:start] + insertion + text[end:]
    try:
        parse_document(text)
    except SpecError as error:
        lines = SourceText("s", text)
        for fault in error.faults:
            assert 1 <= fault.line <= len(lines.line_starts)
            assert 1 <= fault.column <= len(lines.line(fault.line)) + 1
            assert "this is not YAML" not in fault.message
            assert str(fault)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("<<: {}\n<<: {}\n", "specs have no merge keys"),
        ("1: a\n1: b\n", "the key 1 is not a string"),
        ("[a]: 1\n[b]: 2\n", "a list or mapping can't be a key"),
    ],
)
def test_wrong_keys_are_not_reported_as_duplicates(faults_of, text, message):
    assert [fault.partition(": ")[2] for fault in faults_of(text, reader=parse_document)] == [message] * 2
