"""The page of a step, opened from disk in a real browser."""

from __future__ import annotations

import re

import numpy as np
import pytest
from accessibility import violations

import mlpkit
from mlpkit.terminal.figures import figure
from mlpkit.verbs.trace.page import _bytes_of, write_page

IMAGES = """\
mlpkit: 1
data:
  image_folder: {folder: "example:shapes", flatten: false}
layers:
  - Conv2d: {filters: 2, size: 3}
  - Flatten
  - Affine: {units: auto}
  - SoftmaxWithLoss
training: {optimizer: adam, epochs: 1, batch_size: 20}
"""
TABLE = """\
mlpkit: 1
data:
  csv: {file: "example:loans.csv", target: paid_back, categorical: [purpose]}
layers: [{Affine: {units: auto}}, SoftmaxWithLoss]
training: {optimizer: sgd, epochs: 1, batch_size: 20}
"""


VALUES = """\
mlpkit: 1
data:
  csv: {file: "example:houses.csv", target: price, predict: values, categorical: [district]}
layers: [{Affine: {units: auto}}, MeanSquaredError]
training: {optimizer: sgd, iterations: 1, batch_size: 20}
"""


@pytest.fixture(scope="module")
def steps(tmp_path_factory):
    """Return a traced step of images and one of a table, each with its page."""
    folder, steps = tmp_path_factory.mktemp("steps"), {}
    for name, text in {"images": IMAGES, "table": TABLE}.items():
        (folder / f"{name}.yaml").write_text(text)
        mlpkit.run(mlpkit.load_spec(folder / f"{name}.yaml"), folder / name)
        traced = mlpkit.trace(folder / name, 3)
        write_page(folder / f"{name}.html", traced, traced.example(5) if name == "images" else None)
        steps[name] = traced, folder / f"{name}.html"
    return steps


DRAWN = "document.querySelectorAll('.chart .chart svg').length === document.querySelectorAll('figure > .chart').length"


def opened(browser, file, screen="desk, light"):
    return browser.show(file.as_uri(), DRAWN, screen)


@pytest.fixture(scope="module")
def images(browser, steps):
    """Return the step of images, and its page, open."""
    traced, file = steps["images"]
    return traced, opened(browser, file)


def table_of(page, heading, which=0):
    """Return the cells of a table in a section."""
    sections = "[...document.querySelectorAll('section')]"
    found = f"{sections}.find((each) => each.querySelector('h2').textContent === {heading!r})"
    rows = f"[...{found}.querySelectorAll('table')[{which}].rows]"
    return page.evaluate(f"{rows}.map((row) => [...row.cells].map((cell) => cell.textContent))")


def test_the_numbers_are_those_of_the_step(images):
    traced, page = images
    assert page.evaluate("document.querySelector('h1').textContent") == "Step 3 of images"
    assert f"loss {figure(traced.loss)}" in page.evaluate("document.querySelector('section').textContent")
    headings, *rows = table_of(page, "Where the loss comes from")
    assert headings == ["example", "row", "label", "predicted", "probability", "loss", "share", "from"]
    examples = [traced.example(number) for number in traced.largest_losses(12)]
    assert [row[:2] for row in rows] == [[str(each.number), str(each.row)] for each in examples]
    assert [row[5] for row in rows] == [figure(each.loss) for each in examples]
    for title, kind in {"Outputs of the layers": "outputs", "Gradients by the outputs": "output_gradients"}.items():
        found = {name: cells for name, *cells in table_of(page, title)[1:]}
        assert list(found) == list(getattr(traced, kind))
        for name, array in getattr(traced, kind).items():
            shape, mean, *_ = found[name]
            assert shape == " x ".join(map(str, array.shape))
            assert float(mean) == pytest.approx(array.astype(float).mean(), abs=6e-5, rel=5e-3)


