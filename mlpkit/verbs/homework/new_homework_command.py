"""``mlpkit new-homework``: write an exercise to hand out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from mlpkit.cli import completion, options
from mlpkit.errors import UsageError
from mlpkit.runs.files import make_folder, write_atomically
from mlpkit.terminal.formatting import columns, line_length
from mlpkit.terminal.output import document, message, result

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from mlpkit.registry.registry import Registry

KINDS = ("layer", "loss", "optimizer", "spec")


def _complete(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Offer the exercises of the kind."""
    from mlpkit.verbs.homework.exercise import prepared  # noqa: PLC0415 - loads YAML

    return completion.items([name for kind, name in prepared() if kind == ctx.params.get("kind")], incomplete)


@options.verb("new-homework")
@click.argument("kind", metavar="[KIND]", type=click.Choice(KINDS), required=False)
@click.argument("name", metavar="[NAME]", required=False, shell_complete=_complete)
@click.option(
    "--out",
    "folder",
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="The new folder, missing or empty; by default named after the exercise.",
)
@options.registry_option
@options.json_option
def command(kind: str | None, name: str | None, folder: Path | None, registry: Registry, as_json: bool) -> None:
    """Write an exercise to hand out.

    KIND and NAME are as in layer Relu, loss MeanSquaredError or optimizer adam: the student writes that component in
    NumPy; or as in spec first_flowers: a spec with one wrong thing to find. The folder has the text with the formula, a
    skeleton without the answer, and checks to run with pytest. mlpkit grade marks it.

    Without KIND and NAME, list the exercises.
    """
    from mlpkit.verbs.homework.exercise import find, prepared  # noqa: PLC0415 - loads YAML, which --help doesn't need

    if kind is None or name is None:
        if kind is not None or folder is not None:
            raise UsageError("new-homework needs KIND and NAME; without both, it lists exercises")
        titles = {f"{of} {each}": exercise.title for (of, each), exercise in prepared().items()}
        if as_json:
            document({"exercises": titles})
        else:
            result("\n".join(columns([*titles.items()], width=line_length())))
        return
    from mlpkit.verbs.homework.kinds import TASKS  # noqa: PLC0415 - loads NumPy

    exercise = find(kind, name)
    target = _written(TASKS[kind](exercise, registry).files(), folder or Path(exercise.stem))
    if as_json:
        document({"folder": target, "files": sorted(each.name for each in target.iterdir())})
    else:
        result(str(target))
        message(f"mark it with: mlpkit grade {target}")


def _written(files: dict[str, str], target: Path) -> Path:
    """Write files into a folder that is missing or empty, and return it."""
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise UsageError(f"{target} exists and isn't empty; choose another folder with --out")
    make_folder(target)
    for file, text in files.items():
        write_atomically(target / file, text.encode())
    return target
