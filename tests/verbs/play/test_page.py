"""A visitor of the playground in a real browser: trains, pauses, goes back, drags, drops a table, and saves."""

from __future__ import annotations

from pathlib import Path

import pytest
from accessibility import violations

from mlpkit.verbs.play.server import server_at, session_of

SPEC = """\
mlpkit: 1
name: flowers
data:
  csv: {file: "example:flowers.csv", target: species, categorical: [soil], missing: fill}
layers:
  - Affine: {units: 6}
  - Relu
  - Dropout: {rate: 0.25}
  - Affine: {units: 3}
  - SoftmaxWithLoss
training:
  optimizer: {sgd: {learning_rate: 0.05}}   # slowly
  batch_size: 16
  iterations: 20000
  metrics: [accuracy]
"""
SCREENS = {
    "desk": {"width": 1280, "height": 900},
    "desk, dark": {"width": 1280, "height": 900, "dark": True},
    "phone": {"width": 360, "height": 780, "mobile": True},
    "phone, dark": {"width": 360, "height": 780, "mobile": True, "dark": True},
}
IDLE = "now !== null && !busy && !waiting.length && !running"
TABLE = "x,y,kind\n" + "".join(
    f"{x},{y},{'up' if (x > 4) != (y > 4) else 'down'}\n" for x in range(10) for y in range(10)
)


@pytest.fixture
def visit(browser, cwd):
    """Return a function that opens the playground on a screen; at the end the page has complained of nothing."""
    (cwd / "spec.yaml").write_text(SPEC)
    with server_at(0, session_of(Path("spec.yaml"), Path("saved.yaml"))) as server:

        def opened(screen):
            browser.complaints.clear()
            browser.requests.clear()
            browser.size(**SCREENS[screen])
            browser.open(server.address)
            browser.wait_for(IDLE)
            return browser

        yield opened
        browser.open("about:blank")
        assert browser.complaints == []
        assert all(request.startswith(server.address) for request in browser.requests)


def press(page, name):
    page.evaluate(f"document.getElementById('{name}').click()")


def pressed(page, name):
    press(page, name)
    page.wait_for(IDLE)


def network(page):
    """Return what the page last learned of the network and its loss, the pictures included."""
    return page.evaluate("JSON.stringify([now.step, now.columns, now.records.at(-1)])")


def problems(page):
    return page.evaluate("document.getElementById('problems').textContent")


@pytest.mark.parametrize("screen", ["desk", "phone"])
def test_a_visitor_trains_pauses_goes_back_and_saves(screen, visit, cwd, invoke):
    page = visit(screen)
    pressed(page, "step")
    first = network(page)
    press(page, "run")
    page.wait_for("now.step > 5")
    press(page, "run")
    page.wait_for(IDLE)
    paused = page.evaluate("now.step")
    page.settle()
    assert (page.evaluate("now.step"), page.evaluate("byId('run').textContent")) == (paused, "Train")
    for _ in range(paused - 1):
        pressed(page, "back")
    assert network(page) == first

    slider = "document.querySelector('[data-key=\"training.optimizer.learning_rate\"] input[type=range]')"
    x, y, width = page.evaluate(
        f"{slider}.scrollIntoView({{block: 'center'}}), (({{x, y, width, height}}) => [x, y + height / 2, width])"
        f"({slider}.getBoundingClientRect())"
    )
    at = float(page.evaluate(f"{slider}.value")) / 200
    page.drag([(x + 8 + at * (width - 16), y), (x + 0.7 * width, y), (x + 0.8 * width, y)])
    page.wait_for(IDLE)
    rate = page.evaluate("now.rate")
    assert rate > 0.05
    assert f"learning_rate: {rate:g}}}}}   # slowly" in page.evaluate("byId('text').value")

    page.evaluate("byId('save').scrollIntoView(), byId('save').click()")
    page.wait_for(IDLE)
    assert "saved.yaml" in page.evaluate("byId('saved').textContent")
    assert (cwd / "saved.yaml").read_text() == page.evaluate("byId('text').value")
    assert invoke("check", "saved.yaml").code == 0


