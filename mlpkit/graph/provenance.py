"""The origin of an exported file, as a line of JSON that fits into any kind of file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

MARKER: Final = "mlpkit-provenance"
"""The text before the JSON in a file."""

QUANTIZED: Final = "quantized"
"""The key with the type that weights were rounded to; absent if they weren't rounded."""

_CANDIDATES: Final = 8
"""The number of braces tried after a marker: in binary files, a byte before the JSON may look like a brace."""

LONGEST: Final = 1 << 24
"""The largest number of bytes read as JSON."""


def provenance_line(provenance: Mapping[str, Any]) -> str:
    """Return a line with a file's provenance: a marker and JSON in ASCII, which can't end a comment."""
    return f"{MARKER}: {provenance_json(provenance)}"


def provenance_json(provenance: Mapping[str, Any]) -> str:
    r"""Return provenance as JSON in ASCII, with ``<``, ``>``, ``&`` and ``/`` as escapes such as ``\u002f``."""
    text = json.dumps(provenance, sort_keys=True, allow_nan=False)
    for character in "<>&/":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


def find_provenance(content: bytes) -> dict[str, Any] | None:
    """Return the provenance in the uncompressed bytes of a file, or None if it has none."""
    start = content.find(MARKER.encode())
    while start >= 0:
        provenance = _object_after(content, start + len(MARKER))
        if provenance is not None:
            return provenance
        start = content.find(MARKER.encode(), start + 1)
    return None


def _object_after(content: bytes, position: int) -> dict[str, Any] | None:
    """Return the JSON object that starts at one of the next braces."""
    for _ in range(_CANDIDATES):
        position = content.find(b"{", position)
        if position < 0:
            return None
        try:
            value, _ = json.JSONDecoder().raw_decode(content[position : position + LONGEST].decode("latin-1"))
        except ValueError:
            position += 1
        else:
            return value if isinstance(value, dict) else None
    return None
