"""The page of a kind explains every method and attribute of its base class, with the arguments that they take."""

from __future__ import annotations

import inspect
import re

import pytest

import mlpkit
from mlpkit.components.kinds import KINDS

BASES = {kind.base: (kind.base_class(), kind.name) for kind in KINDS.values()}
BASES["Elementwise"] = (mlpkit.Elementwise, "layer")

ELSEWHERE = {"Loss": mlpkit.Layer, "Elementwise": mlpkit.Layer}
"""The base class on whose page the methods that both share are explained."""


@pytest.fixture(params=BASES)
def base(request):
    """Return the base class of a kind."""
    return BASES[request.param][0]


@pytest.fixture
def page(base, docs):
    """Return the page of the kind."""
    return (docs / f"components/{BASES[base.__name__][1]}.md").read_text("utf-8")


def others(base: type) -> tuple[type, ...]:
    """Return the classes with what other pages explain."""
    return (mlpkit.Component, ELSEWHERE.get(base.__name__, object))


def explained_here(base: type) -> dict[str, object]:
    """Return the public members of a base class that no other page explains."""
    names = {name for name in dir(base) if not name.startswith("_")} | base.__abstractmethods__
    members = {name: getattr(base, name) for name in sorted(names)}
    return {
        name: member
        for name, member in members.items()
        if not any(getattr(other, name, None) == member for other in others(base))
    }


def attributes_in_docstrings(base: type) -> set[str]:
    """Return the attributes that the docstrings of a base class and of those above it list."""
    elsewhere = {owner for other in others(base) for owner in other.__mro__}
    docstrings = [owner.__doc__ or "" for owner in base.__mro__ if owner not in elsewhere]
    lists = re.findall(r"^    Attributes:\n((?:     .*\n)+)", "\n".join(docstrings), re.M)
    return set(re.findall(r"^        (\w+): ", "".join(lists), re.M))


def arguments_of(method: object) -> list[str]:
    """Return the arguments of a method, with the star before those by name only."""
    arguments = [parameter for parameter in inspect.signature(method).parameters.values() if parameter.name != "self"]
    names = [parameter.name for parameter in arguments]
    by_name = [parameter.name for parameter in arguments if parameter.kind is parameter.KEYWORD_ONLY]
    return names[: len(names) - len(by_name)] + (["*", *by_name] if by_name else [])


def test_every_method_is_there_with_its_arguments(base, page):
    calls = re.findall(r"`(?:self\.)?(\w+)\(([^`]*)\)`", page)
    shown = [(name, [each.partition("=")[0] for each in listed.split(", ") if each]) for name, listed in calls]
    methods = {name: member for name, member in explained_here(base).items() if callable(member)}
    assert methods
    for name, method in methods.items():
        assert (name, arguments_of(method)) in shown, name


def test_every_attribute_is_there(base, page):
    named = set(re.findall(r"`(?:self\.)?(\w+)(?: = [^`]*)?`", page))
    attributes = {name for name, member in explained_here(base).items() if not callable(member)} - {"kind"}
    assert attributes | attributes_in_docstrings(base) <= named


@pytest.mark.parametrize("base", [kind.base for kind in KINDS.values()], indirect=True)
def test_what_must_be_written_is_not_called_optional(base, page):
    rows = re.findall(r"^\| (`.+?) \| (.+?) \|$", page, re.M)
    meanings = {name: meaning for cell, meaning in rows for name in re.findall(r"`(\w+)\(", cell)}
    members = explained_here(base)
    called_optional = {name: meaning.startswith("optional") for name, meaning in meanings.items() if name in members}
    if base.__abstractmethods__:  # otherwise the page says so above the table
        assert called_optional == {name: name not in base.__abstractmethods__ for name in called_optional}
