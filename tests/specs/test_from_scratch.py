"""The teaching folder: each page shows what textbooks show, in numbers and in a browser."""

from __future__ import annotations

import contextlib
import importlib
import re
import shlex
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from accessibility import violations
from headless_browser import SCREENS

import mlpkit
from mlpkit.jobs.check import check
from mlpkit.specfile.spec import read_spec

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "specs" / "from_scratch"
TOPICS = sorted(path.stem for path in FOLDER.glob("*.yaml"))
FEW = ("data.mnist.train=2000", "data.mnist.validation=0")
SHORT = {
    "batch_norm": ("training.epochs=8", "training.evaluate_every=40"),
    "filters": ("data.mnist.train=1000", "data.mnist.validation=0"),
    "initialization": (*FEW, "training.iterations=150", "training.evaluate_every=75"),
    "misclassified": ("data.mnist.train=5000",),
    "optimizers": (*FEW, "training.iterations=150", "training.evaluate_every=75"),
    "overfitting": ("data.mnist.validation=1000", "training.epochs=150", "training.evaluate_every=225"),
}
"""What makes a page quick to make, and leaves what it shows."""
SIZES = [1.0, 0.1585, 0.01]
"""What the short form of the page on batch normalization shows of its sixteen sizes."""
CHARTS = {
    "batch_norm": 3,
    "filters": 0,
    "gradient_check": 2,
    "initialization": 13,
    "misclassified": 1,
    "optimizers": 5,
    "overfitting": 3,
}


@pytest.fixture(scope="module", autouse=True)
def at_the_root():
    """Run everything from where the commands in the texts are meant to run."""
    with contextlib.chdir(ROOT):
        yield


@pytest.fixture(scope="module")
def scripts():
    """The scripts as modules, by topic, and what they share."""
    names = [*TOPICS, "lesson"]
    sys.path.insert(0, str(FOLDER))
    try:
        yield {name: importlib.import_module(name) for name in names}
    finally:
        sys.path.remove(str(FOLDER))
        for name in names:
            sys.modules.pop(name, None)


@pytest.fixture(scope="module")
def lesson_of(scripts):
    """Return a function that gives the short form of a topic's lesson, which trains each network once."""

    @cache
    def lesson(topic):
        made = scripts["lesson"].Lesson(Path("specs/from_scratch") / f"{topic}.py", SHORT.get(topic, ()))
        made.train = cache(made.train)
        return made

    return lesson


@pytest.mark.parametrize("topic", TOPICS)
def test_a_spec_of_the_folder_is_right(topic):
    assert check(read_spec(FOLDER / f"{topic}.yaml")).spec.name == topic


def test_the_spec_whose_page_trains_nothing_trains_by_itself(tmp_path):
    overrides = {"training.epochs": 1, "data.mnist.validation": 100}
    run = mlpkit.run(mlpkit.load_spec(FOLDER / "gradient_check.yaml", overrides=overrides), tmp_path / "run")
    assert run.metrics["test"]["accuracy"] > 0.3


def commands():
    """Return each command in the texts of the folder."""
    texts = [(FOLDER / f"{topic}.md").read_text("utf-8") for topic in TOPICS]
    blocks = re.findall(r"^```sh\n(.*?)\n```$", "\n".join(texts), re.MULTILINE | re.DOTALL)
    return sorted({command for block in blocks for command in block.splitlines()})


@pytest.mark.parametrize("command", commands())
def test_a_command_to_try_is_right(command):
    *program, path = shlex.split(command)[: 3 if command.startswith("mlpkit run") else 2]
    changes = re.findall(r"--set ('[^']*'|\S+)", command)
    assert program in (["mlpkit", "run"], ["python"])
    assert Path(path).is_file()
    check(read_spec(Path(path).with_suffix(".yaml"), overrides=[shlex.split(change)[0] for change in changes]))


def test_a_folder_that_is_not_there_is_named_before_anything_is_trained(scripts, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["filters.py", "--to", "nowhere/filters.html"])
    with pytest.raises(SystemExit, match="2"):
        scripts["lesson"].main(lambda lesson: pytest.fail("it was begun"))
    assert capsys.readouterr().err.endswith("filters.py: error: argument --to: there is no folder nowhere\n")


def test_ctrl_c_ends_a_script_without_a_traceback(scripts, monkeypatch, tmp_path):
    def interrupted(lesson):
        raise KeyboardInterrupt

    monkeypatch.setattr(sys, "argv", [str(FOLDER / "filters.py"), "--to", str(tmp_path / "filters.html")])
    with pytest.raises(SystemExit, match="130"):
        scripts["lesson"].main(interrupted)
    assert not list(tmp_path.iterdir())


def test_there_is_something_to_try_in_each_text():
    for topic in TOPICS:
        text = (FOLDER / f"{topic}.md").read_text("utf-8")
        assert "## What to notice\n" in text
        assert f"specs/from_scratch/{topic}." in text.split("## What to try next\n")[1]


