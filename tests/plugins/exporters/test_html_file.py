"""A model as a page, opened from disk in a real browser."""

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from accessibility import violations
from c_models import model_with
from headless_browser import SCREENS, TWO_SCREENS

import mlpkit
from mlpkit import Graph
from mlpkit.graph.provenance import find_provenance
from mlpkit.jobs.load_model import load_run
from mlpkit.verbs.export.export import export
from mlpkit_plugins.exporters.html_file import HtmlFile

SPECS = Path(mlpkit.__file__).parent / "shipped_specs"
MOST_BYTES = 1_000_000
DRAWN = json.loads((Path(__file__).parent / "drawn_digits" / "strokes.json").read_text())
"""Digits as a person draws them: strokes of a pen, from 0 to 100 across and down."""

PAD = "document.querySelector('canvas.pad')"
ANSWER = "document.querySelector('output').textContent"
NOTHING = "\N{EN DASH}"


def trained(name, folder, **overrides):
    spec = mlpkit.load_spec(SPECS / name, overrides={f"training.{key}": value for key, value in overrides.items()})
    mlpkit.run(spec, directory=folder)
    return folder


@pytest.fixture(scope="session")
def digits(tmp_path_factory):
    """A run that reads digits: 98 % of MNIST's test set."""
    return trained("mnist_fast.yaml", tmp_path_factory.mktemp("digits") / "run")


@pytest.fixture(scope="module")
def digits_page(digits, tmp_path_factory):
    file = tmp_path_factory.mktemp("pages") / "digits.html"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("mlpkit.jobs.spec_data.MOST_ROWS", 500)
        export(digits, file)
    return file


@pytest.fixture(scope="module")
def towns_page(towns, tmp_path_factory):
    file = tmp_path_factory.mktemp("pages") / "towns.html"
    export(towns, file)
    return file


@pytest.fixture
def opened(browser):
    """Return a function that opens a page from disk; at the end it has complained of nothing."""

    ready = "document.querySelector('output')?.textContent"
    yield lambda file, screen="desk, light": browser.show(file.as_uri(), ready, screen)
    assert browser.complaints == []


def on_screen(page, points):
    """Return points of a drawing as points of the screen."""
    left, top, width, height = page.evaluate(
        f"(({{left, top, width, height}}) => [left, top, width, height])({PAD}.getBoundingClientRect())"
    )
    return [(left + x / 100 * width, top + y / 100 * height) for x, y in points]


def draw_with_mouse(page, strokes):
    for stroke in strokes:
        page.drag(on_screen(page, stroke))
    page.settle()


def draw_with_touch(page, strokes):
    for stroke in strokes:
        page.swipe(on_screen(page, stroke))
    page.settle()


def a_drawn(digit):
    return next(each["strokes"] for each in DRAWN if each["digit"] == digit)


def test_a_digit_drawn_with_the_mouse_is_recognised(opened, digits_page):
    page = opened(digits_page)

    draw_with_mouse(page, a_drawn(3))

    assert page.evaluate(ANSWER) == "3"
    best = page.evaluate("document.querySelector('li.best').innerText").split("\n")
    assert best[0] == "3"
    assert best[-1].endswith("%")


def test_a_digit_drawn_with_a_finger_is_recognised_and_the_page_stays_where_it_is(opened, digits_page):
    page = opened(digits_page, "phone, light")
    page.evaluate("scrollTo(0, 40)")

    draw_with_touch(page, a_drawn(2))

    assert page.evaluate(ANSWER) == "2"
    assert page.evaluate("scrollY") == 40


def test_a_digit_drawn_with_keys_is_recognised(opened, digits_page):
    page = opened(digits_page)
    page.key("Tab")
    assert page.evaluate(f"document.activeElement === {PAD}")

    for key, times in (("ArrowUp", 12), (" ", 1), ("ArrowDown", 24), (" ", 1)):
        for _ in range(times):
            page.key(key)
    page.settle()

    assert page.evaluate(ANSWER) == "1"
    page.key("Delete")
    page.settle()
    assert page.evaluate(ANSWER) == NOTHING


