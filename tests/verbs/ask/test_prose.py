"""Markdown as HTML."""

from __future__ import annotations

import pytest

from mlpkit.verbs.ask.documentation import prose


def as_it_is(target):
    return target


def test_the_title_stands_apart():
    assert prose("# A title\n\nText.\n", as_it_is) == ("A title", "<p>Text.</p>\n")


@pytest.mark.parametrize(
    ("heading", "anchor"),
    [("## All keys", "all-keys"), ("### mlpkit.fit", "mlpkitfit"), ("## What's `in_it`?", "whats-in_it")],
)
def test_headings_have_the_anchors_that_github_gives_them(heading, anchor):
    assert f'id="{anchor}"' in prose(f"# Page\n\n{heading}\n", as_it_is)[1]


def test_links_and_pictures_get_their_addresses():
    text = "# Page\n\n[there](a.md#b) ![seen](c.svg)\n"
    _, html = prose(text, {"a.md#b": "a.html#b", "c.svg": "file:///c.svg"}.get)
    assert html == '<p><a href="a.html#b">there</a> <img alt="seen" src="file:///c.svg" /></p>\n'


def test_a_link_that_leads_nowhere_is_text():
    _, html = prose("# Page\n\n[there](a.md)\n", lambda target: None)
    assert "there" in html
    assert "href" not in html


def test_html_is_left_out():
    text = '# Page\n\n<!-- run -->\n\nText <a href="x.html">there</a>.\n'
    assert prose(text, as_it_is)[1].strip() == "<p>Text there.</p>"


def test_code_is_as_it_stands():
    _, html = prose('# Page\n\n```yaml\na: "<b>"\n```\n', as_it_is)
    assert "a: &quot;&lt;b&gt;&quot;" in html


def test_what_can_be_wide_can_be_scrolled_with_keys():
    _, html = prose("# Page\n\n| a |\n| --- |\n| 1 |\n\n```\nlong\n```\n", as_it_is)
    assert html.count('tabindex="0"') == 2
    assert '<div class="wide" tabindex="0"><table>' in html
