"""Readers find what they ask for: within two clicks from the first page, and with one search."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote

import pytest

FIRST_RESULTS = 5


@dataclass(frozen=True)
class Answer:
    """Where a question is answered.

    Args:
        clicks: the texts of the links to click, from the first page.
        page: the page that they lead to.
        says: a text in the section, or on the page, that they lead to.
    """

    clicks: tuple[str, ...]
    page: str
    says: str


QUESTIONS = {
    "How do I train on my own CSV?": Answer(
        ("Your own table", "2. Write a spec"), "docs/first-table", "mlpkit init --data loans.csv"
    ),
    "How do I write a layer?": Answer(("Your own layer", "A layer of your own"), "docs/guide", "class Scale(Layer)"),
    "How do I resume a run?": Answer(
        ("The command line", "mlpkit resume"), "docs/command-line", "resume it with: mlpkit resume runs/long"
    ),
    "How do I use the model in C?": Answer(("Exports", "C"), "docs/exports", "titanic_predict(&in, &out"),
    "What may change between versions?": Answer(
        ("What is stable", "What may change between versions"), "docs/stable", "plugin interface"
    ),
    "Which optimizers are there?": Answer(("Components",), "docs/catalogue", "adamw"),
    "What does batch_size mean?": Answer(("All keys",), "docs/keys", "training.batch_size"),
    "Why does my training diverge?": Answer(("Training", "Divergence"), "docs/training", "never saves NaN"),
    "How do I predict for new rows in Python?": Answer(("Data", "Prediction"), "docs/data", "model.predict("),
    "Is it faster than PyTorch?": Answer(
        ("Performance", "Training speed"), "docs/performance", "most of the lead over PyTorch comes from AMX"
    ),
}

SECTION = """(() => {
  const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
  return (target || document.querySelector('article')).textContent;
})()"""
"""The text of the section that an address names, or of the whole page."""

RESULTS = "[...document.querySelectorAll('#search-results > li > a')].map((link) => link.href)"


@pytest.mark.parametrize("question", QUESTIONS)
def test_two_clicks_lead_to_the_answer(question, browser, site):
    answer = QUESTIONS[question]
    assert len(answer.clicks) <= 2
    browser.size(1400, 900)
    browser.open((site / "index.html").as_uri())
    for text in answer.clicks:
        links = "[...document.querySelectorAll('a')].filter((link) => link.textContent.trim() === "
        address = browser.evaluate(f"{links}{text!r})[0]?.href")
        assert address, text
        browser.open("about:blank")  # so that a link within the page loads it, too
        browser.open(address)
    assert browser.evaluate("location.pathname").endswith(f"{answer.page}.html")
    assert answer.says in browser.evaluate(SECTION)


@pytest.mark.parametrize("question", QUESTIONS)
def test_a_search_for_the_question_leads_to_the_page(question, browser, site):
    browser.open(f"{(site / 'search.html').as_uri()}?q={quote(question)}")
    pages = list(dict.fromkeys(link.partition("#")[0] for link in browser.evaluate(RESULTS)))  # by first section found
    assert [link for link in pages[:FIRST_RESULTS] if link.endswith(f"{QUESTIONS[question].page}.html")], pages
