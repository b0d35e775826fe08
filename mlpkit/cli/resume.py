"""``mlpkit resume``: resume an interrupted run."""

from __future__ import annotations

from pathlib import Path

import click

from mlpkit.cli import completion, options
from mlpkit.cli.interrupt import Interrupts, end_if_stopped
from mlpkit.cli.live_page import live_folder, live_page
from mlpkit.cli.output import message
from mlpkit.cli.progress.display import WhileWritable
from mlpkit.cli.progress.make_display import expect_one_way, make_display
from mlpkit.cli.report import report_at_the_end
from mlpkit.cli.seeds import end_of_seeds, go_on_with_seeds


@options.verb("resume")
@click.argument(
    "directory", metavar="RUN", type=click.Path(path_type=Path), shell_complete=completion.runs_and_folders_of_runs
)
@options.takes_report
@options.takes_live
@options.takes_plugins
@options.takes_quiet
@options.takes_json
def command(
    directory: Path,
    reports: bool,
    port: int | None,
    plugins: tuple[str, ...],
    blocked: tuple[str, ...],
    quiet: bool,
    as_json: bool,
) -> None:
    """Resume an interrupted run.

    RUN is a run folder. The run goes on from its newest checkpoint, and its results are the same to the bit as if it
    had never been interrupted. If the spec, a plugin or the data has changed since, it is refused. A finished run
    is left as it is. Of a folder with the runs of several seeds, those go on that are not finished.
    """
    expect_one_way(quiet, as_json)
    with Interrupts() as interrupts:
        from mlpkit.runs.layout import is_seeds_folder  # noqa: PLC0415 - loads NumPy, which --help does without

        if is_seeds_folder(directory):
            with live_folder(port, directory.name, directory, interrupts):
                found = go_on_with_seeds(directory, plugins, blocked, interrupts, quiet, as_json)
            if reports and interrupts.training_began and not found.stopped:
                report_at_the_end(directory, plugins, blocked, shown=not quiet and not as_json)
            end_of_seeds(found, interrupts)
            return
        from mlpkit.jobs.resume import resume  # noqa: PLC0415 - a signal that comes meanwhile must find the handlers
        from mlpkit.training.events import ObserverGroup  # noqa: PLC0415 - for the same reason

        with (
            live_page(port, directory.name, directory, "", interrupts) as page,
            make_display(directory.name, directory, quiet, as_json) as display,
        ):
            interrupts.before_stopping = display.interrupted
            shown = WhileWritable(display, interrupts.stop)
            observer = ObserverGroup((interrupts, shown, page))
            run = resume(directory, plugins=plugins, blocked=blocked, observer=observer, stop=interrupts.stop)
            page.finished(run)
            shown.raise_if_unwritable()
            if not interrupts.training_began and not quiet:
                message(f"{directory}: the run is finished; nothing was left to do")
            display.finished(run)
    if reports and interrupts.training_began and not run.stopped:
        report_at_the_end(directory, plugins, blocked, shown=not quiet and not as_json)
    end_if_stopped(interrupts, run.stopped)