def test_the_gradients_agree_and_the_best_step_lies_in_between(scripts, lesson_of):
    gradient_check = scripts["gradient_check"]
    errors = gradient_check.errors(gradient_check.gradients(lesson_of("gradient_check"), [1e-11, 1e-5, 1e-1]))
    assert errors[1e-5] < 1e-10
    assert min(errors[1e-11], errors[1e-1]) > 1e5 * errors[1e-5]


def test_activations_saturate_vanish_or_keep_their_spread(scripts, lesson_of):
    initialization, lesson = scripts["initialization"], lesson_of("initialization")

    def outputs(activation, weights):
        return initialization.activations(lesson, activation, initialization.WEIGHTS[weights])

    def last_to_first(activation, weights):
        layers = outputs(activation, weights)
        assert len(layers) == 5
        return layers[4].std() / layers[0].std()

    for saturated in outputs("Sigmoid", "std 1"):
        assert np.mean((saturated < 0.05) | (saturated > 0.95)) > 0.5
    assert all(alike.std() < 0.03 for alike in outputs("Sigmoid", "std 0.01"))
    assert last_to_first("Tanh", "std 0.01") < 1e-3
    assert 0.6 < last_to_first("Tanh", "Xavier") < 1.2
    assert last_to_first("Relu", "Xavier") < 0.3
    assert 0.7 < last_to_first("Relu", "He") < 1.3


def test_a_deep_network_learns_from_weights_of_he_and_not_from_small_ones(scripts, lesson_of):
    initialization, lesson = scripts["initialization"], lesson_of("initialization")
    last = {name: initialization.losses(lesson, initialization.WEIGHTS[name])[-1][1] for name in ("std 0.01", "He")}
    assert last["std 0.01"] == pytest.approx(np.log(10), abs=0.02)
    assert last["He"] < 1.3


def test_plain_descent_zigzags_and_the_others_do_not(scripts, lesson_of):
    paths = scripts["optimizers"].paths(lesson_of("optimizers"))
    crossings = {name: int(np.sum(np.diff(np.sign([y for _, y in path])) != 0)) for name, path in paths.items()}
    assert crossings["SGD"] == 30
    assert max(crossings[name] for name in ("Momentum", "AdaGrad", "Adam")) <= 4
    for path in paths.values():
        (x, y), (first_x, first_y) = path[-1], path[0]
        assert x**2 / 20 + y**2 < 0.05 * (first_x**2 / 20 + first_y**2)


def test_the_first_step_of_each_optimizer_is_that_of_its_formula(scripts, lesson_of):
    x, y = -7.0, 2.0
    by_x, by_y = x / 10, 2 * y
    expected = {
        "SGD": (x - 0.95 * by_x, y - 0.95 * by_y),
        "Momentum": (x - 0.1 * by_x, y - 0.1 * by_y),
        "AdaGrad": (x + 1.5, y - 1.5),
        "Adam": (x + 0.3, y - 0.3),
    }
    for name, path in scripts["optimizers"].paths(lesson_of("optimizers")).items():
        assert path[1] == pytest.approx(expected[name], rel=1e-5), name


def test_plain_descent_is_the_slowest_on_mnist(scripts, lesson_of):
    histories = scripts["optimizers"].histories(lesson_of("optimizers"))
    losses = {name: history[-1]["train_loss"] for name, history in histories.items()}
    assert losses["SGD"] > 2 * max(losses[name] for name in ("Momentum", "AdaGrad", "Adam"))


def test_with_batch_normalization_a_network_learns_where_the_plain_one_does_not(scripts, lesson_of):
    batch_norm, lesson = scripts["batch_norm"], lesson_of("batch_norm")
    large, right, small = (batch_norm.accuracies(lesson, std) for std in SIZES)
    assert small["with"][-1][1] > 0.9
    assert small["without"][-1][1] < 0.2
    assert right["without"][-1][1] > 0.8
    assert large["with"][-1][1] > large["with"][0][1]
    assert large["without"] == []


def test_weight_decay_and_dropout_bring_training_and_validation_closer(scripts, lesson_of):
    histories = scripts["overfitting"].histories(lesson_of("overfitting"))
    last = {name: history[-1] for name, history in histories.items()}
    gaps = {name: record["train_accuracy"] - record["validation_accuracy"] for name, record in last.items()}
    assert last["Nothing"]["train_accuracy"] > 0.99
    assert gaps["Weight decay 0.1"] < 0.8 * gaps["Nothing"]
    assert gaps["Dropout 0.2"] < 0.8 * gaps["Nothing"]


def test_training_turns_filters_of_noise_into_smooth_ones(scripts, lesson_of):
    filters, lesson = scripts["filters"], lesson_of("filters")
    before = filters.filters(mlpkit.build(lesson.spec()))
    after = filters.filters(lesson.train().network)
    assert before.shape == after.shape == (30, 5, 5)
    assert abs(filters.smoothness(before)) < 0.15
    assert filters.smoothness(after) > 0.35


