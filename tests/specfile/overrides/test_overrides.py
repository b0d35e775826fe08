"""Reading overrides. What is refused is in ``wrong_specs``; where values go, in ``test_setting``."""

from __future__ import annotations

import pytest

from mlpkit.errors import SpecSyntaxError
from mlpkit.specfile.document import parse_document
from mlpkit.specfile.source import LARGEST_TEXT


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("x=3", 3), ("x=1e-3", 0.001), ("x=no", "no"), ("x='3'", "3"), ("x=", None), ("x=null", None), ("x=''", ""),
        ("x=[1, a]", [1, "a"]), ("x={sgd: {rate: 0.1}}", {"sgd": {"rate": 0.1}}), ("x=a=b", "a=b"), ("x=a b", "a b"),
        ("x=- 1", [1]), ("x=a: 1", {"a": 1}), (" x = 3 ", 3), ("x=3 # three", 3), ("x=a#b", "a#b"), ("x=$v", [50]),
        ("x=[$v]", [[50]]), ("x=$$v", "$v"), ("x=é", "é"),
    ],
)  # fmt: skip
def test_values_are_yaml_of_one_line(text, value, faults_of):
    if value is None and text == "x=":
        assert faults_of("seed: 0", "s", [text], reader=parse_document) == ["--set:1:3: the value after '=' is missing"]
        return
    found = parse_document("vars: {v: [50]}", overrides=[text]).values["x"]
    assert found == value
    assert type(found) is type(value)


def test_one_text_alone_is_an_override_too():
    assert parse_document("seed: 0", overrides="seed=3").values == {"seed": 3}


@pytest.mark.parametrize("text", ["seed=3\nname: x", "seed=3\r", "seed=[1,\n2]"])
def test_an_override_has_one_line(text, faults_of):
    assert faults_of("seed: 0", "s", [text], reader=parse_document) == ["--set:1:1: an override has only one line"]


@pytest.mark.parametrize("key", ["", ".", "a.", ".a", "a..b", " . "])
def test_keys_have_no_empty_parts(key, faults_of):
    for overrides in ([f"{key}=3"], {key: 3}):
        (fault,) = faults_of("seed: 0", "s", overrides, reader=parse_document)
        assert fault.endswith(f":1:1: '{key}' is not a key")


@pytest.mark.parametrize("key", ["a\x1b[31m", "a\nb", "\ud800"])
def test_keys_have_no_characters_that_a_spec_can_not_hold(key, faults_of):
    (fault,) = faults_of("seed: 0", "s", {key: 3}, reader=parse_document)
    assert fault == f"overrides:1:1: {key!r} is not a key"


def test_keys_of_a_mapping_are_strings(faults_of):
    assert faults_of("seed: 0", "s", {3: 4}, reader=parse_document) == ["overrides:1:1: the key 3 is not a string"]


def test_a_key_can_not_be_endless(faults_of):
    (fault,) = faults_of("seed: 0", "s", [".".join(["a"] * 5_000) + "=1"], reader=parse_document)
    assert fault == "--set:1:1: a key can't have more than 20 parts"


def test_overrides_hold_ten_thousand_values_together(faults_of):
    half = [0] * 4_999  # and the list itself
    twice = {"a": half, "a ": half}
    assert parse_document("seed: 0", overrides=twice).values["a"] == half
    (fault,) = faults_of("seed: 0", "s", {**twice, "seed": 1}, reader=parse_document)
    assert fault == "overrides:1:1: overrides can't hold more than 10,000 values together"


@pytest.mark.parametrize(
    ("text", "place", "marked"),
    [
        ("seed.x=3", 6, "x"),
        (" rates .  first . size = 3", 19, "size"),
        ("é.b.size=3", 5, "size"),
        ("layers.Relu3.units = 3", 8, "Relu3"),
        ("rates.x= [1, 2", 10, "["),
        ("rates.x= !b 1", 10, "!b"),
        ("x =  $none", 6, "$none"),
    ],
)
def test_the_place_of_a_fault_is_where_it_stands_in_the_override(text, place, marked):
    spec = "seed: 0\nrates: {first: 1}\né: {b: 1}\nlayers: [Relu]\n"
    with pytest.raises(SpecSyntaxError) as caught:
        parse_document(spec, overrides=[text])
    (fault,) = caught.value.faults
    assert (fault.file, fault.line, fault.column, fault.source) == ("--set", 1, place, text)
    assert text[fault.column - 1 :][: fault.width] == marked


def test_the_place_of_a_fault_in_a_mapping_of_overrides():
    with pytest.raises(SpecSyntaxError) as caught:
        parse_document("seed: 0", overrides={"seed . x": 3, "name": float("inf")})
    assert [(fault.column, fault.width, fault.source) for fault in caught.value.faults] == [(6, 3, "name=inf")]
    with pytest.raises(SpecSyntaxError) as caught:
        parse_document("seed: 0", overrides={"seed . x": 3})
    assert [(fault.column, fault.width, fault.source) for fault in caught.value.faults] == [(8, 1, "seed . x=3")]


def test_faults_of_all_overrides_come_in_their_order(faults_of):
    overrides = ["x=[", "good=1", "=", "y"]
    assert faults_of("a: 1\na: 2", "s", overrides, reader=parse_document) == [
        "s:2:1: the key 'a' is given twice",
        "--set:1:3: this [ is never closed",
        "--set:1:1: '' is not a key",
        "--set:1:2: the value after '=' is missing",
        "--set:1:1: '=' is missing",
    ]


def test_an_override_has_at_most_a_mebibyte(faults_of):
    text = "seed='" + "x" * (LARGEST_TEXT - 7) + "'"
    assert len(parse_document("seed: 0", overrides=[text]).values["seed"]) == LARGEST_TEXT - 7
    (fault,) = faults_of("seed: 0", "s", [f"{text} "], reader=parse_document)
    assert fault == "--set:1:1: an override can't have more than 1,048,576 characters"
