"""``mlpkit lsp``: a language server for editors."""

from __future__ import annotations

import os
import sys
from importlib.util import find_spec
from typing import TYPE_CHECKING, Final

from mlpkit.cli import options
from mlpkit.errors import UsageError
from mlpkit.terminal.output import message

if TYPE_CHECKING:
    from mlpkit.registry.discovery import PluginOptions

MISSING: Final = 'mlpkit lsp needs pygls; install it with: pip install "mlpkit[editor]"'


@options.verb("lsp")
@options.plugins_option
def command(plugin_options: PluginOptions) -> None:
    """Help editors to write specs, as a language server.

    While you type, the editor shows what is wrong and the shapes of layers, completes and explains keys, components and
    columns, and fixes mistakes. The page Editors of the documentation has the settings for each editor.
    """
    if find_spec("pygls") is None:
        raise UsageError(MISSING)
    from mlpkit.verbs.lsp.server import SpecServer  # noqa: PLC0415 - needs an extra

    if sys.stdin.isatty():
        message("an editor starts this command; 'mlpkit docs editors' shows the settings")

    # What a plugin prints must not reach the editor, which reads messages from standard output.
    with os.fdopen(os.dup(sys.stdout.fileno()), "wb") as to_editor:
        os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
        SpecServer(plugin_options).start_io(sys.stdin.buffer, to_editor)
