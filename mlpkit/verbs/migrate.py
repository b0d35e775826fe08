"""``mlpkit migrate``: bring specs from an older format to the newest."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from mlpkit.cli import completion, options
from mlpkit.cli.exit_codes import WORK_FAILED, print_error
from mlpkit.errors import MlpkitError, UsageError
from mlpkit.terminal.output import result

if TYPE_CHECKING:
    from mlpkit.jobs.migrate import MigratedSpec


@options.verb("migrate")
@click.argument("paths", metavar="SPEC...", nargs=-1, required=True, shell_complete=completion.specs)
@click.option("--check", is_flag=True, help="Say which specs are in an older format; exit with 1 if one is.")
@click.option("--write", is_flag=True, help="Write the specs in the newest format.")
def command(paths: tuple[str, ...], check: bool, write: bool) -> None:
    """Bring specs from an older format to the newest.

    Comments and layout stay. Without an option, it prints what would change, as a diff. Specs in an older format work
    as before, in run folders and model files too.
    """
    from mlpkit.jobs.migrate import migrate  # noqa: PLC0415 - loads YAML, which --help does without

    if check and write:
        raise UsageError("--check writes nothing; give it or --write, not both")
    exit_code = 0
    for path in paths:
        try:
            spec = migrate(Path(path))
            if write and not spec.up_to_date:
                spec.write()
        except MlpkitError as error:
            print_error(error)
            exit_code = max(exit_code, error.exit_code)
        else:
            result(_told(spec, check=check, write=write))
            if check and not spec.up_to_date:
                exit_code = max(exit_code, WORK_FAILED)
    if exit_code:
        raise click.exceptions.Exit(exit_code)


def _told(spec: MigratedSpec, *, check: bool, write: bool) -> str:
    if spec.up_to_date:
        return f"{spec.path}: up to date, in format {spec.number}"
    if write:
        return f"{spec.path}: written in format {spec.newest}, was in format {spec.number}"
    if check:
        return f"{spec.path}: in format {spec.number}; the newest is {spec.newest}"
    return spec.diff()
