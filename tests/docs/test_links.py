"""Links between pages lead somewhere, and so do the files and folders of the repository that they name."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from documentation_pages import BY_HAND, FROM_CODE, text_of

ROOT = Path(__file__).parents[2]
DOCS = [*BY_HAND, *FROM_CODE]
OTHERS = (
    "README.md",
    "SECURITY.md",
    "CHANGELOG.md",
    "CODE_OF_CONDUCT.md",
    "CONTRIBUTING.md",
    "changelog.d/README.md",
    "benchmarks/README.md",
    "specs/from_scratch/README.md",
    "plugins/mlpkit_plugins/kernels/README.md",
    "plugins/mlpkit_plugins/datasets/example_files/README.md",
    "mlpkit/verbs/ask/agent.md",
)
PAGES = [*(ROOT / page for page in OTHERS), *DOCS]
FOLDERS = "tests|docs|benchmarks|specs|plugins"
"""Folders of the repository that pages name files of."""
NAMED = re.compile(rf"(?<![\w./-])(?:{FOLDERS})/[\w./-]*\w")
FENCED = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


def prose_of(path: Path) -> str:
    return FENCED.sub("", text_of(path))


def links_of(path: Path) -> list[str]:
    return [link for link in LINK.findall(prose_of(path)) if "://" not in link]


def anchors_of(path: Path) -> set[str]:
    """Return the anchors that GitHub gives the headings of a page."""
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in HEADING.findall(prose_of(path))}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_relative_link_leads_to_a_file_and_its_heading(page):
    for link in links_of(page):
        file, _, anchor = link.partition("#")
        target = page.parent / file if file else page
        assert target.resolve() in FROM_CODE or target.exists(), link
        assert not anchor or anchor in anchors_of(target.resolve()), link


@pytest.mark.parametrize("page", [page for page in PAGES if page.name != "guide.md"], ids=lambda page: page.stem)
def test_every_file_of_the_repository_that_is_named_is_there(page):
    named = NAMED.findall(LINK.sub("", text_of(page)))
    assert [path for path in named if not (ROOT / path).exists()] == []


def test_the_index_names_every_page():
    index = ROOT / "docs" / "README.md"
    linked = {(index.parent / link.partition("#")[0]).resolve() for link in links_of(index)}
    assert linked >= {page.resolve() for page in [ROOT / "README.md", *DOCS] if page != index}
