"""Comparisons as a table and as plain data."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from comparison import Comparison, Figure, Verdict


def table(comparison: Comparison) -> str:
    """Return the lines of a comparison."""
    lines = [comparison.title]
    lines += [figure_line(figure, comparison.unit) for figure in comparison.figures]
    lines += [f"  {name:<24} FAILED: {reason}" for name, reason in comparison.failures.items()]
    lines += [verdict_line(verdict) for verdict in comparison.verdicts]
    return "\n".join(lines) + "\n"


def figure_line(figure: Figure, unit: str) -> str:
    """Return the line of one contestant: its median, on how many threads, and the ratio with its spread."""
    threads = "" if figure.threads is None else f" ({figure.threads} thread{'s' if figure.threads > 1 else ''})"
    line = f"  {figure.title + threads:<36} {amount(figure.median, unit):>12}"
    if figure.ratio is not None:
        kind = "share" if figure.name == "limit" else "ratio"
        line += f"   {kind} {figure.ratio.median:6.3f} ({figure.ratio.lowest:.3f} to {figure.ratio.highest:.3f})"
    return line


def verdict_line(verdict: Verdict) -> str:
    """Return the line of a target."""
    state = "met" if verdict.met else "MISSED"
    return f"  target: {verdict.what}: {verdict.reached:.4g}, target {verdict.target:g}   {state}"


def amount(value: float, unit: str) -> str:
    """Return a figure with its unit; short times in milliseconds."""
    if unit == "s":
        return f"{value:.3f} s" if value >= 1 else f"{value * 1000:.3f} ms"
    return f"{value:.1f} {unit}" if unit == "MB" else f"{value:.4f}"


def plain(comparisons: Sequence[Comparison]) -> list[dict[str, Any]]:
    """Return the comparisons as plain data, with the medians."""
    listed = []
    for comparison in comparisons:
        data = asdict(comparison)
        for figure, written in zip(comparison.figures, data["figures"], strict=True):
            written["median"] = figure.median
        listed.append(data)
    return listed
