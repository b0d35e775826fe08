"""Golden files: what a program says, word for word, beside the test that makes it say so."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def compare_or_renew(path: Path, text: str, *, renew: bool) -> None:
    """Compare a text with a golden file, which need not exist yet, or write it.

    Args:
        path: the golden file.
        text: what was said.
        renew: whether to write the file.
    """
    expected = path.read_text("utf-8") if path.exists() else ""
    if renew and text != expected:
        path.write_text(text, encoding="utf-8")
    elif not renew:
        assert text == expected, f"{path.name} says something else; if the new text is right: pytest --renew-golden"
