"""Measures what an installation brings along: packages and megabytes, for mlpkit and for other libraries.

    python benchmarks/install_size.py [--json] [NAME...]

Each library is installed from wheels, without their dependencies' extras, into a new folder, which is then removed;
`mlpkit` is the wheel of this tree. Megabytes are those of the files, without compiled bytecode. A library that has no
wheels for this Python is named with pip's last line. Needs a package index or a warm cache of pip.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from importlib import metadata
from pathlib import Path

from report import add_names, parser_of, print_report

ROOT = str(Path(__file__).parents[1])
LIBRARIES = {
    "numpy": ["numpy"],
    "mlpkit": [ROOT],
    "scikit-learn": ["scikit-learn"],
    "torch": ["torch"],
    "keras on jax": ["keras", "jax"],
    "keras on tensorflow": ["keras", "tensorflow-cpu"],
    "ludwig": ["ludwig"],
}
"""What pip installs for each."""


def main() -> None:
    """Measure and print."""
    parser = parser_of(__doc__)
    add_names(parser, "names", LIBRARIES)
    options = parser.parse_args()
    sizes = {name: installed(LIBRARIES[name]) for name in options.names}
    shown = "{packages:4} packages  {megabytes:8.1f} MB   {version}"
    lines = [f"{name:<20} {size.get('error') or shown.format(**size)}" for name, size in sizes.items()]
    print_report(options, sizes, lines)


def installed(requirements: list[str]) -> dict[str, int | float | str]:
    """Install into a new folder, and return the number of packages, their megabytes, and the first one's version."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-compile", "--target", folder]
        done = subprocess.run([*command, *requirements], capture_output=True, text=True, check=False)
        if done.returncode:
            return {"error": done.stderr.strip().rpartition("\n")[2]}
        found = list(metadata.distributions(path=[folder]))
        size = sum(path.stat().st_size for path in Path(folder).rglob("*") if path.is_file() and not path.is_symlink())
        name = "mlpkit" if requirements == [ROOT] else requirements[0]
        (version,) = {each.version for each in found if each.name.lower() == name}
        return {"packages": len(found), "megabytes": round(size / 1e6, 1), "version": version}


if __name__ == "__main__":
    main()
