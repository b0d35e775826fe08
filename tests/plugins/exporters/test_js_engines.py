"""Running exported JavaScript: in Node, in a browser, or not at all."""

import os

import numpy as np
import pytest
from c_models import model_with
from requirements import require

from mlpkit import Graph, Sequential, Values
from mlpkit.errors import EngineMissingError, ExportError
from mlpkit.graph.model_graph import bare_network
from mlpkit.layers import Affine, MeanSquaredError, Relu
from mlpkit.verbs.export.export import export
from mlpkit_plugins.exporters import js_engines
from mlpkit_plugins.exporters.html_file import HtmlFile
from mlpkit_plugins.exporters.js_file import JsFile

X = np.random.default_rng(0).normal(size=(2500, 4)).astype(np.float32)


@pytest.fixture
def network():
    return Sequential([Affine(5), Relu(), Affine(2), MeanSquaredError()], (4,), target=Values((2,)), seed=0)


FORMATS = {each.ending: each for each in (JsFile, HtmlFile)}


def computed(network, folder, ending, names=("prediction",)):
    model = bare_network(network, {"name": "</script><!-- & 'a' \"b\""})
    exporter = FORMATS[ending]()
    exporter.write(model, folder / f"model{ending}")
    return exporter.compute(folder / f"model{ending}", model, {"x": X}, names)


def require_other_than(missing):
    what, names = ("node", js_engines.NODE) if missing == "BROWSERS" else ("browser", js_engines.BROWSERS)
    require(what, js_engines.find_program(names) is not None, f"{', '.join(names)}: all are missing")


@pytest.mark.parametrize("ending", FORMATS)
@pytest.mark.parametrize("missing", ["BROWSERS", "NODE"])
def test_node_and_a_browser_compute_the_same(network, tmp_path, monkeypatch, ending, missing):
    require_other_than(missing)
    monkeypatch.setattr(js_engines, missing, ())

    found = computed(network, tmp_path, ending)["prediction"]

    assert found.dtype == np.float32
    np.testing.assert_allclose(found, network.predict(X), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("ending", FORMATS)
def test_constants_of_single_bytes_are_computed_with(tmp_path, ending):
    require("node", js_engines.find_program(js_engines.NODE) is not None, "node: it is missing")
    graph = Graph(np.dtype(np.float32))
    x = graph.feed("x", "float32", (3,))
    model = model_with(
        graph, {"prediction": graph.op("Where", np.array([True, False, True]), x, np.float32([7, 8, 9]))}
    )
    exporter = FORMATS[ending]()
    exporter.write(model, tmp_path / f"model{ending}")

    found = exporter.compute(tmp_path / f"model{ending}", model, {"x": X[:2, :3]}, ["prediction"])["prediction"]

    np.testing.assert_array_equal(found, np.stack([X[:2, 0], [8, 8], X[:2, 2]], axis=1))


@pytest.fixture
def no_engine(monkeypatch):
    monkeypatch.setattr(js_engines, "NODE", ())
    monkeypatch.setattr(js_engines, "BROWSERS", ())


def test_without_an_engine_nothing_is_computed(network, tmp_path, no_engine):
    with pytest.raises(EngineMissingError, match=r"^there is no JavaScript engine; install Node or Chromium$"):
        computed(network, tmp_path, ".js")


def test_without_an_engine_a_file_is_written_with_a_warning(towns, tmp_path, no_engine):
    found = export(towns, tmp_path / "towns.html")

    assert "there is no JavaScript engine" in found.warning
    assert found.rows == 0
    assert (tmp_path / "towns.html").exists()


@pytest.mark.parametrize("missing", ["BROWSERS", "NODE"])
def test_a_module_that_fails_is_no_export(network, tmp_path, monkeypatch, missing):
    require_other_than(missing)
    monkeypatch.setattr(js_engines, missing, ())
    model = bare_network(network, {})
    JsFile().write(model, tmp_path / "model.js")
    text = (tmp_path / "model.js").read_text()
    (tmp_path / "model.js").write_text(text.replace("const GRAPH", 'throw new Error("spoiled"); const GRAPH'))

    with pytest.raises(ExportError, match=r"^model\.js doesn't run: "):
        JsFile().compute(tmp_path / "model.js", model, {"x": X}, ["prediction"])


@pytest.fixture
def run_by(network, tmp_path, monkeypatch, no_engine):
    """Return a function that computes a prediction with a shell script in the place of Node or of a browser."""

    def run(kind, script):
        engine = tmp_path / "engine"
        engine.write_text(script)
        engine.chmod(0o700)
        monkeypatch.setattr(js_engines, kind, ("no-such-engine", str(engine)))
        model = bare_network(network, {})
        JsFile().write(model, tmp_path / "model.js")
        return JsFile().compute(tmp_path / "model.js", model, {"x": X[:1]}, ["prediction"])["prediction"]

    return run


@pytest.mark.parametrize(
    ("kind", "script", "message"),
    [
        ("NODE", f"echo {'no ' * 100}", f"model.js doesn't run: it prints '{'no ' * 66}no'"),
        (
            "NODE",
            "echo a >&2; echo SyntaxError: b >&2; echo Error: c >&2; exit 1",
            "model.js doesn't run: SyntaxError: b",
        ),
        ("NODE", "echo a >&2; echo b >&2; exit 1", "model.js doesn't run: b"),
        ("NODE", "exit 1", "model.js doesn't run: "),
        ("BROWSERS", "echo '<html>'", "model.js doesn't run: it prints ''"),
    ],
)
def test_an_engine_that_computes_nothing_is_quoted(run_by, kind, script, message):
    with pytest.raises(ExportError) as refused:
        run_by(kind, f"#!/bin/sh\n{script}")

    assert str(refused.value) == message


def test_a_program_that_does_not_start_is_no_engine(run_by):
    with pytest.raises(EngineMissingError, match=r"/engine doesn't run: .*Exec format error"):
        run_by("NODE", "\x7fELF")


@pytest.mark.parametrize("user", [0, 1000])
def test_a_browser_prints_the_result_into_its_page_and_has_no_sandbox_for_root(run_by, tmp_path, monkeypatch, user):
    monkeypatch.setattr(os, "geteuid", lambda: user, raising=False)
    printed = "<html><body>\n[{&quot;dtype&quot;: &quot;float32&quot;, &quot;shape&quot;: [1, 2],"
    printed += " &quot;elements&quot;: [2.5, -1]}]</body></html>"

    found = run_by("BROWSERS", f"#!/bin/sh\necho $@ > {tmp_path}/options\necho '{printed}'")

    assert (found.dtype, found.tolist()) == (np.float32, [[2.5, -1]])
    options = (tmp_path / "options").read_text().split()
    assert ("--no-sandbox" in options) == (user == 0)
    assert options[-2] == "--dump-dom"
    assert options[-1].startswith("file://")


def test_a_page_without_its_script_is_no_export(network, tmp_path):
    (tmp_path / "model.html").write_text("<!doctype html>")

    with pytest.raises(ExportError, match=r"^model\.html has no script$"):
        HtmlFile().compute(tmp_path / "model.html", bare_network(network, {}), {"x": X}, ["prediction"])
