"""Many plugins, installed as others install theirs, for benchmarks of what they cost."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

MODULE = "import time\nopen(__file__ + '.imported', 'a').close()\ntime.sleep(0.1)\n"
"""A plugin that takes a tenth of a second to import, and leaves a note that it was."""


def install(count: int, folder: Path) -> None:
    """Write ``count`` distributions, each with one plugin, into a new folder for the import path."""
    folder.mkdir()
    for i in range(count):
        name = f"many{i:03}"
        (folder / f"{name}_plugin.py").write_text(MODULE, encoding="utf-8")
        info = folder / f"{name}-1.{i}.dist-info"
        info.mkdir()
        headers = f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.{i}\nRequires-Dist: mlpkit>=0.1\n"
        (info / "METADATA").write_text(headers + "\n" + "What it is good for.\n" * 200, encoding="utf-8")
        (info / "entry_points.txt").write_text(f"[mlpkit]\n{name} = {name}_plugin\n", encoding="utf-8")
