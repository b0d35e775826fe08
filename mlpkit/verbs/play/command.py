"""``mlpkit play``: watch a network learn on a page, and change it."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mlpkit.cli import completion, options
from mlpkit.terminal.output import message

if TYPE_CHECKING:
    from mlpkit.registry.discovery import PluginOptions


@options.verb("play")
@click.argument("path", metavar="SPEC", type=click.Path(path_type=Path), shell_complete=completion.specs)
@click.option("--port", type=options.PORT, default=0, help="Where to serve the page; by default any free port.")
@click.option(
    "--out",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Where the page saves the changed spec; by default a new file beside SPEC.",
)
@options.plugins_option
def command(path: Path, port: int, out: Path | None, plugin_options: PluginOptions) -> None:
    """Watch a network learn on a web page, and change it.

    Trains the network of SPEC step by step, forward and back, and draws it: weights, activations, gradients, what it
    predicts, and the curve of its loss. The page changes options, layers and single weights, takes a CSV file of your
    own, and saves the spec that you arrive at. It is for browsers on this machine. Ctrl-C ends the command.
    """
    from mlpkit.verbs.play.server import server_at, session_of  # noqa: PLC0415 - loads NumPy, which --help doesn't need

    session = session_of(path, out, **plugin_options)
    with server_at(port, session) as server:
        message(f"playground: {server.address}")
        threading.Event().wait()
