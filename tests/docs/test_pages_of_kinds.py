"""The reference has every method and attribute of the base classes; a kind's page shows those that must be written."""

from __future__ import annotations

import inspect
import re
from inspect import getattr_static

import pytest
from documentation_pages import text_of
from generators.kind_pages import page_of

import mlpkit
from mlpkit.components.kinds import KINDS

BASES = {kind.base: (kind.base_class(), kind.name) for kind in KINDS.values()}
BASES["Elementwise"] = (mlpkit.Elementwise, "layer")

ELSEWHERE = {"Loss": mlpkit.Layer, "Elementwise": mlpkit.Layer}
"""The base class whose section has the methods that both share."""


@pytest.fixture(params=BASES)
def base(request):
    """Return the base class of a kind."""
    return BASES[request.param][0]


@pytest.fixture
def page(base, docs):
    """Return the page of the kind."""
    return (docs / page_of(BASES[base.__name__][1])).read_text("utf-8")


@pytest.fixture
def section(base, docs):
    """Return the section of the base class in the reference."""
    return text_of(docs / "reference.md").split(f"### mlpkit.{base.__name__}\n")[1].partition("\n### ")[0]


def others(base: type) -> tuple[type, ...]:
    """Return the classes with what other sections have."""
    return (mlpkit.Component, ELSEWHERE.get(base.__name__, object))


def explained_here(base: type) -> dict[str, object]:
    """Return the public members of a base class that no other section has."""
    names = {name for name in dir(base) if not name.startswith("_")} | base.__abstractmethods__
    members = {name: getattr(base, name) for name in sorted(names)}
    return {
        name: member
        for name, member in members.items()
        if not any(getattr_static(other, name, None) is getattr_static(base, name) for other in others(base))
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


def calls_in(text: str) -> list[tuple[str, list[str]]]:
    """Return the methods that a text shows, and the names of their arguments."""
    calls = re.findall(r"`(?:self\.)?(\w+)\(([^`]*)\)`", text)
    return [(name, [each.partition("=")[0] for each in listed.split(", ") if each]) for name, listed in calls]


def test_every_method_is_in_the_reference_with_its_arguments(base, section):
    methods = {name: member for name, member in explained_here(base).items() if callable(member)}
    assert methods
    for name, method in methods.items():
        assert (name, arguments_of(method)) in calls_in(section), name


def test_every_attribute_is_in_the_reference(base, section):
    attributes = {name for name, member in explained_here(base).items() if not callable(member)} - {"kind"}
    assert attributes | attributes_in_docstrings(base) <= set(re.findall(r"^- (?:\*\*)?`(\w+)`", section, re.M))


def test_the_page_shows_what_must_be_written_and_methods_with_their_arguments(base, page):
    methods = {name: member for name, member in explained_here(base).items() if callable(member)}
    shown = calls_in(page)
    assert base.__abstractmethods__ <= {name for name, _ in shown}
    for name in {name for name, _ in shown} & methods.keys():
        assert (name, arguments_of(methods[name])) in shown, name


@pytest.mark.parametrize("base", [kind.base for kind in KINDS.values()], indirect=True)
def test_what_must_be_written_is_not_called_optional(base, page):
    rows = re.findall(r"^\| (`.+?) \| (.+?) \|$", page, re.M)
    methods = {name: member for name, member in explained_here(base).items() if callable(member)}
    called_optional = {
        name: meaning.startswith("optional")
        for cell, meaning in rows
        for name, arguments in calls_in(cell)
        if name in methods and arguments == arguments_of(methods[name])
    }
    if base.__abstractmethods__:  # otherwise the page says so above the table
        assert called_optional == {name: name not in base.__abstractmethods__ for name in called_optional}
