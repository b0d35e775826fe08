"""From what must have been meant to a change of the text."""

from __future__ import annotations

import json
import re
from typing import Final

from mlpkit.components.schema.context import Correction
from mlpkit.errors import Fix
from mlpkit.specfile.source import LINE_BREAK, Span
from mlpkit.specfile.yaml_parser import resolve_plain

PLAIN: Final = re.compile(r"[\w./-]")
"""What a value without quotes can hold."""

DASHES: Final = re.compile(r"( *(?:- +)*)(- +)(\{ *)?")
"""The line of a list item up to its value, or to the key in its braces."""


def text_fix(place: Span, correction: Correction) -> Fix | None:
    """Return the change of a text that makes a correction; None if what is wrong isn't written at the place.

    A value that a variable gives is written elsewhere, and may be right for other uses.
    """
    old, new = correction
    if place.text.key_only:
        return None
    if old is None:
        return _item_before(place, new)
    written = place.text.text[place.start : place.end]
    quote = written[0] if written[:1] in ("'", '"') else ""
    if written != f"{quote}{old}{quote}" or new == old:
        return None
    if quote and not set(new) & {quote, "\\"}:
        return Fix(written, f"{quote}{new}{quote}")
    needs_no_quotes = set(PLAIN.sub("", new)) <= set(old) and isinstance(resolve_plain(new), str)
    return Fix(written, new if needs_no_quotes and not quote else json.dumps(new))


def _item_before(place: Span, name: str) -> Fix | None:
    """Return the change that puts a component without parameters before an item after a dash, in its style."""
    text, start = place.text.text, place.start
    dashes = DASHES.fullmatch(text[place.text.line_starts[place.text.line_number(start) - 1] : start])
    if dashes is None:
        return None
    brace, line_break = dashes[3] or "", LINE_BREAK.search(text)
    between = f"{line_break[0] if line_break else chr(10)}{' ' * len(dashes[1])}{dashes[2]}"
    quote = text[start] if text[start] in ("'", '"') else ""
    item = f"{quote}{name}{quote}"
    return Fix("", f"{item}: {{}}}}{between}{brace}" if brace else f"{item}{between}")
