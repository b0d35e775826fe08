"""Resuming a run: the checks before, and the messages."""

from __future__ import annotations

import json
import re
import warnings
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from run_folders import results
from stop_at import StopAt

import mlpkit
from mlpkit.runs.folder import RunFolder
from mlpkit.runs.model_file import load_model_file, save_model
from mlpkit.training.events import Observer
from mlpkit.verbs.run.dry_run import print_costs
from mlpkit.verbs.run.resume import resume_for_longer
from mlpkit.verbs.run.training import TrainingOptions
from mlpkit.verbs.sweep.training import resume as resume_the_sweep
from mlpkit_plugins.layers.affine import Affine


class Remembering(StopAt):
    """Remembers the events that it receives."""

    def __init__(self, iteration=None):
        super().__init__(iteration)
        self.told = []

    def resumed(self, step):
        self.told.append(("resumed", step))

    def started(self, total_steps):
        self.told.append(("started", total_steps))

    def noticed(self, message):
        self.told.append(("noticed", message))


@pytest.fixture
def interrupted(work):
    """Return the folder of a run with checkpoints at 12, 18 and 20 of 48 steps."""
    overrides = {"training.checkpoint": {"every": 6, "keep": 3}}
    watch = Remembering(20)
    run = mlpkit.run(mlpkit.load_spec("tiny.yaml", overrides=overrides), "run", observer=watch, stop=watch.stop)
    assert (run.stopped, run.steps) == ("SIGTERM", 20)
    assert RunFolder.open(Path("run")).checkpoints.steps() == [20, 18, 12]
    return work / "run"


@pytest.fixture
def whole(work):
    """Return the result of the same run without an interruption."""
    overrides = {"training.checkpoint": {"every": 6, "keep": 3}}
    mlpkit.run(mlpkit.load_spec("tiny.yaml", overrides=overrides), "whole")
    return results(work / "whole")


def refusal(folder, **options):
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file() and path.name != ".lock"}
    with pytest.raises(mlpkit.RunFolderError) as caught:
        mlpkit.resume(folder, **options)
    assert all(path.read_bytes() == content for path, content in before.items())
    return str(caught.value)


def change(path, old, new):
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_a_resumed_run_comes_to_the_same(interrupted, whole):
    watch = Remembering()
    run = mlpkit.resume(interrupted, observer=watch)
    assert watch.told == [("resumed", 20), ("started", 48)]
    assert (run.steps, run.stopped, run.folder) == (48, "", interrupted)
    assert results(interrupted) == whole
    assert run.metrics == json.loads(whole["metrics.json"])
    assert [record["iteration"] for record in run.history] == list(range(4, 49, 4))
    timing = [json.loads(line)["iteration"] for line in (interrupted / "timing.jsonl").read_text().splitlines()]
    assert timing == [record["iteration"] for record in run.history]


@pytest.mark.parametrize("plan", [{}, {"threads": 1}, {"slices": 2}, {"threads": 1, "slices": 2}])
def test_a_run_without_the_section_can_be_resumed_after_a_stop(work, plan):
    watch = Remembering(8)
    spec = mlpkit.load_spec("tiny.yaml", overrides={f"training.{key}": value for key, value in plan.items()})
    mlpkit.run(spec, "run", observer=watch, stop=watch.stop)
    assert mlpkit.resume("run").steps == 48
    mlpkit.run(spec, "whole")
    assert results(work / "run") == results(work / "whole")


def test_evaluations_after_the_checkpoint_are_done_again(interrupted, whole):
    """As after a crash: the history goes on after the last checkpoint, and its last line is torn."""
    (interrupted / "checkpoints/step-000000020.safetensors").unlink()
    with (interrupted / "history.jsonl").open("ab") as history:
        history.write(b'{"iteration":24,"train_')
    assert mlpkit.resume(interrupted).steps == 48
    assert results(interrupted) == whole


def test_a_damaged_newest_checkpoint_falls_back_to_the_one_before_and_says_so(interrupted, whole):
    newest = interrupted / "checkpoints/step-000000020.safetensors"
    newest.write_bytes(newest.read_bytes()[:-1])
    watch = Remembering()
    mlpkit.resume(interrupted, observer=watch)
    kinds = [kind for kind, _ in watch.told]
    assert kinds == ["noticed", "resumed", "started"]
    assert watch.told[0][1].startswith(f"{newest}: is damaged: ")
    assert watch.told[0][1].endswith("; the run continues from the checkpoint of step 18 instead")
    assert results(interrupted) == whole


def test_without_an_observer_a_warning_says_so(interrupted):
    (interrupted / "checkpoints/step-000000020.safetensors").write_bytes(b"")
    with pytest.warns(UserWarning, match="is damaged.*; the run continues from the checkpoint of step 18 instead"):
        mlpkit.resume(interrupted)


def test_a_run_that_has_ended_is_returned_as_it_is(train, work):
    first = train("run")
    before = results(work / "run")
    watch = Remembering()
    run = mlpkit.resume("run", observer=watch)
    assert watch.told == []
    assert (run.history, run.metrics, run.steps) == (first.history, first.metrics, first.steps)
    assert run.network.values.tobytes() == first.network.values.tobytes()
    assert results(work / "run") == before


