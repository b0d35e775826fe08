"""The playground without a page: forward and back to the same bits, changes, pictures and problems."""

from __future__ import annotations

import base64
import gc
import json
import math
import tempfile
from pathlib import Path
from statistics import mode
from types import SimpleNamespace

import numpy as np
import pytest

import mlpkit
from mlpkit.registry.registry import Registry
from mlpkit.verbs.play.session import Session, session_in_browser
from mlpkit.verbs.play.text import SpecText
from mlpkit.verbs.play.training import affordable_rows

SPEC = """\
# A network that is played with.
mlpkit: 1
name: flowers
data:
  csv: {file: "example:flowers.csv", target: species, categorical: [soil], missing: fill}
layers:
  - Affine: {units: 6}                      # the first
  - BatchNorm
  - Relu
  - Dropout: {rate: 0.25}
  - Affine: {units: 3}
  - SoftmaxWithLoss
training:
  optimizer: {adam: {learning_rate: {cosine: {first: 0.02}}}}
  batch_size: 16
  iterations: 400
  metrics: [accuracy]
"""
PLAIN = SPEC.replace("{adam: {learning_rate: {cosine: {first: 0.02}}}}", "{sgd: {learning_rate: 0.05}}    # slowly")
POINTS = "x,y,kind\n" + "".join(
    f"{x},{y},{'up' if (x > 4) != (y > 4) else 'down'}\n" for x in range(10) for y in range(10)
)


def session_of(text=PLAIN, path=Path("spec.yaml"), out=None):
    return Session(SpecText(path, text, Registry.discover()), out)


class Player:
    """A session whose answers must have no problems and be JSON."""

    def __init__(self, text=PLAIN, out=None):
        self.session = session_of(text, out=out)
        self.answer = self("state")
        self.spec = self.answer["spec"]

    def __call__(self, do, **keywords):
        self.answer = json.loads(json.dumps(self.session.handle({"do": do, **keywords}), allow_nan=False))
        assert self.answer["problems"] == []
        self.spec = self.answer.get("spec") or self.spec
        return self.answer

    @property
    def step(self):
        return self.answer["now"]["step"]

    def weights(self, layers=("Affine1", "BatchNorm1", "Affine2")):
        """Return every weight of some layers, as the page learns it, by parameter and place."""
        found = {}
        for path in layers:
            count = next(column["count"] for column in self.answer["now"]["columns"] if column["path"] == path)
            for unit in range(count):
                weights = self("look", unit=[path, unit])["now"]["unit"]["weights"]
                found |= {(each["parameter"], *each["index"]): each["value"] for each in weights}
        return found


def pixels(picture):
    return np.frombuffer(base64.b64decode(picture["data"]), np.int8).reshape(picture["shape"])


def trained(text, steps, tmp_path):
    """Return the run of a spec of so many steps."""
    (tmp_path / "spec.yaml").write_text(with_steps(text, steps))
    return mlpkit.run(mlpkit.load_spec(tmp_path / "spec.yaml"))


def with_steps(text, steps):
    return text.replace("iterations: 400", f"iterations: {steps}")


def test_the_steps_are_those_of_a_run_whatever_is_looked_at_in_between(tmp_path):
    player = Player(with_steps(SPEC, 40))
    for steps in (1, 2, 30, 7):
        player("train", steps=steps, seconds=60)
        player("look", example=steps, unit=["Affine1", 1], across="stem_height")
    network = trained(SPEC, 40, tmp_path).network
    assert player.step == 40
    found = player.weights()
    expected = {
        (path, *index): float(value)
        for path, array in network.parameters.items()
        for index, value in np.ndenumerate(array)
    }
    assert found == expected


