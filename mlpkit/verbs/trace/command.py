"""``mlpkit trace``: look into a past step of a run."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from mlpkit.cli import completion, options
from mlpkit.display.display import Display
from mlpkit.errors import UsageError
from mlpkit.runs.files import expect_writable
from mlpkit.terminal.figures import figure
from mlpkit.terminal.formatting import blocks, columns, counted, line_length, paragraph, sparkline
from mlpkit.terminal.output import document, message, result
from mlpkit.training.events import ObserverGroup

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mlpkit.registry.discovery import PluginOptions
    from mlpkit.training.events import Event
    from mlpkit.verbs.trace.distribution import Distribution
    from mlpkit.verbs.trace.trace import Trace, TracedExample, TracePoint

TITLES: Final = {
    "parameters_before": "parameters before",
    "gradient": "gradient",
    "clipped_gradient": "gradient, clipped",
    "update": "update",
    "parameters_after": "parameters after",
    "outputs": "output of layer",
    "output_gradients": "gradient by output of",
}
ROWS_NAMED: Final = 12
"""Rows of a minibatch up to which all are named."""


@options.verb("trace")
@click.argument("directory", metavar="RUN", type=click.Path(path_type=Path), shell_complete=completion.runs)
@click.option("--step", metavar="N", type=int, required=True, help="Number of the step, from 1.")
@click.option("--example", metavar="N", type=int, help="Follow the N-th example of the minibatch, from 1.")
@click.option("--row", metavar="N", type=int, help="Follow row N of the training split, from 0.")
@click.option("--arrays", metavar="FILE", type=click.Path(path_type=Path), help="Write a .npz or .safetensors file.")
@click.option("--html", metavar="FILE", type=click.Path(path_type=Path), help="Write a page to look at.")
@options.takes_plugins
@options.takes_json
def command(
    directory: Path,
    step: int,
    example: int | None,
    row: int | None,
    arrays: Path | None,
    html: Path | None,
    plugin_options: PluginOptions,
    as_json: bool,
) -> None:
    """Look into a past step of a run.

    RUN is a run folder. The step is computed again, from the nearest checkpoint before it, to the bits that it had:
    its minibatch and the examples that add most to the loss, and how parameters, gradient, update and the output of
    each layer are distributed. With --example or --row, one example is followed forward and backward, with its numbers.
    """
    from mlpkit.verbs.trace.data import expect_array_file, plain_trace, write_arrays  # noqa: PLC0415 - the same
    from mlpkit.verbs.trace.trace import trace  # noqa: PLC0415 - loads NumPy, which --help does without

    if example is not None and row is not None:
        raise UsageError("--example and --row both say which example to follow; leave one out")
    for file in filter(None, (arrays, html)):
        expect_writable(file)
    if arrays is not None:
        expect_array_file(arrays)
    if html is not None:
        from mlpkit.pages.charts import expect_chart_library  # noqa: PLC0415 - the same
        from mlpkit.verbs.trace.page import write_page  # noqa: PLC0415 - for pages only

        expect_chart_library()
    observer = ObserverGroup([Display(), partial(_print_steps, step)])
    traced = trace(directory, step, row=row, example=example, **plugin_options, observer=observer)
    number = traced.number_of(row) if row is not None else example
    followed = None if number is None else traced.example(number)
    if arrays is not None:
        write_arrays(arrays, traced)
    if html is not None:
        write_page(html, traced, followed)
    if as_json:
        document(plain_trace(traced, followed))
    else:
        result("\n".join(_lines(traced, followed)))
    for file in filter(None, (arrays, html)):
        message(f"written to {file}")


def _print_steps(step: int, event: Event) -> None:
    """Print how many steps are done again, if there are more than the one that is looked at."""
    if event.kind == "resumed" and (again := step - event.data[0]) > 1:
        where = f"from the checkpoint after step {event.data[0]:,}" if event.data[0] else "from the beginning"
        message(f"doing {counted(again, 'step')} again, {where}")


def _lines(traced: Trace, example: TracedExample | None) -> list[str]:
    width = line_length()
    lines = [line for text in _about(traced) for line in paragraph(text, width=width)]
    lines += ["", *_largest_losses(traced, width)]
    if example is not None:
        return [*lines, "", *_blackboard(example, width)]
    for kind, heading in TITLES.items():
        found = traced.distributions[kind]
        if found and (kind != "clipped_gradient" or traced.is_clipped):
            lines += ["", *_distributions(heading, found, width)]
    return lines


def _about(traced: Trace) -> list[str]:
    from mlpkit.verbs.trace.distribution import norm_of  # noqa: PLC0415 - loads NumPy

    said = [f"loss {figure(traced.loss)}", f"learning rate {traced.learning_rate:g}"]
    if traced.gradient:
        clipped = f", clipped to {figure(norm_of(traced.clipped_gradient))}" if traced.is_clipped else ""
        said.append(f"gradient norm {figure(norm_of(traced.gradient))}{clipped}")
        said.append(f"update norm {figure(norm_of(traced.update))}")
    rows = list(map(str, traced.rows[:ROWS_NAMED].tolist()))
    more = f", ... {rows.pop()}" if len(traced.rows) > ROWS_NAMED else ""
    return [
        f"step {traced.step:,} of {traced.folder}, epoch {traced.epoch:.2f}",
        ", ".join(said),
        f"minibatch of {counted(len(traced.rows), 'example')}: rows {', '.join(rows)}{more} of the training split",
        *([traced.divergence] if traced.divergence else []),
    ]


def _largest_losses(traced: Trace, width: int | None) -> list[str]:
    headings = ("example", "row", "label", "predicted", "probability", "loss", "share of loss", "from")
    rows = [traced.example(number).cells for number in traced.largest_losses()]
    known = [column for column in zip(headings, *rows, strict=True) if any(column[1:])]
    shown = [heading for heading, *_ in known]
    right = [i for i, heading in enumerate(shown) if heading not in {"from", "label", "predicted"}]
    said = "where the loss comes from" + ("; probability is that of the label" if "probability" in shown else "")
    table = list(zip(*known, strict=True))
    return [*paragraph(said, width=width), *blocks(table, right=right, width=width)]


def _distributions(heading: str, found: Mapping[str, Distribution], width: int | None) -> list[str]:
    from mlpkit.verbs.trace.distribution import HEADINGS  # noqa: PLC0415 - loads NumPy

    rows = [[name, *of.cells, sparkline(of.histogram)] for name, of in found.items()]
    return blocks([[heading, *HEADINGS, "histogram"], *rows], right=range(2, 9), width=width)


def _blackboard(example: TracedExample, width: int | None) -> list[str]:
    """Return the numbers of one example, layer by layer, forward and backward."""
    source = f", from {example.source}" if example.source else ""
    columns_in_words = ", ".join(f"{name}: {value}" for name, value in example.columns.items())
    probability = "" if example.probability is None else f", probability of {example.label}: {example.probability:.4g}"
    return [
        *paragraph(f"example {example.number}: row {example.row} of the training split{source}", width=width),
        *(paragraph(columns_in_words, width=width) if example.columns else []),
        *paragraph(f"label {example.label}, predicted {example.predicted}{probability}", width=width),
        f"loss {figure(example.loss)}, {example.share:.1%} of the minibatch's",
        "",
        "forward",
        *_trace_points(example.forward(), width),
        "",
        "backward: the gradient that comes into each layer, and that goes out",
        *_trace_points(example.backward(), width),
    ]


def _trace_points(points: Sequence[TracePoint], width: int | None) -> list[str]:
    from mlpkit.verbs.trace.trace import numbers_in_words  # noqa: PLC0415 - loads NumPy

    rows = [
        [layer, what, counted(numbers.size, "number"), numbers_in_words(numbers)] for layer, what, numbers in points
    ]
    return columns(rows, right=[2], indent="  ", width=width)
