"""``mlpkit live``: show runs on a page while they train."""

from __future__ import annotations

import threading
from pathlib import Path

import click

from mlpkit.cli import completion, options
from mlpkit.errors import RunFolderError


@options.verb("live")
@click.argument("folder", metavar="FOLDER", type=click.Path(path_type=Path), shell_complete=completion.runs)
@click.option("--port", type=options.PORT, default=0, help="Where to serve the page; by default any free port.")
def command(folder: Path, port: int) -> None:
    """Show runs live on a web page.

    FOLDER is a run folder, or a folder of run folders, such as those of several seeds, whose curves are drawn together.
    Runs that start later appear, too. The page is for browsers on this machine. Ctrl-C ends the command, but no run.
    """
    from mlpkit.verbs.live import server  # noqa: PLC0415 - loads much that --help doesn't need

    if not folder.is_dir():
        raise RunFolderError(
            f"{folder}: is not a folder; give a run folder, or one that holds run folders, such as runs"
        )
    with server.server_at(port, str(folder), server.FolderRuns(folder).runs, {}):
        threading.Event().wait()
