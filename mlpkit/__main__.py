"""``python -m mlpkit`` is the program ``mlpkit``."""

from __future__ import annotations

from mlpkit.cli.main import main

if __name__ == "__main__":
    main()