def test_a_table_is_dropped_on_the_page(visit, cwd, invoke):
    page = visit("desk")
    page.evaluate(
        f"((files) => (files.items.add(new File([`{TABLE}`], 'squares.csv')), document.body.dispatchEvent("
        "new DragEvent('drop', { dataTransfer: files, bubbles: true, cancelable: true }))))(new DataTransfer())"
    )
    page.wait_for(f"{IDLE} && spec.name === 'squares'")
    assert page.evaluate("[byId('target').value, ...spec.classes]") == ["kind", "down", "up"]
    press(page, "run")
    page.wait_for("now.step > 3")
    press(page, "run")
    page.wait_for(IDLE)
    pressed(page, "save")
    assert invoke("check", "saved.yaml").code == 0
    assert (cwd / "squares.csv").exists()
    for shape in ("spirals", "circle", "xor", "clouds"):
        page.evaluate(f"(byId('shapes').value = '{shape}', byId('shapes').dispatchEvent(new Event('change')))")
        page.wait_for(f"{IDLE} && spec.name === '{shape}'")
        assert (problems(page), page.evaluate("[...spec.axes, ...spec.classes]")) == ("", ["x", "y", "A", "B"])


def test_layers_and_weights_are_changed_with_the_keyboard_alone(visit):
    page = visit("desk")
    pressed(page, "step")
    page.evaluate("document.querySelector('[aria-label=\"Affine1, unit 2\"]').focus()")
    page.wait_for("now.unit?.unit === 1")
    assert page.evaluate("byId('unit-name').textContent") == "Affine1, unit 2: weights"
    weight = page.evaluate("now.unit.weights[0].value")
    page.evaluate("document.querySelector('#weight-0 input').focus()")
    page.key("ArrowRight")
    page.wait_for(f"{IDLE} && now.unit.weights[0].value > {weight}")

    line = "document.querySelector('[aria-label=\"Relu1 as in the spec\"]')"
    page.evaluate(f"{line}.closest('details').querySelector('summary').focus()")
    page.key("Enter", text="\r")
    page.wait_for(f"{line}.checkVisibility()")
    page.evaluate(f"{line}.focus()")
    page.evaluate("document.activeElement.select()")
    page.call("Input.insertText", text="Tanh")
    page.key("Enter", text="\r")
    page.wait_for(f"{IDLE} && spec.layers[1].name === 'Tanh1'")
    assert page.evaluate("document.querySelectorAll('#curve .old').length") == 2
    assert "before: Affine: {units: 6}, Relu" in page.evaluate("byId('curves').textContent")
    page.evaluate("document.querySelector('[aria-label=\"More units in Affine1\"]').focus()")
    page.key("Enter", text="\r")
    page.wait_for(f"{IDLE} && spec.layers[0].output_shape[0] === 7")
    assert page.evaluate("document.activeElement.getAttribute('aria-label')") == "More units in Affine1"


def test_a_wrong_value_gets_the_usual_pointed_error(visit):
    page = visit("phone")
    page.evaluate("document.querySelector('[data-key=\"training.batch_size\"] input').focus()")
    page.evaluate("document.activeElement.select()")
    page.call("Input.insertText", text="thirty")
    page.key("Enter", text="\r")
    page.wait_for(f"{IDLE} && byId('problems').textContent")
    assert problems(page) == "spec.yaml:13:15: 'thirty' is not an integer\nexpected: an integer, at least 1"
    page.evaluate("(byId('text').value = byId('text').value.replace('- Relu', '- Rleu'), byId('use').click())")
    page.wait_for("byId('problems').textContent.includes('Rleu')")
    assert problems(page).endswith("unknown layer or loss 'Rleu'\nhelp: did you mean 'Relu'?")
    for end in (0, 100_000):
        page.evaluate(f"scrollTo(0, {end})")
        top, bottom = page.evaluate("(({top, bottom}) => [top, bottom])(byId('problems').getBoundingClientRect())")
        assert 0 <= top < bottom <= page.evaluate("innerHeight")
    assert page.evaluate("byId('use').getBoundingClientRect().bottom") < top


