"""``mlpkit repro``: do a run once more, and compare the results."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from mlpkit.cli import options
from mlpkit.cli.exit_codes import WORK_FAILED
from mlpkit.cli.interrupt import Interrupts
from mlpkit.terminal.formatting import columns
from mlpkit.terminal.output import document, message, result
from mlpkit.training.events import ObserverGroup

if TYPE_CHECKING:
    from mlpkit.registry.discovery import PluginOptions

DIGITS_SHOWN = 16


@options.verb("repro")
@options.run_argument
@options.path_option("--out", metavar="DIR", help="Keep the repeated run in this folder; by default it is deleted.")
@options.plugins_option
@options.quiet_option
@options.json_option
def command(directory: Path, out: Path | None, plugin_options: PluginOptions, quiet: bool, as_json: bool) -> None:
    """Reproduce a run, and compare the results.

    RUN is the folder of a finished run. mlpkit runs resolved.yaml again and compares the SHA-256 of history, metrics
    and model; the exit code is 1 if one differs. It names versions that differ from lock.json, and refuses other data.
    """
    options.require_one_display(quiet, as_json)
    with Interrupts() as interrupts:
        from mlpkit.cli.around_training import make_display  # noqa: PLC0415 - for the same reason
        from mlpkit.verbs.repro.repro import repro  # noqa: PLC0415 - a signal that comes meanwhile must find the handlers

        with make_display(f"repeating {directory.name}", directory, quiet or as_json, False) as display:
            interrupts.before_stopping = display.interrupted
            observer = ObserverGroup((interrupts, display))
            found = repro(directory, out, observer=observer, stop=interrupts.stop, **plugin_options)
    if interrupts.received:
        message(f"stopped after step {found.run.steps} by {interrupts.received.name}; nothing was compared")
        raise click.exceptions.Exit(interrupts.exit_code)
    if as_json:
        changes = [change._asdict() for change in found.changes]
        document({"same": found.same, "then": found.then, "now": found.now, "changes": changes})
    elif not quiet:
        rows = [
            [name, "the same" if then == now else "DIFFERENT", _short(then), "" if then == now else _short(now)]
            for (name, then), now in zip(found.then.items(), found.now.values(), strict=True)
        ]
        result("\n".join(columns(rows)))
    if not found.same:
        raise click.exceptions.Exit(WORK_FAILED)


def _short(digits: str | None) -> str:
    return "missing" if digits is None else digits[:DIGITS_SHOWN]
