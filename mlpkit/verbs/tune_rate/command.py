"""``mlpkit tune-rate``: suggest a learning rate."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import click

from mlpkit.cli import completion, options
from mlpkit.terminal.figures import figure
from mlpkit.terminal.formatting import line_length, paragraph
from mlpkit.terminal.output import document, print_warnings, result
from mlpkit.verbs.tune_rate.rate_range import HIGHEST, LOWEST, STEPS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlpkit.registry.discovery import PluginOptions
    from mlpkit.verbs.tune_rate.tune_rate import RateTest

WIDEST: Final = 60
HEIGHT: Final = 10


@options.verb("tune-rate")
@click.argument("path", metavar="SPEC", shell_complete=completion.specs)
@options.overrides_option
@click.option(
    "--steps", metavar="N", type=int, default=STEPS, help=f"How many learning rates to try; by default {STEPS}."
)
@click.option("--lowest", metavar="RATE", type=float, default=LOWEST, help=f"The first of them; by default {LOWEST:g}.")
@click.option(
    "--highest", metavar="RATE", type=float, default=HIGHEST, help=f"The last of them; by default {HIGHEST:g}."
)
@options.plugins_option
@options.json_option
def command(
    path: str,
    overrides: tuple[str, ...],
    steps: int,
    lowest: float,
    highest: float,
    plugin_options: PluginOptions,
    as_json: bool,
) -> None:
    """Suggest a learning rate.

    Trains the network of a spec for some steps, with a learning rate that grows until the loss explodes, and shows the
    curve. Nothing is saved.
    """
    from mlpkit.verbs.tune_rate.tune_rate import tune_rate  # noqa: PLC0415 - loads NumPy, which --help doesn't need

    spec = options.given_spec(path, overrides, **plugin_options)
    print_warnings(spec.warnings)
    found = tune_rate(spec, steps=steps, lowest=lowest, highest=highest)
    if as_json:
        document(found.to_plain())
    else:
        result("\n".join(_lines(found)))


def _lines(found: RateTest) -> Iterator[str]:
    width = line_length()
    yield from _curve(found, min(WIDEST, (width or 80) - 12))
    yield ""
    ended = "; then it exploded" if found.exploded else ""
    text = f"above a learning rate of {found.bottom_from:.2g}, the loss doesn't fall any further{ended}"
    yield from paragraph(text, width=width)
    yield f"suggestion: --set {found.override}"


def _curve(found: RateTest, width: int) -> Iterator[str]:
    """Draw the smoothed loss over the learning rate, a column for a range of rates, and mark the suggestion below."""
    logarithms = [math.log10(rate) for rate in found.rates]
    low, high = logarithms[0], logarithms[-1]
    bottom, top = min(found.smoothed), found.smoothed[0]
    top += 0.25 * (top - bottom)
    grid = [[" "] * width for _ in range(HEIGHT)]
    for place, loss in zip(logarithms, found.smoothed, strict=True):
        if loss <= top:
            row = round((top - loss) / (top - bottom) * (HEIGHT - 1))
            grid[row][_column(place, low, high, width)] = "*"
    labels = {0: figure(top), HEIGHT - 1: figure(bottom)}
    for row, cells in enumerate(grid):
        yield f"{labels.get(row, ''):>8} |{''.join(cells)}".rstrip()
    yield f"{'loss':>8} +{'-' * width}"
    marks = [" "] * width
    marks[_column(math.log10(found.suggestion), low, high, width)] = "^"
    first, last = f"{found.rates[0]:.0e}", f"{found.rates[-1]:.0e}"
    yield f"{'':>8}  {''.join(marks)}".rstrip()
    yield f"{'rate':>8}  {first}{last:>{width - len(first)}}"


def _column(place: float, low: float, high: float, width: int) -> int:
    return round((place - low) / (high - low) * (width - 1))
