"""Plain words: phrases and names that readers stumbled over stay out of pages and code, or are rare."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest
from documentation_pages import FROM_CODE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

ROOT = Path(__file__).parents[2]

PAGES = ("*.md", "docs/**/*.md", "benchmarks/*.md", "mlpkit/verbs/**/*.md", "plugins/**/*.md", "specs/**/*.md")
CODE = tuple(
    f"{folder}/**/*.{ending}"
    for folder in ("mlpkit", "plugins", "tests", "docs", "benchmarks", "specs")
    for ending in ("py", "c", "h", "template")
)

PHRASES = {
    r"\b(?:is|are|was|were) none\b": "say what there is, or 'has no ...'",
    r"\b(?:is|are|was|were|be|being|been) told\b": "name who: 'mlpkit warns', 'the error names'",
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
    r"\b(?:what (?:came|comes) of|comes of it)\b": "the result of",
    r"\b(?:[Dd]o|[Dd]oes|[Dd]id|[Hh]ave) not\b": "don't, doesn't, didn't, haven't",
    r"\bput back\b": "restore",
    r"\bno longer certain\b": "no longer guaranteed",
}
"""Each phrase that is wrong nearly everywhere, and what to write instead."""

PRODUCT_PHRASES = {
    r"\bas (?:it|they) stands?\b": "unchanged",
    r"\b(?:do|does|doing) without\b": "disable, omit, or not need",
    r"\bthat there (?:is|are)\b": "leave it out",
    r"\b(?:is|are) to be\b": "must, or a plain verb",
}
"""The same in the pages for users and in ``PARTS``."""

TURNS = {
    r"\b(?:stands?|lies?)\b(?! for)": "is, or is in",
    r"\b[Tt]here (?:is|are) (?:none|no)\b": "has no ..., or unknown ...",
    r"(?<!there\s)\b(?:is|are) no (?!longer|more)": "isn't a ..., or has no ...",
    r"\bof (?:which|whom|whose)\b": "two sentences",
    r"\b(?:go|goes|going|gone|went) on\b": "continue, or resume",
    r"\bso many\b": "that many",
    r"\bof (?:its|their) own\b": "its own ..., or separate",
    r"\bapart\b(?! from)": "separate",
    r"\bas far as\b": "if, or where",
    r"\bbesides?\b": "and, or in addition to",
    r"\balike\b": "the same, or both",
    r"\b(?:the others|those (?:that|of|who|with))\b": "the noun again",
    r"\b(?:says?|said)\b": "sets, shows, names, or means",
    r"\blacks?\b": "has no, or is missing",
    r"\bbegins?\b": "start",
    r"\b(?:an)?other \w+ than\b": "different from",
}
"""Turns of phrase that are fine now and then, but soon too many; and what to write instead."""

MOST_TURNS = 3
"""Most of them in a thousand words."""

PARTS = ("mlpkit", "plugins")
"""The folders whose docstrings, comments and messages keep to ``MOST_TURNS``."""

REPLACED_NAMES = Path(__file__).with_name("replaced_names.txt")
"""A line for each name that was replaced: that name, and the better one."""

NAMES = dict(line.split() for line in REPLACED_NAMES.read_text("utf-8").splitlines())

COMMENT = re.compile(r"^(?:.*  )? *# (.+)$", re.M)


class Text(NamedTuple):
    """A text, and where it begins."""

    path: Path
    line: int
    words: str


@cache
def texts() -> tuple[Text, ...]:
    """Return all files that are held to plain words, but for this one and pages that come from code."""
    files = {path for pattern in PAGES + CODE for path in ROOT.glob(pattern)} - {Path(__file__).resolve(), *FROM_CODE}
    return tuple(Text(path, 1, path.read_text("utf-8")) for path in sorted(files))


def pages() -> Iterator[Text]:
    """Yield the pages for users."""
    mine = (ROOT / "README.md", *(ROOT / "docs").rglob("*.md"))
    return (text for text in texts() if text.path in mine)


@cache
def prose(folder: str) -> tuple[list[Text], list[Text]]:
    """Return the docstrings and comments of a folder, and its messages: other strings with a space."""
    docs: list[Text] = []
    messages: list[Text] = []
    for path, _, source in texts():
        if path.suffix != ".py" or not path.is_relative_to(ROOT / folder):
            continue
        tree = ast.parse(source)
        alone = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and " " in node.value:
                (docs if id(node) in alone else messages).append(Text(path, node.lineno, node.value))
        docs += [Text(path, 1 + source.count("\n", 0, m.start()), m[1]) for m in COMMENT.finditer(source)]
    return docs, messages


def places(pattern: str, among: Iterable[Text]) -> list[str]:
    """Return each line in which a pattern occurs, a phrase broken over two lines too."""
    spread = re.compile(pattern.replace(" ", r"\s+(?:[#>*] )?"))
    return [
        f"{path.relative_to(ROOT)}:{line + words.count(chr(10), 0, found.start())}: {found[0]}"
        for path, line, words in among
        for found in spread.finditer(words)
    ]


def test_there_are_pages_to_read():
    assert {ROOT / "README.md", ROOT / "docs/spec.md", ROOT / "docs/components/layer.md"} <= {t.path for t in texts()}


@pytest.mark.parametrize(("phrase", "better"), PHRASES.items())
def test_plain_words(phrase, better):
    assert places(phrase, texts()) == [], f"write instead: {better}"


@pytest.mark.parametrize(("phrase", "better"), PRODUCT_PHRASES.items())
def test_plain_words_in_pages_and_code(phrase, better):
    code = [text for folder in PARTS for kind in prose(folder) for text in kind]
    assert places(phrase, [*pages(), *code]) == [], f"write instead: {better}"


def test_names_of_the_field():
    found = [(text, name) for text in texts() for name in NAMES.keys() & set(re.findall(r"\w+", text.words))]
    assert [
        f"{place}; it is called {NAMES[name]}" for text, name in found for place in places(rf"\b{name}\b", [text])
    ] == []


@pytest.mark.parametrize(
    "part",
    ["docs and README", *(f"{kind} of {each}" for each in PARTS for kind in ("docstrings and comments", "messages"))],
)
def test_few_turns_of_phrase(part):
    kind, _, folder = part.partition(" of ")
    held = list(pages()) if not folder else prose(folder)[kind == "messages"]
    turns = [f"{place}; write instead: {better}" for turn, better in TURNS.items() for place in places(turn, held)]
    thousands = sum(len(text.words.split()) for text in held) / 1000
    assert len(turns) <= MOST_TURNS * thousands, "\n".join(turns)
