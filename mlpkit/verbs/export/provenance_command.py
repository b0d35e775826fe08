"""``mlpkit provenance``: show which run an exported file came from."""

from __future__ import annotations

import shlex
from pathlib import Path

import click

from mlpkit.cli import completion, options
from mlpkit.cli.exit_codes import WORK_FAILED
from mlpkit.terminal.formatting import columns
from mlpkit.terminal.output import document, message, result

DIGITS_SHOWN = 16
HASHED = ("spec", "data", "weights")


@options.verb("provenance")
@click.argument("file", metavar="FILE", type=click.Path(path_type=Path))
@options.path_option(
    "--run",
    "directory",
    metavar="RUN",
    shell_complete=completion.runs,
    help="The run folder to compare with; by default mlpkit searches for it.",
)
@options.json_option
def command(file: Path, directory: Path | None, as_json: bool) -> None:
    """Show which run an exported file came from.

    FILE was written by mlpkit export. Its spec, data and weights are compared with those of the run's folder, which is
    searched for near FILE and the current folder. The exit code is 1 if they differ now.
    """
    from mlpkit.verbs.export.provenance import provenance  # noqa: PLC0415 - loads NumPy, which --help doesn't need

    found = provenance(file, directory)
    origin = found.provenance
    if as_json:
        document({"provenance": origin, "folder": found.directory, "changed": found.changed})
    else:
        rows = [
            ["run", str(origin.get("run"))],
            ["name", str(origin.get("name"))],
            ["mlpkit", str(origin.get("mlpkit"))],
        ]
        rows += [["quantized", f"weights to {origin['quantized']}"]] if "quantized" in origin else []
        rows += [[name, _short(origin.get(name)), _state(name, found.now, found.changed)] for name in HASHED]
        result("\n".join(columns([[*row, ""][:3] for row in rows])))
    if found.directory is None:
        message("the run's folder was not found; name it with --run")
    elif not found.changed:
        message(
            f"mlpkit repro {shlex.quote(str(found.directory))} still gives these bits, if the versions are the same"
        )
    else:
        message(f"{found.directory} is not what {file} came from: it has other {' and '.join(found.changed)} now")
        raise click.exceptions.Exit(WORK_FAILED)


def _short(digits: object) -> str:
    return "none" if digits is None else str(digits)[:DIGITS_SHOWN]


def _state(name: str, now: object, changed: tuple[str, ...]) -> str:
    return "" if not now else "DIFFERENT now" if name in changed else "the same now"
