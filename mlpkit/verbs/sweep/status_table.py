"""What ``mlpkit sweep --status`` and ``--stop`` print."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from mlpkit.runs.overview import FAILED, STOPPED
from mlpkit.terminal.figures import duration
from mlpkit.terminal.formatting import counted, line_length, paragraph
from mlpkit.terminal.output import document, message, result

if TYPE_CHECKING:
    from pathlib import Path

    from mlpkit.registry.discovery import PluginOptions
    from mlpkit.verbs.sweep.status import SweepStatus


def show_status(folder: Path, plugin_options: PluginOptions, *, as_json: bool) -> None:
    """Print what a sweep has come to so far."""
    from mlpkit.verbs.sweep.lines import best_table  # noqa: PLC0415 - --help does without
    from mlpkit.verbs.sweep.status import sweep_status  # noqa: PLC0415 - for the same reason

    status = sweep_status(folder, **plugin_options)
    if as_json:
        document(status.to_plain())
        return
    width = line_length()
    for line in best_table(status.trials, status.objectives, width):
        result(line)
    for line in (_progress(status), _time(status), _driver(status)):
        result("\n".join(paragraph(line, width=width)))


def _progress(status: SweepStatus) -> str:
    over, planned = status.over, status.planned
    said = [f"{counted(over, 'trial')} over" if planned is None else f"{over} of {counted(planned, 'trial')} over"]
    return ", ".join([*said, *(f"{number} {state}" for state, number in status.counts.items())])


def _time(status: SweepStatus) -> str:
    left = "" if status.left is None else f", about {duration(status.left)} left"
    return f"at work for {duration(status.seconds)}{left}"


def _driver(status: SweepStatus) -> str:
    if status.driver is not None:
        host = f" on {status.driver.host}" if status.driver.host and status.driver.is_here else ""
        return f"driver: {status.driver}{host}"
    if status.planned is None or status.over < status.planned or {STOPPED, FAILED} & {*status.counts}:
        return f"no driver is at work; go on with: mlpkit sweep --resume {shlex.quote(str(status.folder))}"
    return "no driver is at work, and no trial is left"


def stop(folder: Path, *, quiet: bool, as_json: bool) -> None:
    """Stop the driver of a sweep, and say how to go on."""
    from mlpkit.runs.writer_lock import writer_of  # noqa: PLC0415 - --help does without
    from mlpkit.verbs.sweep.folder import expect_sweep_folder  # noqa: PLC0415 - for the same reason
    from mlpkit.verbs.sweep.status import stop_sweep  # noqa: PLC0415 - for the same reason

    expect_sweep_folder(folder)
    shown = not quiet and not as_json
    if shown and (driver := writer_of(folder)):
        message(f"asking {driver} to stop, and waiting until its trials are saved")
    stopped = stop_sweep(folder)
    if as_json:
        document({"stopped": stopped, "folder": folder})
    elif shown:
        again = f"go on with: mlpkit sweep --resume {shlex.quote(str(folder))}"
        message(f"{folder}: {'stopped' if stopped else 'no driver is at work'}; {again}")
