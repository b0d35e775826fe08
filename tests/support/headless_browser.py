"""A headless Chromium for tests, driven over a pipe by the DevTools protocol."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
from contextlib import contextmanager
from select import select
from time import monotonic

from requirements import require

SCREENS = {
    "desk, light": {"width": 1100, "height": 900},
    "desk, dark": {"width": 1100, "height": 900, "dark": True},
    "phone, light": {"width": 390, "height": 844, "mobile": True},
    "phone, dark": {"width": 390, "height": 844, "mobile": True, "dark": True},
}
TWO_SCREENS = ("desk, light", "phone, dark")
"""Both sizes and both colour schemes: ``tests/pages`` shows the parts of pages on all four screens."""
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
LONGEST_WAIT = 60


class Page:
    """A page that is open in the browser.

    Attributes:
        complaints: what the page wrote to the console as a warning or an error, and exceptions that it didn't catch.
        requests: the addresses that the page asked for, those of data within it left out.
    """

    def __init__(self, send, receive):
        self._send, self._receive = send, receive
        self._number, self._loaded, self._unread = 0, 0, b""
        self._session = None
        self.complaints, self.requests = [], []
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")

    def call(self, method, **parameters):
        """Call a method of the protocol, and return its result."""
        return self.calls([(method, parameters)])[0]

    def calls(self, methods):
        """Call methods one after the other, without waiting in between, and return their results."""
        first = self._number + 1
        for method, parameters in methods:
            self._number += 1
            message = {"id": self._number, "method": method, "params": parameters}
            if self._session:
                message["sessionId"] = self._session
            os.write(self._send, json.dumps(message).encode() + b"\0")
        answers = {}
        while len(answers) < len(methods):
            answer = self._until(lambda message: message.get("id", 0) >= first)
            assert "error" not in answer, answer
            answers[answer["id"]] = answer["result"]
        return [answers[number] for number in range(first, self._number + 1)]

    def close(self):
        """End the browser."""
        os.write(self._send, b'{"id": 0, "method": "Browser.close"}\0')

    def open(self, address):
        self.call("Page.navigate", url=address)
        self._until(lambda message: message.get("method") == "Page.loadEventFired")

    def show(self, address, until="true", screen="desk, light"):
        """Open a page on a screen, with nothing to remember of those before, wait for something, and return self."""
        self.complaints.clear()
        self.requests.clear()
        self.size(**SCREENS[screen])
        self.open(address)
        self.wait_for(until)
        return self

    def leave(self, statements):
        """Run JavaScript that leads to another page, and wait until that is loaded."""
        self.evaluate(f"setTimeout(() => {{ {statements} }}), 0")
        self._until(lambda message: message.get("method") == "Page.loadEventFired")

    def evaluate(self, expression):
        """Return what an expression of JavaScript gives, awaited."""
        answer = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def wait_for(self, expression):
        """Wait until an expression is true, and return its value."""
        begin = monotonic()
        while not (value := self.evaluate(expression)):
            assert monotonic() - begin < LONGEST_WAIT, f"{expression} never came true"
            self.settle()
        return value

    def settle(self):
        """Wait for two frames, so that all that was asked for is drawn."""
        self.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")

    def size(self, width, height, *, dark=False, mobile=False):
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=mobile)
        self.call("Emulation.setTouchEmulationEnabled", enabled=mobile)
        feature = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", features=[feature])

    def screenshot(self, file):
        """Write a picture of the whole page."""
        picture = self.call("Page.captureScreenshot", captureBeyondViewport=True)["data"]
        file.write_bytes(base64.b64decode(picture))

    def drag(self, points):
        """Press the mouse at the first of some points, move it along the others, and release it."""
        kinds = ["mousePressed", *["mouseMoved"] * (len(points) - 1), "mouseReleased"]
        how = {"button": "left", "buttons": 1, "clickCount": 1}
        places = [*points, points[-1]]
        self.calls(
            [
                ("Input.dispatchMouseEvent", {"type": kind, "x": x, "y": y, **how})
                for kind, (x, y) in zip(kinds, places, strict=True)
            ]
        )

    def swipe(self, points):
        """Lay a finger on the first of some points, move it along the others, and lift it."""
        kinds = ["touchStart", *["touchMove"] * (len(points) - 1)]
        touches = [
            ("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": x, "y": y}]})
            for kind, (x, y) in zip(kinds, points, strict=True)
        ]
        self.calls([*touches, ("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})])

    def key(self, key, code=None, text=""):
        down = {"type": "keyDown", "key": key, "code": code or key, **({"text": text} if text else {})}
        self.call("Input.dispatchKeyEvent", **down)
        self.call("Input.dispatchKeyEvent", type="keyUp", key=key, code=code or key)

    def _until(self, is_it):
        while True:
            message = self._next()
            self._listen(message)
            if is_it(message):
                return message

    def _next(self):
        while b"\0" not in self._unread:
            ready, _, _ = select([self._receive], [], [], LONGEST_WAIT)
            assert ready, "the browser doesn't answer"
            part = os.read(self._receive, 1 << 20)
            assert part, "the browser has ended"
            self._unread += part
        message, _, self._unread = self._unread.partition(b"\0")
        return json.loads(message)

    def _listen(self, message):
        about = message.get("params", {})
        match message.get("method"):
            case "Network.requestWillBeSent" if not about["request"]["url"].startswith(("data:", "blob:")):
                self.requests.append(about["request"]["url"])
            case "Runtime.exceptionThrown":
                self.complaints.append(about["exceptionDetails"]["text"])
            case "Runtime.consoleAPICalled" if about["type"] in {"error", "warning", "assert"}:
                self.complaints.append(str(about["args"]))
            case "Log.entryAdded" if about["entry"]["level"] in {"error", "warning"}:
                self.complaints.append(about["entry"]["text"])


@contextmanager
def browser_page(folder):
    """Give a page of a browser whose profile is in a folder; skip the test if there is no browser."""
    program = next(filter(None, map(shutil.which, NAMES)), None)
    require("browser", program is not None, "there is no Chromium")
    to_browser, send = os.pipe()
    receive, from_browser = os.pipe()
    options = [
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-background-networking",
        "--no-first-run",
        "--remote-debugging-pipe",
        f"--user-data-dir={folder}",
    ]
    wiring = f'exec 3<&{to_browser} 4>&{from_browser}; exec "$@"'
    process = subprocess.Popen(
        ["bash", "-c", wiring, "bash", program, *options],
        pass_fds=(to_browser, from_browser),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    os.close(to_browser)
    os.close(from_browser)
    page = Page(send, receive)
    try:
        yield page
    finally:
        page.close()
        process.wait(timeout=LONGEST_WAIT)
        os.close(send)
        os.close(receive)
