"""What an exported file came from: a line of JSON that any kind of file can carry."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

MARKER: Final = "mlpkit-provenance"
"""What stands before the JSON in a file."""

QUANTIZED: Final = "quantized"
"""The key that says what weights were rounded to; it isn't there if they weren't."""

_CANDIDATES: Final = 8
"""How many braces after a marker are tried: in binary files, a byte before the JSON may be one by chance."""

LONGEST: Final = 1 << 24
"""Most bytes of JSON that are read."""


def provenance_line(provenance: Mapping[str, Any]) -> str:
    """Return a line with a file's provenance: a marker, and JSON in ASCII that can't end a comment."""
    return f"{MARKER}: {provenance_json(provenance)}"


def provenance_json(provenance: Mapping[str, Any]) -> str:
    r"""Return provenance as JSON in ASCII, with ``<``, ``>``, ``&`` and ``/`` as escapes such as ``\u002f``."""
    text = json.dumps(provenance, sort_keys=True, allow_nan=False)
    for character in "<>&/":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


def find_provenance(content: bytes) -> dict[str, Any] | None:
    """Return a file's provenance; None without any.

    Args:
        content: the file's bytes; of a text or a binary file, uncompressed.
    """
    start = content.find(MARKER.encode())
    while start >= 0:
        found = _object_after(content, start + len(MARKER))
        if found is not None:
            return found
        start = content.find(MARKER.encode(), start + 1)
    return None


def _object_after(content: bytes, position: int) -> dict[str, Any] | None:
    """Return the JSON object that starts at one of the next braces."""
    for _ in range(_CANDIDATES):
        position = content.find(b"{", position)
        if position < 0:
            return None
        try:
            found, _ = json.JSONDecoder().raw_decode(content[position : position + LONGEST].decode("latin-1"))
        except ValueError:
            position += 1
        else:
            return found if isinstance(found, dict) else None
    return None
