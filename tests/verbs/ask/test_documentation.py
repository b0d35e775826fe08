"""The address of the documentation, and the pages made of those that mlpkit ships."""

from __future__ import annotations

from email.message import Message
from pathlib import Path
from urllib.request import url2pathname

import pytest
from accessibility import violations
from documentation_pages import BY_HAND, DOCS, FROM_CODE
from headless_browser import SCREENS, browser_page
from html_links import crawl, is_elsewhere

import mlpkit
from mlpkit.verbs.ask.documentation import documentation, shipped_pages


@pytest.fixture(scope="module")
def first(tmp_path_factory):
    """Return the file of the first page."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLPKIT_CACHE", str(tmp_path_factory.mktemp("cache")))
        return Path(url2pathname(documentation(shipped=True).removeprefix("file://")))


@pytest.fixture
def with_a_site(monkeypatch):
    """Let the package's metadata name a site."""
    found = Message()
    found["Project-URL"] = "Documentation, https://mlpkit.example/docs/"
    monkeypatch.setattr("mlpkit.verbs.ask.documentation.metadata", lambda name: found)


def test_every_page_is_shipped_and_no_other():
    assert shipped_pages() == sorted(path.relative_to(DOCS) for path in [*BY_HAND, *FROM_CODE])


def test_every_page_is_made_and_every_link_leads_somewhere(first):
    pages, broken = crawl(first)
    assert broken == []
    assert {page.relative_to(first.parent.resolve()).with_suffix(".md") for page in pages} == set(shipped_pages())
    assert [link for page in pages.values() for link in page.loaded if is_elsewhere(link)] == []


def test_text_code_and_tables_are_there(first):
    page = (first.parent / "training.html").read_text("utf-8")
    assert "<title>Training</title>" in page
    assert '<h2 id="early-stopping-and-best-weights">Early stopping and best weights</h2>' in page
    assert '<a href="keys.html#training"' in page
    assert "early_stopping: {metric: accuracy, patience: 4, minimum_change: 0.001}" in page
    assert "<!-- spec" not in page.split("<main>")[0]


def test_each_page_but_the_first_leads_to_the_list_of_all(first):
    label = f"All pages of mlpkit {mlpkit.__version__}</a></p>"
    assert label not in first.read_text("utf-8")
    for name, index in (("training", "README.html"), ("components/layer", "../README.html")):
        body = (first.parent / f"{name}.html").read_text("utf-8").partition("<main>")[2]
        assert f'<p><a href="{index}">{label}' in body


def test_what_is_not_shipped_is_named_without_a_link(first):
    page = (first.parent / "README.html").read_text("utf-8")
    assert "Benchmarks" in page
    assert "benchmarks/README" not in page


def test_pages_look_right_in_a_browser(first, tmp_path):
    with browser_page(tmp_path) as page:
        for screen in ("desk, light", "phone, dark"):
            page.size(**SCREENS[screen])
            for name in ("README", "spec", "components/layer"):
                page.open((first.parent / f"{name}.html").as_uri())
                assert page.evaluate("document.scrollingElement.scrollWidth") <= SCREENS[screen]["width"]
                assert [found for found in violations(page) if found[1] in {"serious", "critical"}] == []
        assert page.complaints == []


@pytest.mark.usefixtures("with_a_site")
def test_the_site_has_a_folder_for_each_version():
    home = f"https://mlpkit.example/docs/{mlpkit.__version__}/docs"
    assert documentation() == f"{home}/README.html"
    assert documentation("layer") == f"{home}/components/layer.html"


@pytest.mark.usefixtures("with_a_site")
def test_the_shipped_pages_can_be_had_all_the_same(tmp_path, monkeypatch):
    monkeypatch.setenv("MLPKIT_CACHE", str(tmp_path))
    assert documentation("spec", shipped=True).startswith(tmp_path.as_uri())
