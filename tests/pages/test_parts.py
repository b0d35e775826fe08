"""Parts of pages, as HTML."""

import numpy as np
import pytest

from mlpkit.pages import parts

PLAIN = (
    '<div class="wide" tabindex="0" role="region" aria-label="a, b &lt;c&gt;"><table>'
    '<thead><tr><th scope="col" class="text">a</th><th scope="col">b &lt;c&gt;</th></tr></thead>\n'
    '<tbody><tr><td class="text">x &amp; y</td><td>1</td></tr>\n</tbody></table></div>'
)
SORTED = (
    '<div class="wide" tabindex="0" role="region" aria-label="All"><table class="sortable"><caption>All</caption>'
    '<thead><tr><th scope="col">a</th><th scope="col">b</th></tr></thead>\n'
    '<tbody><tr><td data-value="0">0</td><td data-value="">-</td></tr>\n'
    '<tr class="marked"><td data-value="1000">1,000</td><td data-value="&quot;">q</td></tr>\n</tbody></table></div>'
)


def test_a_table():
    assert parts.table(["a", "b <c>"], [["x & y", "1"]], texts=[0]) == PLAIN
    rows, values = [["0", "-"], ["1,000", "q"]], [[0, None], [1000, '"']]
    assert parts.table(["a", "b"], rows, caption="All", marked=1, sortable=True, values=values) == SORTED


@pytest.mark.parametrize(
    ("part", "html"),
    [
        (
            parts.section("By <group> 2", "<p>a</p>", "<p>b</p>"),
            '<section aria-labelledby="by--group--2">\n<h2 id="by--group--2">By &lt;group&gt; 2</h2>\n'
            "<p>a</p>\n<p>b</p>\n</section>",
        ),
        (parts.heading("a < b"), "<h3>a &lt; b</h3>"),
        (parts.paragraph("a < b"), "<p>a &lt; b</p>"),
        (parts.preformatted("a\n<b>"), '<pre tabindex="0">a\n&lt;b&gt;</pre>'),
        (parts.beside("<p>a</p>", "<p>b</p>"), '<div class="charts" style="--least: 24rem"><p>a</p>\n<p>b</p></div>'),
        (
            parts.folded("a < b", "<p>1</p>", "<p>2</p>"),
            "<details><summary>a &lt; b</summary>\n<p>1</p>\n<p>2</p>\n</details>",
        ),
    ],
    ids=["section", "heading", "paragraph", "preformatted", "beside", "folded"],
)
def test_texts_and_what_holds_them(part, html):
    assert part == html


def test_pictures_have_captions_and_a_least_width():
    html = parts.pictures([np.array([[7, 9]], np.uint8)] * 2, ["a < b", "c"])
    assert html.startswith(
        '<div class="pictures" style="--least: 6.5rem"><figure><img src="data:image/png;base64,iVBOR'
    )
    assert html.count('" alt=""><figcaption>') == 2
    assert html.endswith("<figcaption>c</figcaption></figure></div>")
    assert "<figcaption>a &lt; b</figcaption>" in html
    assert "--least: 3rem" in parts.pictures([], [], least=3)
