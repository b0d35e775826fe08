"""Sets the version of this tree, and moves the fragments of ``changelog.d`` into the changelog.

    python tools/prepare_release.py 0.2.0

Needs the package towncrier. The first version's heading is in the changelog already; it gets the date.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
PLACES = {
    "pyproject.toml": r'^version = "(.*)"$',
    "mlpkit/version.py": r'^VERSION: Final = "(.*)"$',
    "CITATION.cff": r"^version: (.*)$",
}
"""The files with the version, and its line in each."""


def main(arguments: list[str]) -> int:
    """Prepare the version that the only argument names, and return the exit code."""
    if len(arguments) != 1 or not re.fullmatch(r"\d+\.\d+\.\d+", arguments[0]):
        print(__doc__, file=sys.stderr)
        return 2
    (version,) = arguments
    for name, line in PLACES.items():
        path = ROOT / name
        text = path.read_text(encoding="utf-8")
        found = re.search(line, text, re.MULTILINE)
        assert found, f"{name} has no line {line}"
        path.write_text(text[: found.start(1)] + version + text[found.end(1) :], encoding="utf-8")
    towncrier = [sys.executable, "-m", "towncrier", "build", "--yes", "--version", version, "--dir", str(ROOT)]
    subprocess.run(towncrier, check=True)
    changelog = ROOT / "CHANGELOG.md"
    text = changelog.read_text(encoding="utf-8")
    changelog.write_text(text.replace(f"## {version} (unreleased)\n\n", ""), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