def test_a_step_back_has_the_same_bits_and_so_has_the_way_forward_again():
    player = Player(SPEC)
    seen = {}
    for _ in range(60):  # more than are remembered one by one
        seen[player.step] = (player.weights(("Affine1",)), player.answer["now"]["records"][-1])
        player("train", steps=2, seconds=60)
    last = player.weights()
    for steps, at in ((2, 118), (18, 100), (66, 34), (33, 1)):
        player("back", steps=steps)
        assert player.step == at
        if at in seen:
            assert (player.weights(("Affine1",)), player.answer["now"]["records"][-1]) == seen[at]
    player("train", steps=119, seconds=60)
    assert player.weights() == last
    player("back", steps=10_000)
    assert (player.step, player.weights(("Affine1",))) == (0, seen[0][0])
    assert [record["iteration"] for record in player.answer["now"]["records"]] == [0]


def test_a_message_trains_no_longer_than_it_may():
    player = Player()
    player("train", steps=10**6, seconds=0.0)
    assert player.step == 1


def test_a_change_is_undone_on_the_way_back():
    player = Player()
    player("train", steps=10, seconds=60)
    before = player.weights()
    player("set", key="training.optimizer.learning_rate", value=0.5)
    assert player.weights() == before
    assert "learning_rate: 0.5}}    # slowly" in player.spec["text"]
    player("train", steps=1)
    assert player.answer["now"]["rate"] == 0.5
    player("back", steps=1)
    assert (player.answer["now"]["rate"], player.weights()) == (0.5, before)
    player("back", steps=1)
    assert (player.step, player.answer["now"]["rate"], player.spec["text"]) == (9, 0.05, PLAIN)
    player("train", steps=1)
    assert player.weights() == before


KNOBS = {
    "training.optimizer.learning_rate.first": ("adam", "first", 0.02, {"exclusiveMinimum": 0}, False),
    "training.optimizer.learning_rate.last": ("adam", "last", 0.0, {"minimum": 0}, False),
    "training.optimizer.beta1": ("adam", "beta1", 0.9, {"minimum": 0, "exclusiveMaximum": 1}, False),
    "training.optimizer.beta2": ("adam", "beta2", 0.999, {"minimum": 0, "exclusiveMaximum": 1}, False),
    "training.optimizer.epsilon": ("adam", "epsilon", 1e-8, {"exclusiveMinimum": 0}, False),
    "training.batch_size": ("training", "batch size", 16, {"minimum": 1}, True),
    "training.iterations": ("training", "iterations", 400, {"minimum": 1}, True),
    "layers.Affine1.units": ("Affine1", "units", 6, {"minimum": 1}, True),
    "layers.BatchNorm1.momentum": ("BatchNorm1", "momentum", 0.9, {"minimum": 0, "exclusiveMaximum": 1}, False),
    "layers.BatchNorm1.epsilon": ("BatchNorm1", "epsilon", 1e-5, {"exclusiveMinimum": 0}, False),
    "layers.Dropout1.rate": ("Dropout1", "rate", 0.25, {"minimum": 0, "exclusiveMaximum": 1}, False),
    "layers.Affine2.units": ("Affine2", "units", 3, {"minimum": 1}, True),
    "layers.SoftmaxWithLoss1.label_smoothing": (
        *("SoftmaxWithLoss1", "label smoothing", 0.0, {"minimum": 0, "exclusiveMaximum": 1}, False),
    ),
}


