"""``mlpkit resume``: resume an interrupted run."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mlpkit.cli import completion, options
from mlpkit.cli.garbage import keep_loaded
from mlpkit.cli.interrupt import Interrupts
from mlpkit.cli.ranks import require_one_rank, with_ranks
from mlpkit.errors import UsageError
from mlpkit.lazy_names import load
from mlpkit.runs.kinds import RUN, kind_of

if TYPE_CHECKING:
    from mlpkit.training.ranks import Ranks


@options.verb("resume")
@click.argument("directory", metavar="RUN", type=click.Path(path_type=Path), shell_complete=completion.runs)
@click.option("--epochs", metavar="N", type=click.IntRange(1), help="Train a finished run for longer: N epochs in all.")
@click.option(
    "--iterations", metavar="N", type=click.IntRange(1), help="Train a finished run for longer: N steps in all."
)
@options.path_option(
    "--out", metavar="DIR", help="Folder for the longer run, missing or empty; by default RUN-2 and so on."
)
@options.training_options
@with_ranks
def command(
    directory: Path, epochs: int | None, iterations: int | None, out: Path | None, ranks: Ranks, **chosen: Any
) -> None:
    """Resume an interrupted run, or train a finished one for longer.

    RUN is a run folder. The run continues from its newest checkpoint, and its results are the same to the bit as if it
    had never been interrupted. mlpkit refuses if the spec, a plugin or the data has changed. --epochs or --iterations
    continue a finished run in a new folder, and leave the old one unchanged. For the runs of several seeds, a sweep or
    an ensemble, all that are unfinished are resumed.
    """
    kind = kind_of(directory) or RUN  # which refuses a folder of no kind
    require_one_rank(ranks, several=kind is not RUN)
    longer = any(option is not None for option in (epochs, iterations, out))
    if longer and kind is not RUN:
        raise UsageError(f"{directory}: has several runs; --epochs, --iterations and --out are for one of them")
    with Interrupts():  # a signal that comes while modules are loaded must find the handlers
        if longer:
            from mlpkit.verbs.run.resume import resume_for_longer  # noqa: PLC0415 - loads NumPy

            resume = partial(resume_for_longer, epochs=epochs, iterations=iterations, out=out)
        else:
            resume = load(kind.resume)
        keep_loaded()
    resume(directory, ranks, **chosen)
