"""The page of a test of learning rates, in a browser."""

from __future__ import annotations

import pytest
from accessibility import violations
from headless_browser import SCREENS, browser_page
from requirements import require_package

import mlpkit
from mlpkit.specfile.shipped_specs import shipped_specs
from mlpkit.verbs.tune_rate.page import write_rate_page
from mlpkit.verbs.tune_rate.tune_rate import tune_rate


@pytest.fixture(scope="module")
def found():
    return tune_rate(mlpkit.load_spec(shipped_specs()["loans"]), steps=60)


@pytest.fixture(scope="module")
def browser(found, tmp_path_factory):
    """Open the page."""
    require_package("vl_convert")
    file = tmp_path_factory.mktemp("page") / "rate.html"
    write_rate_page(file, "loans", "specs/loans.yaml", found)
    with browser_page(tmp_path_factory.mktemp("profile")) as page:
        page.open(file.as_uri())
        page.wait_for("document.querySelectorAll('.chart .chart svg, .chart .chart canvas').length === 1")
        yield page


@pytest.mark.parametrize("screen", ["desk, light", "phone, dark"])
def test_the_page_is_right_on_a_screen(browser, screen):
    browser.size(**SCREENS[screen])
    browser.settle()
    assert browser.complaints == []
    assert len(browser.requests) == 1
    assert violations(browser) == []
    assert browser.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_it_has_the_command_and_the_numbers(browser, found):
    text = browser.evaluate("document.body.textContent")
    assert f"mlpkit run specs/loans.yaml --set {found.override}" in text
    rows = browser.evaluate("[...document.querySelectorAll('tbody tr')].map((row) => row.cells[0].textContent)")
    assert rows == [f"{rate:.2e}" for rate in found.rates]
