"""The page of a plugin's components in Markdown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlpkit.components.kinds import KINDS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from mlpkit.verbs.ask.show import ShownComponent


def page(components: Sequence[ShownComponent]) -> str:
    """Return a page with a section for each component."""
    return "\n\n".join(part for component in components for part in _section(component))


def _section(shown: ShownComponent) -> Iterator[str]:
    yield f"## {shown.name} ({shown.kind})"
    if shown.deprecated:
        yield f"**Deprecated:** {shown.deprecated}"
    yield shown.docstring.summary
    if shown.docstring.body:
        yield shown.docstring.body  # its indented lines are code in Markdown, too
    if shown.parameters:
        rows = [("parameter", "type", "default", "meaning"), ("---",) * 4]
        rows += [(f"`{p.name}`", p.type, f"`{p.default_in_words}`", p.meaning) for p in shown.parameters]
        yield "\n".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |" for row in rows)
    language = "sh" if KINDS[shown.kind].command else "yaml"
    yield f"{shown.place_of_example}\n\n```{language}\n{shown.example}\n```"
    for remark in shown.remarks():
        yield "\n".join(f"- {sentence}" for sentence in remark) if len(remark) > 1 else remark[0]
    yield f"From {shown.source}."
