"""The lines of a card on its page are those of the card of the page's run."""

from __future__ import annotations

import re

from documentation_pages import DOCS
from generators.marked_blocks import write_files

import mlpkit
from mlpkit.verbs.card.card import write_card

PAGE = (DOCS / "card.md").read_text("utf-8")


def without_numbers(text: str) -> list[str]:
    """Return the lines of a text, with ``#`` for digits after a point: processors may differ in the last."""
    return [re.sub(r"(?<=\.)\d+", "#", line) for line in text.splitlines() if line]


def test_the_page_shows_lines_of_the_card_in_their_order(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_files(PAGE, tmp_path)
    mlpkit.run(mlpkit.load_spec("loans.yaml"), directory="runs/loans")
    file, _ = write_card(tmp_path / "runs/loans", None, None, {"plugins": (), "blocked": ()})
    (shown,) = re.findall(r"```markdown\n(.*?)```", PAGE, re.DOTALL)
    lines = iter(without_numbers(file.read_text("utf-8")))
    assert [line for line in without_numbers(shown) if line not in lines] == []