def test_nothing_is_predicted_for_an_empty_drawing(opened, digits_page):
    page = opened(digits_page)
    assert page.evaluate(ANSWER) == NOTHING
    assert "%" not in page.evaluate("document.querySelector('ul').innerText")

    draw_with_mouse(page, a_drawn(3))
    page.evaluate("document.querySelector('button').click()")
    page.settle()

    assert page.evaluate(ANSWER) == NOTHING
    assert "%" not in page.evaluate("document.querySelector('ul').innerText")


def test_nine_of_ten_drawn_digits_are_recognised(opened, digits_page):
    page = opened(digits_page)
    right = 0
    for each in DRAWN:
        draw_with_mouse(page, each["strokes"])
        right += page.evaluate(ANSWER) == str(each["digit"])
        page.evaluate("document.querySelector('button').click()")

    assert len(DRAWN) == 50
    assert right >= 45


def drawn_pixels(page, strokes):
    shape = "{height: 28, width: 28}"
    scaled = [[[x / 100, y / 100] for x, y in stroke] for stroke in strokes]
    script = "document.querySelector('script').textContent.replaceAll('export const', 'const')"
    expression = f"new Function('return (async () => {{' + {script} + '; return drawn({scaled}, {shape}) }})()')()"
    return np.array(page.evaluate(f"{expression}.then((ink) => Array.from(ink))")).reshape(28, 28)


@pytest.mark.parametrize("position", range(0, 50, 7))
def test_a_drawing_is_laid_out_as_in_mnist(opened, digits_page, position):
    page = opened(digits_page)

    ink = drawn_pixels(page, DRAWN[position]["strokes"])

    rows, columns = (np.flatnonzero(ink.max(axis=axis) > 0.5) for axis in (1, 0))
    longest = max(rows[-1] - rows[0], columns[-1] - columns[0]) + 1
    assert 19 <= longest <= 21
    for axis in (0, 1):
        along = ink.sum(axis=1 - axis)
        assert (along @ np.arange(28)) / along.sum() == pytest.approx(14, abs=0.2)
    assert ((ink > 0.1) & (ink < 0.9)).sum() > 15


def test_every_layer_has_a_picture_of_what_it_computes(opened, digits_page, digits):
    page = opened(digits_page)
    draw_with_mouse(page, a_drawn(5))

    found = page.evaluate("[...document.querySelectorAll('figure canvas')].map((each) => each.ariaLabel)")

    names = [each.partition(":")[0] for each in found]
    assert names == ["input", "Affine1", "Relu1", "Affine2", "SoftmaxWithLoss1"]
    assert found[0] == "input: 784 numbers, 0 to 1"
    assert found[2].startswith("Relu1: 192 numbers, 0 to ")
    colours = page.evaluate(
        "[...document.querySelectorAll('figure canvas')].map((canvas) => canvas.getContext('2d').getImageData(0, 0, "
        "canvas.width, canvas.height).data.buffer).map((pixels) => new Set(new Uint32Array(pixels)).size)"
    )
    assert all(count > 3 for count in colours[:-1])


def fill_in(page, name, value):
    label = (
        f"[...document.querySelectorAll('label')].find((each) => each.firstChild.textContent === {json.dumps(name)})"
    )
    control = f"{label}.querySelector('input, select')"
    page.evaluate(
        f"((control) => {{ control.value = {json.dumps(value)};"
        f" control.dispatchEvent(new Event('input', {{bubbles: true}})) }})({control})"
    )


def number(text):
    return float(text.replace(",", "").replace("\N{MINUS SIGN}", "-"))


def shares(page):
    found = page.evaluate("[...document.querySelectorAll('li')].map((each) => each.innerText.split('\\n'))")
    return {texts[0]: float(texts[-1].removesuffix(" %")) / 100 for texts in found}


@pytest.mark.parametrize(
    "row",
    [
        {"age": "31.5", "price": "12", "town": "town 1", "shop": "baker", "size": "large", "when": "2012-03-04"},
        {"age": "60", "price": "900", "town": "other", "shop": "grocer", "size": "small", "when": "2028-12-31"},
        {"age": "", "price": "50", "town": "", "shop": "grocer", "size": "", "when": ""},
    ],
)
def test_a_form_predicts_what_the_model_does(opened, towns_page, towns, row):
    page = opened(towns_page)

    for name, value in row.items():
        fill_in(page, name, value)

    model = mlpkit.load(towns)
    assert page.evaluate(ANSWER) == model.predict([row])[0]
    expected = dict(zip(model.classes, model.predict_proba([row])[0], strict=True))
    assert shares(page) == pytest.approx(expected, abs=0.0006)


