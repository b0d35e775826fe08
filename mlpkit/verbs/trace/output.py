"""A traced step as lines of text, as plain data, and its arrays as a file."""

from __future__ import annotations

from typing import Any, Final

from mlpkit.array import Array
from mlpkit.components.schema.wording import counted
from mlpkit.terminal.figures import figure
from mlpkit.terminal.formatting import blocks, paragraph
from mlpkit.verbs.trace.trace import BY_LAYER, BY_PARAMETER, Trace, TracedExample, norm_of

ROWS_NAMED: Final = 12
"""Rows of a minibatch up to which all are named."""


def lines_of(traced: Trace, example: TracedExample | None, width: int | None) -> list[str]:
    """Return the lines that ``mlpkit trace`` prints about a step, and about an example if one is followed."""
    lines = [line for text in facts_of(traced) for line in paragraph(text, width=width)]
    lines += ["", *_largest_losses(traced, width)]
    followed = [] if example is None else ["", *facts_of_example(example)]
    return [*lines, *(line for text in followed for line in paragraph(text, width=width))]


def facts_of(traced: Trace) -> list[str]:
    """Return a step in sentences: its loss, norms and rows, and how training ended in it if it diverged."""
    facts = [f"loss {figure(traced.loss)}", f"learning rate {traced.learning_rate:g}"]
    if traced.gradient:
        clipped = f", clipped to {figure(norm_of(traced.clipped_gradient))}" if traced.is_clipped else ""
        facts.append(f"gradient norm {figure(norm_of(traced.gradient))}{clipped}")
        facts.append(f"update norm {figure(norm_of(traced.update))}")
    rows = list(map(str, traced.rows[:ROWS_NAMED].tolist()))
    more = f", ... {rows.pop()}" if len(traced.rows) > ROWS_NAMED else ""
    return [
        f"step {traced.step:,} of {traced.folder}, epoch {traced.epoch:.2f}",
        ", ".join(facts),
        f"minibatch of {counted(len(traced.rows), 'example')}: rows {', '.join(rows)}{more} of the training split",
        *([traced.divergence] if traced.divergence else []),
    ]


def _largest_losses(traced: Trace, width: int | None) -> list[str]:
    headings = ("example", "row", "label", "predicted", "probability", "loss", "share of loss", "from")
    rows = [traced.example(number).cells for number in traced.largest_losses()]
    known = [column for column in zip(headings, *rows, strict=True) if any(column[1:])]
    shown = [heading for heading, *_ in known]
    right = [i for i, heading in enumerate(shown) if heading not in {"from", "label", "predicted"}]
    text = "where the loss comes from" + ("; probability is that of the label" if "probability" in shown else "")
    table = list(zip(*known, strict=True))
    return [*paragraph(text, width=width), *blocks(table, right=right, width=width)]


def facts_of_example(example: TracedExample) -> list[str]:
    """Return an example in sentences: where it comes from, what it is, and its loss."""
    source = f", from {example.source}" if example.source else ""
    columns_in_words = ", ".join(f"{name}: {value}" for name, value in example.columns.items())
    probability = "" if example.probability is None else f", probability of {example.label}: {example.probability:.4g}"
    return [
        f"example {example.number}: row {example.row} of the training split{source}",
        *([columns_in_words] if columns_in_words else []),
        f"label {example.label}, predicted {example.predicted}{probability}",
        f"loss {figure(example.loss)}, {example.share:.1%} of the minibatch's",
    ]


NORMED: Final = ("gradient", "clipped_gradient", "update")


def plain_trace(traced: Trace, example: TracedExample | None = None) -> dict[str, Any]:
    """Return what ``mlpkit trace --json`` prints: all of a step but its arrays, and of one example these, too."""
    data: dict[str, Any] = {
        "run": str(traced.folder),
        "step": traced.step,
        "epoch": traced.epoch,
        "began_after": traced.began_after,
        "learning_rate": traced.learning_rate,
        "loss": traced.loss,
        "norms": {kind: norm_of(arrays) for kind in NORMED if (arrays := getattr(traced, kind))},
        "divergence": traced.divergence,
        "changes": traced.changes,
        "examples": [_plain_example(traced, traced.example(i + 1)) for i in range(len(traced.rows))],
        "largest_losses": traced.largest_losses(),
    }
    for kind in (*BY_PARAMETER, *BY_LAYER):
        data[kind] = {
            name: {**vars(of), "edges": of.edges() if of.histogram else ()}
            for name, of in traced.distributions[kind].items()
        }
    if example is not None:
        data["example"] = {**_plain_example(traced, example), **_plain_layers(example)}
    return data


def _plain_example(traced: Trace, example: TracedExample) -> dict[str, Any]:
    return {
        "example": example.number,
        "row": example.row,
        "source": example.source or None,
        **({"columns": example.columns} if example.columns else {}),
        "label": example.label,
        "predicted": example.predicted,
        "probability": example.probability,
        "loss": example.loss,
        "share": example.share,
        **({} if traced.weights is None else {"weight": float(traced.weights[example.number - 1])}),
    }


def _plain_layers(example: TracedExample) -> dict[str, Any]:
    arrays = ("input", "output", "output_gradient", "input_gradient")
    layers = [
        {"layer": layer.name, "type": layer.type, **{name: _plain_array(getattr(layer, name)) for name in arrays}}
        for layer in example.layers
    ]
    whole = {name: _plain_array(getattr(example, name)) for name in ("input", "target", "prediction")}
    return {**whole, "layers": layers}


def _plain_array(array: Array | None) -> Any:
    return None if array is None else array.tolist()
