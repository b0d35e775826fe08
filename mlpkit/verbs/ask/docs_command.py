"""``mlpkit docs``: open the documentation in a browser."""

from __future__ import annotations

import re
import webbrowser
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from mlpkit.cli import completion, options
from mlpkit.terminal.output import message, result

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

GUIDE_FOR_AGENTS: Final = Path(__file__).with_name("agent.md")
COMMENT: Final = re.compile(r"^<!-- .* -->\n", re.M)
"""A line for the tests of pages."""


def _complete_page(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Offer the names of the documentation's pages."""
    from mlpkit.verbs.ask.documentation import shipped_pages  # noqa: PLC0415 - loads what writes pages

    return completion.items([path.stem for path in shipped_pages()], incomplete)


@options.verb("docs")
@click.argument("page", metavar="[PAGE]", default="README", shell_complete=_complete_page)
@click.option("--print", "printed", is_flag=True, help="Print the address without opening it.")
@click.option("--offline", is_flag=True, help="Build the pages from the installed files, even if there is a site.")
@click.option("--agent", is_flag=True, help="Print a guide for coding agents.")
def command(page: str, printed: bool, offline: bool, agent: bool) -> None:
    """Open the documentation in a browser.

    PAGE is the name of a page, such as spec, training or layer; the default is the index. The pages are those of the
    installed version; they come with mlpkit and need no network. With --agent, prints Markdown that can be saved as a
    skill.
    """
    if agent:
        result(COMMENT.sub("", GUIDE_FOR_AGENTS.read_text("utf-8")).rstrip())
        return
    from mlpkit.verbs.ask.documentation import documentation  # noqa: PLC0415 - loads what writes pages

    address = documentation(page, shipped=offline)
    result(address)
    if not printed and not webbrowser.open(address):
        message("note: no browser was found; open this address in one")
