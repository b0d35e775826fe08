"""``mlpkit init``: a spec to begin from, for a file of data or copied from those that are shipped."""

from __future__ import annotations

from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Any

import click

from mlpkit.cli import completion, options
from mlpkit.cli.new_folders import RUNS
from mlpkit.errors import MlpkitError, UsageError
from mlpkit.terminal.formatting import columns, line_length
from mlpkit.terminal.output import message, print_warnings, result

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from mlpkit.errors import Diagnostic
    from mlpkit.registry.discovery import PluginOptions
    from mlpkit.verbs.init.init_from_data import FirstSpec


def _complete_name(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Offer the names of the specs that come with mlpkit."""
    from mlpkit.specfile.shipped_specs import shipped_lessons, shipped_specs  # noqa: PLC0415 - --help doesn't need them

    return completion.items(shipped_specs() | shipped_lessons(), incomplete)


def _complete_recipe(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Offer the recipes of all data sets."""
    from mlpkit.registry.registry import Registry  # noqa: PLC0415 - --help doesn't need it
    from mlpkit.verbs.init.init_from_data import names_of_recipes  # noqa: PLC0415 - loads NumPy

    return completion.items(names_of_recipes(Registry.discover(plugins=ctx.params.get("plugins") or ())), incomplete)


@options.verb("init")
@click.argument("name", metavar="[NAME]", required=False, shell_complete=_complete_name)
@click.option("--data", metavar="PATH", help="Write a spec for this data: a table, arrays, or images.")
@click.option(
    "--target",
    "targets",
    metavar="NAME",
    multiple=True,
    help="With --data: what to predict: a column, an array or a file; of a table, several columns.",
)
@click.option(
    "--predict",
    type=click.Choice(["classes", "labels", "values"]),
    help="With --data: what the target of a table holds; by default what it seems to hold.",
)
@click.option("--drop", metavar="COLUMN", multiple=True, help="With --data: a column of a table that is no input.")
@click.option(
    "--id",
    "id_column",
    metavar="COLUMN",
    help="With --data: the column that says which rows belong together, as those of a patient; they share a split.",
)
@click.option("--validation", metavar="PATH", help="With --data: validation data of its own; by default, a share.")
@click.option("--test", metavar="PATH", help="With --data: test data of its own; by default, a share.")
@click.option(
    "--recipe",
    metavar="NAME",
    shell_complete=_complete_recipe,
    help="With --data: which network, of those that mlpkit init names; by default one that fits the data.",
)
@click.option(
    "--out",
    "--to",
    "destination",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="The new file; by default NAME.yaml, or the name of the data, in this folder.",
)
@options.takes_plugins
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
) -> None:
    """Write a first spec for your data, or copy a shipped one.

    With --data, look at a file of data, and write a spec with comments that trains well on it. With NAME, copy a
    shipped spec, or a folder of lessons. With neither, list what is shipped, and name the recipes.
    """
    wishes = {"targets": targets[1:] and targets, "predict": predict, "drop": drop, "id": id_column}
    given = {"--target": targets, "--validation": validation, "--test": test, "--recipe": recipe}
    given |= {f"--{wish}": value for wish, value in wishes.items() if wish != "targets"}
    if data is not None:
        if name is not None:
            remedy = _one_of_two(name, recipe, plugin_options)
            raise UsageError(f"NAME copies a shipped spec, and --data writes a new one; {remedy}")
        files = {"train": data, "validation": validation, "test": test}
        given_files = {split: file for split, file in files.items() if file}
        wanted = {wish: value for wish, value in wishes.items() if value}
        _from_data(given_files, targets, recipe, wanted, destination, plugin_options)
    elif needless := [option for option, value in given.items() if value]:
        raise UsageError(f"{needless[0]} needs --data, the file to write a spec for")
    elif name is not None:
        _copy(name, destination)
    elif destination is not None:
        raise UsageError("--out needs NAME, the shipped spec to copy; without NAME, they are listed")
    else:
        _list()
        _name_recipes(plugin_options)


def _one_of_two(name: str, recipe: str | None, plugin_options: PluginOptions) -> str:
    """Return what to do if both a name and data are given."""
    from mlpkit.registry.registry import Registry  # noqa: PLC0415 - for the same reason
    from mlpkit.verbs.init.init_from_data import names_of_recipes  # noqa: PLC0415 - only after a mistake

    known = names_of_recipes(Registry.discover(**plugin_options))
    if recipe is None and name in known:
        return f"write --recipe {name} for that network"
    file = name if Path(name).suffix in (".yaml", ".yml") else f"{name}.yaml"
    return f"leave out one of the two, or write --out {quote(file)} for the name of the new one"