def test_a_form_begins_with_what_is_usual(opened, towns_page):
    page = opened(towns_page)

    found = page.evaluate("[...document.querySelectorAll('label')].map((each) => each.innerText)")
    kinds = page.evaluate("[...document.querySelectorAll('label > :first-child')].map((each) => each.type)")

    assert dict(zip((each.split("\n")[0] for each in found), kinds, strict=True)) == {
        "age": "number",
        "price": "number",
        "when": "date",
        "town": "select-one",
        "shop": "select-one",
        "size": "select-one",
    }
    assert page.evaluate(ANSWER) != NOTHING


@pytest.fixture(scope="module")
def shops(tmp_path_factory):
    """The rows of a table, and a run that learned from it: times, days that are all the first of a year, yes and no."""
    rng = np.random.default_rng(3)
    rows = []
    for _ in range(120):
        hour, member, year = int(rng.integers(8, 20)), str(rng.choice(["yes", "no"])), int(rng.integers(1970, 1983))
        opened = f"2024-{rng.integers(1, 13):02}-{rng.integers(1, 28):02}T{hour:02}:{rng.integers(60):02}"
        age = "" if rng.random() < 0.1 else str(rng.choice([18, 79]))
        paid = hour + (5 if member == "yes" else 0)
        row = {
            "opened": opened,
            "built": f"{year}-01-01",
            "member": member,
            "age": age,
            "town": str(rng.choice(["Ulm", "Bonn"])),
            "paid": str(paid),
        }
        rows.append(row)
    folder = tmp_path_factory.mktemp("shops")
    lines = [",".join(row.values()) for row in rows]
    (folder / "shops.csv").write_text("\n".join([",".join(rows[0]), *lines, ""]))
    dates = {"dates": ["opened", "built"], "date_parts": ["elapsed", "month", "hour"]}
    csv = {"file": str(folder / "shops.csv"), "target": "paid", "predict": "values", **dates, "missing": "fill"}
    spec = {
        "mlpkit": 1,
        "name": "shops",
        "data": {"csv": {**csv, "categorical": ["town"], "unknown": "zeros", "test": 0.2}},
        "layers": [{"Affine": {"units": 1}}, "MeanSquaredError"],
        "training": {"optimizer": {"adam": {"learning_rate": 0.1}}, "epochs": 20},
    }
    mlpkit.run(mlpkit.load_spec(spec), directory=folder / "run")
    export(folder / "run", folder / "shops.html")
    return rows, folder / "run"


def test_a_form_begins_with_values_that_occur(opened, shops):
    rows, run = shops
    page = opened(run.parent / "shops.html")

    found = dict(
        page.evaluate(
            "[...document.querySelectorAll('label')].map((each) => [each.firstChild.textContent, "
            "each.querySelector('input, select').value])"
        )
    )

    assert {*found} == {"opened", "built", "member", "age", "town"}
    truths = {"yes": "1", "no": "0"}
    for name, value in found.items():
        assert value in {truths.get(row[name], row[name]) for row in rows} - {""}, name


@pytest.mark.parametrize("member", ["yes", "no", ""])
def test_a_form_takes_times_and_yes_and_no(opened, shops, member):
    _, run = shops
    page = opened(run.parent / "shops.html")
    row = {"opened": "2024-05-06T19:45", "built": "1975-01-01", "member": member, "age": "18", "town": "Ulm"}

    kinds = {
        name: page.evaluate(
            "[...document.querySelectorAll('label')].find((each) => each.firstChild.textContent === "
            f"{json.dumps(name)}).querySelector('input, select').type"
        )
        for name in row
    }
    for name, value in row.items():
        fill_in(page, name, {"yes": "1", "no": "0"}.get(value, value))

    assert kinds == {
        "opened": "datetime-local",
        "built": "date",
        "member": "select-one",
        "age": "number",
        "town": "select-one",
    }
    assert number(page.evaluate(ANSWER)) == pytest.approx(mlpkit.load(run).predict([row])[0], rel=1e-4)


