"""``mlpkit evaluate``: compute a trained network's loss and metrics."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mlpkit.cli import completion, options
from mlpkit.cli.standard_input import file_or_standard_input
from mlpkit.errors import UsageError
from mlpkit.lazy_names import load
from mlpkit.runs.kinds import RUN, kind_of

if TYPE_CHECKING:
    from mlpkit.registry.registry import Registry


@options.verb("evaluate")
@click.argument("directory", metavar="RUN", type=click.Path(path_type=Path), shell_complete=completion.runs)
@click.option("--split", "splits", metavar="NAME", multiple=True, help="train, validation or test; may be repeated.")
@options.path_option("--data", "file", metavar="FILE", help="Evaluate on other data.")
@options.by_option
@options.registry_option
@options.json_option
def command(
    directory: Path,
    splits: tuple[str, ...],
    file: Path | None,
    by: tuple[str, ...],
    registry: Registry,
    as_json: bool,
) -> None:
    """Compute a trained network's loss and metrics.

    RUN is a run folder, or a folder with the runs of several seeds: the result is then the mean and 95 % interval over
    the finished runs. Evaluates every split of the data set, unless --split names some, and warns if the data has
    changed since training. With --data, evaluates a file or folder like the one trained on, with inputs and targets; -
    is standard input. The groups of --by, or of the spec's key by, have 95 % intervals, too.
    """
    if file is not None and splits:
        raise UsageError("--split names parts of the run's own data; leave it out, or --data")
    with file_or_standard_input(file) if file is not None else nullcontext() as data:
        load((kind_of(directory) or RUN).evaluate)(directory, splits, data, registry, as_json, by)
