"""The pages of the documentation: those written by hand, and those that come from code."""

from __future__ import annotations

import subprocess
import sys
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

DOCS = Path(__file__).parents[2] / "docs"
if str(DOCS) not in sys.path:
    sys.path.insert(0, str(DOCS))  # as `python docs/generate.py` has it

from generated_pages import PAGES

FROM_CODE = [DOCS / name for name in PAGES]
"""Pages that git ignores, whether they have been written here or not."""
BY_HAND = sorted(set(DOCS.rglob("*.md")) - set(FROM_CODE))


@cache
def text_of(page: Path) -> str:
    """Return what a page says; of one that comes from code, what it would say if it were written now."""
    return _written_now()[page] if page in FROM_CODE else page.read_text("utf-8")


@cache
def _written_now() -> dict[Path, str]:
    with TemporaryDirectory() as folder:
        subprocess.run([sys.executable, str(DOCS / "generated_pages.py"), "--to", folder], check=True)
        return {page: Path(folder, page.name).read_text("utf-8") for page in FROM_CODE}