def test_a_text_that_is_no_number_is_refused_and_not_missing(opened, shops):
    _, run = shops
    page = opened(run.parent / "shops.html")

    page.evaluate("document.querySelector('input[type=number]').select()")
    page.key("e", text="e")
    page.settle()

    problem = page.evaluate("document.querySelector('[role=alert]').textContent")
    assert problem == 'row 0, input "age": "not a number" is given; expected a number, or null if it is missing'
    assert page.evaluate(ANSWER) == NOTHING


def test_a_form_shows_the_range_of_a_column_in_training(opened, towns_page, towns):
    page = opened(towns_page)
    dataset = load_run(towns).dataset
    trained_on = dataset.raw_rows("train", np.arange(len(dataset.open(0)["train"])))
    prices = np.array(trained_on["price"], float)
    days = sorted(day for day in trained_on["when"] if day)

    hints = dict(
        page.evaluate(
            "[...document.querySelectorAll('label')].map((each) => [each.firstChild.textContent, "
            "each.querySelector('small').textContent])"
        )
    )

    least, greatest = map(number, hints["price"].removesuffix(" in training").split(" to "))
    assert (least, greatest) == pytest.approx((prices.min(), prices.max()), rel=1e-4)  # five digits are shown
    assert hints["when"] == f"{days[0]} to {days[-1]} in training"


@pytest.mark.parametrize("name", ["houses.yaml", "weather.yaml"])
def test_values_and_labels_have_pages(opened, tmp_path, name):
    run = trained(name, tmp_path / "run", iterations=30)
    export(run, tmp_path / "model.html")

    page = opened(tmp_path / "model.html")

    text = page.evaluate(ANSWER)
    if name == "houses.yaml":
        assert np.isfinite(number(text))
        assert page.evaluate("document.querySelector('output + p').textContent") == "price, in the unit of its column"
    else:
        assert set(shares(page)) == {"rain", "wind", "fog"}


@pytest.mark.filterwarnings("ignore:.*rows have no target:UserWarning")
def test_several_values_are_shown_with_their_names(opened, towns, tmp_path):
    columns = {"target": ["age", "price"], "predict": "values", "inputs": ["town"], "categorical": ["town"]}
    csv = {"file": str(towns.parent / "towns.csv"), **columns, "missing": "fill", "unknown": "zeros"}
    spec = {
        "mlpkit": 1,
        "name": "two_values",
        "data": {"csv": csv},
        "layers": [{"Affine": {"units": 2}}, "MeanSquaredError"],
        "training": {"optimizer": {"sgd": {"learning_rate": 0.01}}, "epochs": 1},
    }
    mlpkit.run(mlpkit.load_spec(spec), directory=tmp_path / "run")
    export(tmp_path / "run", tmp_path / "model.html")

    page = opened(tmp_path / "model.html")

    shown = dict(line.split(": ") for line in page.evaluate(ANSWER).split("\n"))
    town = page.evaluate("document.querySelector('select').value")
    expected = mlpkit.load(tmp_path / "run").predict([{"town": town}])[0]
    assert [*shown] == ["age", "price"]
    np.testing.assert_allclose([*map(number, shown.values())], expected, rtol=1e-4)


def test_a_bare_network_has_a_page(opened, towns, tmp_path):
    export(towns, tmp_path / "network.html", network_only=True)
    page = opened(tmp_path / "network.html")
    network = mlpkit.load(towns).network
    x = np.arange(network.input_shape[0], dtype=np.float32) % 2

    page.evaluate(
        f"((area) => {{ area.value = '{', '.join(map(str, x))}'; area.dispatchEvent(new Event('input', "
        "{bubbles: true})) })(document.querySelector('textarea'))"
    )

    found = list(map(number, page.evaluate(ANSWER).split(", ")))
    np.testing.assert_allclose(found, network.predict(x[np.newaxis])[0], rtol=5e-3)  # three digits are shown


@pytest.mark.parametrize("screen", TWO_SCREENS)
@pytest.mark.parametrize("name", ["digits_page", "towns_page"])
def test_a_page_fits_its_screen_and_is_accessible(opened, request, name, screen):
    page = opened(request.getfixturevalue(name), screen)

    assert page.evaluate("document.documentElement.scrollWidth") <= SCREENS[screen]["width"]
    dark = page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(19, 19, 21)"
    assert dark == SCREENS[screen].get("dark", False)
    if name == "digits_page":
        draw_with_mouse(page, a_drawn(3))
    assert violations(page) == []


