"""What the scripts of this folder share: the spec and the text of a script, and the page made from them."""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING

import mlpkit
from mlpkit.pages import parts
from mlpkit.pages.page import page

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

HERE = "specs/from_scratch"
"""Where commands in texts expect the folder."""
INTERRUPTED = 130
"""The exit code after Ctrl-C."""


class Lesson:
    """A script of this folder, with the spec and the text of the same name.

    Args:
        script: the script's file.
        settings: changes to every network of the page, as after ``--set``.
    """

    def __init__(self, script: Path, settings: Sequence[str] = ()) -> None:
        self.script = script
        self.spec_file = script.with_suffix(".yaml")
        self.settings = settings

    def spec(self, *changes: str) -> mlpkit.Spec:
        """Return the spec with some changes, as after ``--set``."""
        return mlpkit.load_spec(self.spec_file, overrides=[*changes, *self.settings])

    def train(self, *changes: str) -> mlpkit.Run:
        """Train the network of the spec with some changes."""
        return mlpkit.run(self.spec(*changes), quiet=True)

    def page(self, *figures: str) -> str:
        """Return the page: what it shows, the figures, what to notice, what to try next, and how it is made.

        Args:
            figures: sections that show the figures.
        """
        text = self.script.with_suffix(".md").read_text("utf-8")
        for file in (self.script, self.spec_file):
            text = text.replace(f"{HERE}/{file.name}", quote(str(file)))
        begin, *sections = re.split(r"^#+ (.+)\n", text, flags=re.MULTILINE)[1:]
        summary, *rest = sections
        headed = zip(rest[::2], rest[1::2], strict=True)
        changes = [parts.paragraph(f"Made with {' '.join(f'--set {each}' for each in self.settings)}")]
        return page(
            begin,
            [
                parts.section("What this page shows", *blocks(summary)),
                *figures,
                *(parts.section(heading, *blocks(body)) for heading, body in headed),
                parts.section(
                    "How it is made",
                    *(changes if self.settings else []),
                    parts.folded(f"The spec, {self.spec_file}", parts.preformatted(self.spec_file.read_text("utf-8"))),
                    parts.folded(f"The script, {self.script}", parts.preformatted(self.script.read_text("utf-8"))),
                ),
            ],
        )


def blocks(text: str) -> list[str]:
    """Convert paragraphs, formulas (fenced as ``text``) and commands of a Markdown text to parts of a page."""
    matches = re.findall(r"^```(\w+)\n(.*?)\n```$|^(\S.*?)(?=\n\n|\s*\Z)", text, re.MULTILINE | re.DOTALL)
    fenced = {"text": parts.formula, "sh": parts.preformatted}
    return [
        fenced[language](inside) if language else parts.paragraph(" ".join(words.split()))
        for language, inside, words in matches
    ]


def main(make: Callable[[Lesson], str]) -> None:
    """Write the page of the script that calls this.

    Args:
        make: returns the page.
    """
    script = Path(sys.argv[0])
    parser = argparse.ArgumentParser(description=f"Writes the page of {script.stem}.")
    parser.add_argument("--to", type=Path, default=Path(f"{script.stem}.html"), metavar="FILE", help="the page")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="a change to the spec")
    options = parser.parse_args()
    if not options.to.parent.is_dir():
        parser.error(f"argument --to: there is no folder {options.to.parent}")
    try:
        options.to.write_text(make(Lesson(script, options.set)), "utf-8")
    except (mlpkit.MlpkitError, OSError) as error:
        sys.exit(str(error))
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    sys.stdout.write(f"{options.to}\n")
