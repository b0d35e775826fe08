"""Pictures are small, say in words what they show, and load nothing from elsewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from documentation_pages import BY_HAND
from requirements import Optional

terminal = Optional("generators.terminal", "terminal")

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "docs/pictures"
PICTURES = sorted(path for path in FOLDER.rglob("*") if path.is_file())
PAGES = [ROOT / "README.md", ROOT / "specs/from_scratch/README.md", *BY_HAND]
SHOWN = [
    (found["alt"], (page.parent / found["file"]).resolve())
    for page in PAGES
    for found in re.finditer(r"!\[(?P<alt>[^\]]*)\]\((?P<file>[^)]+)\)", page.read_text("utf-8"))
]
MOST_BYTES = 200_000
LEAST_WORDS = 5


@pytest.mark.parametrize("picture", PICTURES, ids=lambda path: path.name)
def test_a_picture_is_small_and_shown(picture):
    assert picture.stat().st_size < MOST_BYTES
    assert picture in [file for _, file in SHOWN]


@pytest.mark.parametrize(("alt", "picture"), SHOWN, ids=lambda value: getattr(value, "name", ""))
def test_a_picture_is_described(alt, picture):
    assert picture in PICTURES
    assert len(alt.split()) >= LEAST_WORDS


@pytest.mark.parametrize("picture", [path for path in PICTURES if path.suffix == ".svg"], ids=lambda path: path.name)
def test_a_drawing_loads_nothing(picture):
    text = re.sub(r'xmlns(:\w+)?="[^"]*"|<!--.*?-->', "", picture.read_text("utf-8"), flags=re.DOTALL)
    assert not re.search(r"https?://|@import|url\((?!#)", text)


def test_a_picture_of_a_terminal_shows_what_a_command_prints(tmp_path):
    drawing = terminal(
        "printf '\\033[31mred\\033[0m plain\\n'; sleep 60", tmp_path, rows=4, columns=40, until="red plain"
    )
    words = re.findall(r"<text[^>]*>([^<]*)</text>", drawing)
    assert "red" in words
    assert words[words.index("red") + 1].startswith("&#160;plain")
    assert "@font-face" not in drawing
