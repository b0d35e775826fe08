"""``mlpkit init``: a spec to start from, for a data file or copied from a shipped one."""

from __future__ import annotations

from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING

import click

from mlpkit.cli import completion, options
from mlpkit.errors import UsageError
from mlpkit.terminal.formatting import columns, line_length
from mlpkit.terminal.output import document, message, result

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from mlpkit.registry.discovery import PluginOptions


def _complete(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Offer the names of the specs that come with mlpkit, or the recipes of all data sets."""
    from mlpkit.jobs import init_from_data  # noqa: PLC0415 - loads NumPy
    from mlpkit.verbs.init import first_spec  # noqa: PLC0415

    if parameter.name == "name":
        return completion.items([name for name, _ in first_spec.shipped()], incomplete)
    return completion.items(init_from_data.names_of_recipes(plugins=ctx.params.get("plugins") or ()), incomplete)


@options.verb("init")
@click.argument("name", metavar="[NAME]", required=False, shell_complete=_complete)
@click.option("--data", metavar="PATH", help="Write a spec for this data: a table, arrays, or images.")
@click.option(
    "--target",
    "targets",
    metavar="NAME",
    multiple=True,
    help="With --data: what to predict: a column, an array or a file; may be repeated for columns of a table.",
)
@click.option(
    "--predict",
    type=click.Choice(["classes", "labels", "values"]),
    help="With --data: what the target of a table holds; by default, mlpkit decides.",
)
@click.option(
    "--drop",
    metavar="COLUMN",
    multiple=True,
    help="With --data: a column of a table that isn't an input; may be repeated.",
)
@click.option(
    "--id",
    "id_column",
    metavar="COLUMN",
    help="With --data: the column that identifies groups of rows, such as patients; each group stays in one split.",
)
@click.option(
    "--validation", metavar="PATH", help="With --data: a separate file for validation; by default, a share of the rows."
)
@click.option(
    "--test", metavar="PATH", help="With --data: a separate file for testing; by default, a share of the rows."
)
@click.option(
    "--recipe",
    metavar="NAME",
    shell_complete=_complete,
    help="With --data: the recipe for the network, as listed by mlpkit init; by default one that fits the data.",
)
@options.path_option(
    "--out",
    "--to",
    "destination",
    metavar="FILE",
    help="The new file; by default NAME.mlpkit.yaml, or the name of the data, in this folder.",
)
@options.plugins_option
@options.json_option
def command(
    name: str | None,
    data: str | None,
    targets: tuple[str, ...],
    predict: str | None,
    drop: tuple[str, ...],
    id_column: str | None,
    validation: str | None,
    test: str | None,
    recipe: str | None,
    destination: Path | None,
    plugin_options: PluginOptions,
    as_json: bool,
) -> None:
    """Write a first spec for your data, or copy a shipped one.

    With --data, look at a file of data, and write a commented spec that trains well on it. With NAME, copy a shipped
    spec, or a folder of lessons. With neither, list the shipped specs and the recipes.
    """
    from mlpkit.jobs import init_from_data  # noqa: PLC0415 - loads NumPy
    from mlpkit.verbs.init import first_spec  # noqa: PLC0415

    wishes = {"targets": targets[1:] and targets, "predict": predict, "drop": drop, "id": id_column}
    given = {"--target": targets, "--validation": validation, "--test": test, "--recipe": recipe}
    given |= {f"--{wish}": value for wish, value in wishes.items() if wish != "targets"}
    if data is not None:
        if name is not None:
            problem = "NAME copies a shipped spec, and --data writes a new one"
            raise UsageError(f"{problem}; leave out one of the two, or name the new one with --out")
        files = {"train": data, "validation": validation, "test": test}
        given_files = {split: file for split, file in files.items() if file}
        wanted = {wish: value for wish, value in wishes.items() if value}
        first_spec.print_first_spec(given_files, targets, recipe, wanted, destination, plugin_options, as_json)
    elif needless := [option for option, value in given.items() if value]:
        raise UsageError(f"{needless[0]} needs --data, the file to write a spec for")
    elif name is not None:
        copy = first_spec.copy_shipped(name, destination)
        document({"spec": copy}) if as_json else _print_copy(copy)
    elif destination is not None:
        raise UsageError("--out needs NAME, the shipped spec to copy; without NAME, they are listed")
    elif as_json:
        document({"specs": dict(first_spec.shipped()), "recipes": init_from_data.names_of_recipes(**plugin_options)})
    else:
        result("\n".join(columns(first_spec.shipped(), width=line_length())))
        if found := init_from_data.names_of_recipes(**plugin_options):
            recipes = ", ".join(found)
            message(f"for your own data: mlpkit init --data FILE --target NAME, with --recipe {recipes} or none")


def _print_copy(path: Path) -> None:
    result(str(path))
    if path.is_dir():
        message("each script writes a page:")
        scripts = [script.with_suffix(".py") for script in sorted(path.glob("*.yaml"))]  # what they share has no spec
        message("\n".join(f"  python {quote(str(script))}" for script in scripts if script.exists()))
    else:
        message(f"train it with: mlpkit run {quote(str(path))}")
