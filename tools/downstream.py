"""Runs the suites of listed plugins against an mlpkit, before it is released.

    python tools/downstream.py MLPKIT [--before MLPKIT] [--list FILE] [--out FOLDER] [--minutes 10]

MLPKIT is what pip installs: a wheel, or ``mlpkit==0.1.0``. Each plugin gets an environment of its own. The folder gets
``plugins.json``, from which ``tools/plugin_index.py`` writes a page. The exit code is 1 if a plugin fails that passes
with the mlpkit of ``--before``; one that fails with both is reported.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory

from plugin_report import Report, examine

ROOT = Path(__file__).parents[1]


def listed(path: Path) -> Iterator[str]:
    """Yield the plugins of a list: one a line, a package on the index, or a pattern of folders relative to the list."""
    for line in path.read_text(encoding="utf-8").splitlines():
        entry = line.partition("#")[0].strip()
        if "/" in entry:
            yield from sorted(str(project.parent) for project in path.parent.glob(f"{entry}/pyproject.toml"))
        elif entry:
            yield entry


def report_on(plugin: str, mlpkit: str, before: str | None, seconds: float) -> Report:
    """Examine a plugin; if something is wrong with it, also with the version before."""
    report = _examined(plugin, mlpkit, seconds)
    if report.problems and before and _examined(plugin, before, seconds).problems:
        report.known = before
    return report


def _examined(plugin: str, mlpkit: str, seconds: float) -> Report:
    with TemporaryDirectory() as folder:
        try:
            return examine(plugin, mlpkit, Path(folder), seconds)
        except Exception as error:  # a package may be damaged in any way; the others are still examined
            return Report(plugin, problems=[f"can't be examined: {type(error).__name__}: {error}"])


def main(arguments: list[str]) -> int:
    """Examine all plugins, and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("mlpkit", help="what pip installs: a wheel, or a requirement")
    parser.add_argument("--before", help="the version before: what fails with it, too, doesn't count")
    parser.add_argument("--list", type=Path, default=ROOT / "plugins/listed.txt", help="a file with a plugin a line")
    parser.add_argument("--out", type=Path, default=ROOT / "build/plugins", help="where plugins.json goes")
    parser.add_argument("--minutes", type=float, default=10, help="the time limit of each step")
    options = parser.parse_args(arguments)
    reports = []
    for plugin in listed(options.list):
        report = report_on(plugin, options.mlpkit, options.before, options.minutes * 60)
        reports.append(report)
        verdict = f"failed, as with {report.known}" if report.known else "FAILED" if report.problems else "passed"
        print(f"{report.package or plugin} {report.version}: {verdict}; {report.checks} checks; tests: {report.suite}")
        for problem in report.problems:
            print(f"  {problem}")
        sys.stdout.flush()
    options.out.mkdir(parents=True, exist_ok=True)
    text = json.dumps([asdict(report) for report in reports], indent=2)
    (options.out / "plugins.json").write_text(text + "\n", encoding="utf-8")
    failed = sum(bool(report.problems) and not report.known for report in reports)
    print(f"{len(reports) - failed} passed, {failed} failed")
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