def test_a_page_learns_everything_about_the_spec_and_each_number_can_be_set(cwd):
    player = Player(SPEC, out=cwd / "saved.yaml")
    spec = dict(player.spec)
    told = ("group", "label", "value", "bounds", "integer")
    knobs = {knob["key"]: knob for knob in spec.pop("knobs")}
    assert {key: tuple(knob[each] for each in told) for key, knob in knobs.items()} == KNOBS
    assert knobs["training.optimizer.learning_rate.last"]["meaning"] == "the value after the last step."
    types = ["Affine", "BatchNorm", "Relu", "Dropout", "Affine", "SoftmaxWithLoss"]
    assert [each["type"] for each in spec["layers"]] == types
    assert [each["parameters"] for each in spec["layers"]] == [42, 12, 0, 0, 21, 0]
    assert [each["line"] for each in spec.pop("layers")][2:5] == ["Relu", "Dropout: {rate: 0.25}", "Affine: {units: 3}"]
    choices = spec.pop("choices")
    assert (choices == sorted(choices), "Relu" in choices, "SoftmaxWithLoss" in choices) == (True, True, False)
    inputs = [*player.spec["axes"], "soil=clay", "soil=peat", "soil=sand"]
    assert player.answer["now"]["columns"][0]["names"] == inputs
    assert spec == {
        "version": 1,
        "name": "flowers",
        "text": SPEC,
        "saves": True,
        "sizes": {"train": 192, "validation": 24, "test": 24},
        "input_shape": [6],
        "target": {"type": "Classes", "count": 3, "one_hot": False},
        "classes": ["bellflower", "foxglove", "hellebore"],
        "axes": ["petal_length", "petal_width", "stem_height"],
        "older": [],
        "warnings": [],
    }
    values = {"training.optimizer.beta1": 0.5, "layers.Dropout1.rate": 0.5, "training.batch_size": 8}
    for key, value in values.items():
        player("set", key=key, value=value)
    assert {knob["key"]: knob["value"] for knob in player.spec["knobs"] if knob["key"] in values} == values


@pytest.mark.parametrize(
    ("old", "new", "step", "older"),
    [
        ("batch_size: 16", "batch_size: 8", 2, 0),
        ("batch_size: 16", "batch_size: 16\n  threads: 1", 2, 0),
        ("mlpkit: 1", "mlpkit: 1\nseeds: 2", 2, 0),
        ("units: 6", "units: 7", 0, 1),
        ("batch_size: 16", "batch_size: 16\n  slices: 2", 0, 1),
        ("mlpkit: 1", "mlpkit: 1\nseed: 5", 0, 0),
        ("mlpkit: 1", "mlpkit: 1\ndtype: float64", 0, 0),
        ("missing: fill", "missing: drop", 0, 0),
    ],
)
def test_a_change_begins_again_if_the_network_is_another_and_keeps_curves_of_the_same_data(old, new, step, older):
    player = Player()
    player("train", steps=2, seconds=60)
    player("look", example=3, unit=["Affine1", 1])
    player("spec", text=PLAIN.replace(old, new, 1))
    now = player.answer["now"]
    assert (player.step, len(player.spec["older"])) == (step, older)
    assert (now["example"], now["unit"] is None) == ((3, False) if step else (0, True))


def test_the_last_four_curves_are_kept_of_networks_that_were_trained():
    player = Player()
    for units in (7, 2, 4, 8, 9, 5):
        player("train", steps=units, seconds=60)
        player("set", key="layers.Affine1.units", value=units)
    player("restart")
    curves = [(each["label"].partition(",")[0], each["records"][-1]["iteration"]) for each in player.spec["older"]]
    assert curves == [(f"Affine: {{units: {before}}}", steps) for before, steps in ((2, 4), (4, 8), (8, 9), (9, 5))]


def test_a_restart_has_the_first_weights_and_keeps_the_curve_to_compare():
    player = Player(SPEC)
    first = player.weights(("Affine2",))
    player("train", steps=3, seconds=60)
    records = player.answer["now"]["records"]
    player("restart")
    (old,) = player.spec["older"]
    assert (player.step, player.weights(("Affine2",)), old["records"]) == (0, first, records)
    assert player("train", steps=3, seconds=60)["now"]["records"] == records


def test_at_least_one_step_is_done_or_undone():
    player = Player()
    for do, step in (("train", 1), ("train", 2), ("back", 1)):
        player(do, steps=0)
        assert player.step == step
    assert [record["iteration"] for record in player.answer["now"]["records"]] == [0, 1]


def test_what_takes_too_much_memory_is_forgotten(monkeypatch):
    monkeypatch.setattr("mlpkit.verbs.play.training.MOST_BYTES", 3 * 948)  # three moments of 79 weights and states
    monkeypatch.setattr("mlpkit.verbs.play.training.MOST_RECORDS", 4)
    player = Player(SPEC)
    for _ in range(6):
        player("train", steps=2, seconds=60)
    now = player.answer["now"]
    assert (now["first"], [record["iteration"] for record in now["records"]]) == (6, [4, 6, 8, 10, 12])
    player("back", steps=100)
    assert player.step == 6


