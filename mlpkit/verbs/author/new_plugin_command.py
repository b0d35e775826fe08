"""``mlpkit new-plugin``: write a package with a component of one's own."""

from __future__ import annotations

import shlex
from pathlib import Path

import click

from mlpkit.cli import options
from mlpkit.components.kinds import KINDS
from mlpkit.errors import UsageError
from mlpkit.terminal.output import message, result


@options.verb("new-plugin")
@click.argument("namespace", metavar="NAME", required=False)
@click.option("--kind", type=click.Choice([*KINDS]), default="layer", help="The component's kind; by default a layer.")
@options.path_option(
    "--out", "folder", metavar="DIR", help="The new folder, missing or empty; by default NAME-mlpkit in this folder."
)
@options.path_option(
    "--update",
    "updated",
    metavar="DIR",
    is_flag=False,
    flag_value=".",
    help="Bring the package in a folder up to date instead; by default in this one.",
)
def command(namespace: str | None, kind: str, folder: Path | None, updated: Path | None) -> None:
    """Create a package for a component of your own.

    NAME is its namespace: the component is called NAME.Component. The package is complete: a documented component,
    tests that pass, a spec to try it with, and the files to publish it.

    With --update, rewrite the files of an older package that you haven't changed, and print the differences of the
    others, as patch takes them.
    """
    if updated is not None:
        if namespace is not None or folder is not None:
            raise UsageError("--update takes a package's folder, and neither NAME nor --out")
        _update(updated)
    elif namespace is None:
        raise UsageError("new-plugin needs a NAME, such as acme; or --update, in the folder of a package")
    else:
        _create(namespace, kind, folder)


def _create(namespace: str, kind: str, folder: Path | None) -> None:
    from mlpkit.verbs.author.new_plugin import component_of, new_plugin  # noqa: PLC0415 - only the job that is done

    target = new_plugin(namespace, kind, folder)
    result(str(target))
    place = target if target.is_absolute() else f"./{target}"
    message(f'install it with: pip install -e "{place}[test]"')
    message(f"test it with: pytest {shlex.quote(str(target))}")
    spec = shlex.quote(str(target / "example.yaml"))
    if "RUN" in KINDS[kind].command:
        message(f"train a network for it: mlpkit run {spec}")
    message(f"use it with: {KINDS[kind].use(component_of(namespace, kind), spec=spec, run=f'runs/{namespace}')}")


def _update(folder: Path) -> None:
    from mlpkit.verbs.author.new_plugin import update_plugin  # noqa: PLC0415 - only the job that is done

    update = update_plugin(folder)
    for name in update.written:
        message(f"written: {name}")
    for name, difference in update.differences.items():
        message(f"changed by you, so left as it is; see the difference: {name}")
        result(difference)
    if not update.written and not update.differences:
        message("up to date")
