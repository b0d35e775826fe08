"""Whatever stands in a spec or on the command line, no line of a message is too long to be read."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner
from fuzzing.right_specs import RICH
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from mlpkit.cli.verbs import program
from mlpkit.errors import LONGEST_LINE, LONGEST_WORD, MlpkitError, abridged
from mlpkit.jobs.check import check
from mlpkit.registry.registry import Registry
from mlpkit.specfile.document import read_document
from mlpkit.specfile.spec import check_document

LONG_KEY = "k" * 10_000
VALUES = [
    "x" * 100_000,
    "x y " * 25_000,
    "acme.X" + "x" * 100_000,
    "$" + "x" * 10_000,
    "../" * 30_000 + "x.yaml",
    int("9" * 99),
    ["y" * 100_000],
    {LONG_KEY: 1},
    {"acme.X" + LONG_KEY: {LONG_KEY: 1}},
]
SLACK = 100
"""Characters for what stands around the parts of a message: the place, and words such as help."""


def positions(value: object, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """Return the paths to everything inside a value."""
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(deeper for key, item in inside for deeper in positions(item, (*path, key)))]


def with_value(data, path, value):
    if not path:
        return value
    copy = data.copy()
    copy[path[0]] = with_value(data[path[0]], path[1:], value)
    return copy


def with_key(data, path):
    """Return the data with a long key in place of the last one."""
    copy = data.copy()
    if len(path) == 1:
        copy[LONG_KEY] = copy.pop(path[0])
    else:
        copy[path[0]] = with_key(data[path[0]], path[1:])
    return copy


def written(value, indentation="") -> str:
    """Write YAML with explicit keys, which may be of any length."""
    if isinstance(value, dict):
        parts = [(f"? {json.dumps(key)}\n{indentation}:", item) for key, item in value.items()]
    else:
        parts = [("-", item) for item in value]
    lines = []
    for start, item in parts:
        inside = isinstance(item, dict | list) and item
        rest = "\n" + written(item, indentation + "  ") if inside else f" {json.dumps(item)}\n"
        lines.append(f"{indentation}{start}{rest}")
    return "".join(lines)


DATA = yaml.safe_load(RICH)
POSITIONS = [path for path in positions(DATA) if path]
KEYS = [path for path in POSITIONS if isinstance(path[-1], str)]


@cache
def registry() -> Registry:
    return Registry.discover()


def expect_short_lines(text: str) -> None:
    assert max(map(len, text.split("\n"))) <= LONGEST_LINE + SLACK
    assert max(map(len, text.split())) <= LONGEST_WORD + SLACK


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def expect_short_message_of(text: str, *overrides: str) -> None:
    Path("s.yaml").write_text(text)
    try:
        check(check_document(read_document("s.yaml", overrides), registry()))
    except MlpkitError as error:
        expect_short_lines(str(error))


once = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@once
@given(st.sampled_from(POSITIONS), st.sampled_from(VALUES))
@example(("training", "callbacks", 0, "csv_logger", "file"), VALUES[0])
@example(("data", "mnist"), VALUES[0])
def test_a_long_value_in_a_spec(path, value):
    expect_short_message_of(written(with_value(DATA, path, value)))


@once
@given(st.sampled_from(KEYS))
def test_a_long_key_in_a_spec(path):
    expect_short_message_of(written(with_key(DATA, path)))


@once
@given(st.sampled_from(KEYS), st.sampled_from(VALUES))
@example(("training", "best_weights"), VALUES[3])
def test_a_long_value_in_an_override(path, value):
    key = ".".join(map(str, path))
    expect_short_message_of(RICH, f"{key}={json.dumps(value)}")
    expect_short_message_of(RICH, f"{key}.{LONG_KEY}=1")


@pytest.mark.parametrize(
    "arguments",
    [
        ("init", LONG_KEY),
        ("show", LONG_KEY),
        ("show", f"acme.{LONG_KEY}"),
        ("new-plugin", LONG_KEY),
        ("check-plugin", LONG_KEY),
        ("check", "s.yaml", "--plugin", LONG_KEY),
        ("check", "s.yaml", "--plugin", f"{LONG_KEY}.py"),
        ("check", f"{LONG_KEY}.yaml"),
        ("explain", "s.yaml", LONG_KEY),
        ("explain", "s.yaml", f"training.{LONG_KEY}"),
        ("explain", "s.yaml", f"seed.{LONG_KEY}"),
        ("run", "s.yaml", "--set", LONG_KEY),
        ("evaluate", LONG_KEY),
        ("predict", LONG_KEY, "x.npy"),
        ("compare", LONG_KEY, LONG_KEY),
        (LONG_KEY,),
    ],
    ids=lambda arguments: " ".join(arguments)[:30],
)
def test_a_long_argument_of_a_command(arguments):
    Path("s.yaml").write_text(RICH)
    done = CliRunner().invoke(program, arguments, prog_name="mlpkit")
    assert done.exit_code in (1, 2)
    expect_short_lines(done.output)


@given(st.text(max_size=3).map(lambda text: text * 1_000) | st.text())
def test_what_is_abridged_keeps_its_lines_and_short_words(text):
    short = abridged(text)
    assert len(short.split("\n")) == len(text.split("\n"))
    assert short == text or len(short) < len(text)
    if len(text) <= LONGEST_WORD:
        assert short == text


def test_a_word_keeps_its_ends():
    found = abridged(f"'{'a' * 5_000}' is no key")
    assert found.startswith("'aaa")
    assert found.endswith("aaa' is no key")
    assert len(found) < 200