@pytest.mark.parametrize(("flops", "rows"), [(0, 1000), (10**7, 1000), (2 * 10**7, 500), (10**8, 100), (10**12, 100)])
def test_a_slow_network_predicts_fewer_rows(flops, rows):
    assert affordable_rows(SimpleNamespace(flops=flops)) == rows


def test_a_number_of_an_extended_file_is_written_into_the_text(cwd):
    (cwd / "base.yaml").write_text(PLAIN)
    player = Player("mlpkit: 1\nextends: base.yaml\n")
    for key, value in (("learning_rate", 0.5), ("momentum", 0.75)):
        player("set", key=f"training.optimizer.{key}", value=value)
    assert (cwd / "base.yaml").read_text() == PLAIN
    assert player.answer["now"]["rate"] == 0.5
    values = {knob["key"]: knob["value"] for knob in player.spec["knobs"]}
    assert values["training.optimizer.momentum"] == 0.75


def test_in_a_browser_there_is_no_folder_to_save_to():
    session = session_in_browser("https://example.org/specs/mine.yaml", PLAIN)
    answer = session.handle({"do": "save"})
    assert [each["message"] for each in answer["problems"]] == ["there is no folder to save to; download the spec"]
    assert (answer["spec"]["saves"], answer["saved"]) == (False, "")
    wrong = session.handle({"do": "spec", "text": PLAIN.replace("Relu", "Rleu")})
    assert wrong["problems"][0]["file"] == "mine.yaml"


def test_a_rate_ten_times_as_large_takes_a_step_ten_times_as_long():
    moves = []
    for rate in (0.001, 0.01):
        player = Player()
        player("train", steps=3, seconds=60)
        before = player.weights(("Affine2",))
        player("set", key="training.optimizer.learning_rate", value=rate)
        player("train", steps=1)
        after = player.weights(("Affine2",))
        moves.append(np.array([after[place] - before[place] for place in before]))
    np.testing.assert_allclose(10 * moves[0], moves[1], rtol=1e-2, atol=1e-6)


@pytest.mark.parametrize("optimizer", ["{adam: {learning_rate: 0.01}}", "{sgd: {learning_rate: 0.1, momentum: 0.9}}"])
def test_another_optimizer_trains_the_same_network(optimizer):
    player = Player()
    player("train", steps=10, seconds=60)
    before = player.weights()
    player("spec", text=PLAIN.replace("{sgd: {learning_rate: 0.05}}", optimizer))
    assert (player.step, player.weights()) == (10, before)
    loss = player.answer["now"]["records"][-1]["train_loss"]
    player("train", steps=60, seconds=60)
    assert player.answer["now"]["records"][-1]["train_loss"] < loss


def test_a_longer_training_goes_on_where_the_first_ended():
    player = Player(PLAIN.replace("400", "20"))
    player("train", steps=100, seconds=60)
    assert (player.step, player.answer["now"]["total"]) == (20, 20)
    over = player.session.handle({"do": "train"})["problems"]
    assert [each["message"] for each in over] == ["all 20 steps of the spec are done; give it more, or start again"]
    player("set", key="training.iterations", value=50)
    player("train", steps=100, seconds=60)
    assert player.step == 50


def test_a_training_that_explodes_is_drawn_and_goes_back():
    player = Player()
    player("train", steps=5, seconds=60)
    before = player.weights()
    player("set", key="training.optimizer.learning_rate", value=1e30)
    answer = player.session.handle({"do": "train", "steps": 10, "seconds": 60})
    assert [problem["code"] for problem in answer["problems"]] == ["diverged"]
    json.dumps(answer, allow_nan=False)
    player("look", unit=["Affine1", 0])
    player("back", steps=max(1, player.step - 5))
    assert (player.step, player.weights()) == (5, before)


