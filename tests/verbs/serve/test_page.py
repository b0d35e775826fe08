"""The server's page in a real browser: rows as people have them, and the answer."""

from __future__ import annotations

import pytest
from accessibility import violations

SCREENS = {
    "desk": {"width": 1280, "height": 900},
    "phone, dark": {"width": 360, "height": 780, "mobile": True, "dark": True},
}
FORM = "document.querySelector('[data-address=\"/models/loans/predict\"]')"


@pytest.mark.parametrize("screen", SCREENS)
def test_a_visitor_predicts_and_learns_what_is_wrong(screen, server, browser):
    browser.complaints.clear()
    browser.requests.clear()
    address = f"http://127.0.0.1:{server.port}/"
    browser.size(**SCREENS[screen])
    browser.open(address)
    assert violations(browser) == []
    assert browser.evaluate("document.documentElement.scrollWidth <= window.innerWidth")

    def answered(rows):
        browser.evaluate(f"{FORM}.querySelector('textarea').value = {rows!r}")
        browser.evaluate(f"{FORM}.querySelector('pre').textContent = ''")
        browser.evaluate(f"{FORM}.querySelector('button').click()")
        browser.wait_for(f"{FORM}.querySelector('pre').textContent !== ''")
        return browser.evaluate(f"JSON.parse({FORM}.querySelector('pre').textContent)")

    assert answered(browser.evaluate(f"{FORM}.querySelector('textarea').value"))["model"] == "loans"
    assert len(answered("amount,income,years_in_job,purpose\n4,5,6,car\n7,8,9,car\n")["predictions"]) == 2
    assert [complaint for complaint in browser.complaints if "422" not in complaint] == []
    assert "did you mean 'amont'" in answered('[{"amont": 1}]')["error"]
    assert all(request.startswith(address) for request in browser.requests)
