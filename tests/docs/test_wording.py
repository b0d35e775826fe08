"""Plain words: phrases and names that readers stumbled over stay out of pages, and of code where it is asked for."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest
from documentation_pages import FROM_CODE

CODE_TOO = True
"""Whether code is held to it as well: modules, messages, docstrings, comments, and what pages show of them."""

ROOT = Path(__file__).parents[2]

PAGES = ("*.md", "docs/**/*.md", "benchmarks/*.md", "plugins/**/*.md", "specs/**/*.md")
CODE = tuple(
    f"{folder}/**/*.{ending}"
    for folder in ("mlpkit", "plugins", "tests", "docs", "benchmarks", "specs")
    for ending in ("py", "c", "h", "template")
)

PHRASES = {
    r"\b(?:is|are|was|were) none\b": "say what there is, or 'has no ...'",
    r"\b(?:is|are|was|were|be|being|been) told\b": "say who says it: 'mlpkit says', 'the error names'",
    r"\b[Aa]new\b": "again, or from scratch",
    r"\b[Ww]hoever\b": "you, users, or an active sentence",
    r"\b[Nn]obody\b": "an active sentence",
    r"\bothers then\b": "different",
    r"\bis no row\b": "isn't a row",
    r"\b(?:come|comes|came) to (?:its|their|an) end\b": "ends, or finished",
    r"\bof no use\b": "unused, or not needed",
    r"\b[Ww]here there (?:is|are)\b": "if there is",
    r"\b[Ll]ikewise\b": "also, or the same",
    r"\bprocess(?:es)? apart\b": "a subprocess",
    r"\bbegins? at nothing\b": "starts empty",
    r"\bas a rule\b": "usually, or most",
    r"\bis warned of\b": "mlpkit warns",
}
"""Each phrase, and what to say in its place."""

REPLACED_NAMES = Path(__file__).with_name("replaced_names.txt")
"""A line for each name that was replaced: that name, and the better one."""

NAMES = dict(line.split() for line in REPLACED_NAMES.read_text("utf-8").splitlines())

WRITTEN_BY_CODE = re.compile(r"<!-- generated: .*?<!-- end -->|^```.*?^```$", re.M | re.S)


def words_of(path: Path) -> str:
    """Return what a file says in words of its own."""
    text = path.read_text("utf-8")
    return text if CODE_TOO or path.suffix != ".md" else WRITTEN_BY_CODE.sub("", text)


@cache
def texts() -> dict[Path, str]:
    """Return what the files that are held to plain words say, but for this one and pages that come from code."""
    patterns = PAGES + CODE if CODE_TOO else PAGES
    files = {path for pattern in patterns for path in ROOT.glob(pattern)} - {Path(__file__).resolve(), *FROM_CODE}
    return {path: words_of(path) for path in sorted(files)}


def places(pattern: str) -> list[str]:
    """Return each line in which a pattern occurs, a phrase broken over two lines too."""
    spread = re.compile(pattern.replace(" ", r"\s+(?:[#>*] )?"))
    return [
        f"{path.relative_to(ROOT)}:{text.count(chr(10), 0, found.start()) + 1}: {found[0]}"
        for path, text in texts().items()
        for found in spread.finditer(text)
    ]


def test_there_are_pages_to_read():
    assert {ROOT / "README.md", ROOT / "docs/spec.md", ROOT / "docs/components/layer.md"} <= texts().keys()


@pytest.mark.parametrize(("phrase", "better"), PHRASES.items())
def test_plain_words(phrase, better):
    assert places(phrase) == [], f"write instead: {better}"


@pytest.mark.parametrize(("name", "better"), NAMES.items())
def test_names_of_the_field(name, better):
    assert places(rf"\b{name}\b") == [], f"it is called {better}"
