"""What fits say: tables in Markdown of errors and times, and each network of mlpkit against its peer."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from statistics import fmean, stdev
from typing import Any

from table_contestants.roster import CONTESTANTS

PEERS = {
    "td_s": "pytabkit_td_s",
    "td_s_bfloat16": "pytabkit_td_s",
    "td": "pytabkit_td",
    "td_bfloat16": "pytabkit_td",
    "tabm": "tabm_package",
    "tabm_bfloat16": "tabm_package",
}
"""Each network of mlpkit, and the same one of others."""

Fits = Mapping[tuple[str, str], Sequence[Mapping[str, Any]]]
"""The fits by table and contestant."""


def comparison(fits: Iterable[Mapping[str, Any]]) -> str:
    """Return what fits say, as ``tables.py`` writes them, in Markdown."""
    grouped: dict[tuple[str, str], list[Mapping[str, Any]]] = defaultdict(list)
    for fit in fits:
        grouped[fit["table"], fit["contestant"]].append(fit)
    parts = [against_peer(grouped, ours, theirs) for ours, theirs in PEERS.items()]
    shown = [name for name in CONTESTANTS if any(contestant == name for _, contestant in grouped)]
    parts += [
        "Mean test errors:\n\n" + overview(grouped, shown, lambda each: f"{mean(each, 'error'):.4g}"),
        "Seconds of the processor, the least of the seeds:\n\n"
        + overview(grouped, shown, lambda each: f"{least(each, 'processor_seconds'):.1f}"),
        "Seconds by the clock, the least of the seeds:\n\n"
        + overview(grouped, shown, lambda each: f"{least(each, 'seconds'):.1f}"),
        "Kilobytes of the model:\n\n" + overview(grouped, shown, lambda each: f"{mean(each, 'bytes') / 1000:.0f}"),
    ]
    return "\n\n".join(filter(None, parts))


def against_peer(fits: Fits, ours: str, theirs: str) -> str:
    """Return a table of a network and its peer: errors, whether they agree, and times.

    They agree if our mean error is at most theirs plus twice the standard error of the difference.
    """
    tables = sorted({table for table, _ in fits if (table, ours) in fits and (table, theirs) in fits})
    if not tables:
        return ""
    titles = f"{CONTESTANTS[ours].title} | {CONTESTANTS[theirs].title}"
    lines = [
        f"| table | {titles} | ratio | within | times as fast | in processor time |",
        "| --- | ---: | ---: | ---: | --- | ---: | ---: |",
    ]
    figures, verdicts = [], []
    for table in tables:
        a, b = fits[table, ours], fits[table, theirs]
        ratio = mean(a, "error") / mean(b, "error")
        speeds = [least(b, key) / least(a, key) for key in ("seconds", "processor_seconds")]
        figures.append((ratio, *speeds))
        margin = 2 * math.hypot(standard_error(a), standard_error(b))
        if not math.isnan(margin):  # of a single seed nothing can be said
            verdicts.append(mean(a, "error") <= mean(b, "error") + margin)
        within = "" if math.isnan(margin) else "yes" if verdicts[-1] else "no"
        errors = " | ".join(f"{mean(each, 'error'):.4g}{spread(each)}" for each in (a, b))
        lines.append(f"| {table} | {errors} | {ratio:.3f} | {within} | {speeds[0]:.2f} | {speeds[1]:.2f} |")
    ratio, *speeds = [math.exp(fmean(map(math.log, column))) for column in zip(*figures, strict=True)]
    within = f"{sum(verdicts)} of {len(verdicts)}"
    lines.append(f"| geometric mean | | | {ratio:.3f} | {within} | {speeds[0]:.2f} | {speeds[1]:.2f} |")
    return "\n".join(lines)


def overview(fits: Fits, contestants: Sequence[str], cell: Callable[[Sequence[Mapping[str, Any]]], str]) -> str:
    """Return a table with a row for each table and a column for each contestant."""
    rows = [
        [table, *(cell(fits[table, name]) if (table, name) in fits else "" for name in contestants)]
        for table in sorted({table for table, _ in fits})
    ]
    heads = [["table", *(CONTESTANTS[name].title for name in contestants)], ["---", *["---:"] * len(contestants)]]
    return "\n".join(f"| {' | '.join(row)} |" for row in [*heads, *rows])


def mean(fits: Sequence[Mapping[str, Any]], key: str) -> float:
    """Return the mean of a figure over seeds."""
    return fmean(fit[key] for fit in fits)


def least(fits: Sequence[Mapping[str, Any]], key: str) -> float:
    """Return the least of a figure over seeds."""
    return min(fit[key] for fit in fits)


def standard_error(fits: Sequence[Mapping[str, Any]]) -> float:
    """Return the standard error of the mean error over seeds."""
    return stdev(fit["error"] for fit in fits) / math.sqrt(len(fits)) if len(fits) > 1 else math.nan


def spread(fits: Sequence[Mapping[str, Any]]) -> str:
    """Return the standard error as text; nothing for a single seed."""
    return f" ± {standard_error(fits):.4g}" if len(fits) > 1 else ""
