"""The page that trains in the browser."""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import requires
from pathlib import Path
from threading import Thread

import pytest
from accessibility import violations
from headless_browser import SCREENS, browser_page
from packaging.requirements import Requirement
from prepared_pyodide import pyodide

import mlpkit
from mlpkit_plugins.exporters.js_engines import NODE, find_program

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "browser"
INDEX = (PAGE / "index.html").read_text("utf-8")
NOT_IN_PYODIDE = {"markdown-it-py"}  # `mlpkit docs` alone needs it
SHORT = {"train: 5000": "train: 500", "iterations: 2000": "iterations: 60", "every: 100": "every: 20"}


def test_the_spec_of_the_page_is_the_main_one_on_a_small_set(tmp_path):
    spec = html.unescape(re.search("<textarea.*?>(.*?)</textarea>", INDEX, re.DOTALL)[1])
    (tmp_path / "spec.yaml").write_text(spec, encoding="utf-8")
    small = {"data.mnist.train": 5000, "data.mnist.validation": 1000}
    short = {"training.batch_size": 100, "training.iterations": 2000, "training.evaluate_every": 100}
    main = mlpkit.load_spec(ROOT / "specs" / "mnist_3layer.yaml", overrides=small | short)
    assert mlpkit.load_spec(tmp_path / "spec.yaml").resolved_text() == main.resolved_text()


def test_the_page_loads_what_mlpkit_needs():
    listed = re.search(r"NEEDED = (\[.*?\]);", (PAGE / "worker.js").read_text("utf-8"), re.DOTALL)[1]
    needed = [Requirement(each) for each in requires("mlpkit") or ()]
    names = {each.name for each in needed if each.marker is None}
    assert json.loads(listed.replace(",\n]", "]")) == sorted(names - NOT_IN_PYODIDE)
    assert f'data-wheel="mlpkit-{mlpkit.__version__}-py3-none-any.whl"' in INDEX


@pytest.mark.long
def test_the_program_of_the_documentation_runs_in_node(tmp_path):
    (program,) = re.findall("```js\n(.*?)```", (ROOT / "docs" / "browser.md").read_text("utf-8"), re.DOTALL)
    wheel = pyodide(tmp_path)
    here = {
        r"https://cdn.*?/pyodide.mjs": (tmp_path / "pyodide" / "pyodide.mjs").as_uri(),
        r"https://example.*?whl": str(wheel),
    }
    for address, local in here.items():
        program = re.sub(address, local, program)
    (tmp_path / "program.mjs").write_text(f"{program}\nconsole.log(answer);\n", "utf-8")
    done = subprocess.run([find_program(NODE), tmp_path / "program.mjs"], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "high"


class QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, *_):
        """Print nothing."""


@pytest.fixture(scope="module")
def opened(tmp_path_factory):
    """The page, served with Pyodide beside it, in a browser that can reach nothing else."""
    folder = tmp_path_factory.mktemp("site")
    pyodide(folder)
    shutil.copytree(PAGE, folder, dirs_exist_ok=True)
    (folder / "index.html").write_text(re.sub('data-pyodide=".*?"', 'data-pyodide="pyodide/"', INDEX), "utf-8")
    with (
        ThreadingHTTPServer(("127.0.0.1", 0), partial(QuietHandler, directory=folder)) as server,
        browser_page(tmp_path_factory.mktemp("profile")) as page,
    ):
        Thread(target=server.serve_forever, daemon=True).start()
        page.size(**SCREENS["desk, light"])
        page.open(f"http://127.0.0.1:{server.server_port}/index.html")
        yield page
        server.shutdown()


def trained(page, changes):
    """Change the spec on the page, train it, and return what the page says in the end."""
    spec = page.evaluate("document.querySelector('textarea').value")
    for before, after in changes.items():
        assert before in spec
        spec = spec.replace(before, after)
    page.evaluate(f"document.querySelector('textarea').value = {json.dumps(spec)}")
    page.evaluate("document.querySelector('button').click()")
    page.wait_for("!document.querySelector('button').disabled")
    return page.evaluate("document.getElementById('state').textContent")


@pytest.mark.long
def test_it_trains_and_draws_how_it_goes(opened):
    state = trained(opened, SHORT)
    assert re.fullmatch(r"Done: test loss 2\.\d+, accuracy 0\.\d+; validation .*; train .*", state)
    rows = "[...document.querySelectorAll('tr')].map((row) => row.firstChild.textContent)"
    assert opened.evaluate(rows) == ["iteration", "60", "40", "20"]
    points = "[path.dataset.key, path.getAttribute('d').split('L').length]"
    curves = f"[...document.querySelectorAll('path[data-key]')].map((path) => {points})"
    assert opened.evaluate(curves) == [
        ["train_loss", 3],
        ["validation_loss", 3],
        ["train_accuracy", 3],
        ["validation_accuracy", 3],
    ]
    assert opened.complaints == []
    assert {re.match(r"http://127\.0\.0\.1:\d+/", address) is not None for address in opened.requests} == {True}
    assert violations(opened) == []


@pytest.mark.long
def test_a_mistake_is_shown_as_on_the_command_line(opened):
    state = trained(opened, {"- Relu": "- Rleu"})
    assert state.startswith("spec.yaml:8:5: unknown layer or loss 'Rleu'")
    assert "help: did you mean 'Relu'?" in state
