"""Networks that begin with the weights of another run, and train with layers frozen."""

from __future__ import annotations

import json
import re
from pathlib import Path
from shutil import copytree, rmtree

import numpy as np
import pytest

import mlpkit
from mlpkit.jobs.check import check
from mlpkit.training.events import Observer, StopRequest
from mlpkit.verbs.repro.repro import repro

GOLDEN = Path(__file__).parent / "first_weights"

BASE = """\
mlpkit: 1
seed: 3
data:
  mnist: {directory: digits, validation: 50}
layers:
  - Affine: {units: 12}
  - BatchNorm
  - Relu
  - Residual: {layers: [{Affine: {units: 12}}, Relu]}
  - Affine: {units: 10}
  - SoftmaxWithLoss
training:
  optimizer: {adamw: {learning_rate: 0.01, weight_decay: 0.1}}
  batch_size: 50
  epochs: 2
  checkpoint: {every: 3}
"""
FINE = BASE.replace("seed: 3", "seed: 4") + "  freeze: [Affine1, 'Batch*']\ninitialize_from: base\n"


@pytest.fixture
def base(work):
    """A working folder with a run in ``base``, and ``fine.yaml``, which goes on from it."""
    (work / "base.yaml").write_text(BASE)
    mlpkit.run(mlpkit.load_spec("base.yaml"), "base", quiet=True)
    (work / "fine.yaml").write_text(FINE)
    return work


def fine(**overrides):
    return mlpkit.load_spec("fine.yaml", overrides={key.replace("__", "."): value for key, value in overrides.items()})


def fine_as_written():
    return mlpkit.load_spec("fine.yaml")


def weights(network):
    return {path: array.copy() for path, array in {**network.parameters, **network.states}.items()}


def weights_in(directory):
    return weights(mlpkit.load_model(f"{directory}/model.safetensors"))


def edited(*edits):
    """Return the spec of ``fine.yaml`` after some edits, each of a text that is there once."""
    text = Path("fine.yaml").read_text()
    for old, new in edits:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    Path("fine.yaml").write_text(text)
    return mlpkit.load_spec("fine.yaml")


def test_a_network_begins_with_all_weights_and_states_of_the_run(base):
    there, here = weights_in("base"), weights(mlpkit.build(fine()))
    assert here.keys() == there.keys()
    assert len([path for path in here if "running" in path]) == 2
    assert all(here[path].tobytes() == there[path].tobytes() for path in there)


@pytest.mark.parametrize("run", ["base", "base/model.safetensors", "{run: base}"])
def test_a_run_is_named_by_its_folder_or_by_its_model_file(run, base):
    there, here = (
        weights_in("base"),
        weights(mlpkit.build(edited(("initialize_from: base", f"initialize_from: {run}")))),
    )
    assert here["Affine1.W"].tobytes() == there["Affine1.W"].tobytes()


def test_the_run_is_relative_to_the_spec(base, monkeypatch):
    there = weights_in("base")
    (base / "elsewhere").mkdir()
    monkeypatch.chdir(base / "elsewhere")
    spec = mlpkit.load_spec("../fine.yaml", overrides={"data.mnist.directory": "../digits"})
    assert weights(mlpkit.build(spec))["Affine1.W"].tobytes() == there["Affine1.W"].tobytes()


@pytest.mark.parametrize(
    ("layers", "taken"),
    [
        (["Affine1"], ["Affine1.W", "Affine1.b"]),
        (["Affine*"], ["Affine1.W", "Affine1.b", "Affine2.W", "Affine2.b"]),
        (["Residual1"], ["Residual1.Affine1.W", "Residual1.Affine1.b"]),
        (["*.Affine1"], ["Residual1.Affine1.W", "Residual1.Affine1.b"]),
        (
            ["Residual1.Affine1", "Relu1", "Affine2"],
            ["Residual1.Affine1.W", "Residual1.Affine1.b", "Affine2.W", "Affine2.b"],
        ),
    ],
)
def test_of_named_layers_alone_the_others_begin_as_without_it(layers, taken, base):
    there, here = weights_in("base"), weights(mlpkit.build(fine(initialize_from={"run": "base", "layers": layers})))
    scratch = weights(mlpkit.build(fine(initialize_from=None)))
    for path in here:
        expected = there if path in taken else scratch
        assert here[path].tobytes() == expected[path].tobytes(), path


