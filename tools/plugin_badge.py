"""Makes a badge from the conformance checks of a plugin.

mlpkit check-plugin acme --json | python tools/plugin_badge.py > acme.svg
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from typing import Any

LABEL = "mlpkit checks"
CHARACTER = 7
"""Pixels."""
MARGIN = 10


def badge(documents: Sequence[dict[str, Any]]) -> str:
    """Return the SVG for the documents of ``check-plugin --json``; without any, the plugin is broken."""
    checks = sum(each["checks"] for each in documents)
    failed = sum(len(each["failed"]) for each in documents)
    if not documents:
        text, colour = "broken", "#b60205"
    elif failed:
        text, colour = f"{failed} of {checks} failed", "#b60205"
    else:
        text, colour = f"{checks} passed", "#2c7d32"
    left, right = (CHARACTER * len(part) + MARGIN for part in (LABEL, text))
    return f"""\
<svg xmlns="http://www.w3.org/2000/svg" width="{left + right}" height="20" role="img" aria-label="{LABEL}: {text}">
<title>{LABEL}: {text}</title>
<rect width="{left}" height="20" fill="#444"/>
<rect x="{left}" width="{right}" height="20" fill="{colour}"/>
<g fill="#fff" font-family="Verdana, DejaVu Sans, sans-serif" font-size="11" text-anchor="middle">
<text x="{left / 2:g}" y="14">{LABEL}</text>
<text x="{left + right / 2:g}" y="14">{text}</text>
</g>
</svg>
"""


if __name__ == "__main__":
    lines = [json.loads(line) for line in sys.stdin if line.strip()]
    sys.stdout.write(badge([line for line in lines if "checks" in line]))
