"""``mlpkit new-plugin``: write a package with a component of one's own."""

from __future__ import annotations

import shlex
from pathlib import Path

import click

from mlpkit.cli import options
from mlpkit.components.kinds import KINDS
from mlpkit.terminal.output import message, result


@options.verb("new-plugin")
@click.argument("namespace", metavar="NAME")
@click.option("--kind", type=click.Choice([*KINDS]), default="layer", help="The component's kind; by default a layer.")
@click.option(
    "--out",
    "folder",
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="The new folder, missing or empty; by default NAME-mlpkit in this folder.",
)
def command(namespace: str, kind: str, folder: Path | None) -> None:
    """Create a package for a component of your own.

    NAME is its namespace: the component is called NAME.Component. The package is complete: a documented component,
    tests that pass, a spec to try it with, and the files to publish it.
    """
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
