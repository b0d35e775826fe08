"""The playground as the site has it: in the browser, without a server."""

from __future__ import annotations

import json
import re
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import requires
from pathlib import Path
from threading import Thread

import pytest
from accessibility import violations
from documentation_pages import DOCS
from generators.marked_blocks import marked_blocks
from packaging.requirements import Requirement
from prepared_pyodide import pyodide
from prepared_wasi import wasi
from website.playground import with_links, write_playground

PAGE = Path(__file__).parents[2] / "mlpkit" / "verbs" / "play" / "page"
CHAPTERS = sorted((DOCS / "course").glob("*.md"))
NOT_IN_PYODIDE = {"markdown-it-py"}  # `mlpkit docs` alone needs it
IDLE = "now !== null && !busy && !waiting.length && !running"


def test_the_page_loads_what_mlpkit_needs():
    listed = re.search(r"NEEDED = (\[.*?\]);", (PAGE / "worker.js").read_text("utf-8"), re.DOTALL)[1]
    needed = [Requirement(each) for each in requires("mlpkit") or ()]
    names = {each.name for each in needed if each.marker is None}
    assert json.loads(listed.replace(",\n]", "]")) == sorted(names - NOT_IN_PYODIDE)


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda chapter: chapter.stem)
def test_a_chapter_leads_to_the_page_with_its_spec(chapter, tmp_path, monkeypatch, invoke):
    write_playground(tmp_path / "playground")
    (link,) = re.findall('<a href="(.*?)">Open in the playground</a>', with_links(chapter.read_text("utf-8")))
    page, _, spec = link.partition("?spec=")
    monkeypatch.chdir(tmp_path / "playground")
    assert (tmp_path / "course" / page).resolve() == tmp_path / "playground/index.html"
    assert invoke("check", spec).out.startswith(f"{spec}: OK")


class Isolated(SimpleHTTPRequestHandler):
    """Serves pages whose workers may share memory."""

    def end_headers(self):
        self.send_header("Cross-Origin-Opener-Policy", "same-origin")
        self.send_header("Cross-Origin-Embedder-Policy", "require-corp")
        super().end_headers()

    def log_message(self, *_):
        """Print nothing."""


@pytest.fixture
def served(tmp_path):
    """Return the folder of the playground as the site has it, and its address on a server."""
    folder = tmp_path / "playground"
    write_playground(folder)
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Isolated, directory=folder)) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield folder, f"http://127.0.0.1:{server.server_port}/index.html"
        server.shutdown()


def place_python(folder, places):
    """Let the page take Python and mlpkit from other places."""
    index = folder / "index.html"
    index.write_text(re.sub("<html.*?>", f'<html lang="en" {places}>', index.read_text("utf-8")), "utf-8")


def with_pyodide(folder):
    """Write Pyodide beside the page, and return the attributes of the page."""
    return f'data-pyodide="pyodide/" data-wheel="{pyodide(folder).name}"'


def with_wasi(folder):
    """Write CPython for WASI beside the page, whose worker takes the place of Pyodide's."""
    wasi(folder)
    return 'data-pyodide="none/" data-wheel="none"'


ECHO = """
export const loadPyodide = async () => {
  const globals = new Map();
  return { globals, loadPackage() {}, runPython: () => () => { throw new Error([...globals.values()].join("\\n")); } };
};
"""
"""In place of Pyodide: instead of running Python, it answers each message with what the page handed over."""


@pytest.mark.parametrize(
    ("address", "file"),
    [
        ("", "spec.yaml"),
        ("?spec=course/gradients.yaml", "course/gradients.yaml"),
        ("?spec=//127.0.0.1/spec.yaml", "spec.yaml"),
    ],
)
def test_the_page_begins_with_the_spec_that_its_address_names(address, file, served, browser):
    folder, page = served
    place_python(folder, 'data-pyodide="echo/" data-wheel="none"')
    (folder / "echo").mkdir()
    (folder / "echo/pyodide.mjs").write_text(ECHO, "utf-8")
    text = (folder / file).read_text("utf-8")
    browser.show(f"{page}{address}", f"byId('status').textContent.startsWith('{file}')")
    assert browser.evaluate("byId('status').textContent") == f"{file}\n{text}"


def test_a_spec_that_is_missing_is_named(served, browser):
    folder, page = served
    place_python(folder, 'data-pyodide="echo/" data-wheel="none"')
    (folder / "echo").mkdir()
    (folder / "echo/pyodide.mjs").write_text(ECHO, "utf-8")
    browser.show(f"{page}?spec=course/none.yaml", "!byId('status').textContent.startsWith('Loading')")
    assert browser.evaluate("byId('status').textContent") == "There is no course/none.yaml beside this page."
    browser.complaints.clear()


@pytest.fixture(params=[with_pyodide, with_wasi])
def opened(request, served, browser):
    """Return a function that opens the playground with a Python beside it, in a browser that can reach nothing else."""
    folder, page = served
    place_python(folder, request.param(folder))
    yield lambda address="": browser.show(f"{page}{address}", IDLE, "phone, light")
    browser.open("about:blank")


@pytest.mark.long
def test_a_chapter_trains_without_a_server(opened):
    page = opened("?spec=course/gradients.yaml")
    page.evaluate("send({do: 'train', steps: 20, seconds: 60})")
    page.wait_for(f"{IDLE} && now.step === 20")
    assert page.evaluate("[spec.name, byId('problems').textContent]") == ["gradients", ""]
    assert page.evaluate("spec.text") == marked_blocks((DOCS / "course/gradients.md").read_text("utf-8"))[0].text
    assert page.complaints == []


@pytest.mark.long
def test_it_trains_goes_back_and_takes_tables_without_a_server(opened):
    page = opened()
    picture = "JSON.stringify([now.step, now.columns])"
    for _ in range(2):
        page.evaluate("byId('step').click()")
        page.wait_for(IDLE)
    before = page.evaluate(picture)
    page.evaluate("send({do: 'train', steps: 20, seconds: 60})")
    page.wait_for(f"{IDLE} && now.step === 22")
    assert page.evaluate(picture) != before
    page.evaluate("send({do: 'back', steps: 20})")
    page.wait_for(f"{IDLE} && now.step === 2")
    assert page.evaluate(picture) == before
    page.evaluate("actions.set('training.batch_size', 'many')")
    page.wait_for(f"{IDLE} && byId('problems').textContent")
    assert "spec.yaml:18:15: 'many' is not an integer" in page.evaluate("byId('problems').textContent")
    page.evaluate("(byId('shapes').value = 'xor', byId('shapes').dispatchEvent(new Event('change')))")
    page.wait_for(f"{IDLE} && spec.name === 'xor'")
    page.evaluate("takeTable('mine.csv', 'a,b,c\\n' + '1,2,x\\n2,1,y\\n3,5,x\\n4,2,y\\n'.repeat(20))")
    page.wait_for(f"{IDLE} && spec.name === 'mine'")
    assert page.evaluate("[spec.classes.join(), byId('problems').textContent]") == ["x,y", ""]
    assert (page.complaints, violations(page)) == ([], [])
