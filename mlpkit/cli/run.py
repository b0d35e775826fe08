"""``mlpkit run``: train the network of a spec."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mlpkit.cli import completion, options
from mlpkit.cli.exit_codes import print_warnings, suggesting_shipped_spec
from mlpkit.cli.interrupt import Interrupts, end_if_stopped
from mlpkit.cli.live_page import live_folder, live_page
from mlpkit.cli.progress.display import WhileWritable
from mlpkit.cli.progress.make_display import expect_one_way, make_display
from mlpkit.cli.report import report_at_the_end
from mlpkit.cli.seeds import end_of_seeds, override_of, train_seeds

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlpkit.specfile.spec import Spec

RUNS = Path("runs")


@options.verb("run")
@click.argument("path", metavar="SPEC", shell_complete=completion.specs)
@options.takes_overrides
@click.option("--seeds", metavar="K", help="Train with K seeds, a run each; or with certain ones: 3,5,8.")
@click.option(
    "--out",
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="Folder for the run, missing or empty; by default runs/NAME, or runs/NAME-2 and so on.",
)
@options.takes_report
@options.takes_live
@options.takes_plugins
@options.takes_quiet
@options.takes_json
def command(
    path: str,
    overrides: tuple[str, ...],
    seeds: str | None,
    out: Path | None,
    reports: bool,
    port: int | None,
    plugins: tuple[str, ...],
    blocked: tuple[str, ...],
    quiet: bool,
    as_json: bool,
) -> None:
    """Train the network of a spec.

    What happens is kept in the run folder. Ctrl-C ends the training after the step it is in, and saves it for mlpkit
    resume; a second Ctrl-C ends the program at once.

    With several seeds, the folder holds a run folder for each, and the mean of each metric with its 95 % interval. As
    many train at once as there are cores for.
    """
    expect_one_way(quiet, as_json)
    if seeds is not None:
        overrides = (*overrides, override_of(seeds))
    with Interrupts() as interrupts:
        from mlpkit.jobs.run import run  # noqa: PLC0415 - a signal that comes meanwhile must find the handlers
        from mlpkit.specfile.spec import read_spec  # noqa: PLC0415 - for the same reason
        from mlpkit.training.events import ObserverGroup  # noqa: PLC0415 - for the same reason

        with suggesting_shipped_spec(path):
            spec = read_spec(path, overrides=overrides, plugins=plugins, blocked=blocked)
        print_warnings(spec.warnings)
        if len(spec.seeds) > 1:
            with _run_folder(spec, out, interrupts) as folder, live_folder(port, spec.name, folder, interrupts):
                found = train_seeds(spec, folder, interrupts, quiet, as_json)
            if reports and not found.stopped:
                report_at_the_end(folder, plugins, blocked, shown=not quiet and not as_json)
            end_of_seeds(found, interrupts)
            return
        spec = spec.with_seed(spec.seeds[0])
        with (
            _run_folder(spec, out, interrupts) as folder,
            live_page(port, spec.name, folder, spec.document.text, interrupts) as page,
            make_display(spec.name, folder, quiet, as_json) as display,
        ):
            interrupts.before_stopping = display.interrupted
            shown = WhileWritable(display, interrupts.stop)
            finished = run(spec, folder, observer=ObserverGroup((interrupts, shown, page)), stop=interrupts.stop)
            page.finished(finished)
            shown.raise_if_unwritable()
            display.finished(finished)
    if reports and not finished.stopped:
        report_at_the_end(folder, plugins, blocked, shown=not quiet and not as_json)
    end_if_stopped(interrupts, finished.stopped)


@contextmanager
def _run_folder(spec: Spec, out: Path | None, interrupts: Interrupts) -> Iterator[Path]:
    """Choose the run folder; if training never begins, none is left, and if it fails, the error names it."""
    from mlpkit.runs.folder import RunFolder  # noqa: PLC0415 - a signal that comes meanwhile must find the handlers

    folder = out or RunFolder.next_free(RUNS, spec.name)
    try:
        yield folder
    except BaseException as error:
        if interrupts.training_began:
            error.add_note(f"note: what there is of the run is kept in {folder}")
        elif out is None:
            with suppress(OSError):  # not empty: something is there to be kept
                folder.rmdir()
        raise
