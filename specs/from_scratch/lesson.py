"""What the scripts of this folder share: the spec beside a script, changed by ``--set``, and the page that it makes."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING

import mlpkit
from mlpkit.pages import parts
from mlpkit.pages.page import page

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence


class Lesson:
    """A script of this folder, and the spec of the same name.

    Args:
        script: the script's file; the spec stands beside it.
        settings: what changes every network of the page, as after ``--set``.
    """

    def __init__(self, script: Path, settings: Sequence[str] = ()) -> None:
        self.script = script
        self.file = script.with_suffix(".yaml")
        self.settings = settings

    def spec(self, *changes: str) -> mlpkit.Spec:
        """Return the spec with some changes, as after ``--set``."""
        return mlpkit.load_spec(self.file, overrides=[*changes, *self.settings])

    def train(self, *changes: str) -> mlpkit.Run:
        """Train the network of the spec with some changes."""
        return mlpkit.run(self.spec(*changes), quiet=True)

    def page(
        self,
        title: str,
        seen: str,
        figures: Sequence[str],
        *,
        notice: Sequence[str],
        experiments: Mapping[str, str],
        formula: str = "",
    ) -> str:
        """Return the page.

        Args:
            title: the heading.
            seen: a sentence that says what is to be seen.
            figures: the figures, as parts of the page.
            notice: what to look at, a paragraph each.
            experiments: what to try next: arguments of the script or of ``mlpkit run``, with what to watch.
            formula: what is computed.
        """
        tried = [
            part
            for change, watched in experiments.items()
            for part in (parts.paragraph(watched), parts.preformatted(self.command(change)))
        ]
        changed = [parts.paragraph(f"Made with --set {' --set '.join(self.settings)}.")] if self.settings else []
        return page(
            title,
            [
                parts.section(
                    "What is to be seen", parts.paragraph(seen), *([parts.formula(formula)] if formula else [])
                ),
                *figures,
                parts.section("What to notice", *map(parts.paragraph, notice)),
                parts.section("What to try next", *tried),
                parts.section(
                    "How it is made",
                    parts.paragraph(f"python {self.script} makes this page from the networks of {self.file}."),
                    *changed,
                    parts.folded("The spec", parts.preformatted(self.file.read_text("utf-8"))),
                    parts.folded("The script", parts.preformatted(self.script.read_text("utf-8"))),
                ),
            ],
        )

    def command(self, arguments: str) -> str:
        """Return a command that can be pasted: of ``mlpkit run``, if that is what the arguments begin with."""
        verb, _, rest = arguments.partition(" ")
        if verb == "run":
            return f"mlpkit run {quote(str(self.file))} {rest}"
        return f"python {quote(str(self.script))} {arguments}"


def main(make: Callable[[Lesson], str]) -> None:
    """Write the page of the script that calls this.

    Args:
        make: returns the page.
    """
    script = Path(sys.argv[0])
    parser = argparse.ArgumentParser(description=f"Writes the page of {script.stem}.")
    parser.add_argument("--to", type=Path, default=Path(f"{script.stem}.html"), metavar="FILE", help="the page")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="a change to the spec")
    given = parser.parse_args()
    try:
        text = make(Lesson(script, given.set))
        given.to.write_text(text, "utf-8")
    except (mlpkit.MlpkitError, OSError) as error:
        sys.exit(str(error))
    sys.stdout.write(f"{given.to}\n")
