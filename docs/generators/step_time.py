"""The picture of the page on performance: ratios of a training step, as bars."""

from __future__ import annotations

import json
from typing import Any, Final

PICTURE: Final = "pictures/step-time.svg"
PEERS: Final = {"PyTorch": "PyTorch eager", "JAX": "JAX jit"}
"""Names in the picture, and in the figures."""
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


def step_time(figures: str) -> str:
    """Return the picture: for each shape in the JSON figures, a bar for each peer's time divided by mlpkit's."""
    rows = json.loads(figures)["measurements"][0]["rows"]
    height = ROW * len(rows) + 60
    size = f'viewBox="0 0 {WIDTH} {height}" font-family="system-ui, sans-serif" font-size="13"'
    bars = "\n".join(_bars(i, row) for i, row in enumerate(rows))
    one = LEFT + PER_ONE
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" {size}>\n'
        f"  <title>Time of a training step divided by mlpkit's, by width and minibatch</title>{STYLE}"
        f'  <text x="10" y="20">H, B</text><text x="{LEFT}" y="20">time of a step, mlpkit = 1</text>\n'
        f"{bars}\n"
        f'  <path class="line" d="M{one} 30 V{height - 30}"/><text x="{one - 22}" y="{height - 12}">mlpkit</text>\n'
        "</svg>\n"
    )


def _bars(i: int, row: dict[str, Any]) -> str:
    top = 34 + ROW * i
    shape = ", ".join(map(str, row["H, B"]))
    parts = [f'  <text x="10" y="{top + 19}">{shape}</text>']
    for j, (peer, column) in enumerate(PEERS.items()):
        ratio = row[column]["median"]
        width, y = round(PER_ONE * ratio), top + 15 * j
        parts.append(f'  <rect class="{peer}" x="{LEFT}" y="{y}" width="{width}" height="13"/>')
        parts.append(f'  <text x="{LEFT + width + 6}" y="{y + 11}">{peer} {ratio:.2f}</text>')
    return "\n".join(parts)
