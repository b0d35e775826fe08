"""What ``mlpkit sweep`` does: it trains and shows a sweep, stops one, or shows its status."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from shlex import quote
from typing import Any

import click

from mlpkit.cli.around_training import after_run, run_folder
from mlpkit.cli.exit_codes import WORK_FAILED
from mlpkit.cli.interrupt import Interrupts, end_if_stopped
from mlpkit.cli.launcher import started_processes
from mlpkit.cli.options import given_spec, require_one_display
from mlpkit.components.engine import LOCAL
from mlpkit.errors import UsageError
from mlpkit.registry.discovery import PluginOptions
from mlpkit.runs.overview import FAILED
from mlpkit.runs.writer_lock import writer_of
from mlpkit.specfile.yaml_writer import to_inline_yaml
from mlpkit.terminal.output import document, message, on_screen, print_warnings
from mlpkit.training.events import ObserverGroup
from mlpkit.training.ranks import Ranks
from mlpkit.verbs.sweep.display import SweepDisplay, SweepJson, SweepLines, of_sweep, print_status
from mlpkit.verbs.sweep.folder import require_sweep_folder
from mlpkit.verbs.sweep.sweep import Sweep, resume_sweep, stop_sweep, sweep, sweep_status


@dataclass(frozen=True)
class SweepTraining:
    """How a sweep is trained and shown, by the options of the command."""

    engine: dict[str, Any]
    plugin_options: PluginOptions
    reports: bool
    quiet: bool
    as_json: bool

    def begin(self, path: str, overrides: Sequence[str], out: Path | None) -> None:
        """Do a new sweep, by default in a new folder, and end the program as it ended."""
        with Interrupts() as interrupts:
            spec = given_spec(path, overrides, **self.plugin_options)
            print_warnings(spec.warnings)
            with run_folder(spec, out, interrupts) as made:
                found = self._shown(partial(sweep, spec, made), spec.name, made, interrupts)
        self._end(found, interrupts)

    def resume(self, folder: Path, added: int) -> None:
        """Resume the sweep in a folder, with more trials than were planned, and end the program as it ended."""
        with Interrupts() as interrupts:
            job = partial(resume_sweep, folder, add_trials=added, **self.plugin_options)
            found = self._shown(job, folder.name, folder, interrupts)
        self._end(found, interrupts)

    def _shown(self, job: Callable[..., Sweep], title: str, folder: Path, interrupts: Interrupts) -> Sweep:
        """Do a sweep, and show it."""
        with _make_display(title, folder, self.quiet, self.as_json) as display:
            interrupts.before_stopping = display.interrupted
            found = job(**self.engine, observer=ObserverGroup((interrupts, display)), stop=interrupts.stop)
            display.finished(of_sweep(found, _engine_arguments(self.engine, self.plugin_options["plugins"])))
        return found

    def _end(self, found: Sweep, interrupts: Interrupts) -> None:
        """Write the report, and end the program with the exit code that the sweep calls for."""
        if self.reports and not found.stopped:
            after_run(found.folder, ["report"], self.plugin_options, shown=not self.quiet and not self.as_json)
        end_if_stopped(interrupts, found.stopped)
        if found.best is None or FAILED in found.counts:
            raise click.exceptions.Exit(WORK_FAILED)


def _engine_arguments(engine: Mapping[str, Any], plugins: Iterable[object]) -> list[str]:
    """Return the arguments that choose an engine again; none for this machine, and for ranks, which mpiexec starts."""
    name = engine.get("on", LOCAL)
    if name == LOCAL or started_processes(os.environ) > 1:
        return []
    words = ["--on", name]
    for option, value in engine.items():
        if option == "on" or value in (None, "", {}):
            continue
        settings = (
            [key if part is True else f"{key}={part}" for key, part in value.items()]
            if isinstance(value, Mapping)
            else [value if isinstance(value, str) else to_inline_yaml(value)]
        )
        words += [word for setting in settings for word in (f"--{option.replace('_', '-')}", setting)]
    return words + [word for file in plugins if "." in name for word in ("--plugin", str(file))]


def _make_display(title: str, folder: Path, quiet: bool, as_json: bool) -> SweepDisplay:
    """Return what shows a sweep: nothing, JSON, a screen on a terminal, or lines; see ``make_display``."""
    if quiet:
        return SweepDisplay()
    if as_json:
        return SweepJson()
    if on_screen():
        from mlpkit.verbs.sweep.screen import SweepScreen  # noqa: PLC0415 - only a screen needs rich

        return SweepScreen(title, str(folder))
    return SweepLines()


def resume(
    directory: Path, _: Ranks, *, port: int | None, workers: int | None, card: bool = False, **chosen: Any
) -> None:
    """Do what ``mlpkit sweep --resume`` does, on this machine, for ``mlpkit resume``."""
    if card:
        raise UsageError("--card is for one run; for a trial of a sweep, leave it out: mlpkit card TRIAL")
    if port is not None:
        raise UsageError(f"--live shows one run; for a sweep, leave it out: mlpkit live {quote(str(directory))}")
    require_one_display(chosen["quiet"], chosen["as_json"])
    SweepTraining({"workers": workers}, **chosen).resume(directory, 0)


def show_status(folder: Path, plugin_options: PluginOptions, *, as_json: bool) -> None:
    """Print what a sweep has come to so far."""
    status = sweep_status(folder, **plugin_options)
    if as_json:
        document(status.to_plain())
    else:
        print_status(status)


def stop(folder: Path, *, quiet: bool, as_json: bool) -> None:
    """Stop the driver of a sweep, and print how to resume it."""
    require_sweep_folder(folder)
    shown = not quiet and not as_json
    if shown and (driver := writer_of(folder)):
        message(f"asking {driver} to stop, and waiting until its trials are saved")
    stopped = stop_sweep(folder)
    if as_json:
        document({"stopped": stopped, "folder": folder})
    elif shown:
        again = f"resume it with: mlpkit sweep --resume {quote(str(folder))}"
        message(f"{folder}: {'stopped' if stopped else 'no driver is running'}; {again}")