def test_a_histogram_shows_its_counts(images):
    traced, page = images
    labels = page.evaluate(
        "[...[...document.querySelectorAll('figure')].find((each) => each.querySelector('figcaption').textContent === "
        "'Conv2d1').querySelectorAll('.chart .chart .mark-rect path')].map((bar) => bar.getAttribute('aria-label'))"
    )
    counts = [int(re.search(r"count: ([\d,]+)", label)[1].replace(",", "")) for label in labels]
    assert counts == list(traced.distributions["outputs"]["Conv2d1"].histogram)


def test_the_example_is_on_the_blackboard(images):
    traced, page = images
    title = "Example 5, forward and backward"
    example = traced.example(5)
    forward, backward = table_of(page, title)[1:], table_of(page, title, 1)[1:]
    assert [row[0].strip() for row in forward] == [
        "input",
        *(f"{layer.name} output" for layer in example.layers if layer.output is not None),
    ]
    assert forward[-1][2].split(", ") == [f"{value:.4g}" for value in (example.layers[-2].output + 0).tolist()]
    assert backward[0][0] == "SoftmaxWithLoss1 out"
    assert backward[0][2].split(", ") == [f"{value:.4g}" for value in (example.layers[-1].input_gradient + 0).tolist()]


def test_inputs_are_pictures(images):
    traced, page = images
    pictures = "[...document.querySelectorAll('.pictures img')]"
    assert page.evaluate(f"{pictures}.slice(0, {len(traced.rows) + 1}).every((each) => each.naturalWidth === 8)")
    script = """(image) => {
        const context = Object.assign(document.createElement("canvas"), {width: 8, height: 8}).getContext("2d");
        context.drawImage(image, 0, 0);
        return [...context.getImageData(0, 0, 8, 8).data];
    }"""
    pixels = page.evaluate(f"({script})({pictures}[0])")
    shown = np.array(pixels).reshape(8, 8, 4)[:, :, 0]
    x = traced.example(traced.largest_losses(1)[0]).input[0]
    np.testing.assert_allclose(shown, 255 * (x - x.min()) / (x.max() - x.min()), atol=1)


def test_rows_of_a_table_are_shown_with_their_columns(browser, steps):
    traced, file = steps["table"]
    page = opened(browser, file)
    headings, first, *_ = table_of(page, "Where the loss comes from")
    worst = traced.example(traced.largest_losses(1)[0])
    shown = dict(zip(headings, first, strict=True))
    assert shown["from"] == worst.source
    texts = "[...document.querySelectorAll('section:nth-of-type(2) th.text')].map((each) => each.textContent)"
    assert page.evaluate(texts) == ["label", "predicted"]
    assert {name: shown[name] for name in worst.columns} == {name: str(value) for name, value in worst.columns.items()}
    assert page.evaluate("document.querySelectorAll('img').length") == 0


def test_without_classes_no_probability_is_spoken_of(tmp_path):
    (tmp_path / "houses.yaml").write_text(VALUES)
    mlpkit.run(mlpkit.load_spec(tmp_path / "houses.yaml"), tmp_path / "run")
    write_page(tmp_path / "page.html", mlpkit.trace(tmp_path / "run", 1))
    text = (tmp_path / "page.html").read_text()
    assert "The 12 of 20 examples that add most to the loss, with the share of the loss." in text


@pytest.mark.parametrize(("name", "screen"), [("images", "desk, dark"), ("table", "phone, light")])
def test_a_page_is_at_home_on_every_screen(browser, steps, name, screen):
    _, file = steps[name]
    page = opened(browser, file, screen)
    assert page.complaints == []
    assert page.requests == [file.as_uri()]
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def page_of(file, traced, example=None):
    """Return the sections of a page, by title."""
    write_page(file, traced, example)
    parts = re.findall(r"<h2[^>]*>(.*?)</h2>(.*?)</section>", file.read_text("utf-8"), re.DOTALL)
    return dict(parts)


def cells(part, which=0):
    rows = re.findall(r"<tr[^>]*>(.*?)</tr>", part.split("<table>")[which + 1].partition("</table>")[0])
    return [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row) for row in rows]


