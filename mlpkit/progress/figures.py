"""Losses, metrics and times as people read them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlpkit.statistics import Interval


def figure(value: float) -> str:
    """Write a loss or a metric in eight characters at most: ``0.4312``, ``12.41``, ``3.21e-05``, ``nan``."""
    size = abs(value)
    if size != 0 and (size < 1e-3 or size >= 1e5):
        return f"{value:.2e}"
    return f"{value:.4f}" if size < 10 else f"{value:.2f}" if size < 1000 else f"{value:.0f}"


def mean_figure(value: Interval) -> str:
    """Write a loss or a metric; a mean of several with half the width of its interval: ``0.9108 ± 0.0031``."""
    half = value.half_width
    if half is None:
        return figure(value.mean)
    return (
        f"{figure(value.mean)} ± {half:.4f}" if 5e-5 <= half < 10 or not half else f"{figure(value.mean)} ± {half:.2g}"
    )


def figures(values: Mapping[str, Any]) -> str:
    """Write loss and metrics of a split on a line, each after its name; tables are left out."""
    return ", ".join(f"{name} {figure(value)}" for name, value in values.items() if not isinstance(value, list))


def plus_minus(found: Interval) -> str:
    """Write a mean with half the width of its interval: ``0.9712 ± 0.0016``; without one, the mean."""
    mean, half = figure(found.mean), found.half_width
    return mean if half is None else f"{mean} ± {figure(half)}"


def plus_minus_all(values: Mapping[str, Interval]) -> str:
    """Write the mean of each loss and metric of a split on a line, each after its name."""
    return ", ".join(f"{name} {plus_minus(found)}" for name, found in values.items())


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
