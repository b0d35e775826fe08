"""Categories with a well-known order: low, medium, high; 0-9, 10-19, 20+; 1st, 2nd, 3rd."""

from __future__ import annotations

import math
import re
from collections.abc import Collection
from itertools import pairwise
from typing import Final

SCALES: Final = (
    "very low < low < medium, med, mid, middle, moderate, average, normal < high < very high",
    "very small, extra small, tiny < small < medium, med, mid, middle, average, normal < large, big"
    " < very large, extra large, very big, huge",
    "xxs < xs < s < m < l < xl < xxl < xxxl",
    "very short < short < medium, med, mid, middle, average, normal < long, tall < very long, very tall",
    "very light < light < medium, med, mid, middle, average, normal < heavy < very heavy",
    "very slow < slow < medium, med, mid, middle, average, normal < fast < very fast",
    "very weak < weak < medium, med, mid, middle, moderate, average, normal < strong < very strong",
    "very easy < easy < medium, med, mid, middle, moderate, average, normal < hard, difficult"
    " < very hard, very difficult",
    "very cold < cold < cool < mild < warm < hot < very hot",
    "very young < young < middle, middle aged < old < very old",
    "very bad < bad < average, neutral, ok, okay < good < very good < excellent",
    "very poor < poor < fair < below average < average, typical < above average < good < very good < excellent"
    " < very excellent",
    "none, no < mild, slight < moderate < severe < very severe, extreme",
    "never < rarely, seldom < sometimes, occasionally < often, frequently < always",
    "strongly disagree < disagree < somewhat disagree, slightly disagree"
    " < neutral, neither agree nor disagree, undecided < somewhat agree, slightly agree < agree < strongly agree",
    "very dissatisfied < dissatisfied < neutral < satisfied < very satisfied",
    "very unlikely < unlikely < neutral < likely < very likely",
    "beginner, novice < intermediate < advanced < expert",
    "primary < secondary < tertiary",
    "freshman < sophomore < junior < senior",
    "bronze < silver < gold < platinum",
    "first < second < third < fourth < fifth < sixth < seventh < eighth < ninth < tenth",
)
"""Scales, lowest first; a comma separates texts for the same level."""

FEWEST_LEVELS: Final = 3
"""With fewer levels, an order doesn't matter."""

_PLACES: Final = [
    {text.strip(): place for place, level in enumerate(scale.split("<")) for text in level.split(",")}
    for scale in SCALES
]
_NUMBER: Final = r"[$€£]?\s*(\d+(?:\.\d+)?)\s*([kK]?)\s*%?"
_UP_TO: Final = re.compile(rf"(?:<|<=|≤|under|below|up to|less than)\s*{_NUMBER}", re.IGNORECASE)
_BETWEEN: Final = re.compile(rf"{_NUMBER}\s*(?:-|–|to)\s*{_NUMBER}", re.IGNORECASE)  # noqa: RUF001 - a dash between numbers
_FROM: Final = re.compile(
    rf"(?:>|>=|≥|over|above|more than)\s*{_NUMBER}|{_NUMBER}\s*(?:\+|(?:and|or) (?:over|more|older|above))",
    re.IGNORECASE,
)
_RANK: Final = re.compile(r"(\d+)(?:st|nd|rd|th)", re.IGNORECASE)


def sorted_levels(texts: Collection[str]) -> tuple[str, ...]:
    """Return categories in their order, lowest first; empty if the order isn't certain.

    Args:
        texts: all the categories.
    """
    if len(texts) < FEWEST_LEVELS:
        return ()
    words = {text: re.sub(r"[\s_-]+", " ", text.strip().lower()) for text in texts}
    for places in _PLACES:
        if all(word in places for word in words.values()):
            return _by_place({text: places[word] for text, word in words.items()})
    return _by_range(texts) or _by_rank(texts)


def _by_place(places: dict[str, int]) -> tuple[str, ...]:
    """Sort texts by place; empty if two texts have the same place."""
    return tuple(sorted(places, key=lambda text: places[text])) if len(set(places.values())) == len(places) else ()


def _by_range(texts: Collection[str]) -> tuple[str, ...]:
    """Sort ranges of numbers; empty if some texts aren't ranges, or two ranges overlap."""
    ranges = {text: bounds for text in texts if (bounds := _range(text.strip()))}
    ordered = sorted(ranges, key=lambda text: ranges[text])
    disjoint = all(ranges[left][1] <= ranges[right][0] for left, right in pairwise(ordered))
    closed = any(map(math.isfinite, (high - low for low, high in ranges.values())))
    return tuple(ordered) if len(ranges) == len(texts) and disjoint and closed else ()


def _range(text: str) -> tuple[float, float] | None:
    """Return the bounds of a range, such as ``10-19``, ``<10`` or ``65+``."""
    if match := _BETWEEN.fullmatch(text):
        low, high = _number(*match.group(1, 2)), _number(*match.group(3, 4))
        return (low, high) if low < high else None
    if match := _UP_TO.fullmatch(text):
        return -math.inf, _number(*match.group(1, 2))
    if match := _FROM.fullmatch(text):
        return _number(match[1] or match[3], match[2] or match[4]), math.inf
    return None


def _number(digits: str, thousands: str | None) -> float:
    return float(digits) * (1000 if thousands else 1)


def _by_rank(texts: Collection[str]) -> tuple[str, ...]:
    """Sort texts such as ``1st`` and ``2nd``; empty if a text isn't a rank, or a rank is missing."""
    ranks = {text: int(match[1]) for text in texts if (match := _RANK.fullmatch(text.strip()))}
    return _by_place(ranks) if sorted(ranks.values()) == list(range(1, len(texts) + 1)) else ()
