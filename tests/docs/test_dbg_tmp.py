import sys
sys.path.insert(0,"tests/docs")
from test_playground_page import served, place_python, with_wasi
def test_dbg(served, browser):
    folder, page = served
    place_python(folder, with_wasi(folder))
    import time
    browser.size(**{"width": 390, "height": 844, "mobile": True})
    browser.open(f"{page}?spec=course/gradients.yaml")
    for i in range(12):
        time.sleep(15); print(i, browser.evaluate("[byId('status').textContent, now && now.step]")[0][-600:], browser.evaluate("now && now.step"), flush=True)
