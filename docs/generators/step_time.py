"""The picture of the page on performance: the ratios of its first table, as bars."""

from __future__ import annotations

import re
from typing import Final

PICTURE: Final = "pictures/step-time.svg"
PEERS: Final = ("PyTorch", "JAX")
LEFT, ROW, PER_ONE, WIDTH = 110, 40, 105, 640

STYLE: Final = """
  <style>
    text { fill: #1f2328; } .line { stroke: #57606a; stroke-dasharray: 3 3; }
    .PyTorch { fill: #bc4c00; } .JAX { fill: #0969da; }
    @media (prefers-color-scheme: dark) {
      text { fill: #e6edf3; } .line { stroke: #8b949e; } .PyTorch { fill: #f0883e; } .JAX { fill: #58a6ff; }
    }
  </style>
"""


def step_time(page: str) -> str:
    """Return the picture: for each shape of the table, a bar for each peer's time divided by mlpkit's."""
    rows = _ratios(page)
    height = ROW * len(rows) + 60
    size = f'viewBox="0 0 {WIDTH} {height}" font-family="system-ui, sans-serif" font-size="13"'
    bars = "\n".join(_bars(i, shape, ratios) for i, (shape, ratios) in enumerate(rows))
    one = LEFT + PER_ONE
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" {size}>\n'
        f"  <title>Time of a training step divided by mlpkit's, by width and minibatch</title>{STYLE}"
        f'  <text x="10" y="20">H, B</text><text x="{LEFT}" y="20">time of a step, mlpkit = 1</text>\n'
        f"{bars}\n"
        f'  <path class="line" d="M{one} 30 V{height - 30}"/><text x="{one - 22}" y="{height - 12}">mlpkit</text>\n'
        "</svg>\n"
    )


def _ratios(page: str) -> list[tuple[str, tuple[float, ...]]]:
    """Return shape, and ratios of PyTorch and JAX, of each row of the first table of peers."""
    table = re.search(r"^\| H, B \| mlpkit, ms \| limit.*?\n\n", page, re.M | re.S)
    rows = (
        [[cell.strip() for cell in line.split("|")[1:-1]] for line in table[0].splitlines()[2:] if line]
        if table
        else []
    )
    return [(row[0], tuple(float(row[i].split()[0]) for i in (5, 7))) for row in rows]


def _bars(i: int, shape: str, ratios: tuple[float, ...]) -> str:
    top = 34 + ROW * i
    parts = [f'  <text x="10" y="{top + 19}">{shape}</text>']
    for j, (peer, ratio) in enumerate(zip(PEERS, ratios, strict=True)):
        width, y = round(PER_ONE * ratio), top + 15 * j
        parts.append(f'  <rect class="{peer}" x="{LEFT}" y="{y}" width="{width}" height="13"/>')
        parts.append(f'  <text x="{LEFT + width + 6}" y="{y + 11}">{peer} {ratio:.2f}</text>')
    return "\n".join(parts)
