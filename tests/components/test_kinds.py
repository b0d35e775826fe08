"""The kinds of component."""

from __future__ import annotations

import re

import pytest

import mlpkit
from mlpkit.components.kinds import IN_SPECS, KINDS
from mlpkit.components.schema.component_types import ComponentOfKind
from mlpkit.components.schema.types import ListType, without_null
from mlpkit.specfile.merging import KEYS


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_a_kind_has_a_public_class_that_says_which_kind_it_is(kind):
    base = kind.base_class()
    assert base is getattr(mlpkit, kind.base)
    assert base.kind == kind.name
    assert issubclass(base, mlpkit.Component)


def test_the_kinds_are_those_of_the_contract():
    assert list(KINDS) == [
        "layer",
        "loss",
        "optimizer",
        "schedule",
        "initializer",
        "encoding",
        "category_encoding",
        "dataset",
        "augmentation",
        "metric",
        "calibration",
        "callback",
        "exporter",
        "engine",
        "verb",
    ]


def test_a_spec_names_components_where_their_kind_says():
    for path, field in KEYS.items():
        named = without_null(field.type)
        named = named.items if isinstance(named, ListType) else named
        if isinstance(named, ComponentOfKind):
            (kind,) = named.kinds
            assert KINDS[kind].spec_key == ".".join(path)
            assert KINDS[kind].is_list == isinstance(field.type, ListType)
    in_sections = {kind.name for kind in KINDS.values() if tuple(kind.spec_key.split(".")) in KEYS}
    assert in_sections == set(IN_SPECS) - {"schedule", "initializer", "encoding", "category_encoding"}


def test_a_component_is_named_in_a_spec_or_on_the_command_line():
    for kind in KINDS.values():
        assert bool(kind.spec_key) != ("{name}" in kind.command)


@pytest.mark.parametrize(
    ("name", "camel", "snake"),
    [
        ("Affine", True, False),
        ("Conv2d", True, False),
        ("X", True, False),
        ("he_normal", False, True),
        ("top5", False, True),
        ("x2_y3", False, True),
        ("heNormal", False, False),
        ("He_normal", False, False),
        ("_private", False, False),
        ("trailing_", False, False),
        ("2d", False, False),
        ("Größe", False, False),
        ("Affine\n", False, False),
        ("", False, False),
    ],
)
def test_spelling(name, camel, snake):
    assert KINDS["layer"].spells(name) == KINDS["loss"].spells(name) == camel
    assert KINDS["metric"].spells(name) == snake
    for kind in KINDS.values():
        assert kind.spelling == ("CamelCase" if kind.camel_case else "snake_case")
        assert not (kind.spells(name) and not re.fullmatch(r"\w+", name))


def test_the_command_that_uses_a_component_has_the_spec_or_the_run():
    commands = {
        kind: KINDS[kind].use("x", spec="a.yaml", run="runs/a") for kind in ("layer", "exporter", "engine", "verb")
    }
    assert commands == {
        "layer": "mlpkit run a.yaml",
        "exporter": "mlpkit export runs/a --to FILE --format x",
        "engine": "mlpkit sweep a.yaml --on x",
        "verb": "mlpkit x --help",
    }
