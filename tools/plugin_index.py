"""Writes the index of plugins: a page, and a badge for each.

    python tools/plugin_index.py FOLDER [REPORTS]

The page lists the packages named ``*-mlpkit`` that are installed beside this mlpkit, and those of REPORTS, the file
``plugins.json`` that ``tools/downstream.py`` writes.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Sequence
from html import escape
from importlib.metadata import entry_points
from pathlib import Path
from tempfile import TemporaryDirectory

from plugin_badge import badge
from plugin_report import Report, describe

SUFFIX = "-mlpkit"
NAME = re.compile(r"[\w.-]+", re.ASCII)
"""A distribution's name."""
SECONDS = 600
"""The time limit of a command that examines a plugin."""
PAGE = """\
<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Plugins for mlpkit</title>
<style>
body {{ font: 16px/1.5 system-ui, sans-serif; margin: 2em auto; max-width: 70em; padding: 0 1em }}
table {{ border-collapse: collapse }}
td, th {{ border-bottom: 1px solid #888; padding: .4em .8em .4em 0; text-align: left; vertical-align: top }}
</style>
<h1>Plugins for mlpkit</h1>
<p>Packages that provide components. mlpkit ran its conformance checks on each, and the plugin's own tests.</p>
<table>
<thead><tr><th>package<th>components<th>checks<th>own tests<th>problems</thead>
<tbody>
{rows}
</tbody>
</table>
</html>
"""


def write_index(folder: Path, reports: Sequence[Report]) -> None:
    """Write the page, and the badges, into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = []
    for report in sorted(reports, key=lambda each: each.package or each.listed):
        if NAME.fullmatch(report.package):
            (folder / f"{report.package}.svg").write_text(badge(report.documents), encoding="utf-8")
        rows.append(_row(report))
    (folder / "index.html").write_text(PAGE.format(rows="\n".join(rows)), encoding="utf-8")


def _row(report: Report) -> str:
    title = escape(f"{report.package} {report.version}".strip() or report.listed)
    if report.source.startswith("https://"):
        title = f'<a href="{escape(report.source)}">{title}</a>'
    kinds = "<br>".join(escape(f"{kind}: {', '.join(names)}") for kind, names in report.components.items())
    image = f'<img src="{report.package}.svg" alt="{_checks(report)}">' if NAME.fullmatch(report.package) else "none"
    problems = "<br>".join(map(escape, report.problems))
    known = f"<br>the same with {escape(report.known)}" if report.known else ""
    return (
        f"<tr><td>{title}<br>{escape(report.summary)}<td>{kinds}<td>{image}"
        f"<td>{escape(report.suite) or 'not run'}<td>{problems or 'none'}{known}"
    )


def _checks(report: Report) -> str:
    if not report.documents:
        return "broken"
    return f"{report.failed} of {report.checks} failed" if report.failed else f"{report.checks} passed"


def installed(listed: Sequence[str]) -> list[Report]:
    """Return a report on each package of this environment whose name ends as a plugin's does.

    Args:
        listed: packages that are left out.
    """
    names = {entry.dist.name for entry in entry_points(group="mlpkit") if entry.dist is not None}
    reports = []
    for name in sorted(name for name in names if name.endswith(SUFFIX) and name not in listed):
        report = Report(name)
        with TemporaryDirectory() as folder:
            describe(report, Path(sys.executable), Path(folder), SECONDS, package=name)
        reports.append(report)
    return reports


def main(arguments: list[str]) -> int:
    """Write the index, and return the exit code."""
    if len(arguments) not in (1, 2):
        print(__doc__, file=sys.stderr)
        return 2
    text = Path(arguments[1]).read_text(encoding="utf-8") if len(arguments) == 2 else "[]"
    reports = [Report(**report) for report in json.loads(text)]
    write_index(Path(arguments[0]), reports + installed([report.package for report in reports]))
    print(Path(arguments[0], "index.html"))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
