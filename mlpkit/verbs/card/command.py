"""``mlpkit card``: write a model card."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from mlpkit.cli import options
from mlpkit.terminal.output import document, result

if TYPE_CHECKING:
    from mlpkit.registry.discovery import PluginOptions


@options.verb("card")
@options.run_argument
@options.path_option("--out", metavar="FILE", help="The file to write; by default card.md in RUN.")
@options.path_option(
    "--about", metavar="FILE", help="A file with a section about, such as the spec, in place of the run's own."
)
@options.plugins_option
@options.json_option
def command(
    directory: Path, out: Path | None, about: Path | None, plugin_options: PluginOptions, as_json: bool
) -> None:
    """Write a model card: what it predicts, how well, and its limits.

    RUN is the folder of a finished run. The card is Markdown, with the metadata that the Hugging Face hub reads; a file
    next to it, card.json, has all facts and the file that each comes from. What only a person knows is in the section
    about of the spec, or an open question in the card.
    """
    from mlpkit.verbs.card.card import card_in_words, write_card  # noqa: PLC0415 - loads NumPy, which --help doesn't need

    file, questions = write_card(directory, out, about, plugin_options)
    if as_json:
        document({"out": file, "questions": questions})
    else:
        result(card_in_words(file, questions))