def test_units_that_the_data_decides_stay_when_the_rate_changes():
    player = Player(PLAIN.replace("units: 3", "units: auto"))
    player("train", steps=3, seconds=60)
    before = player.weights()
    player("set", key="training.optimizer.learning_rate", value=0.2)
    assert (player.step, player.weights()) == (3, before)


def test_a_weight_is_set_and_back_takes_it_back():
    player = Player()
    player("train", steps=2)
    before = player.weights()
    player("weight", parameter="Affine2.W", index=[4, 1], value=1.5)
    assert player.weights() == before | {("Affine2.W", 4, 1): 1.5}
    player("train", steps=1)
    player("back", steps=2)
    player("train", steps=1)
    assert player.weights() == before


def test_a_changed_layer_has_new_shapes_and_a_new_curve_beside_the_old_one():
    player = Player()
    player("train", steps=5, seconds=60)
    records = player.answer["now"]["records"]
    player("set", key="layers.Affine1.units", value=4)
    assert "- Affine: {units: 4}                      # the first" in player.spec["text"]
    assert [layer["output_shape"] for layer in player.spec["layers"]] == [[4], [4], [4], [4], [3], []]
    (old,) = player.spec["older"]
    assert (old["records"], old["label"].partition(",")[0]) == (records, "Affine: {units: 6}")
    assert player.step == 0
    player("layer", position=2, line="Tanh")
    player("layer", position=3, line=None)
    player("layer", position=1, line="Affine: {units: 5}", insert=True)
    assert [layer["name"] for layer in player.spec["layers"]][:4] == ["Affine1", "Affine2", "BatchNorm1", "Tanh1"]
    player("restart")
    assert player.step == 0
    player("first")
    assert player.spec["text"] == PLAIN


@pytest.mark.parametrize(
    ("message", "change"),
    [
        ({"do": "set", "key": "training.batch_size", "value": "many"}, ("batch_size: 16", "batch_size: many")),
        ({"do": "set", "key": "training.batch_size", "value": 1000}, ("batch_size: 16", "batch_size: 1000")),
        ({"do": "spec", "text": PLAIN.replace("Relu", "Rleu")}, ("Relu", "Rleu")),
        ({"do": "spec", "text": PLAIN.replace("units: 3", "units: 2")}, ("units: 3", "units: 2")),
    ],
)
def test_what_is_wrong_is_the_problem_that_check_finds_and_changes_nothing(message, change, invoke, cwd):
    (cwd / "spec.yaml").write_text(PLAIN.replace(*change))
    expected = json.loads(invoke("check", "spec.yaml", "--json").out)["problems"]
    session = session_of(path=cwd / "spec.yaml")
    before = json.loads(json.dumps(session.handle({"do": "train", "steps": 3, "seconds": 60})))
    answer = json.loads(json.dumps(session.handle(message)))
    told = ("code", "message", "expected", "help", "path")
    assert [[each[key] for key in told] for each in answer["problems"]] == [
        [each[key] for key in told] for each in expected
    ]
    assert (answer["now"]["step"], answer["spec"]) == (3, before["spec"])


def test_each_page_gets_the_spec_that_another_has_changed():
    session = session_of()
    version = session.handle({"do": "state"})["spec"]["version"]
    assert "spec" not in session.handle({"do": "train", "version": version})
    changed = session.handle({"do": "layer", "position": 2, "line": "Tanh", "version": version})["spec"]
    other = session.handle({"do": "train", "version": version})["spec"]
    assert (other, other["layers"][2]["name"]) == (changed, "Tanh1")
    assert "spec" not in session.handle({"do": "train", "version": other["version"]})


