"""The tables by which the engine and its libraries find what a verb brings, without an import of it."""

from __future__ import annotations

from mlpkit.cli.around_training import AFTER_RUN, LIVE_FOLDER, LIVE_PAGE
from mlpkit.lazy_names import load
from mlpkit.specfile.sections import GUESTS, TOP_LEVEL, GuestSection


def test_each_section_of_a_verb_is_a_key_of_the_spec():
    for key, guest in GUESTS.items():
        assert load(guest.type)().owner.title == key
        assert callable(load(guest.proof))
        assert issubclass(TOP_LEVEL.schema.types[key].alternatives[0].owner, GuestSection)


def test_what_goes_with_a_training_is_there():
    for place in (*AFTER_RUN, LIVE_PAGE, LIVE_FOLDER):
        assert callable(load(place))
