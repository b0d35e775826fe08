"""Reports of runs, opened from disk in a real browser."""

import json
import re
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
from accessibility import violations
from headless_browser import SCREENS
from PIL import Image

import mlpkit
from mlpkit.runs.folder import RunFolder

SPECS = Path(mlpkit.__file__).parent / "shipped_specs"
MOST_BYTES = 2_000_000
DRAWN = "document.querySelectorAll('.chart .chart svg').length"
CHARTS = "document.querySelectorAll('.chart:has(> script)').length"
SCALED = "(chart) => chart.getAttribute('width') / chart.getBoundingClientRect().width"
POINT = re.compile(r"iteration: (\d+); [^;]+: (\S+); series: (\w+)")
POINTS = """[...document.querySelectorAll('.chart .chart')[%d].querySelectorAll('.mark-symbol path')]
    .map((point) => point.getAttribute('aria-label')).filter(Boolean)"""


def trained(name, folder, **overrides):
    changed = {f"training.{key}": value for key, value in {"iterations": 60, "evaluate_every": 20, **overrides}.items()}
    mlpkit.run(mlpkit.load_spec(SPECS / f"{name}.yaml", overrides=changed), directory=folder)
    return folder


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Runs with images, with classes of a table and with values of one, and their reports."""
    home = tmp_path_factory.mktemp("runs")
    folders = {name: trained(name, home / name) for name in ("shapes_folder", "flowers", "houses")}
    for folder in folders.values():
        mlpkit.report(folder)
    return folders


def opened(browser, file):
    browser.complaints.clear()
    browser.requests.clear()
    browser.open(file.as_uri())
    browser.wait_for(f"{DRAWN} > 0 && {DRAWN} === {CHARTS}")
    return browser


def headings(text):
    return re.findall(r"<h2[^>]*>(.*?)</h2>", text.partition("<script>")[0])


@pytest.mark.parametrize(
    ("name", "screen"), [("shapes_folder", "phone, dark"), ("flowers", "phone, light"), ("houses", "desk, dark")]
)
def test_a_report_works_from_disk_and_is_accessible(browser, runs, name, screen):
    file = runs[name] / "report.html"
    browser.size(**SCREENS[screen])

    opened(browser, file)

    assert browser.complaints == []
    assert browser.requests == [file.as_uri()]
    assert violations(browser) == []
    assert browser.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert browser.evaluate(f"Math.max(...[...document.querySelectorAll('.chart .chart svg')].map({SCALED}))") < 1.01


@pytest.mark.parametrize(("screen", "widest"), [("desk, light", 500), ("phone, light", 350)])
def test_a_confusion_matrix_of_a_few_classes_is_no_wider_than_it_need_be(browser, runs, screen, widest):
    browser.size(**SCREENS[screen])

    opened(browser, runs["flowers"] / "report.html")

    matrix = "[...document.querySelectorAll('figure')].find((f) => f.textContent.startsWith('Confusion matrix'))"
    width = browser.evaluate(f"{matrix}.querySelector('svg').getBoundingClientRect().width")
    assert 250 < width < widest


def test_scores_by_class_are_next_to_the_matrix_on_a_desk_and_whole_on_a_phone(browser, runs):
    parts = "document.querySelector('[aria-labelledby=classes] .charts').children"
    box = "JSON.parse(JSON.stringify(%s[%d].getBoundingClientRect()))"

    browser.size(**SCREENS["desk, light"])
    opened(browser, runs["flowers"] / "report.html")
    matrix, scores = (browser.evaluate(box % (parts, part)) for part in (0, 1))
    assert matrix["right"] <= scores["left"]
    assert matrix["top"] == scores["top"]

    browser.size(**SCREENS["phone, light"])
    opened(browser, runs["flowers"] / "report.html")
    assert browser.evaluate(f"{parts}[1].scrollWidth <= {parts}[1].clientWidth")


@pytest.mark.parametrize("name", ["shapes_folder", "flowers", "houses"])
def test_curves_have_the_numbers_of_the_history(browser, runs, name):
    browser.size(**SCREENS["desk, light"])
    history = [json.loads(line) for line in (runs[name] / "history.jsonl").read_text().splitlines()]
    names = [key.removeprefix("train_") for key in history[0] if key.startswith("train_")]
    splits = [split for split in ("train", "validation") if f"{split}_loss" in history[0]]

    opened(browser, runs[name] / "report.html")

    for i, metric in enumerate(names):
        title = browser.evaluate(f"document.querySelectorAll('figure:has(.chart) figcaption')[{i}].textContent")
        points = [POINT.fullmatch(text) for text in browser.evaluate(POINTS % i)]
        found = {(int(point[1]), point[3]): float(point[2]) for point in points if point}
        assert title == metric.capitalize().replace("_", " ")
        assert found == {
            (record["iteration"], split): pytest.approx(record[f"{split}_{metric}"], rel=1e-11)
            for split in splits
            for record in history
        }


def test_a_report_is_readable_without_scripts(browser, runs):
    browser.call("Emulation.setScriptExecutionDisabled", value=True)
    try:
        browser.open((runs["houses"] / "report.html").as_uri())
        widths = browser.evaluate("[...document.querySelectorAll('.chart > [role=img] svg')].map((e) => e.clientWidth)")
        charts = browser.evaluate(CHARTS)
    finally:
        browser.call("Emulation.setScriptExecutionDisabled", value=False)

    assert len(widths) == charts > 5
    assert min(widths) > 100


def test_a_report_prints_its_pictures_and_tables(browser, runs):
    opened(browser, runs["shapes_folder"] / "report.html")
    browser.call("Emulation.setEmulatedMedia", media="print")
    try:
        widths = browser.evaluate("[...document.querySelectorAll('.chart svg, table')].map((e) => e.clientWidth)")
        printed = browser.call("Page.printToPDF")["data"]
    finally:
        browser.call("Emulation.setEmulatedMedia", media="")

    assert sum(width > 100 for width in widths) > 5
    assert len(printed) > 10_000


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("shapes_folder", ["Classes", "Probabilities", "Most confident mistakes", "Importance of inputs"]),
        ("flowers", ["Classes", "Probabilities", "Most confident mistakes", "Importance of inputs"]),
        ("houses", ["Predicted and true", "Largest residuals", "Importance of inputs"]),
    ],
)
def test_what_a_report_contains(runs, name, expected):
    text = (runs[name] / "report.html").read_text("utf-8")

    assert headings(text) == [
        "Result",
        "Curves",
        *expected,
        "Layers",
        "Activations and gradients",
        "Spec",
        "To repeat this run",
    ]
    assert len(text.encode()) <= MOST_BYTES


def test_the_report_has_the_results_and_what_is_needed_to_repeat_them(runs):
    text = (runs["houses"] / "report.html").read_text("utf-8")
    metrics = json.loads((runs["houses"] / "metrics.json").read_text())
    lock = json.loads((runs["houses"] / "lock.json").read_text())

    assert "Trained for 60 iterations: test loss" in text
    assert f"{metrics['test']['r2']:.4f}" in text
    assert "loss (price²)" in text
    assert lock["data_checksum"] in text
    assert f"numpy=={np.__version__}" in text
    assert "mlpkit repro houses" in text
    for name in ("spec.yaml", "resolved.yaml"):
        assert "Affine: {units: 64}" in text
        assert (runs["houses"] / name).read_text("utf-8").splitlines()[-1].strip().split("#")[0] in text


def test_mistakes_of_a_table_are_its_rows(runs):
    text = (runs["houses"] / "report.html").read_text("utf-8")
    part = text[text.index("Largest residuals") :]

    assert re.findall(r"<th [^>]*>(.*?)</th>", part)[:7] == [
        "row",
        "true",
        "predicted",
        "area",
        "rooms",
        "age",
        "district",
    ]


def test_images_and_filters_are_images(runs):
    text = (runs["shapes_folder"] / "report.html").read_text("utf-8")

    assert "Conv2d1.W, an image for each unit" in text
    assert text.count("<img") >= 8 + 2


def test_large_images_keep_the_page_small(tmp_path):
    rng = np.random.default_rng(0)
    for i in range(12):
        folder = tmp_path / "images" / "ab"[i % 2]
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 256, (150, 160, 3), np.uint8)).save(folder / f"{i}.png")
    spec = {
        "mlpkit": 1,
        "name": "large",
        "data": {
            "image_folder": {
                "folder": str(tmp_path / "images"),
                "colour": True,
                "flatten": True,
                "validation": 0,
                "test": 0.5,
            }
        },
        "layers": [{"Affine": {"units": 48}}, {"Affine": {"units": 2}}, "SoftmaxWithLoss"],
        "training": {"optimizer": {"sgd": {"learning_rate": 0.01}}, "iterations": 1},
    }
    mlpkit.run(mlpkit.load_spec(spec), directory=tmp_path / "run")

    file = mlpkit.report(tmp_path / "run")

    assert file.read_text("utf-8").count("<img") > 48
    assert file.stat().st_size <= MOST_BYTES


def test_the_same_run_gives_the_same_bytes(runs, tmp_path):
    again = mlpkit.report(runs["flowers"], tmp_path / "again.html")

    assert again.read_bytes() == (runs["flowers"] / "report.html").read_bytes()


def test_a_report_changes_no_result(runs):
    assert {file.name for file in runs["flowers"].iterdir()} == {
        "spec.yaml",
        "resolved.yaml",
        "run.json",
        "lock.json",
        "history.jsonl",
        "timing.jsonl",
        "metrics.json",
        "model.safetensors",
        "report.html",
    } | {file.name for file in runs["flowers"].iterdir() if file.name in {".lock", "health.jsonl"}}


def copied(run, folder):
    shutil.copytree(run, folder)
    (folder / "report.html").unlink()
    return folder


def test_a_run_without_results_is_reported_as_far_as_it_came(runs, tmp_path):
    folder = copied(runs["flowers"], tmp_path / "stopped")
    (folder / "metrics.json").unlink()
    (folder / "model.safetensors").unlink()

    text = mlpkit.report(folder).read_text("utf-8")

    assert "Stopped after 60 of 60 iterations" in text
    assert "no model yet" in text
    assert headings(text) == ["Result", "Curves", "Activations and gradients", "Spec", "To repeat this run"]


def test_a_run_that_diverged_is_reported_with_the_reason(tmp_path):
    with pytest.raises(mlpkit.DivergenceError):
        trained("houses", tmp_path / "run", optimizer={"sgd": {"learning_rate": 1e6}})

    text = mlpkit.report(tmp_path / "run").read_text("utf-8")

    assert "Diverged after" in text
    assert "Activations and gradients" in headings(text)
    assert "not finite" in text or "diverge" in text


def test_without_the_data_the_rest_is_there(runs, tmp_path):
    data = tmp_path / "houses.csv"
    example = Path(sys.modules["mlpkit_plugins"].__file__).parent / "datasets" / "example_files" / "houses.csv"
    shutil.copy(example, data)
    spec = (SPECS / "houses.yaml").read_text().replace("example:houses.csv", str(data))
    (tmp_path / "spec.yaml").write_text(spec)
    folder = tmp_path / "run"
    mlpkit.run(mlpkit.load_spec(tmp_path / "spec.yaml", overrides={"training.iterations": 5}), directory=folder)
    data.unlink()

    text = mlpkit.report(folder).read_text("utf-8")

    assert "Left out, what needs the run&#x27;s data: " in text
    assert "houses.csv" in text
    assert headings(text) == [
        "Result",
        "Curves",
        "Layers",
        "Activations and gradients",
        "Spec",
        "To repeat this run",
    ]


def test_examples_from_python_are_given_again(tmp_path):
    x = np.random.default_rng(0).normal(size=(60, 3))
    t = np.where(x[:, 0] > 0, "warm", "cold")
    layers = [{"Affine": {"units": 2}}, "SoftmaxWithLoss"]
    mlpkit.fit(x, t, layers=layers, epochs=2, directory=tmp_path / "run", quiet=True)

    without = mlpkit.report(tmp_path / "run").read_text("utf-8")
    text = mlpkit.report(tmp_path / "run", examples=(x, t)).read_text("utf-8")

    assert "Classes" not in headings(without)
    assert "give them again: mlpkit.report(run, examples=(x, t))" in without
    assert {"Classes", "Probabilities", "Importance of inputs"} <= set(headings(text))
    assert "warm" in text


@pytest.mark.parametrize(("units", "said"), [(2, "The 25 most important of 300 columns."), (9000, "with 300 of them")])
def test_of_many_columns_the_most_important_are_shown_or_why_not(tmp_path, units, said):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(60, 300))
    np.savez(tmp_path / "data.npz", x=x, t=(x[:, 7] > 0).astype(int))
    layers = [{"Affine": {"units": units}}, {"Affine": {"units": 2}}, "SoftmaxWithLoss"]
    data = {"npz": {"file": str(tmp_path / "data.npz")}}
    training = {"optimizer": {"adam": {"learning_rate": 0.1}}, "iterations": 1 if units > 2 else 40}
    spec = mlpkit.load_spec({"mlpkit": 1, "data": data, "layers": layers, "training": training})

    text = mlpkit.report(mlpkit.run(spec, tmp_path / "run")).read_text("utf-8")

    assert said in text
    assert ('<td class="text">input 7</td>' in text) == (units == 2)


def test_examples_for_data_from_files_are_refused(runs, tmp_path):
    with pytest.raises(mlpkit.DataError, match="takes none from Python"):
        mlpkit.report(runs["flowers"], tmp_path / "page.html", examples=(np.zeros((1, 6)), np.zeros(1, int)))


@pytest.mark.parametrize("name", ["history.jsonl", "metrics.json", "lock.json", "resolved.yaml", "model.safetensors"])
def test_a_damaged_file_is_named(runs, tmp_path, name):
    folder = copied(runs["flowers"], tmp_path / "damaged")
    (folder / name).write_bytes(b"{nonsense\n{more\n")

    with pytest.raises(mlpkit.MlpkitError, match=re.escape(name)):
        mlpkit.report(folder)

    assert not (folder / "report.html").exists()


def test_a_folder_that_is_no_run_is_refused(tmp_path):
    with pytest.raises(mlpkit.RunFolderError, match="is not a run folder"):
        mlpkit.report(tmp_path)


def test_what_is_not_installed_is_named_with_the_command(runs, monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "vl_convert", None)

    with pytest.raises(mlpkit.UsageError, match=r'pip install "mlpkit\[plot\]"'):
        mlpkit.report(runs["flowers"], tmp_path / "page.html")


def test_distributions_are_those_of_the_health_of_the_run(runs, tmp_path):
    folder = copied(runs["flowers"], tmp_path / "run")
    looks = [json.loads(line) for line in (folder / "health.jsonl").read_text().splitlines()]
    outputs = next(layer["outputs"] for layer in looks[-1]["layers"] if layer["layer"] == "Relu1")
    quantiles = dict(zip(("q05", "q25", "q50", "q75", "q95"), outputs["quantiles"], strict=True))
    expected = json.dumps({"iteration": 60, **quantiles}, separators=(",", ":"))

    text = mlpkit.report(folder).read_text("utf-8")

    assert expected in text


def test_what_was_noticed_while_it_was_trained_is_said(runs, tmp_path):
    folder = copied(runs["flowers"], tmp_path / "run")
    *lines, last = map(json.loads, (folder / "health.jsonl").read_text().splitlines())
    symptom = {"name": "dead_units", "layer": "Relu1", "finding": "all", "advice": ["less"], "iteration": 60}
    lines.append({**last, "symptoms": [symptom]})
    (folder / "health.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))

    text = mlpkit.report(folder).read_text("utf-8")

    assert "Noticed at iteration 60: dead units in Relu1: all; try less." in text


def test_a_run_that_was_not_looked_into_has_no_distributions(runs, tmp_path):
    folder = copied(runs["flowers"], tmp_path / "run")
    (folder / "health.jsonl").unlink()

    assert "Activations and gradients" not in headings(mlpkit.report(folder).read_text("utf-8"))


def test_a_report_beside_the_folder_leaves_that_alone(runs, tmp_path):
    folder = copied(runs["flowers"], tmp_path / "run")

    file = mlpkit.report(folder, tmp_path / "page.html")

    assert file == tmp_path / "page.html"
    assert file.exists()
    assert not (folder / "report.html").exists()
    assert RunFolder.open(folder).finished