@pytest.mark.parametrize(
    "message",
    [
        {},
        {"do": "fly"},
        {"do": "train", "speed": 3},
        {"do": "train", "steps": "three"},
        {"do": "train", "steps": None},
        {"do": "train", "seconds": "long"},
        {"do": "weight", "parameter": "Affine1.W", "index": ["a", "b"], "value": 1.0},
        {"do": "weight", "parameter": "Affine1.W", "index": [0], "value": 1.0},
        {"do": "weight", "parameter": "Affine1.W", "index": [0, 600], "value": 1.0},
        {"do": "weight", "parameter": "Affine1.W", "index": [0, -1], "value": 1.0},
        {"do": "weight", "parameter": "Affine9.W", "index": [0, 0], "value": 1.0},
        {"do": "weight", "parameter": "Affine1.W", "index": [0, 0], "value": math.inf},
        {"do": "layer", "position": 1, "line": "{"},
        {"do": "table", "name": "a.csv", "text": "x,y\n1,2\n", "target": "z"},
        {"do": "table", "name": "a.csv", "text": "", "target": "z"},
        {"do": "set", "key": "training.nonsense", "value": 1},
        {"do": "save"},
        {"do": "look", "unit": 5},
        {"do": "look", "across": 5},
        {"do": "weight", "parameter": "Affine1.W", "index": 5, "value": 1.0},
        {"do": "spec", "text": 5},
        {"do": "spec"},
        {"do": "look", "unit": ["Affine1", "two"]},
        {"do": "look", "example": "first"},
        {"do": "handle"},
        {"do": ["train"]},
    ],
)
def test_a_message_that_makes_no_sense_is_a_problem_and_changes_nothing(message):
    session = session_of()
    before = session.handle({"do": "state"})
    answer = session.handle(message)
    assert [problem["code"] for problem in answer["problems"]]
    assert (answer["now"], session.handle({"do": "state"})["spec"]) == (before["now"], before["spec"])


def test_a_table_of_ones_own_gets_a_spec_and_is_saved_with_it(invoke, cwd):
    player = Player(out=cwd / "saved.yaml")
    player("table", name="My points.csv", text=POINTS, target="kind")
    assert (player.spec["axes"], player.spec["classes"], player.spec["name"]) == (
        ["x", "y"],
        ["down", "up"],
        "My_points",
    )
    player("train", steps=5, seconds=60)
    player("save")
    assert player.answer["saved"] == str(cwd / "saved.yaml")
    assert (cwd / "My_points.csv").read_text() == POINTS
    done = invoke("check", "saved.yaml")
    assert (done.code, "saved.yaml: OK" in done.out) == (0, True)


def test_the_first_spec_is_saved_without_a_table_that_came_in_between(cwd):
    player, before = Player(out=cwd / "saved.yaml"), set(cwd.iterdir())
    player("table", name="points.csv", text=POINTS, target="kind")
    player("first")
    player("save")
    assert set(cwd.iterdir()) - before == {cwd / "saved.yaml"}
    assert (cwd / "saved.yaml").read_text() == PLAIN


