"""Examines a plugin's package: installs it, asks mlpkit about it, runs the conformance checks and its own tests.

Each step is a process of its own with a time limit, so that a plugin that crashes, hangs or prints anything is reported
like any other.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import venv
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ABOUT = """
import json, sys
from importlib.metadata import metadata
about = metadata(sys.argv[1])
urls = dict(url.split(", ", 1) for url in about.get_all("Project-URL") or [])
print(json.dumps({"summary": about["Summary"] or "", "source": urls.get("Source") or about["Home-page"] or ""}))
"""
"""Prints what a package's metadata tells; run by the environment's interpreter."""


@dataclass
class Report:
    """What is known about a plugin.

    Args:
        listed: how the list names it.
        package: its distribution.
        version: the distribution's version.
        summary: the distribution's summary.
        source: the address of its repository.
        components: names of its components by kind.
        checks: the number of conformance checks that were run.
        failed: the number of those that failed.
        documents: what ``check-plugin --json`` printed.
        suite: the last line of its own tests.
        problems: what is wrong; empty if nothing is.
        known: the mlpkit with which it fails, too; empty if it doesn't, or if that isn't known.
    """

    listed: str
    package: str = ""
    version: str = ""
    summary: str = ""
    source: str = ""
    components: dict[str, list[str]] = field(default_factory=dict)
    checks: int = 0
    failed: int = 0
    documents: list[dict[str, Any]] = field(default_factory=list)
    suite: str = ""
    problems: list[str] = field(default_factory=list)
    known: str = ""


def new_environment(folder: Path) -> Path:
    """Make a virtual environment, and return its interpreter."""
    venv.create(folder, with_pip=False, symlinks=True)
    return folder / "bin" / "python"


def examine(listed: str, mlpkit: str, folder: Path, seconds: float) -> Report:
    """Install a plugin beside an mlpkit, and return all that is known about it.

    Args:
        listed: a folder, or a package on the index.
        mlpkit: an argument of pip.
        folder: a new folder for everything that is written.
        seconds: the time limit of each step.
    """
    report = Report(listed)
    python = new_environment(folder / "venv")
    pip = [sys.executable, "-m", "pip", "--python", str(python), "--quiet", "--disable-pip-version-check"]
    source = folder / "source"
    if Path(listed).is_dir():
        shutil.copytree(listed, source, ignore=shutil.ignore_patterns(".venv", "build", "dist", "runs", "*.egg-info"))
    else:
        fetch = [*pip, "download", "--no-deps", "--no-binary", listed, "--dest", str(folder / "sdist"), listed]
        if _done(report, "can't be fetched", fetch, folder, seconds) is None:
            return report
        (archive,) = (folder / "sdist").iterdir()
        shutil.unpack_archive(archive, folder / "unpacked", filter="data")
        (unpacked,) = (folder / "unpacked").iterdir()
        unpacked.rename(source)
    if _done(report, "can't be installed", [*pip, "install", mlpkit, f"{source}[test]"], folder, seconds) is None:
        return report
    describe(report, python, folder, seconds)
    done = _done(report, "its tests fail", [str(python), "-P", "-m", "pytest", "-q"], source, seconds)
    report.suite = "failed" if done is None else _last_line(done)
    return report


def describe(report: Report, python: Path, folder: Path, seconds: float, package: str = "") -> None:
    """Add what mlpkit knows of a plugin that is installed, and the results of its checks.

    Args:
        report: what is added to.
        python: the environment's interpreter.
        folder: the working folder.
        seconds: the time limit of each step.
        package: the distribution; by default any but mlpkit.
    """
    mlpkit = [str(python), "-P", "-m", "mlpkit"]
    listing = _done(report, "mlpkit can't list it", [*mlpkit, "plugins", "--json"], folder, seconds)
    plugins = [
        plugin
        for plugin in _documents(listing or "", "namespace")
        if (plugin["source"] == package if package else plugin["source"] != "mlpkit")
    ]
    if listing is not None and not plugins:
        report.problems.append("mlpkit finds no plugin in it")
    for plugin in plugins:
        report.package, report.version = plugin["source"], plugin["version"]
        for kind, names in plugin["components"].items():
            report.components.setdefault(kind, []).extend(names)
        if plugin["status"] != "loaded":
            report.problems.append(f"is {plugin['status']}: {plugin['reason']}")
            continue
        checked = _run([*mlpkit, "check-plugin", plugin["namespace"], "--json"], folder, seconds)
        documents = _documents(checked.stdout, "checks")
        failed = [f"{each['name']} fails {failed['check']}" for each in documents for failed in each["failed"]]
        report.documents += documents
        report.checks += sum(each["checks"] for each in documents)
        report.failed += len(failed)
        report.problems += failed
        if checked.returncode and not failed:
            report.problems.append(f"check-plugin ended with {checked.returncode}: {_last_line(checked.stderr)}")
    if report.package:
        about = _done(report, "has no metadata", [str(python), "-P", "-c", ABOUT, report.package], folder, seconds)
        vars(report).update(json.loads(about) if about else {})


def _done(report: Report, problem: str, command: list[str], folder: Path, seconds: float) -> str | None:
    """Return what a command prints; if it fails, add the problem and return None."""
    process = _run(command, folder, seconds)
    if process.returncode == 0:
        return process.stdout
    report.problems.append(f"{problem}: {_last_line(process.stdout + process.stderr)}")
    return None


def _run(command: list[str], folder: Path, seconds: float) -> subprocess.CompletedProcess[str]:
    """Run a command, and end it with all its children after some seconds."""
    process = subprocess.Popen(
        command,
        cwd=folder,
        env={**os.environ, "NO_COLOR": "1", "PYTHONUTF8": "1"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        errors="replace",
        start_new_session=True,
    )
    try:
        output, errors = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        output, errors = process.communicate()
        errors += f"\nended after {seconds:g} s"
    return subprocess.CompletedProcess(command, process.returncode, output, errors)


def _documents(output: str, key: str) -> list[dict[str, Any]]:
    """Return the JSON objects with a key that a command printed; a plugin may have printed more."""
    found = []
    for line in output.splitlines():
        with suppress(ValueError):
            document = json.loads(line)
            if isinstance(document, dict) and key in document:
                found.append(document)
    return found


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1][:300] if lines else "no output"
