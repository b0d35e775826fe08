"""The page of a test of learning rates."""

from __future__ import annotations

import shlex
from pathlib import Path

from mlpkit.pages import charts
from mlpkit.pages.page import page
from mlpkit.pages.parts import paragraph, preformatted, section, table
from mlpkit.runs.files import write_atomically
from mlpkit.terminal.figures import figure
from mlpkit.verbs.tune_rate.tune_rate import RateTest


def write_rate_page(file: Path, name: str, path: str, found: RateTest) -> None:
    """Write a page with the curve and the suggestion."""
    write_atomically(file, page(f"{name}: learning rate", [_suggestion(path, found), _curve(found)]).encode())


def _suggestion(path: str, found: RateTest) -> str:
    text = (
        f"The suggestion is {found.suggestion:g}: a third of {found.bottom_from:.2g}, above which the loss doesn't "
        "fall any further."
    )
    command = f"mlpkit run {shlex.quote(path)} --set {found.override}"
    return section("Suggestion", paragraph(text), preformatted(command))


def _curve(found: RateTest) -> str:
    top = 1.5 * max(found.smoothed[0], min(found.smoothed))
    steps = list(zip(found.rates, found.losses, found.smoothed, strict=True))
    points = [
        {"rate": rate, "loss": min(loss, top), "series": series}
        for rate, each, smoothed in steps
        for series, loss in (("of the minibatch", each), ("smoothed", smoothed))  # what comes last is drawn above
    ]
    nearest = min(steps, key=lambda step: abs(step[0] / found.suggestion - 1))
    marked = {"rate": found.suggestion, "loss": nearest[2]}
    chart = charts.curves(
        points, "rate", "loss", titles=("learning rate", "loss"), logarithmic_x=True, zero=False, marked=marked
    )
    rows = [[f"{rate:.2e}", figure(loss), figure(smoothed)] for rate, loss, smoothed in steps]
    numbers = table(["learning rate", "loss", "smoothed"], rows)
    ended = "; the test ended when it exploded" if found.exploded else ""
    caption = f"Loss while the learning rate grows{ended}"
    return section("Loss", charts.figure(caption, chart, numbers))
