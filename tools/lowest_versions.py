"""Prints pip constraints that pin each dependency to the lowest version that pyproject.toml allows.

    python tools/lowest_versions.py [EXTRA...]

The dependencies are those of mlpkit itself and of the named extras.
"""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path

PYPROJECT = Path(__file__).parents[1] / "pyproject.toml"
BOUND = re.compile(r"(?P<name>[\w.-]+)>=(?P<version>[\w.]+)")


def main() -> None:
    """Print a line for each dependency that has a lowest version."""
    project = tomllib.loads(PYPROJECT.read_text(encoding="utf-8"))["project"]
    lines = list(project["dependencies"])
    for extra in sys.argv[1:]:
        lines += project["optional-dependencies"][extra]
    for bound in sorted(filter(None, map(BOUND.fullmatch, lines)), key=lambda bound: bound["name"]):
        print(f"{bound['name']}=={bound['version']}")


if __name__ == "__main__":
    main()
