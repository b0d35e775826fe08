"""What a page is made of, as HTML: sections, texts, tables, pictures."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Collection, Mapping, Sequence
from html import escape
from io import BytesIO
from typing import Any

from mlpkit.array import Array
from mlpkit.errors import UsageError


def section(title: str, *parts: str) -> str:
    """Return parts of a page under a heading."""
    name = "".join(c if c.isalnum() else "-" for c in title.lower())
    inside = "\n".join(parts)
    return f'<section aria-labelledby="{name}">\n<h2 id="{name}">{escape(title)}</h2>\n{inside}\n</section>'


def heading(text: str) -> str:
    """Return a heading within a section."""
    return f"<h3>{escape(text)}</h3>"


def paragraph(text: str) -> str:
    """Return a paragraph."""
    return f"<p>{escape(text)}</p>"


def preformatted(text: str) -> str:
    """Return lines as they are, such as a spec or commands."""
    return f'<pre tabindex="0">{escape(text)}</pre>'


def formula(text: str) -> str:
    """Return lines of mathematics, set off from the text."""
    return f'<p class="formula">{escape(text)}</p>'


def beside(*inside: str, least: float = 24) -> str:
    """Return parts side by side, as many as there is room for; ``least`` is the least width of each, in rem."""
    joined = "\n".join(inside)
    return f'<div class="charts" style="--least: {least}rem">{joined}</div>'


def folded(title: str, *parts: str) -> str:
    """Return parts that are shown once a person opens them."""
    inside = "\n".join(parts)
    return f"<details><summary>{escape(title)}</summary>\n{inside}\n</details>"


def table(
    headings: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    caption: str = "",
    texts: Collection[int] = (),
    marked: int | None = None,
    sortable: bool = False,
    values: Sequence[Sequence[Any]] | None = None,
) -> str:
    """Return a table.

    Args:
        texts: positions of the columns that hold texts; the rest hold numbers.
        marked: position of a row to highlight.
        sortable: whether a press on a heading sorts the rows.
        values: what the rows are sorted by, cell by cell, in place of what is shown; None for a cell that is last.
    """
    kinds = ["text" if i in texts else "" for i in range(len(headings))]
    name = caption or ", ".join(headings)
    title = f"<caption>{escape(caption)}</caption>" if caption else ""
    above = "".join(
        _element("th", text, {"scope": "col", "class": kind}) for kind, text in zip(kinds, headings, strict=True)
    )
    body = "".join(
        _row(row, kinds, values[i] if values else None, "marked" if i == marked else "") for i, row in enumerate(rows)
    )
    kind = ' class="sortable"' if sortable else ""
    return (
        f'<div class="wide" tabindex="0" role="region" aria-label="{escape(name)}"><table{kind}>{title}'
        f"<thead><tr>{above}</tr></thead>\n<tbody>{body}</tbody></table></div>"
    )


def _row(row: Sequence[str], kinds: Sequence[str], keys: Sequence[Any] | None, kind: str) -> str:
    """Return a row of a table; ``keys`` are what it is sorted by, if that is not what its cells show."""
    sorted_by = [{}] * len(row) if keys is None else [{"data-value": "" if key is None else str(key)} for key in keys]
    cells = (
        _element("td", cell, {"class": kind, **key}) for cell, kind, key in zip(row, kinds, sorted_by, strict=True)
    )
    return f"<tr{_attributes({'class': kind})}>{''.join(cells)}</tr>\n"


def _element(tag: str, text: str, attributes: Mapping[str, str]) -> str:
    return f"<{tag}{_attributes(attributes)}>{escape(text)}</{tag}>"


def _attributes(values: Mapping[str, str]) -> str:
    """Write attributes; an empty class is left out."""
    return "".join(f' {name}="{escape(value)}"' for name, value in values.items() if value or name != "class")


def pictures(images: Sequence[Array], captions: Sequence[str], *, least: float = 6.5) -> str:
    """Return arrays of bytes, (height, width) or (height, width, colours), as captioned images side by side."""
    shown = (
        f'<figure><img src="{_data_address(image)}" alt=""><figcaption>{escape(caption)}</figcaption></figure>'
        for image, caption in zip(images, captions, strict=True)
    )
    return f'<div class="pictures" style="--least: {least}rem">{"".join(shown)}</div>'


def _data_address(image: Array) -> str:
    try:
        from PIL import Image  # noqa: PLC0415 - an extra
    except ImportError as error:
        msg = 'pictures on a page need Pillow; install it with: pip install "mlpkit[plot]"'
        raise UsageError(msg) from error
    content = BytesIO()
    Image.fromarray(image).save(content, "PNG", optimize=True)
    return f"data:image/png;base64,{b64encode(content.getvalue()).decode()}"
