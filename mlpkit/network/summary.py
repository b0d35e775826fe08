"""A network in words: one line, and a table."""

from __future__ import annotations

from math import prod
from typing import NamedTuple

from mlpkit.components.operation import Operation
from mlpkit.network.sequential import Sequential


class Row(NamedTuple):
    """A layer or the loss in the table, as it was built; its numbers count layers inside it, flops for one example."""

    name: str
    layer: str
    shape: str
    parameters: int
    flops: int


HEADINGS = ("name", "layer", "outputs", "parameters")


def one_line(network: Sequential) -> str:
    """Name the members of the stack, and what the network takes."""
    names = ", ".join(member.path for member in (*network.layers, network.loss_layer))
    return f"<Sequential of {names}: {', '.join(_size_and_inputs(network))}>"


def summary(network: Sequential) -> str:
    """Return a table of the layers, with the shapes they return and how many parameters they have."""
    rows, footer = table_of(network)
    cells = [HEADINGS, *rows]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = [
        "  ".join(cell.rjust(width) if i == 3 else cell.ljust(width) for i, (cell, width) in enumerate(pairs)).rstrip()
        for pairs in (zip(row, widths, strict=True) for row in cells)
    ]
    return "\n".join([*lines, footer])


def table_of(network: Sequential) -> tuple[list[tuple[str, ...]], str]:
    """Return the rows of the table, and the line below it."""
    rows = [row_of(member) for member in (*network.layers, network.loss_layer)]
    cells: list[tuple[str, ...]] = [(row.name, row.layer, row.shape, f"{row.parameters:,}") for row in rows]
    return cells, "; ".join(_size_and_inputs(network))


def _size_and_inputs(network: Sequential) -> tuple[str, str]:
    count = sum(int(array.size) for array in network.parameters.values())
    inputs = "encoded inputs" if network.encoder is not None else "inputs"
    return f"{count:,} parameters", f"takes {inputs} of shape {tuple(network.input_shape)}"


def row_of(operation: Operation) -> Row:
    """Return a layer or the loss as a row of a table."""
    return Row(
        operation.path,
        repr(operation),
        str(operation._output_shape) if operation.kind == "layer" else "",
        sum(prod(parameter.shape) for parameter in operation.declared_parameters()),
        operation.flops(operation._input_shape),  # type: ignore[attr-defined]  # layers and losses have it
    )
