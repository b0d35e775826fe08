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
from prepared_wasi import wasi

from mlpkit.specfile.shipped_specs import shipped_specs

PAGE = Path(__file__).parents[2] / "mlpkit" / "verbs" / "play" / "page"
NOT_IN_PYODIDE = {"markdown-it-py"}  # `mlpkit docs` alone needs it
IDLE = "now !== null && !busy && !waiting.length && !running"


def test_the_page_loads_what_mlpkit_needs():
    listed = re.search(r"NEEDED = (\[.*?\]);", (PAGE / "worker.js").read_text("utf-8"), re.DOTALL)[1]
    needed = [Requirement(each) for each in requires("mlpkit") or ()]
    names = {each.name for each in needed if each.marker is None}
    assert json.loads(listed.replace(",\n]", "]")) == sorted(names - NOT_IN_PYODIDE)


class Isolated(SimpleHTTPRequestHandler):
    """Serves pages whose workers may share memory."""

    def end_headers(self):
        self.send_header("Cross-Origin-Opener-Policy", "same-origin")
        self.send_header("Cross-Origin-Embedder-Policy", "require-corp")
        super().end_headers()

    def log_message(self, *_):
        """Print nothing."""


def with_pyodide(folder):
    """Write Pyodide beside the page, and return the attributes of the page."""
    return f'data-pyodide="pyodide/" data-wheel="{pyodide(folder).name}"'


def with_wasi(folder):
    """Write CPython for WASI beside the page, whose worker takes the place of Pyodide's."""
    wasi(folder)
    return 'data-pyodide="none/" data-wheel="none"'


@pytest.fixture(params=[with_pyodide, with_wasi])
def opened(request, browser, tmp_path):
    """The playground, served with a Python beside it, in a browser that can reach nothing else."""
    shutil.copytree(PAGE, tmp_path, dirs_exist_ok=True)
    shutil.copy(shipped_specs()["flowers"], tmp_path / "spec.yaml")
    places = f'<html lang="en" {request.param(tmp_path)}>'
    text = (PAGE / "index.html").read_text("utf-8")
    (tmp_path / "index.html").write_text(text.replace('<html lang="en">', places), "utf-8")
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Isolated, directory=tmp_path)) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        browser.show(f"http://127.0.0.1:{server.server_port}/index.html", IDLE, "phone, light")
        yield browser
        browser.open("about:blank")
        server.shutdown()


@pytest.mark.long
def test_it_trains_goes_back_and_takes_tables_without_a_server(opened):
    picture = "JSON.stringify([now.step, now.columns])"
    for _ in range(2):
        opened.evaluate("byId('step').click()")
        opened.wait_for(IDLE)
    before = opened.evaluate(picture)
    opened.evaluate("send({do: 'train', steps: 20, seconds: 60})")
    opened.wait_for(f"{IDLE} && now.step === 22")
    assert opened.evaluate(picture) != before
    opened.evaluate("send({do: 'back', steps: 20})")
    opened.wait_for(f"{IDLE} && now.step === 2")
    assert opened.evaluate(picture) == before
    opened.evaluate("actions.set('training.batch_size', 'many')")
    opened.wait_for(f"{IDLE} && byId('problems').textContent")
    assert "spec.yaml:18:15: 'many' is not an integer" in opened.evaluate("byId('problems').textContent")
    opened.evaluate("(byId('shapes').value = 'xor', byId('shapes').dispatchEvent(new Event('change')))")
    opened.wait_for(f"{IDLE} && spec.name === 'xor'")
    opened.evaluate("takeTable('mine.csv', 'a,b,c\\n' + '1,2,x\\n2,1,y\\n3,5,x\\n4,2,y\\n'.repeat(20))")
    opened.wait_for(f"{IDLE} && spec.name === 'mine'")
    assert opened.evaluate("[spec.classes.join(), byId('problems').textContent]") == ["x,y", ""]
    assert (opened.complaints, violations(opened)) == ([], [])
