"""Losses, metrics, times and coverage as people read them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from mlpkit.components.schema.wording import shown_number

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlpkit.network.coverage import RegionsFound
    from mlpkit.statistics import Interval

LARGE: Final = 9_999_999
"""From it on, a number and its sign may not fit into eight characters."""


def figure(value: float) -> str:
    """Write a loss or a metric in eight characters at most: ``0.4312``, ``12.41``, ``113300``, ``3.21e-05``."""
    size = abs(value)
    if size != 0 and (size < 1e-3 or size >= LARGE):
        return f"{value:.2e}"
    return f"{value:.4f}" if size < 10 else f"{value:.2f}" if size < 1000 else f"{value:.0f}"


def figures(values: Mapping[str, Any]) -> str:
    """Write loss and metrics of a split on a line, each after its name; tables are left out."""
    single = {name: value for name, value in values.items() if not isinstance(value, list)}
    shown = {name: figure(value) if abs(value) < 1000 else shown_number(value) for name, value in single.items()}
    return ", ".join(f"{name} {text}" for name, text in shown.items())


def plus_minus(found: Interval) -> str:
    """Write a mean with half the width of its interval: ``0.9712 ± 0.0016``; without one, the mean."""
    mean, half = figure(found.mean), found.half_width
    return mean if half is None else f"{mean} ± {figure(half)}"


def with_ends(value: float, low: float | None, high: float | None) -> str:
    """Write a value with the ends of its interval: ``0.9712 (0.9611 to 0.9787)``; without them, the value."""
    return figure(value) if low is None or high is None else f"{figure(value)} ({figure(low)} to {figure(high)})"


def plus_minus_all(values: Mapping[str, Interval]) -> str:
    """Write the mean of each loss and metric of a split on a line, each after its name."""
    return ", ".join(f"{name} {plus_minus(found)}" for name, found in values.items())


def short_duration(seconds: float) -> str:
    """Write a short time in three digits: ``1.24 s``, ``0.83 ms``."""
    return f"{seconds:.3g} s" if seconds >= 1 else f"{1000 * seconds:.3g} ms"


def duration(seconds: float) -> str:
    """Write a time as precisely as a guess at it deserves: ``4 s``, ``3 min 05 s``, ``1 h 12 min``."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02} min"


def age(seconds: float) -> str:
    """Write how long ago something was, in one unit: ``4 s``, ``3 min``, ``5 h``, ``12 d``."""
    for unit, length in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= length:
            return f"{seconds // length:.0f} {unit}"
    return f"{max(seconds, 0):.0f} s"


def signed(value: float, width: float) -> str:
    """Write a difference: ``+0.0182``; a narrow interval around it deserves more digits."""
    return f"{value:+.4f}" if width >= 1e-3 else f"{value:+.2e}"


def probability(value: float) -> str:
    """Write a p-value: ``0.031``, ``< 0.0001``."""
    return "< 0.0001" if value < 1e-4 else f"{value:.2g}"


def promise(found: RegionsFound) -> str:
    """Return what was promised, and why it isn't guaranteed, if it isn't."""
    text = f"{100 * found.promised:.6g} % promised, by {found.held_out:,} held-out rows"
    return f"{text}; no guarantee: {found.doubt}" if found.doubt else text


def regions_table(found: RegionsFound) -> list[list[str]]:
    """Return what was found: headings, and a row for each value, class or group."""
    rows = [["", "rows", "held", "classes" if found.are_sets else "width", "in 95 % of tests"]]
    for name, count, held, size, theory in found.of:
        between = "" if theory is None else f"{100 * theory[0]:.1f} to {100 * theory[1]:.1f} %"
        rows.append([name, f"{count:,}", f"{100 * held:.1f} %", figure(size), between])
    return [row[:-1] for row in rows] if found.doubt else rows