@pytest.mark.parametrize("screen", SCREENS)
def test_the_page_is_accessible_and_fits(screen, visit):
    page = visit(screen)
    pressed(page, "step")
    page.evaluate("document.querySelector('button.node').focus()")
    page.wait_for(f"{IDLE} && now.unit")
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_seven_columns_fit_on_a_desk_with_units_of_three_digits(visit):
    page = visit("desk")
    page.evaluate("void actions.layer(1, 'BatchNorm', true)")
    page.evaluate("void actions.set('layers.Affine1.units', 256)")
    page.wait_for(f"{IDLE} && spec.layers[1].output_shape[0] === 256")
    assert page.evaluate("document.querySelectorAll('#network h3').length") == 7
    width, room = page.evaluate(
        "(({scrollWidth, clientWidth}) => [scrollWidth, clientWidth])(byId('network').parentNode)"
    )
    assert width <= room
    heights = "[...document.querySelectorAll('.edit > .count')].map((count) => count.offsetHeight)"
    assert max(page.evaluate(heights)) < 40


def test_sliders_have_all_values_that_are_allowed_and_no_others(visit):
    page = visit("desk")
    ends = """((bounds, integer, value) => {
        const scale = scaleOf({ key: 'a', bounds, integer, value }, spec);
        return [scale.number(0), scale.number(STEPS), scale.position(value)];
    })"""
    assert page.evaluate(f"{ends}({{ minimum: 0 }}, true, 0)") == [0, 64, 0]
    assert page.evaluate(f"{ends}({{ exclusiveMinimum: 0, maximum: 1 }}, false, 1)") == [0.01, 1, 200]
    assert page.evaluate(f"{ends}({{ minimum: 0, exclusiveMaximum: 1 }}, false, 0)") == [0, 0.99, 0]


def test_a_page_follows_what_another_changes(visit):
    page = visit("desk")
    page.evaluate("ask({do: 'layer', position: 1, line: 'Tanh'}).then(() => 0)")
    pressed(page, "step")
    assert page.evaluate("document.querySelectorAll('#network h3')[2].textContent") == "Tanh1"


def test_a_table_of_an_older_spreadsheet_keeps_its_letters(visit):
    page = visit("desk")
    table = "größe,art\n" + "".join(f"{number**2 % 17},{'ab'[number % 2]}\n" for number in range(40))
    page.evaluate(f"takeFile(new File([Uint8Array.from({list(table.encode('latin-1'))})], 'old.csv'))")
    page.wait_for(f"{IDLE} && spec.name === 'old'")
    assert page.evaluate("[byId('problems').textContent, ...spec.axes]") == ["", "größe"]


def test_several_pages_ask_one_after_the_other(visit):
    page = visit("desk")
    asks = "[1, 2, 3, 4].map((steps) => ask({do: 'train', steps, seconds: 60}).then((answer) => answer.now.step))"
    assert sorted(page.evaluate(f"Promise.all({asks})"))[-1] == 10


def test_the_page_says_that_its_program_has_ended(browser, cwd):
    (cwd / "spec.yaml").write_text(SPEC)
    with server_at(0, session_of(Path("spec.yaml"), Path("saved.yaml"))) as server:
        browser.size(**SCREENS["desk"])
        browser.open(server.address)
        browser.wait_for(IDLE)
    browser.wait_for("byId('status').textContent.startsWith('The program that trains has ended')")
    assert browser.evaluate("running") is False
    browser.complaints.clear()