def test_the_folder_of_a_table_is_deleted_with_its_session(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    player = Player()
    for points in (POINTS, POINTS + "0,0,up\n"):
        player("table", name="points.csv", text=points, target="kind")
    assert len([*tmp_path.iterdir()]) == 2
    del player
    gc.collect()
    assert [*tmp_path.iterdir()] == []


@pytest.mark.parametrize("other", ["saved.yaml", "My_points.csv"])
def test_saving_writes_over_its_own_files_and_no_others(other, cwd):
    player = Player(out=cwd / "saved.yaml")
    for points in (POINTS, POINTS + "0,0,up\n"):
        player("table", name="My points.csv", text=points, target="kind")
        player("save")
    (cwd / other).write_text("mine")
    player("set", key="training.epochs", value=3)
    before = {path: path.read_text() for path in cwd.iterdir() if path.is_file()}
    (problem,) = player.session.handle({"do": "save"})["problems"]
    assert f"{other} exists already" in problem["message"]
    assert {path: path.read_text() for path in cwd.iterdir() if path.is_file()} == before


def test_a_table_is_called_as_its_owner_calls_it():
    player = Player()
    player("table", name="points.csv", text=POINTS, target="kind")
    assert player.spec["text"].startswith("# Predicts kind from the other columns of points.csv.")
    (problem,) = player.session.handle({"do": "table", "name": "points.csv", "text": ""})["problems"]
    assert problem["message"].startswith("points.csv, row 1: the file is empty")


def test_predictions_over_two_columns_are_those_of_a_trained_model(tmp_path):
    player = Player(PLAIN)
    player("train", steps=25, seconds=60)
    plane = player("look", across="petal_width", up="stem_height")["now"]["plane"]
    model, rows = trained(PLAIN, 25, tmp_path).model, player.session._examples._raw
    typical = {"petal_length": float(np.nanmedian(numbers(rows["petal_length"]))), "soil": mode(rows["soil"])}
    left, right, bottom, top = plane["ends"]
    side = len(plane["classes"])
    corners = {(0, 0): (left, top), (0, side - 1): (right, top), (side - 1, 0): (left, bottom)}
    for (down, along), (width, height) in corners.items():
        row = {**{key: [value] for key, value in typical.items()}, "petal_width": [width], "stem_height": [height]}
        assert model.predict(row)[0] == player.spec["classes"][plane["classes"][down][along]]


def test_activations_are_those_of_the_network(tmp_path):
    player = Player()
    player("train", steps=5, seconds=60)
    network = trained(PLAIN, 5, tmp_path).network
    columns = {column["path"]: column for column in player.answer["now"]["columns"]}
    assert list(columns) == ["", "Affine1", "BatchNorm1", "Relu1", "Dropout1", "Affine2"]
    first = columns["Affine1"]["activations"]
    x = player.session._examples.x[: first["shape"][0]]
    expected = x @ network.parameters["Affine1.W"] + network.parameters["Affine1.b"]
    np.testing.assert_allclose(pixels(first) * first["scale"] / 127, expected, atol=first["scale"] / 200)
    assert (pixels(columns["Relu1"]["activations"]) >= 0).all()
    assert np.abs(pixels(columns["Affine2"]["gradients"])).max() == 127
    lines = columns["Affine2"]["lines"]
    weights = network.parameters["Affine2.W"].T
    np.testing.assert_allclose(pixels(lines) * lines["scale"] / 127, weights / np.abs(weights).max(), atol=0.01)


def numbers(texts):
    return [float(text) if text else math.nan for text in texts]


IMAGES = """\
mlpkit: 1
data: {mnist: {train: 200, validation: 50}}
layers: [{LAYERS}, {Affine: {units: 10}}, SoftmaxWithLoss]
training: {optimizer: sgd, batch_size: 20, iterations: 20}
"""


@pytest.mark.parametrize(
    ("layers", "flat"),
    [
        ("{Affine: {units: 5}}, Relu", "true"),
        ("{Reshape: {shape: [1, 28, 28]}}, {Conv2d: {filters: 4, size: 5}}, Relu, Flatten", "false"),
    ],
)
def test_images_are_drawn_with_the_plane_through_three_of_them(layers, flat):
    text = IMAGES.replace("{LAYERS}", layers).replace("train: 200", f"train: 200, flatten: {flat}")
    player = Player(text)
    player("train", steps=2, seconds=60)
    now = player.answer["now"]
    assert [each["shape"] for each in now["plane"]["corners"]] == [[28, 28]] * 3
    assert len({point[2] for point in now["plane"]["points"]}) == 3
    shapes = {column["path"]: column["units"][0]["picture"]["shape"] for column in now["columns"]}
    assert shapes[""] == [28, 28]
    assert shapes["Affine1" if flat == "true" else "Conv2d1"] == ([28, 28] if flat == "true" else [24, 24])


def test_values_are_drawn_around_their_mean():
    houses = (Path(__file__).parents[3] / "specs" / "houses.yaml").read_text()
    values = np.array(Player(houses).answer["now"]["plane"]["values"])
    assert (values.shape, np.abs(values).max() <= 1) == ((40, 40), True)
