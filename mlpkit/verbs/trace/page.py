"""A traced step as a page: where its loss comes from, one example on the blackboard, histograms of every layer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mlpkit.array import Array
from mlpkit.pages import charts, parts
from mlpkit.pages.images import thumbnail
from mlpkit.pages.page import page
from mlpkit.runs.files import write_atomically
from mlpkit.terminal.formatting import shape
from mlpkit.verbs.trace.output import facts_of, facts_of_example
from mlpkit.verbs.trace.trace import HEADINGS, Distribution, Trace, TracedExample, TracePoint, numbers_in_words

EXAMPLES_SHOWN: Final = 12
CHARTS_SHOWN: Final = 16
"""Arrays of one kind up to which each has a histogram; the table has them all."""
COLUMNS_SHOWN: Final = 30
CHART_HEIGHT: Final = 110

KINDS: Final = {
    "outputs": "Outputs of the layers",
    "output_gradients": "Gradients by the outputs",
    "gradient": "Gradients by the parameters",
    "update": "Updates of the parameters",
}
"""Kinds of arrays by the titles of their sections."""


def write_page(path: Path, traced: Trace, example: TracedExample | None = None) -> None:
    """Write the page of a step, and of an example, by default the one that adds most to the loss."""
    followed = example or traced.example(traced.largest_losses(1)[0])
    sections = [
        parts.section("The step", *map(parts.paragraph, _about(traced))),
        parts.section("Where the loss comes from", *_largest_losses(traced)),
        parts.section(f"Example {followed.number}, forward and backward", *_blackboard(traced, followed)),
        *(
            parts.section(title, *_charts(title, found))
            for kind, title in KINDS.items()
            if (found := traced.distributions[kind])
        ),
    ]
    write_atomically(path, page(f"Step {traced.step:,} of {traced.folder.name}", sections).encode())


def _about(traced: Trace) -> list[str]:
    changed = [f"the run's bits are no longer guaranteed: {'; '.join(traced.changes)}"] if traced.changes else []
    return [f"epoch {traced.epoch:.2f}", *facts_of(traced)[1:], *changed]


def _largest_losses(traced: Trace) -> list[str]:
    examples = [traced.example(number) for number in traced.largest_losses(EXAMPLES_SHOWN)]
    count, shown = len(traced.rows), len(examples)
    text = f"The {shown} of {count} examples that add most to the loss" if shown < count else f"All {count} examples"
    names = list(traced.columns)[:COLUMNS_SHOWN]
    headings = ["example", "row", "label", "predicted", "probability", "loss", "share", "from", *names]
    rows = [[*each.cells, *(str(each.columns[name]) for name in names)] for each in examples]
    known = [i for i in range(len(headings)) if any(row[i] for row in rows)]
    texts = [place for place, i in enumerate(known) if headings[i] in {"label", "predicted"}]
    table = parts.table([headings[i] for i in known], [[row[i] for i in known] for row in rows], texts=texts)
    captions = [f"{each.number}: {each.label}, predicted {each.predicted}" for each in examples]
    probability = "" if examples[0].probability is None else "the probability of the label and "
    text += f", with {probability}the share of the loss."
    return [*_pictures(traced, [each.input for each in examples], captions), parts.paragraph(text), table]


def _pictures(traced: Trace, inputs: Sequence[Array], captions: Sequence[str]) -> list[str]:
    """Return inputs as pictures, if they are images."""
    if traced.image_shape is None:
        return []
    return [parts.pictures([_bytes_of(each.reshape(traced.image_shape)) for each in inputs], captions)]


def _bytes_of(image: Array) -> NDArray[np.uint8]:
    """Return an image, channels first, as a page shows it, its least number black and its greatest white."""
    finite = np.nan_to_num(np.asarray(image, np.float64), posinf=0, neginf=0)
    least, greatest = finite.min(), finite.max()
    return thumbnail((255 * (finite - least) / ((greatest - least) or 1.0)).astype(np.uint8))


def _blackboard(traced: Trace, example: TracedExample) -> list[str]:
    return [
        *_pictures(traced, [example.input], [f"example {example.number}"]),
        *map(parts.paragraph, facts_of_example(example)),
        parts.heading("Forward"),
        _trace_points(example.forward(), "what each layer returns"),
        parts.heading("Backward"),
        _trace_points(
            example.backward(), "the gradient of the minibatch's loss that comes into each layer, and that goes out"
        ),
    ]


def _trace_points(points: Sequence[TracePoint], caption: str) -> str:
    rows = [
        [f"{layer} {what}", shape(numbers.shape), numbers_in_words(numbers).replace("  ", ", ")]
        for layer, what, numbers in points
    ]
    return parts.table(["", "shape", "numbers"], rows, caption=caption, texts=(0, 2))


def _charts(title: str, found: Mapping[str, Distribution]) -> list[str]:
    drawn = {name: of for name, of in found.items() if len(of.histogram) > 1}
    figures = [
        charts.figure(name, {**charts.histogram(of.histogram, of.edges()), "height": CHART_HEIGHT})
        for name, of in islice(drawn.items(), CHARTS_SHOWN)
    ]
    rows = [[name, *of.cells] for name, of in found.items()]
    caption = f"{title}: statistics of the finite numbers"
    return [
        parts.beside(*figures),
        parts.folded("Numbers", parts.table(["", *HEADINGS], rows, caption=caption, texts=(0,))),
    ]