def test_a_layer_of_another_size_may_be_left_out(base):
    spec = fine(
        layers=[
            {"Affine": {"units": 12}},
            "BatchNorm",
            "Relu",
            {"Affine": {"units": 10, "name": "head"}},
            "SoftmaxWithLoss",
        ],
        initialize_from={"run": "base", "layers": ["Affine1", "BatchNorm1"]},
    )
    run = mlpkit.run(spec)
    assert weights(run.network)["Affine1.W"].tobytes() == weights_in("base")["Affine1.W"].tobytes()


def test_a_network_in_another_dtype_takes_the_same_numbers(base):
    there, here = weights_in("base"), weights(mlpkit.build(fine(dtype="float64")))
    assert all(here[path].dtype == np.float64 and (here[path] == there[path]).all() for path in there)


def test_frozen_layers_end_as_in_the_run_that_they_come_from_and_others_don_t(base):
    mlpkit.run(fine(training__moving_average={"decay": 0.9}, training__clip={"norm": 0.5}), "fine", quiet=True)
    there, here = weights_in("base"), weights_in("fine")
    frozen = [path for path in there if here[path].tobytes() == there[path].tobytes()]
    assert frozen == [path for path in there if path.startswith(("Affine1.", "BatchNorm1."))]


def test_the_run_folder_keeps_where_the_weights_came_from(base):
    mlpkit.run(fine(initialize_from={"run": "base", "layers": ["Affine1", "BatchNorm*"]}), "fine", quiet=True)
    lock = json.loads(Path("fine/lock.json").read_text())
    assert lock["initialized_from"] in Path("base/model.safetensors").read_bytes().decode("latin-1")
    resolved = mlpkit.load_spec("fine/resolved.yaml").resolved()
    assert resolved["initialize_from"] == {"run": "base", "layers": ["Affine1", "BatchNorm*"]}
    assert resolved["training"]["freeze"] == ["Affine1", "Batch*"]
    assert "initialized_from" not in json.loads(Path("base/lock.json").read_text())
    assert "initialize_from" not in Path("base/resolved.yaml").read_text()
    assert "freeze" not in Path("base/resolved.yaml").read_text()


class StoppingAt(Observer):
    """Asks to stop once a step is reported, and has each step reported."""

    def __init__(self, step, stop):
        self.step, self.stop = step, stop

    def stepped(self, progress, loss):
        if progress.step >= self.step:
            self.stop.stop("enough")


@pytest.mark.parametrize("step", [1, 5])
def test_a_run_is_resumed_to_the_bit_without_the_one_that_it_began_from(step, base, monkeypatch):
    monkeypatch.setattr("mlpkit.training.loop.SECONDS_BETWEEN_REPORTS", 0.0)
    overrides = {"training__moving_average": {"decay": 0.9}, "training__best_weights": "loss", "training__slices": 2}
    mlpkit.run(fine(**overrides), "whole", quiet=True)
    stop = StopRequest()
    stopped = mlpkit.run(fine(**overrides), "fine", observer=StoppingAt(step, stop), stop=stop)
    assert stopped.stopped == "enough"
    rmtree("base")
    Path("fine/model.safetensors").unlink()
    mlpkit.resume("fine", quiet=True)
    for name in ("model.safetensors", "history.jsonl", "metrics.json", "lock.json"):
        assert Path("fine", name).read_bytes() == Path("whole", name).read_bytes(), name


def test_what_came_of_a_run_needs_nothing_of_the_one_that_it_began_from(base):
    run = mlpkit.run(fine(), "fine", quiet=True)
    rmtree("base")
    x = np.random.default_rng(0).normal(size=(3, 784)).astype(np.float32)
    assert mlpkit.load_model("fine/model.safetensors").predict(x).tobytes() == run.network.predict(x).tobytes()
    assert mlpkit.resume("fine").metrics == run.metrics


def test_a_run_is_repeated_from_the_same_weights(base):
    mlpkit.run(fine(), "fine", quiet=True)
    assert repro(Path("fine")).same