LARGEST = "mnist_augmented.yaml"
OTHERS = sorted(path.name for path in SPECS.glob("mnist_*.yaml") if path.name != LARGEST)


NONE = np.zeros(0)
DAY = 86_400
START_OF_FIELDS = {
    "lower median": ({}, np.array([9.0, np.nan, 1, 2, np.inf, 4]), {"start": 2.0, "isTruth": False}),
    "of each": ({"shape": (2,)}, np.array([[1.0, np.nan], [3, 8], [2, 6]]), {"start": [2.0, 6.0], "isTruth": False}),
    "all missing": ({}, np.full(3, np.nan), {"start": None, "isTruth": False}),
    "by extent": ({"extent": (3.0, 7.0)}, NONE, {"start": 3.0, "isTruth": False}),
    "unknown": ({}, NONE, {"start": None, "isTruth": False}),
    "yes and no": ({"extent": (0.0, 1.0), "typical": (0.2, 0.4)}, np.array([1.0]), {"start": 1.0, "isTruth": True}),
    "share": ({"extent": (0.0, 1.0), "typical": (0.2, 0.41)}, NONE, {"start": 0.0, "isTruth": False}),
    "two": ({"extent": (0.0, 2.0), "typical": (0.2, 0.4)}, NONE, {"start": 0.0, "isTruth": False}),
    "days": ({"kind": "date"}, np.array([5.0, 3, np.nan]) * DAY, {"start": 3.0 * DAY, "step": DAY}),
    "minutes": ({"kind": "date"}, np.array([DAY, 60.0]), {"start": 60.0, "step": 60}),
    "seconds": ({"kind": "date", "extent": (0.0, 61.0)}, np.array([1.0 * DAY]), {"start": 1.0 * DAY, "step": 1}),
    "no dates": ({"kind": "date"}, NONE, {"start": None, "step": 1}),
    "commonest": ({"dtype": "str", "choices": ["b", "c"]}, np.array(["", "c", "b", "", "b", ""]), {"start": "b"}),
    "no text": ({"dtype": "str", "choices": ["b", "c"]}, np.array([""]), {"start": ""}),
    "any text": ({"dtype": "str"}, np.array(["b"]), {"start": ""}),
    "image": ({"dtype": "uint8", "shape": (2, 2), "kind": "pixels"}, np.ones((1, 2, 2)), {"start": None}),
}


def test_fields_start_with_the_middle_of_the_examples_or_else_of_the_range(tmp_path):
    graph, rows = Graph(np.dtype(np.float32)), {}
    for name, (options, examples, _) in START_OF_FIELDS.items():
        graph.feed(name, **{"dtype": "float64", **options})
        rows[name] = examples
    model = model_with(graph, {"y": graph.op("Neg", graph.feed("x", "float32"))})

    HtmlFile().write(replace(model, examples=rows), tmp_path / "model.html")

    fields = json.loads(re.search("const FIELDS = (.*);", (tmp_path / "model.html").read_text())[1])
    assert fields.pop("x") == {"start": None, "isTruth": False}
    assert fields == {name: expected for name, (*_, expected) in START_OF_FIELDS.items()}


@pytest.mark.parametrize("name", [LARGEST, *(pytest.param(other, marks=pytest.mark.long) for other in OTHERS)])
def test_a_page_of_mnist_has_at_most_a_megabyte(tmp_path, monkeypatch, name):
    monkeypatch.setattr("mlpkit.jobs.spec_data.MOST_ROWS", 50)
    run = trained(name, tmp_path / "run", iterations=20, evaluate_every=20)

    export(run, tmp_path / "model.html")

    assert (tmp_path / "model.html").stat().st_size <= MOST_BYTES


def test_a_page_says_what_it_came_from_in_a_comment(digits_page):
    found = find_provenance(digits_page.read_bytes())

    assert found["name"] == "mnist_fast"
    assert "<!-- mlpkit-provenance: {" in digits_page.read_text()


def test_a_page_loads_nothing(digits_page):
    text = digits_page.read_text()

    assert "http:" not in text
    assert "https:" not in text
    assert '<link rel="icon" href="data:,">' in text
