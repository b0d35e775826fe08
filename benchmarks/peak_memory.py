"""Runs a command and prints the most memory, in bytes, that it held at once.

    python benchmarks/peak_memory.py COMMAND ...

A process of its own, and a small one: a command counts the memory of the process that started it as well.
"""

from __future__ import annotations

import os
import subprocess
import sys


def main() -> None:
    """Run the command, its output thrown away, and end as it ended."""
    process = subprocess.Popen(sys.argv[1:], stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    print(usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024))
    sys.exit(process.returncode)


if __name__ == "__main__":
    main()
