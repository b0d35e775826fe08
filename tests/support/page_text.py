"""What a page says: its text, its tables with what rows are sorted by, and the data of its charts."""

from __future__ import annotations

import json
import re
from html import unescape

CHART = re.compile(r'<script type="application/json">(.*?)</script>', re.DOTALL)
UNREAD = re.compile(r"<(script|style|svg).*?</\1>", re.DOTALL)
CELL = re.compile(r'<t[hd](?P<is_text>[^>]*class="text")?(?:[^>]*data-value="(?P<value>[^"]*)")?[^>]*>(.*?)</t[hd]>')


def page_text(html, *, without=()):
    """Return the lines of a page, without the sections of some titles."""
    body = html[html.index("<main") :]
    for title in without:
        body = re.sub(rf"<section[^>]*>\s*<h2[^>]*>{title}</h2>.*?</section>", "", body, flags=re.DOTALL)
    body = UNREAD.sub("", CHART.sub(lambda found: f"\n{_chart(json.loads(found[1]))}\n", body))
    body = re.sub(r"(<tr.*?</tr>)", lambda found: _row(found[1]), body, flags=re.DOTALL)
    text = unescape(re.sub(r"<[^>]*>", "\n", body)).replace("\x00", "<")
    return "".join(f"{line.strip()}\n" for line in text.splitlines() if line.strip())


def _row(row):
    """Return a row as a line; a cell is followed by what it's sorted by, if that differs, and texts are in quotes."""
    cells = []
    for is_text, value, content in CELL.findall(row):
        shown = re.sub("<[^>]*>", "", content)
        key = f" ({_short(value)})" if value and value != shown else ""
        cells.append((f"'{shown}'" if is_text else shown) + key)
    return ("* " if 'class="marked"' in row else "") + " | ".join(cells)


def _short(text):
    try:
        return f"{float(text):.6g}"
    except ValueError:
        return text


def _chart(spec):
    """Return the titles of the axes of a chart, and its data, each row once."""
    lines = [f"chart: {spec.get('description', '')}"]

    def walk(node):
        channels = node.get("encoding", {}).items()
        titles = {key: each["title"] for key, each in channels if isinstance(each, dict) and each.get("title")}
        lines.extend([f"axes: {json.dumps(titles, sort_keys=True)}"] if titles else [])
        lines.extend(json.dumps(_rounded(each)) for each in node.get("data", {}).get("values", ()))
        for each in node.get("layer", ()):
            walk(each)

    walk(spec)
    return "\n".join(dict.fromkeys(lines)).replace("<", "\x00")


def _rounded(row):
    return {key: float(f"{value:.6g}") if isinstance(value, float) else value for key, value in row.items()}
