"""``mlpkit run``: train the network of a spec."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mlpkit.cli import completion, options
from mlpkit.cli.interrupt import Interrupts
from mlpkit.cli.ranks import require_one_rank, with_ranks

if TYPE_CHECKING:
    from mlpkit.training.ranks import Ranks


@options.verb("run")
@click.argument("paths", metavar="SPEC...", nargs=-1, required=True, shell_complete=completion.specs)
@options.overrides_option
@click.option("--seeds", metavar="K", help="Train with K seeds, one run each; or with given seeds, such as 3,5,8.")
@options.path_option(
    "--out",
    metavar="DIR",
    help="Folder for the run, missing or empty; by default runs/NAME, or runs/NAME-2 and so on. With several "
    "specs, the folder for all of them, instead of runs.",
)
@click.option(
    "--dry-run", is_flag=True, help="Write nothing: estimate steps, time, memory and disk from a second of training."
)
@options.training_options
@with_ranks
def command(
    paths: tuple[str, ...],
    overrides: tuple[str, ...],
    seeds: str | None,
    out: Path | None,
    dry_run: bool,
    ranks: Ranks,
    **chosen: Any,
) -> None:
    """Train the network of a spec, or of several.

    Everything is kept in the run folder. Ctrl-C stops the training after the current step, and saves it for mlpkit
    resume; a second Ctrl-C ends the program at once.

    With several seeds, the folder holds a run folder for each, and the mean of each metric with its 95 % interval. As
    many runs train at once as the cores allow. The same holds for the networks of an ensemble, whose average is the
    result, and for several specs, each in its own folder; all specs are checked before the first is trained.
    """
    with Interrupts() as interrupts:
        from mlpkit.verbs.run import training  # noqa: PLC0415 - a signal meanwhile must find the handlers

        wanted = training.TrainingOptions(**chosen)
        if seeds is not None:
            overrides = (*overrides, training.override_of(seeds))
        if dry_run:
            from mlpkit.verbs.run.dry_run import print_costs  # noqa: PLC0415 - most runs train

            print_costs(paths, overrides, wanted, ranks)
            return
        if len(paths) > 1:
            from mlpkit.verbs.run.group_runs import run_several  # noqa: PLC0415 - most commands train one

            require_one_rank(ranks, several=True)
            found, folders = run_several(paths, overrides, out, wanted, interrupts)
        else:
            found, folders = training.run_one(paths[0], overrides, out, wanted, ranks, interrupts)
    training.end_training(found, folders, wanted, interrupts)