def _from_data(
    files: dict[str, str],
    targets: tuple[str, ...],
    recipe: str | None,
    wishes: dict[str, Any],
    destination: Path | None,
    plugin_options: PluginOptions,
) -> None:
    from mlpkit.jobs.leaks import leaks_in  # noqa: PLC0415 - for the same reason
    from mlpkit.jobs.prove import prove  # noqa: PLC0415 - as in every verb, only the job that is done
    from mlpkit.jobs.spec_data import open_data  # noqa: PLC0415 - for the same reason
    from mlpkit.specfile.spec import read_spec  # noqa: PLC0415 - for the same reason
    from mlpkit.verbs.init.init_from_data import init_from_data  # noqa: PLC0415 - for the same reason

    target = targets[0] if targets else None
    first = init_from_data(files, target, destination, recipe=recipe, wishes=wishes, **plugin_options)
    decisions = list(first.decisions)
    warnings: list[Diagnostic] = []
    spec = read_spec(first.path, **plugin_options)
    try:
        proved = prove(spec)
        if proved.description.columns:
            train = open_data(spec, proved.dataset)["train"]
            decisions += [("leak", leak) for leak in leaks_in(train, proved.description, proved.dataset)]
        warnings = [warning for warning in proved.warnings if warning.remedy]  # the decisions tell the others
    except MlpkitError as error:
        error.add_note(f"note: the spec is saved in {first.path}; mlpkit check {quote(str(first.path))} looks again")
        raise
    finally:
        result("\n".join([f"{first.path}:", *columns(decisions, indent="  ", width=line_length())]))
    print_warnings(warnings)
    _show_next(first, spec.name, files, plugin_options)


def _show_next(first: FirstSpec, name: str, files: dict[str, str], plugin_options: PluginOptions) -> None:
    """Print the two commands that come next; the second predicts new rows, or those for testing."""
    with_plugins = "".join(f" --plugin {quote(str(plugin))}" for plugin in plugin_options["plugins"])
    ending = "".join(Path(files["train"]).suffixes)
    rows = quote(files.get("test") or (f"new{ending}" if ending else files["train"]))
    result("next:")
    result(f"  mlpkit run {quote(str(first.path))}{with_plugins}")
    result(f"  mlpkit predict {quote(str(_next_folder(name)))} {rows}{with_plugins}")


def _next_folder(name: str) -> Path:
    """Return the folder that the next run of a spec will get."""
    candidates = (RUNS / (name if number == 1 else f"{name}-{number}") for number in range(1, 10_000))
    return next(folder for folder in candidates if not folder.exists())


def _copy(name: str, destination: Path | None) -> None:
    from mlpkit.verbs.init.init import init  # noqa: PLC0415 - as in every verb, only the job that is done

    path = init(name, destination)
    result(str(path))
    if path.is_dir():
        message("each script writes a page:")
        message("\n".join(f"  python {quote(str(script))}" for script in sorted(path.glob("*.py")) if _is_run(script)))
    else:
        message(f"train it with: mlpkit run {quote(str(path))}")


def _is_run(script: Path) -> bool:
    """Whether a script stands beside a spec, and isn't what others share."""
    return script.with_suffix(".yaml").exists()


def _list() -> None:
    from mlpkit.specfile.shipped_specs import shipped_lessons, shipped_specs  # noqa: PLC0415 - as in every verb

    rows = [(name, _first_comment(path)) for name, path in shipped_specs().items()]
    rows += [(name, "A folder of specs, each with a script that makes a page.") for name in shipped_lessons()]
    result("\n".join(columns(rows, width=line_length())))


def _name_recipes(plugin_options: PluginOptions) -> None:
    from mlpkit.registry.registry import Registry  # noqa: PLC0415 - for the same reason
    from mlpkit.verbs.init.init_from_data import names_of_recipes  # noqa: PLC0415 - as in every verb, only the job

    if found := names_of_recipes(Registry.discover(**plugin_options)):
        message(f"for your own data: mlpkit init --data FILE --target NAME, with --recipe {', '.join(found)} or none")


def _first_comment(path: Path) -> str:
    """Return what a spec says of itself: the comment that it begins with."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return lines[0].removeprefix("#").strip() if lines[0].startswith("#") else ""