def test_without_a_checkpoint_nothing_is_begun_silently(train, work):
    train("run")
    (work / "run/metrics.json").unlink()
    assert refusal(work / "run") == (
        f"{work / 'run'}: can't be resumed: it has no checkpoint yet; start a new run: "
        f"mlpkit run {work / 'run/resolved.yaml'}"
    )


def test_a_folder_that_is_no_run_folder(work):
    assert "is not a run folder" in refusal(work / "digits")


def test_a_changed_resolved_spec_is_refused_with_a_diff(interrupted):
    change(interrupted / "resolved.yaml", "batch_size: 50", "batch_size: 40")
    assert refusal(interrupted) == (
        f"{interrupted}: can't be resumed: what it depends on has changed since step 20:\n"
        "  resolved.yaml:\n"
        "    @@ -30,3 +30,3 @@\n"
        "         sgd: {learning_rate: 0.05, momentum: 0.0, nesterov: false, weight_decay: 0.0}\n"
        "    -  batch_size: 50\n"
        "    +  batch_size: 40\n"
        "       accumulate: 1\n"
        "  help: restore it, or start a new run"
    )


def test_a_changed_spec_as_written_is_refused_with_a_diff(interrupted):
    change(interrupted / "spec.yaml", "epochs: 12", "epochs: 24")
    found = refusal(interrupted)
    assert "\n  spec.yaml:\n" in found
    assert "\n    -  epochs: 12\n    +  epochs: 24\n" in found


def test_changed_data_is_refused(interrupted, work):
    images = work / "digits/train-images-idx3-ubyte"
    content = bytearray(images.read_bytes())
    content[5000] ^= 1
    images.write_bytes(content)
    assert "\n  data_checksum: " in refusal(interrupted)


def test_another_version_of_mlpkit_is_refused(interrupted, monkeypatch):
    monkeypatch.setattr("mlpkit.jobs.run_inputs.VERSION", "9.9")
    assert "\n  mlpkit: 0.1.0 then, 9.9 now\n" in refusal(interrupted)


def test_a_changed_plugin_is_refused(work):
    plugin = work / "acme.py"
    plugin.write_text(
        "from mlpkit import Layer, component, hookimpl\n"
        "class Same(Layer):\n"
        "    def forward(self, x): return x * 1\n"
        "    def backward(self, dy): return dy\n"
        "@hookimpl\n"
        "def mlpkit_components(): return [component('layer', 'Same', Same)]\n"
    )
    (work / "same.yaml").write_text((work / "tiny.yaml").read_text().replace("- Relu", "- acme.Same"))
    watch = Remembering(8)
    spec = mlpkit.load_spec("same.yaml", plugins=[plugin])
    mlpkit.run(spec, "run", observer=watch, stop=watch.stop)
    change(plugin, "x * 1", "x * 2")
    assert "\n  plugins.acme: sha256 " in refusal(work / "run", plugins=[plugin])
    change(plugin, "x * 2", "x * 1")
    with pytest.raises(mlpkit.SpecError, match="no plugin 'acme' is installed"):
        mlpkit.resume(work / "run")
    assert mlpkit.resume(work / "run", plugins=[plugin]).steps == 48


def test_another_numpy_is_reported_and_the_run_continues(interrupted, monkeypatch):
    monkeypatch.setattr(np, "__version__", "9.9")
    watch = Remembering()
    assert mlpkit.resume(interrupted, observer=watch).steps == 48
    told = dict(watch.told)["noticed"]
    assert told.startswith(f"{interrupted}: the same bits as without the break are no longer guaranteed: ")
    assert told.endswith("9.9 now")


def test_a_change_of_what_computes_a_layer_is_reported(interrupted, monkeypatch):
    monkeypatch.setattr(Affine, "computed_by", "abacus")
    watch = Remembering()
    assert mlpkit.resume(interrupted, observer=watch).steps == 48
    assert "environment.computed_by.Affine: " in dict(watch.told)["noticed"]
    assert dict(watch.told)["noticed"].endswith(" then, abacus now")


def test_a_model_in_the_place_of_a_checkpoint_is_named(interrupted):
    newest = interrupted / "checkpoints/step-000000020.safetensors"
    save_model(newest, {"x": np.zeros(1)}, {"spec": "..."})
    with pytest.raises(mlpkit.ModelFileError, match="is a model, not a checkpoint"):
        mlpkit.resume(interrupted)


def test_no_warning_and_no_note_if_all_is_well(interrupted):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        mlpkit.resume(interrupted)


def test_the_plan_is_that_of_the_resolved_spec(interrupted, monkeypatch):
    from mlpkit.training import workers as plan

    monkeypatch.setattr(plan, "available_cores", lambda: 64)
    text = (interrupted / "resolved.yaml").read_text()
    mlpkit.resume(interrupted)
    assert (interrupted / "resolved.yaml").read_text() == text