def test_a_page_of_many_examples_columns_and_arrays_shows_some(made_up, tmp_path):
    columns = {f"c{i}": [f"{i}/{row}" for row in range(13)] for i in range(31)}
    gradient = {f"Affine{i}.W": np.array([1.0, i]) for i in range(18)}
    traced = made_up(13, columns=columns, gradient=gradient, changes=("a", "b"))
    page = page_of(tmp_path / "page.html", traced)
    assert "<h1>Step 1,234 of a</h1>" in (tmp_path / "page.html").read_text()
    assert list(page) == [
        "The step",
        "Where the loss comes from",
        "Example 13, forward and backward",
        "Outputs of the layers",
        "Gradients by the outputs",
        "Gradients by the parameters",
        "Updates of the parameters",
    ]
    about = re.findall("<p>(.*?)</p>", page["The step"])
    assert (about[0], about[-1]) == ("epoch 2.35", "the run&#x27;s bits are no longer guaranteed: a; b")
    assert about[1].startswith("loss 1.2500, learning rate 0.0125, gradient norm")
    said, table = page["Where the loss comes from"], cells(page["Where the loss comes from"])
    kind = "The 12 of 13 examples that add most to the loss"
    assert f"<p>{kind}, with the probability of the label and the share of the loss.</p>" in said
    heads = ["example", "row", "label", "predicted", "probability", "loss", "share", *(f"c{i}" for i in range(30))]
    assert table[0] == heads
    assert table[1][:9] == ["13", "120", "0", "0", "0.8125", "6.5000", "14.3%", "0/12", "1/12"]
    assert [row[0] for row in table[1:]] == [str(13 - i) for i in range(12)]
    gradients = page["Gradients by the parameters"]
    assert gradients.count("<figure>") == 16
    assert "<figcaption>Affine1.W</figcaption>" not in gradients  # of one number
    assert '"height":110' in gradients
    assert "<caption>Gradients by the parameters: statistics of the finite numbers</caption>" in gradients
    heads = ["", "shape", "mean", "std", "min", "max", "norm", "zero", "not finite"]
    assert cells(gradients)[:2] == [
        heads,
        ["Affine0.W", "2", "0.5000", "0.5000", "0.0000", "1.0000", "1.0000", "50.0%", "0"],
    ]
    assert len(cells(gradients)) == 19


def test_a_page_of_few_examples_shows_all_and_the_one_that_is_followed(made_up, tmp_path):
    traced = made_up(12, image_shape=(1, 2), divergence="it diverged", update={})
    page = page_of(tmp_path / "page.html", traced, traced.example(3))
    said = page["Where the loss comes from"]
    assert "<p>All 12 examples, with the probability of the label and the share of the loss.</p>" in said
    assert re.findall("<figcaption>(.*?)</figcaption>", said)[:2] == ["12: 2, predicted 0", "11: 1, predicted 0"]
    assert "Updates of the parameters" not in page
    followed = page["Example 3, forward and backward"]
    assert "<figcaption>example 3</figcaption>" in followed
    assert "<p>loss 1.5000, 3.8% of the minibatch&#x27;s</p>" in followed
    assert cells(followed) == [
        ["", "shape", "numbers"],
        ["input ", "2", "0.5, -0.5"],
        ["Affine1 output", "3", "1, 2, 3"],
    ]
    assert cells(followed, 1)[1:] == [
        ["SoftmaxWithLoss1 out", "3", "0.125, 0.25, 0.375"],
        ["Affine1 in", "3", "0.125, 0.25, 0.375"],
    ]
    assert (
        "<caption>the gradient of the minibatch&#x27;s loss that comes into each layer, and that goes out</caption>"
        in followed
    )


def test_an_image_is_as_bright_as_its_finite_numbers():
    image = np.array([[[np.nan, 1.0], [3.0, np.inf]]], np.float32)
    assert _bytes_of(image).tolist() == [[0, 85], [255, 0]]
    assert _bytes_of(np.full((1, 2, 2), -7.0)).tolist() == [[0, 0], [0, 0]]
    assert _bytes_of(np.array([[-1.0, 0.0, 1.0]])).tolist() == [[0, 127, 255]]
