"""Runs as large as a spec may ask for: each can be saved, resumed and loaded, or is refused before it begins."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest
from stop_at import StopAt

import mlpkit
from mlpkit.runs.folder import Checkpoints, RunFolder

HEAD = "mlpkit: 1\ndata: acme.few\nlayers:\n"
TAIL = """\
  - Affine: {units: 2}
  - SoftmaxWithLoss
training:
  optimizer: {adam: {learning_rate: 1e-9}}
  batch_size: 4
  iterations: 5
  evaluate_every: 2
  checkpoint: {every: 1, best: loss}
"""
ORTHOGONAL = "Affine: {units: 2, weights: orthogonal}"
PLUGIN = """\
import numpy as np
from mlpkit import Callback, Classes, Dataset, Description, component, hookimpl

class Rows:
    def __len__(self): return 4
    def take(self, indices, out):
        out[0][:] = np.eye(4, 2)[indices]
        out[1][:] = indices % 2

class Few(Dataset):
    def describe(self): return Description((2,), Classes(2), {"train": 4, "test": 4})
    def open(self, seed): return {"train": Rows(), "test": Rows()}

class Labelled(Few):
    def encoder_state(self): return {"labels": [str(i) for i in range(300_000)]}

class EveryLoss(Callback):
    def __init__(self): self.losses = [0.5] * 300_000
    def on_step(self, training, loss): self.losses.append(loss)
    def on_end(self, training): print(self.losses[-3:], len(self.losses))
    def state(self): return {"losses": self.losses}
    def load_state(self, state): self.losses = state["losses"]

@hookimpl
def mlpkit_components():
    return [
        component("dataset", "few", Few), component("dataset", "labelled", Labelled),
        component("callback", "every_loss", EveryLoss),
    ]
"""


@pytest.fixture
def plugin(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("acme.py").write_text(PLUGIN)
    return "acme.py"


def interrupted_and_resumed(text, plugin):
    """Run a spec, once through and once with a break, and return the folder, which holds the same."""
    Path("large.yaml").write_text(text, encoding="utf-8")
    spec = mlpkit.load_spec("large.yaml", plugins=[plugin])
    mlpkit.run(spec, "whole")
    watch = StopAt(2)
    assert mlpkit.run(spec, "run", observer=watch, stop=watch.stop).stopped
    assert mlpkit.resume("run", plugins=[plugin]).steps == 5
    for name in ("model.safetensors", "history.jsonl", "metrics.json", "checkpoints/best.safetensors"):
        assert Path("run", name).read_bytes() == Path("whole", name).read_bytes()
    mlpkit.load_model("run/model.safetensors", plugins=[plugin])
    return Path("run")


@pytest.mark.parametrize("character", ['"', "\u0436", "\U0001f600"], ids=["quote", "two bytes", "four bytes"])
def test_a_spec_of_a_mebibyte(character, plugin):
    text = HEAD + TAIL + "# "
    comment = character * ((2**20 - len(text)) // len(character.encode()))
    interrupted_and_resumed(text + comment, plugin)


@pytest.mark.parametrize("layers", [1000, pytest.param(4990, marks=pytest.mark.long)])
def test_thousands_of_layers_with_slots(layers, plugin):
    folder = interrupted_and_resumed(f"{HEAD}  - Repeat: {{times: {layers}, layer: {{{ORTHOGONAL}}}}}\n{TAIL}", plugin)
    assert (folder / "checkpoints/step-000000005.safetensors").stat().st_size < 100 * layers + 1000


@pytest.mark.long
def test_as_many_layers_as_there_is_room_for_once_all_defaults_are_filled_in(plugin):
    def text(layers):
        return HEAD + f"  - {ORTHOGONAL}\n" * layers + TAIL

    def is_right(layers):
        Path("many.yaml").write_text(text(layers), encoding="utf-8")
        try:
            mlpkit.load_spec("many.yaml", plugins=[plugin]).resolved_text(slices=1, threads=1)
        except mlpkit.SpecError as error:
            return str(error).split(" more than")[0]
        return True

    few, many = 1, 2_400
    assert (
        is_right(many) == "many.yaml:1:1: with every default filled in, the spec can't be read again: a spec can't hold"
    )
    while many - few > 1:
        middle = (few + many) // 2
        few, many = (middle, many) if is_right(middle) is True else (few, middle)
    assert few > 900
    interrupted_and_resumed(text(few), plugin)


def test_defaults_may_not_lie_too_deep(plugin):
    deep = "{Residual: {layers: [" * 6 + "Relu" + "]}}" * 6
    Path("deep.yaml").write_text(f"{HEAD}  - {deep}\n{TAIL}")
    with pytest.raises(mlpkit.SpecError, match=r"with every default filled in, .* are nested more than 20"):
        mlpkit.run(mlpkit.load_spec("deep.yaml", plugins=[plugin]), "run")
    assert not Path("run").exists()


def test_defaults_may_not_take_too_much_room(plugin):
    names = "".join(f"  - Affine: {{units: 2, name: {'n' * 1_130}{i}}}\n" for i in range(880))
    Path("long.yaml").write_text(HEAD + names + TAIL)
    spec = mlpkit.load_spec("long.yaml", plugins=[plugin])
    with pytest.raises(mlpkit.SpecError, match=r"with every default filled in, .* is larger than 1 MiB"):
        mlpkit.run(spec, "run")
    assert not Path("run").exists()


def test_a_callback_that_remembers_every_step(plugin, capsys):
    interrupted_and_resumed(HEAD + TAIL + "  callbacks: [acme.every_loss]\n", plugin)
    told = capsys.readouterr().out.splitlines()
    assert told[0] == told[2]
    assert told[0].endswith("] 300005")


def test_many_evaluations(plugin):
    text = HEAD + TAIL.replace("iterations: 5", "iterations: 40_010").replace("evaluate_every: 2", "evaluate_every: 1")
    Path("long.yaml").write_text(text.replace("40_010", "40010").replace("every: 1,", "every: 3,"))
    watch = StopAt(2)
    mlpkit.run(mlpkit.load_spec("long.yaml", plugins=[plugin]), "run", observer=watch, stop=watch.stop)
    checkpoints = Checkpoints(Path("run/checkpoints"))
    found = checkpoints.load_newest(pytest.fail)
    columns = {name: np.resize(array, 40_000) for name, array in found.arrays.items() if name.startswith("history/")}
    columns["history/iteration"] = np.arange(1, 40_001)
    figures = found.metadata["snapshot"] | {"step": 40_000}
    began = time.process_time()
    checkpoints.save(40_000, found.arrays | columns, found.metadata | {"snapshot": figures}, keep=2)
    assert time.process_time() - began < 0.2
    run = mlpkit.resume("run", plugins=[plugin])
    assert [record["iteration"] for record in run.history] == list(range(1, 40_011))
    assert len(RunFolder.open(Path("run")).read_history()) == 40_010
    assert checkpoints.steps() == [40_008, 40_005]


def test_a_model_that_no_file_can_hold_is_refused_before_training(plugin):
    Path("labelled.yaml").write_text((HEAD + TAIL).replace("few", "labelled"))
    spec = mlpkit.load_spec("labelled.yaml", plugins=[plugin])
    with pytest.raises(mlpkit.StorageError, match=r"model.safetensors: can't be written: .* are too many"):
        mlpkit.run(spec, "run")
    assert not Path("run").exists()
