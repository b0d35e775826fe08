"""The playground as the site has it: in the browser, without a server."""

from __future__ import annotations

import json
import re
import shutil
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import requires
from pathlib import Path
from threading import Thread

import pytest
from accessibility import violations
from packaging.requirements import Requirement
from prepared_pyodide import pyodide

from mlpkit.specfile.shipped_specs import shipped_specs

PAGE = Path(__file__).parents[2] / "mlpkit" / "verbs" / "play" / "page"
NOT_IN_PYODIDE = {"markdown-it-py"}  # `mlpkit docs` alone needs it
IDLE = "now !== null && !busy && !waiting.length && !running"


def test_the_page_loads_what_mlpkit_needs():
    listed = re.search(r"NEEDED = (\[.*?\]);", (PAGE / "worker.js").read_text("utf-8"), re.DOTALL)[1]
    needed = [Requirement(each) for each in requires("mlpkit") or ()]
    names = {each.name for each in needed if each.marker is None}
    assert json.loads(listed.replace(",\n]", "]")) == sorted(names - NOT_IN_PYODIDE)


class QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, *_):
        """Print nothing."""


@pytest.fixture
def opened(browser, tmp_path):
    """The playground, served with Pyodide beside it, in a browser that can reach nothing else."""
    wheel = pyodide(tmp_path)
    shutil.copytree(PAGE, tmp_path, dirs_exist_ok=True)
    shutil.copy(shipped_specs()["flowers"], tmp_path / "spec.yaml")
    text = (PAGE / "index.html").read_text("utf-8")
    places = f'<html lang="en" data-pyodide="pyodide/" data-wheel="{wheel.name}">'
    (tmp_path / "index.html").write_text(text.replace('<html lang="en">', places), "utf-8")
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(QuietHandler, directory=tmp_path)) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        browser.show(f"http://127.0.0.1:{server.server_port}/index.html", IDLE, "phone, light")
        yield browser
        server.shutdown()


@pytest.mark.long
def test_it_trains_and_goes_back_to_the_same_bits_in_pyodide(opened):
    picture = "JSON.stringify([now.step, now.columns])"
    for _ in range(2):
        opened.evaluate("byId('step').click()")
        opened.wait_for(IDLE)
    before = opened.evaluate(picture)
    opened.evaluate("send({do: 'train', steps: 20, seconds: 60})")
    opened.wait_for(f"{IDLE} && now.step === 22")
    opened.evaluate("send({do: 'back', steps: 20})")
    opened.wait_for(f"{IDLE} && now.step === 2")
    assert opened.evaluate(picture) == before
    opened.evaluate("(byId('shapes').value = 'xor', byId('shapes').dispatchEvent(new Event('change')))")
    opened.wait_for(f"{IDLE} && spec.name === 'xor'")
    assert opened.evaluate("byId('problems').textContent") == ""
    assert (opened.complaints, violations(opened)) == ([], [])
