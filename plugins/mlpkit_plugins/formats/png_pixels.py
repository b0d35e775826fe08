"""Checks that a PNG file holds as many pixels as its header declares; Pillow leaves missing pixels black.

Source: ISO/IEC 15948, "Portable Network Graphics (PNG) Specification (Second Edition)", 2003, chapters 5, 7 and 8.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from typing import Final

SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
SAMPLES: Final = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
"""Samples per pixel, by colour type."""
PASSES: Final = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
"""First column, first row, and steps between columns and rows, for each pass of an interlaced image."""
_STEP = 1 << 16


def missing_bytes(content: bytes) -> int:
    """Return the number of bytes missing from a PNG file's filtered rows; negative if it has too many."""
    chunks = list(_chunks(content))
    width, height, depth, colour, _, _, interlaced = struct.unpack(">IIBBBBB", dict(chunks)[b"IHDR"])
    bits = SAMPLES[colour] * depth
    parts = PASSES if interlaced else ((0, 0, 1, 1),)
    expected = 0
    for left, top, across, down in parts:
        columns, rows = -(-(width - left) // across), -(-(height - top) // down)
        if columns > 0 and rows > 0:
            expected += rows * (1 + (columns * bits + 7) // 8)
    return expected - _decompressed_size(b"".join(part for kind, part in chunks if kind == b"IDAT"), expected)


def _chunks(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    position = len(SIGNATURE)
    while position + 8 <= len(content):
        length = int.from_bytes(content[position : position + 4], "big")
        yield content[position + 4 : position + 8], content[position + 8 : position + 8 + length]
        position += 12 + length


def _decompressed_size(compressed: bytes, enough: int) -> int:
    """Return the size of the content; some number above ``enough`` if it is larger."""
    member = zlib.decompressobj()
    size = 0
    while size <= enough and not member.eof:
        part = member.decompress(compressed, _STEP)
        if not part and not compressed:
            break
        size += len(part)
        compressed = member.unconsumed_tail
    return size
