"""``mlpkit trace``: look into a past step of a run."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mlpkit.cli import options
from mlpkit.components.schema.wording import counted
from mlpkit.display.display import Display
from mlpkit.runs.files import require_writable
from mlpkit.terminal.formatting import line_length
from mlpkit.terminal.output import document, message, result
from mlpkit.training.events import ObserverGroup

if TYPE_CHECKING:
    from mlpkit.registry.discovery import PluginOptions
    from mlpkit.training.events import Event


@options.verb("trace")
@options.run_argument
@click.option("--step", metavar="N", type=int, required=True, help="Number of the step, from 1.")
@click.option("--example", metavar="N", type=int, help="Follow the N-th example of the minibatch, from 1.")
@options.path_option("--html", metavar="FILE", help="Write a page to look at.")
@options.plugins_option
@options.json_option
def command(
    directory: Path,
    step: int,
    example: int | None,
    html: Path | None,
    plugin_options: PluginOptions,
    as_json: bool,
) -> None:
    """Inspect a past step of a run.

    RUN is a run folder. The step is computed again from the nearest earlier checkpoint, to the same bits. Shows its
    minibatch and the examples that add most to the loss. The page, and --json, also have how parameters, gradient,
    update and the output of each layer are distributed, and follow an example forward and backward with its numbers.
    """
    from mlpkit.verbs.trace import output, trace  # noqa: PLC0415 - loads NumPy, which --help doesn't need

    if html is not None:
        from mlpkit.pages.charts import require_chart_library  # noqa: PLC0415 - only a page needs charts
        from mlpkit.verbs.trace import page  # noqa: PLC0415 - for the same reason

        require_writable(html)
        require_chart_library()
    observer = ObserverGroup([Display(), partial(_print_steps, step)])
    traced = trace.trace(directory, step, example=example, **plugin_options, observer=observer)
    followed = None if example is None else traced.example(example)
    if html is not None:
        page.write_page(html, traced, followed)
    if as_json:
        document(output.plain_trace(traced, followed))
    else:
        result("\n".join(output.lines_of(traced, followed, line_length())))
    if html is not None:
        message(f"written to {html}")


def _print_steps(step: int, event: Event) -> None:
    """Print how many steps are done again, if there are more than the one that is looked at."""
    if event.kind == "resumed" and (again := step - event.data[0]) > 1:
        where = f"from the checkpoint after step {event.data[0]:,}" if event.data[0] else "from the beginning"
        message(f"repeating {counted(again, 'step')}, {where}")
