"""What intervals or sets of classes promised, and what they hold, as a table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlpkit.terminal.figures import figure

if TYPE_CHECKING:
    from mlpkit.network.coverage import RegionsFound  # which loads fractions


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