def test_a_run_is_not_repeated_once_the_weights_that_it_began_with_are_gone_or_others(base, golden):
    mlpkit.run(fine(), "fine", quiet=True)
    copytree("base", "kept")
    rmtree("base")
    mlpkit.run(mlpkit.load_spec("base.yaml", overrides={"seed": 9}), "base", quiet=True)
    with pytest.raises(mlpkit.RunFolderError) as changed:
        repro(Path("fine"))
    rmtree("base")
    with pytest.raises(mlpkit.RunFolderError) as gone:
        repro(Path("fine"))
    told = f"{changed.value}\n\n{gone.value}\n"
    golden(GOLDEN / "repro.txt", re.sub(r"[0-9a-f]{12}(?=\.\.\.)", "<checksum>", told))
    copytree("kept", "base")
    assert repro(Path("fine")).same


SHAPES = "{npy: {inputs: 'example:shapes_x.npy', targets: 'example:shapes_t.npy', flatten: true}}\n"
LAYERS = "initialize_from: {run: base, layers: %s}"
WRONG = {
    "other_sizes": [
        ("- Affine: {units: 12}", "- Affine: {units: 9}"),
        ("layers: [{Affine: {units: 12}}", "layers: [{Affine: {units: 9}}"),
    ],
    "inside_another_layer": [
        ("layers: [{Affine: {units: 12}}, Relu]", "layers: [{Affine: {units: 20}}, {Affine: {units: 12}}]")
    ],
    "other_inputs": [
        ("data:\n  mnist: {directory: digits, validation: 50}\n", f"data: {SHAPES}"),
        ("{units: 10}", "{units: 3}"),
    ],
    "another_name": [("{units: 10}", "{units: 10, name: head}")],
    "named_layers": [
        ("[{Affine: {units: 12}}, Relu]", "[Sigmoid, {Affine: {units: 12}}, {Affine: {units: 12}}]"),
        ("initialize_from: base", LAYERS % "['Affine*', 'Res*']"),
    ],
    "nothing_fits": [("{units: 10}", "{units: 10, name: head}"), ("initialize_from: base", LAYERS % "[head]")],
    "names_that_are_no_layers": [("initialize_from: base", LAYERS % "[Affine1, Afine2, Relu*, Conv*]")],
    "no_weights_there": [("initialize_from: base", LAYERS % "['Relu*']")],
    "an_empty_list": [("initialize_from: base", LAYERS % "[]")],
    "no_such_run": [("initialize_from: base", "initialize_from: bass")],
    "a_folder_that_is_no_run": [("initialize_from: base", "initialize_from: digits")],
    "a_file_that_is_no_model": [("initialize_from: base", "initialize_from: base/spec.yaml")],
    "a_checkpoint": [("initialize_from: base", "initialize_from: base/checkpoints/step-000000006.safetensors")],
    "a_number": [("initialize_from: base", "initialize_from: 3")],
    "a_list": [("initialize_from: base", "initialize_from: [base]")],
    "freeze_no_layer": [("[Affine1, 'Batch*']", "[Afine1, 'Conv*']")],
    "freeze_all": [("[Affine1, 'Batch*']", "['*']")],
    "freeze_a_text": [("[Affine1, 'Batch*']", "Affine1")],
}


def told(spec):
    """Return what ``check`` says of a spec that is wrong."""
    with pytest.raises(mlpkit.SpecError) as caught:
        check(spec())
    return str(caught.value)


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_is_told_at_its_line(case, base, golden):
    golden(GOLDEN / f"{case}.txt", told(lambda: edited(*WRONG[case])) + "\n")


@pytest.mark.parametrize("case", ["inside_another_layer", "other_inputs", "another_name", "named_layers"])
def test_the_advice_works_if_followed(case, base):
    advice = set(re.findall("weights that fit: (.*)", told(lambda: edited(*WRONG[case]))))
    assert len(advice) == 1
    text = Path("fine.yaml").read_text()
    Path("fine.yaml").write_text(re.sub("initialize_from: .*", advice.pop(), text))
    there, here = weights_in("base"), weights(mlpkit.build(mlpkit.load_spec("fine.yaml")))
    assert any(here[path].tobytes() == array.tobytes() for path, array in there.items() if path.endswith(".W"))


def test_a_damaged_model_is_told_at_its_line(base, golden):
    content = bytearray(Path("base/model.safetensors").read_bytes())
    content[-5] ^= 1
    Path("base/model.safetensors").write_bytes(content)
    golden(GOLDEN / "damaged.txt", told(fine_as_written) + "\n")


