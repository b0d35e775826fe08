"""The learning rates that ``tune-rate`` tries by default, for ``--help`` too, which loads no NumPy."""

from typing import Final

STEPS: Final = 240
LOWEST: Final = 1e-6
HIGHEST: Final = 100.0