def test_the_best_checkpoint_is_that_of_the_best_evaluation(train, work):
    from mlpkit.runs.folder import Checkpoints
    from mlpkit.runs.model_file import load_model_file

    run = train("run", training__checkpoint={"best": "accuracy"})
    best = max(run.history, key=lambda record: (record["validation_accuracy"], -record["iteration"]))
    assert Checkpoints(work / "run/checkpoints").steps() == []
    found = load_model_file(work / "run/checkpoints/best.safetensors")
    assert found.metadata["snapshot"]["step"] == best["iteration"]
    assert found.metadata["snapshot"]["best"] == [best["iteration"], best["validation_accuracy"]]


def test_a_run_that_diverges_writes_neither_model_nor_checkpoint_with_numbers_that_are_not_finite(work):
    (work / "acme.py").write_text(
        "from mlpkit import Layer, component, hookimpl\n"
        "class Late(Layer):\n"
        "    steps = 0\n"
        "    def forward(self, x):\n"
        "        return x\n"
        "    def backward(self, dy):\n"
        "        self.steps += 1\n"
        "        if self.steps == 7: dy[0] = float('inf')\n"
        "        return dy\n"
        "@hookimpl\n"
        "def mlpkit_components(): return [component('layer', 'Late', Late)]\n"
    )
    (work / "late.yaml").write_text((work / "tiny.yaml").read_text().replace("- Relu", "- acme.Late"))
    spec = mlpkit.load_spec("late.yaml", plugins=["acme.py"], overrides={"training.checkpoint": {"every": 1}})
    with pytest.raises(mlpkit.DivergenceError, match=r"after step 7, the parameter Affine1.b \(16 of 16 values\)"):
        mlpkit.run(spec, "run")
    assert not (work / "run/model.safetensors").exists()
    folder = RunFolder.open(work / "run")
    assert folder.checkpoints.steps() == [6, 5]
    assert [record["iteration"] for record in folder.read_history()] == [4]


def test_what_was_saved_with_the_slots_of_now_needs_no_conversion(train):
    spec = mlpkit.load_spec("tiny.yaml", overrides={"training.optimizer": "adam"})
    watch, again = Remembering(20), Remembering()
    mlpkit.run(spec, "run", observer=watch, stop=watch.stop)
    resumed = mlpkit.resume("run", observer=again)
    assert [kind for kind, _ in again.told] == ["resumed", "started"]
    whole = train(directory=None, training__optimizer="adam")
    for name, array in whole.network.parameters.items():
        np.testing.assert_array_equal(resumed.network.parameters[name], array)


def test_slots_of_a_version_that_can_not_be_upgraded_are_refused(train):
    watch = Remembering(20)
    mlpkit.run(mlpkit.load_spec("tiny.yaml"), "run", observer=watch, stop=watch.stop)
    (path,) = Path("run/checkpoints").iterdir()
    saved = load_model_file(path)
    saved.metadata["snapshot"]["slots_version"] = 7
    save_model(path, saved.arrays, saved.metadata)
    with pytest.raises(mlpkit.ModelFileError) as caught:
        mlpkit.resume("run")
    assert str(caught.value) == (
        "the checkpoint holds slots of version 7 of optimizer sgd, which now keeps version 1; resume with the version "
        "of its package that wrote the checkpoint"
    )


OPTIONS = {"workers": None, "reports": False, "card": False, "port": None, "quiet": True, "as_json": False}
OPTIONS["plugin_options"] = {"plugins": (), "blocked": ()}


def test_what_is_for_one_run_or_for_one_process_is_refused(tmp_path):
    folder = tmp_path / "ensemble"
    (folder / "members/0").mkdir(parents=True)
    (folder / "spec.yaml").touch()
    ranks, length = SimpleNamespace(size=2), {"epochs": 9, "iterations": None, "out": None}
    cases = {
        f"{folder}: is an ensemble; one of its networks can be trained for longer": partial(
            mlpkit.resume, folder, epochs=9
        ),
        "resume takes no observer of an ensemble: other": partial(mlpkit.resume, folder, observer=Observer()),
        "several ranks can't start a longer run; start it without": partial(
            resume_for_longer, folder, ranks, **length, **OPTIONS
        ),
        "expected either --epochs N or --iterations N, to": partial(
            resume_for_longer, folder, ranks, **length | {"iterations": 9}, **OPTIONS
        ),
        "--card is for one run; for a trial of a sweep, leave it out: mlpkit card": partial(
            resume_the_sweep, folder, ranks, **OPTIONS | {"card": True}
        ),
        "--live shows one run; for a sweep, leave it out: ": partial(
            resume_the_sweep, folder, ranks, **OPTIONS | {"port": 0}
        ),
        "--dry-run measures a single process; start mlpkit without mpiexec": partial(
            print_costs, ["tiny.yaml"], [], TrainingOptions(**OPTIONS), ranks
        ),
    }
    for said, call in cases.items():
        with pytest.raises(mlpkit.UsageError, match=f"^{re.escape(said)}"):
            call()
