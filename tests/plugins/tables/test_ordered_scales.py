"""Categories whose order is known."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlpkit_plugins.tables.column_guess import SCALES, sorted_levels


@pytest.mark.parametrize(
    "ordered",
    [
        ("low", "medium", "high"),
        ("Very Low", "low", "Moderate", "HIGH"),
        ("S", "M", "L", "XL"),
        ("Poor", "Fair", "Average", "Good", "Very_Good", "Excellent"),
        ("Strongly disagree", "Neutral", "Agree"),
        ("never", "sometimes", "often", "always"),
        ("<18", "18-24", "25-34", "65 and over"),
        ("0–9", "10–19", "20+"),  # noqa: RUF001 - dashes, as word processors put them
        ("$0-10k", "10k-20k", "over 20k"),
        ("1st", "2nd", "3rd", "4th"),
    ],
)
def test_known_orders(ordered):
    texts = list(ordered)
    random.Random(0).shuffle(texts)
    assert sorted_levels(texts) == ordered


@pytest.mark.parametrize(
    "texts",
    [
        ("low", "high"),  # two need no order
        ("low", "Low", "high"),  # one level twice
        ("low", "medium", "blue"),
        ("s", "m", "f"),
        ("Jan", "Feb", "Mar"),  # after December comes January
        ("1-0", "0-1", "2-2"),  # results of matches
        ("0-1", "0-2", "1-2"),  # ranges that overlap
        ("<50k", "50k-60k", ">50k"),
        ("1st", "2nd", "4th"),
        ("Crew", "1st", "2nd"),
        ("1: Ford", "2: Fiat", "3: Opel"),
    ],
)
def test_orders_that_are_not_sure(texts):
    assert sorted_levels(texts) == ()


@given(st.sampled_from(SCALES), st.randoms())
def test_every_part_of_a_scale_comes_in_its_order(scale, rng):
    levels = [rng.choice(level.split(",")).strip() for level in scale.split("<")]
    part = sorted(rng.sample(range(len(levels)), rng.randint(3, len(levels))))
    ordered = tuple(levels[place] for place in part)
    found = sorted_levels(rng.sample(ordered, len(ordered)))
    assert found in (ordered, tuple(sorted(ordered, key=found.index)))
    assert set(found) == set(ordered)