def test_a_run_without_a_model_is_told_at_its_line(base, golden):
    for name in ("model.safetensors", "metrics.json"):
        Path("base", name).unlink()
    golden(GOLDEN / "without_a_model.txt", told(fine_as_written) + "\n")


def test_weights_that_are_not_finite_are_told_at_their_line(base, golden):
    network = mlpkit.load_model("base/model.safetensors")
    network.parameters["Affine2.W"][0, 0] = np.nan
    network.save("base/model.safetensors")
    golden(GOLDEN / "not_finite.txt", told(fine_as_written) + "\n")
    assert check(fine(initialize_from={"run": "base", "layers": ["Affine1"]}))


def test_a_run_can_t_begin_from_its_own_folder(base):
    with pytest.raises(mlpkit.RunFolderError, match=r"base: holds .* already; choose another folder"):
        mlpkit.run(fine_as_written(), base / "base")
    assert Path("base/metrics.json").exists()


def test_a_loop_of_links_is_a_folder_that_is_not_there(base):
    Path("loop").symlink_to("loop")
    for folder in ("new", "loop"):
        with pytest.raises(mlpkit.MlpkitError, match="loop"):
            mlpkit.run(fine(initialize_from="loop"), folder)


def test_shapes_are_proved_before_data_is_opened(base, monkeypatch):
    monkeypatch.setattr("mlpkit_plugins.datasets.mnist.Mnist.open", lambda *_: pytest.fail("the data was opened"))
    assert "Affine1.W has shape" in told(lambda: edited(*WRONG["other_sizes"]))


def test_arrays_are_trained_on_from_the_weights_of_a_run(base):
    x, t = np.random.default_rng(0).normal(size=(40, 5)), np.arange(40) % 3
    layers = [{"Affine": {"units": 7}}, "Relu", {"Affine": {"units": 3}}, "SoftmaxWithLoss"]
    mlpkit.fit(x, t, layers=layers, epochs=2, directory="first", quiet=True)
    there = weights_in("first")
    run = mlpkit.fit(x, t, layers=layers, epochs=2, initialize_from=Path("first"), freeze=["Affine1"], quiet=True)
    here = weights(run.network)
    assert here["Affine1.W"].tobytes() == there["Affine1.W"].tobytes()
    assert here["Affine2.W"].tobytes() != there["Affine2.W"].tobytes()
    with pytest.raises(
        mlpkit.SpecError, match=r"layers\[0\]\.Affine: Affine1\.W has shape \(5, 8\), and in first \(5, 7\)"
    ):
        mlpkit.fit(x, t, layers=[{"Affine": {"units": 8}}, *layers[1:]], epochs=2, initialize_from="first")


def test_a_network_in_python_is_trained_with_layers_frozen():
    x, t = np.random.default_rng(0).normal(size=(40, 5)).astype(np.float32), np.arange(40) % 3
    network = mlpkit.fit(
        x,
        t,
        layers=[{"Affine": {"units": 7}}, "Relu", {"Affine": {"units": 3}}, "SoftmaxWithLoss"],
        epochs=1,
        quiet=True,
    ).network
    before = weights(network)
    network.fit(x, t, epochs=1, freeze=["Affine2"], quiet=True)
    between = weights(network)
    network.fit(x, t, epochs=1, quiet=True)
    after = weights(network)
    assert between["Affine2.W"].tobytes() == before["Affine2.W"].tobytes() != after["Affine2.W"].tobytes()
    assert between["Affine1.W"].tobytes() != before["Affine1.W"].tobytes()


def test_the_layers_to_take_may_be_inherited_and_replaced(base):
    section = "initialize_from: {run: base, layers: [Affine1]}"
    edited(("initialize_from: base", section))
    Path("child.yaml").write_text("extends: fine.yaml\ninitialize_from: {layers: [Affine2]}\n")
    Path("scratch.yaml").write_text("extends: fine.yaml\ninitialize_from: null\n")
    there, here, scratch = (
        weights_in("base"),
        *(weights(mlpkit.build(mlpkit.load_spec(f"{n}.yaml"))) for n in ("child", "scratch")),
    )
    assert here["Affine2.W"].tobytes() == there["Affine2.W"].tobytes() != scratch["Affine2.W"].tobytes()
    assert here["Affine1.W"].tobytes() == scratch["Affine1.W"].tobytes()
    assert mlpkit.load_spec("child.yaml").top_level.initialize_from.run == "base"
