"""The tables by which the engine and its libraries find what a verb brings, without an import of it."""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path

import pytest

import mlpkit
from mlpkit.cli.verbs import VERBS
from mlpkit.jobs.train import WATCHES
from mlpkit.lazy_names import load
from mlpkit.specfile.sections import GUESTS, TOP_LEVEL, GuestSection
from mlpkit.training.events import Watch

CORE = Path(mlpkit.__file__).parent
PLACES = sorted(
    {place for path in CORE.rglob("*.py") for place in re.findall(r'"(mlpkit\.[\w.]+:\w+)"', path.read_text("utf-8"))}
)


@pytest.mark.parametrize("place", PLACES)
def test_what_a_table_names_is_there(place):
    assert callable(load(place))


def test_the_tables_are_found():
    assert len(PLACES) > 10
    assert any("verbs.report" in place for place in PLACES)


@pytest.mark.parametrize("verb", VERBS.values(), ids=VERBS)
def test_each_verb_has_a_command(verb):
    assert import_module(f"mlpkit.verbs.{verb.module}").command.name in VERBS


def test_each_section_of_a_verb_is_a_key_of_the_spec():
    for key, guest in GUESTS.items():
        assert load(guest.type)().owner.title == key
        assert issubclass(TOP_LEVEL.schema.types[key].alternatives[0].owner, GuestSection)


def test_watches_are_there():
    assert all(issubclass(load(place), Watch) for place in WATCHES)