def test_mistakes_are_all_of_the_test_images_that_are_wrong(scripts, lesson_of):
    wrong, accuracy = scripts["misclassified"].mistakes(lesson_of("misclassified"))
    assert 0.85 < accuracy < 0.99
    assert len(wrong.images) == round(10_000 * (1 - accuracy))
    assert np.all(wrong.labels != wrong.answers)
    assert np.all(np.diff(wrong.probabilities) <= 0)
    x, t = mlpkit.load_data(lesson_of("misclassified").spec(), "test")
    (place,) = np.flatnonzero((x == wrong.images[0]).all(axis=1))
    assert t[place] == wrong.labels[0]


@pytest.fixture(scope="module")
def pages(scripts, lesson_of, tmp_path_factory):
    """The page of each topic, made in its short form."""
    folder = tmp_path_factory.mktemp("pages")
    scripts["batch_norm"].SIZES[:] = SIZES
    for topic in TOPICS:
        (folder / f"{topic}.html").write_text(scripts[topic].make(lesson_of(topic)), "utf-8")
    return folder


@pytest.mark.parametrize("topic", TOPICS)
def test_a_page_shows_its_figures_and_is_accessible(browser, pages, topic):
    browser.complaints.clear()
    browser.requests.clear()
    browser.size(**SCREENS["phone, dark"])

    browser.open((pages / f"{topic}.html").as_uri())
    browser.wait_for(f"document.querySelectorAll('.chart .chart svg').length === {CHARTS[topic]}")

    assert browser.complaints == []
    assert browser.requests == [(pages / f"{topic}.html").as_uri()]
    assert violations(browser) == []
    assert browser.evaluate("document.documentElement.scrollWidth <= innerWidth")
    headings = browser.evaluate("[...document.querySelectorAll('h2')].map((heading) => heading.textContent)")
    assert headings[0] == "What this page shows"
    assert headings[-3:] == ["What to notice", "What to try next", "How it is made"]


def command(*arguments):
    return subprocess.run([sys.executable, *arguments], check=False, capture_output=True, text=True, timeout=120)


def test_a_command_makes_the_same_page_each_time(tmp_path):
    files = [tmp_path / name for name in ("a.html", "b.html")]
    program = [sys.executable, "specs/from_scratch/gradient_check.py", "--set", "layers.Affine1.units=5", "--to"]
    running = [subprocess.Popen([*program, str(file)], stdout=subprocess.PIPE, text=True) for file in files]
    for process, file in zip(running, files, strict=True):
        assert process.communicate(timeout=120) == (f"{file}\n", None)
        assert process.returncode == 0
    page = files[0].read_text("utf-8")
    assert page == files[1].read_text("utf-8")
    assert "Made with --set layers.Affine1.units=5" in page


def test_a_wrong_setting_is_an_error_at_its_place():
    done = command("specs/from_scratch/optimizers.py", "--set", "training.batchsize=3")
    assert done.returncode == 1
    assert "did you mean 'batch_size'?" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_lesson_in_the_readme_is_one(scripts, tmp_path):
    (shown,) = re.findall(r"^```python\n(.*?)^```$", (FOLDER / "README.md").read_text("utf-8"), re.M | re.S)
    for ending in ("yaml", "md"):
        shutil.copy(FOLDER / f"gradient_check.{ending}", tmp_path / f"batches.{ending}")
    (tmp_path / "batches.py").write_text(shown, "utf-8")
    names: dict[str, object] = {"__name__": "batches"}
    exec(shown, names)
    settings = ["training.epochs=1", "data.mnist.train=50", "data.mnist.validation=0"]
    page = names["make"](scripts["lesson"].Lesson(tmp_path / "batches.py", settings))
    assert "Loss by epoch" in page
    assert str(tmp_path / "batches.yaml") in page


def test_the_readme_names_every_topic():
    text = (FOLDER / "README.md").read_text("utf-8")
    for topic in TOPICS:
        assert f"`python specs/from_scratch/{topic}.py`" in text
        assert f"pictures/from_scratch/{topic}.png)" in text


@pytest.mark.long
@pytest.mark.parametrize("topic", TOPICS)
def test_a_command_makes_its_page_in_full(topic, tmp_path):
    done = command(f"specs/from_scratch/{topic}.py", "--to", str(tmp_path / "page.html"))
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.long
def test_the_effects_in_full(scripts):
    def lesson(topic):
        return scripts["lesson"].Lesson(FOLDER / f"{topic}.py")

    histories = scripts["overfitting"].histories(lesson("overfitting"))
    last = {name: history[-1] for name, history in histories.items()}
    gaps = {name: record["train_accuracy"] - record["validation_accuracy"] for name, record in last.items()}
    assert max(gaps["Weight decay 0.1"], gaps["Dropout 0.2"]) < 0.85 * gaps["Nothing"]

    found = [scripts["batch_norm"].accuracies(lesson("batch_norm"), std) for std in np.logspace(0, -4, 16)]
    learned = {
        name: sum(bool(each[name]) and each[name][-1][1] > 0.8 for each in found) for name in ("with", "without")
    }
    assert learned["with"] >= 10
    assert 1 <= learned["without"] <= 3

    assert scripts["misclassified"].mistakes(lesson("misclassified"))[1] > 0.97
