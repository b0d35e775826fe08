"""``mlpkit distill``: train a small network to predict as a large one does."""

from __future__ import annotations

from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Any

from mlpkit.cli import options
from mlpkit.cli.interrupt import Interrupts, end_if_stopped
from mlpkit.components.schema.wording import counted
from mlpkit.terminal.figures import figure
from mlpkit.terminal.formatting import columns
from mlpkit.terminal.output import document, message, print_warnings, result

if TYPE_CHECKING:
    from mlpkit.registry.discovery import PluginOptions


@options.verb("distill")
@options.run_argument
@options.path_option(
    "--into", metavar="SPEC", required=True, help="The spec of the small network; written if it is missing."
)
@options.path_option("--out", metavar="DIR", help="Folder for the new run; by default runs/NAME.")
@options.plugins_option
@options.json_option
def command(directory: Path, into: Path, out: Path | None, plugin_options: PluginOptions, as_json: bool) -> None:
    """Train a small network to predict as a large one does.

    Writes SPEC, for a network with one hidden layer on the data of RUN, which is its teacher; a SPEC that exists is
    taken as it is. Trains it, and prints what is lost and gained: metrics on the test rows, bytes of the model, and the
    time of a prediction, with those of the teacher, and of the same network trained without it.
    """
    with Interrupts() as interrupts:
        from mlpkit.verbs.distill import distill  # noqa: PLC0415 - loads NumPy, which --help doesn't need

        written = not into.exists()
        spec = distill.pupil_spec(directory, into, **plugin_options)
        print_warnings(spec.warnings)
        if written:
            message(f"written to {into}")
        run = distill.trained(spec, out, interrupts, quiet=as_json)
        if run.stopped:
            message(f"{run.stopped}: stopped; to resume it: mlpkit resume {quote(str(run.folder))}")
        end_if_stopped(interrupts, run.stopped)
    split, networks = distill.compared(spec, run)
    if as_json:
        document({"spec": into, "folder": run.folder, "split": split, **networks})
        return
    figures = {name: _figures(each, split) for name, each in networks.items()}
    rows = [["", *(name.replace("_", " ") for name in networks)]]
    rows += [[name, *(each.get(name, "") for each in figures.values())] for name in figures["pupil"]]
    result("\n".join([*columns(rows, right=range(1, len(rows[0]))), f"saved in {run.folder}"]))


def _figures(network: dict[str, Any], split: str) -> dict[str, str]:
    """Return the figures of a network as texts, by what they are."""
    numbers = {key: value for key, value in network["metrics"].items() if not isinstance(value, list)}
    times = {f"microseconds, {counted(rows, 'row')}": f"{each:,.0f}" for rows, each in network["microseconds"].items()}
    found = {f"{split} {name}": figure(value) for name, value in numbers.items()}
    return found | {"bytes": f"{network['bytes']:,}"} | times
