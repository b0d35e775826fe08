"""Times what two hundred installed plugins cost a spec that uses none of them.

    python benchmarks/many_plugins.py [--json] [--runs 11] [--plugins 200]

The plugins lie in a temporary folder on the import path, each with metadata, and a module that takes a tenth of a
second to import and leaves a note that it was. Whole processes with and without that folder take turns. The report
shows the median over the rounds of the difference within a round.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from machine import heading, machine

ROOT = Path(__file__).parents[1]
SPEC = str(ROOT / "specs" / "mnist_3layer.yaml")
PROGRAM = [sys.executable, "-m", "mlpkit"]
SHORT = ["--quiet", "--set", "training.iterations=1", "--set", "training.evaluate_every=1"]
COMMANDS = {
    "mlpkit --help": ["--help"],
    "mlpkit check": ["check", SPEC],
    "mlpkit run": ["run", SPEC, "--no-report", *SHORT],
}
LIMITS = {"mlpkit --help": 0.050, "mlpkit run": 0.060}
"""Seconds more that all the plugins together may cost."""

MODULE = "import time\nopen(__file__ + '.imported', 'a').close()\ntime.sleep(0.1)\n"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--runs", type=int, default=11, help="rounds")
    parser.add_argument("--plugins", type=int, default=200, help="how many are installed")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        install(options.plugins, folder / "site")
        seconds = {name: compare(command, folder, options.runs) for name, command in COMMANDS.items()}
        imported = len(list((folder / "site").glob("*.imported")))
    if options.json:
        print(json.dumps({"machine": machine(), "seconds": seconds, "imported": imported}, indent=2))
        return
    print(heading(machine()))
    for command, figures in seconds.items():
        limit = LIMITS.get(command)
        verdict = f"limit {limit:.3f} s   {'met' if figures['more'] <= limit else 'MISSED'}" if limit else ""
        print(f"{command:<14} {figures['without']:6.3f} s   with {options.plugins} plugins", end="")
        print(f" {figures['more']:+.3f} s   {verdict}".rstrip())
    print(f"{imported} of them were imported")


def install(count: int, folder: Path) -> None:
    """Write so many distributions, each with one plugin."""
    folder.mkdir()
    for i in range(count):
        name = f"many{i:03}"
        (folder / f"{name}_plugin.py").write_text(MODULE, encoding="utf-8")
        info = folder / f"{name}-1.{i}.dist-info"
        info.mkdir()
        headers = f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.{i}\nRequires-Dist: mlpkit>=0.1\n"
        (info / "METADATA").write_text(headers + "\n" + "What it is good for.\n" * 200, encoding="utf-8")
        (info / "entry_points.txt").write_text(f"[mlpkit]\n{name} = {name}_plugin\n", encoding="utf-8")


def compare(command: list[str], folder: Path, runs: int) -> dict[str, float]:
    """Return the median seconds of a command without the plugins, and how much more it takes with them.

    Args:
        command: arguments of the program.
        folder: holds the plugins in ``site``; run folders go there too.
        runs: rounds; one more, before them, fills caches.
    """
    without, more = [], []
    for i in range(runs + 1):
        first = whole_process(command, folder, None)
        second = whole_process(command, folder, folder / "site")
        if i:
            without.append(first)
            more.append(second - first)
    return {"without": statistics.median(without), "more": statistics.median(more)}


def whole_process(command: list[str], folder: Path, path: Path | None) -> float:
    """Return the seconds from a process's start to its end.

    Args:
        command: arguments of the program.
        folder: where it runs.
        path: a folder to put on its import path.
    """
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    environment |= {"PYTHONPATH": str(path)} if path else {}
    with tempfile.TemporaryDirectory(dir=folder) as out:
        where = ["--out", f"{out}/run"] if command[0] == "run" else []
        began = time.perf_counter()
        subprocess.run([*PROGRAM, *command, *where], check=True, stdout=subprocess.DEVNULL, cwd=folder, env=environment)
        return time.perf_counter() - began


if __name__ == "__main__":
    main()
