"""Loss and metrics of groups of rows, as tables and as dots on their intervals."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlpkit.jobs.groups_of_rows import metrics_by_group
from mlpkit.pages import charts
from mlpkit.pages.parts import paragraph, section, table
from mlpkit.terminal.figures import with_ends

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlpkit.components.dataset import Description, Split
    from mlpkit.jobs.groups_of_rows import MetricsByGroup
    from mlpkit.jobs.load_model import TrainedModel


def groups_section(
    model: TrainedModel, split: str, examples: Split, description: Description, by: Sequence[str]
) -> str:
    """Return the section about the groups of the rows of a split by some columns; see ``metrics_by_group``."""
    found = metrics_by_group(model, {split: examples}, description, by)[split]
    text = f"Groups of {found.whole.rows:,} rows of {split}; * marks intervals that don't overlap that of all rows."
    return section("By group", paragraph(text), *(_group(found, column) for column in found.columns))


def _group(found: MetricsByGroup, column: str) -> str:
    headings, *rows = found.table(column, with_ends)
    metric = [*found.whole.metrics][:2][-1]  # the first one; without any, the loss
    dots = [
        {"group": name, metric: each.value, "low": each.low, "high": each.high, "rows": group.rows}
        for name, group in found.columns[column].items()
        for each in [group.metrics[metric]]
    ]
    chart = charts.dots(dots, "group", metric, ("low", "high"), line=found.whole.metrics[metric].value)
    caption = f"{metric} by {column}, with 95 % intervals; the line is that of all rows"
    return table(headings, rows, caption=f"By {column}", texts=[0]) + charts.figure(caption, chart)
