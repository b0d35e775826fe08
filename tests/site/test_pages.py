"""The site in a real browser: from disk and from a server, on a desk and on a phone, light and dark."""

from __future__ import annotations

import shutil
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
from accessibility import violations
from headless_browser import SCREENS
from website.versions import list_versions

import mlpkit

PAGES = ("index", "docs/first-table", "docs/spec", "docs/notebook", "docs/components/layer")


class Quiet(SimpleHTTPRequestHandler):
    """Serves a folder without a word."""

    def log_message(self, *message):
        """Say nothing."""


@contextmanager
def served(folder):
    """Serve a folder on loopback, and give its address."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=folder)) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()


@pytest.fixture(scope="module")
def below_a_prefix(versions, tmp_path_factory):
    """Return the address of this version's site on a server, two folders down."""
    root = tmp_path_factory.mktemp("root")
    shutil.copytree(versions, root / "projects/kit")
    with served(root) as address:
        yield f"{address}/projects/kit/{mlpkit.__version__}"


@pytest.fixture(params=["from disk", "below a prefix"])
def home(request, site):
    """Return the address of the site."""
    return site.as_uri() if request.param == "from disk" else request.getfixturevalue("below_a_prefix")


@pytest.fixture
def opened(browser):
    """Return a function that opens a page; at the end, it has complained of nothing and asked no other machine."""
    browser.complaints.clear()
    browser.requests.clear()

    def open_page(address, screen="desk, light"):
        browser.size(**SCREENS[screen])
        browser.open(address)
        return browser

    yield open_page
    assert browser.complaints == []
    assert [each for each in browser.requests if not each.startswith(("file://", "http://127.0.0.1:"))] == []


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("screen", ["desk, light", pytest.param("phone, dark", marks=pytest.mark.long)])
def test_pages_are_accessible(screen, page, opened, site):
    shown = opened((site / f"{page}.html").as_uri(), screen)
    assert [found for found in violations(shown) if found[1] in {"serious", "critical"}] == []


@pytest.mark.parametrize("page", PAGES)
def test_pages_fit_a_phone(page, opened, site):
    shown = opened((site / f"{page}.html").as_uri(), "phone, light")
    assert shown.evaluate("document.scrollingElement.scrollWidth") <= SCREENS["phone, light"]["width"]


def test_dark_screens_get_a_dark_page(opened, site):
    brightness = "getComputedStyle(document.body).backgroundColor.match(/\\d+/g).slice(0, 3).map(Number)"
    light = opened((site / "index.html").as_uri(), "desk, light").evaluate(brightness)
    dark = opened((site / "index.html").as_uri(), "desk, dark").evaluate(brightness)
    assert min(light) > 200
    assert max(dark) < 60


def test_search_finds_a_page(opened, home):
    page = opened(f"{home}/search.html?q=early+stopping")
    assert page.evaluate("document.querySelector('#search-results mark').textContent").startswith("early")
    page.open(page.evaluate("document.querySelector('#search-results a').href"))
    assert "early_stopping:" in page.evaluate("document.querySelector('article').textContent")


def test_a_search_for_what_is_not_there(opened, site):
    page = opened(f"{site.as_uri()}/search.html?q=%3Cxyzzy%3E")
    assert page.evaluate("document.getElementById('search-summary').textContent") == 'Nothing was found for "<xyzzy>".'


def test_readers_choose_among_versions(opened, versions, tmp_path):
    both = shutil.copytree(versions, tmp_path / "site")
    shutil.copytree(both / mlpkit.__version__, both / "0.0.9")
    list_versions(both)
    page = opened((both / "0.0.9/docs/spec.html").as_uri())
    choices = "[...document.getElementById('version').options].map((option) => option.value)"
    assert page.evaluate(choices) == [mlpkit.__version__, "0.0.9"]
    page.leave(
        f"const chooser = document.getElementById('version'); chooser.value = '{mlpkit.__version__}';"
        "chooser.dispatchEvent(new Event('change'))"
    )
    assert page.evaluate("location.pathname").endswith(f"/site/{mlpkit.__version__}/index.html")
