"""Serves the playground's page, and hands its messages to the session."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from typing import Final, Unpack

from mlpkit.cli.options import given_spec
from mlpkit.errors import UsageError
from mlpkit.pages.server import PageServer
from mlpkit.registry.discovery import PluginOptions
from mlpkit.specfile.spec import MARK, stem_of
from mlpkit.system import require_processes
from mlpkit.terminal.output import diagnostic, print_warnings
from mlpkit.verbs.play.session import Session
from mlpkit.verbs.play.text import SpecText

SAVED: Final = "-play"
"""What the name of a saved spec has after that of the spec."""
PAGE: Final = files("mlpkit.verbs.play") / "page"
STYLE: Final = re.compile(r'<link rel="stylesheet" href="([\w.]+)">')
SCRIPT: Final = re.compile(r'<script src="([\w.]+)"></script>')


class PlayServer(PageServer):
    """A playground, served by background threads until the end of the block."""

    def __init__(self, session: Session, *, port: int = 0) -> None:
        self._session = session
        self._turn = threading.Lock()
        super().__init__(port=port)

    def page(self) -> str:
        """Return the page."""
        return whole_page()

    def answer(self, what: str, message: bytes) -> str | None:
        """Hand a message to the session, one after the other."""
        if what != "ask":
            return None
        try:
            asked = json.loads(message)
        except ValueError:
            asked = None
        with self._turn:
            return json.dumps(self._session.handle(asked if isinstance(asked, dict) else {}))

    def write_stream(self, send: Callable[[str], None]) -> None:
        """Send nothing until the end, of which the page learns so."""
        while not self.closing.wait(1.0):
            send(":\n\n")


def session_of(path: Path, out: Path | None, **plugin_options: Unpack[PluginOptions]) -> Session:
    """Return the session of a spec's file, which saves to a file that doesn't exist yet.

    Raises:
        UsageError: the file exists.
        MlpkitError: the spec is wrong, or its data can't be read.
    """
    spec = given_spec(str(path), **plugin_options)
    print_warnings(spec.warnings)
    destination = out or path.with_name(f"{stem_of(path)}{SAVED}{MARK}.yaml")
    if destination.exists():
        raise UsageError(f"{destination} exists already; choose another name with --out")
    return Session(SpecText(path, spec.document.text, spec.registry), destination)


def server_at(port: int, session: Session) -> PlayServer:
    """Return a server of the playground; if the port is taken, another one serves."""
    require_processes("a page")
    try:
        return PlayServer(session, port=port)
    except OSError as error:
        diagnostic(f"warning: port {port} can't be used: {error.strerror}; the page uses another one", "yellow")
        return PlayServer(session)


def whole_page() -> str:
    """Return the page with its style and its scripts in one text."""
    text = (PAGE / "index.html").read_text("utf-8")
    text = STYLE.sub(lambda found: f"<style>\n{_part(found[1])}</style>", text)
    return SCRIPT.sub(lambda found: f"<script>\n{_part(found[1])}</script>", text)


def _part(name: str) -> str:
    return (PAGE / name).read_text("utf-8")
