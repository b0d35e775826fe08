"""Augmented training from a spec: the same bits again, on any number of workers, and after a stop."""

from __future__ import annotations

import pytest

import mlpkit
from mlpkit.jobs.build import build_for
from mlpkit.jobs.prove import prove
from mlpkit.training.events import Observer, StopRequest
from mlpkit.training.loop import Trainer
from mlpkit.verbs.run.resume import resume

SPEC = """\
mlpkit: 1
data: mnist
layers:
  - Affine: {units: 10}
  - SoftmaxWithLoss
training:
  optimizer: {sgd: {learning_rate: 0.1}}
  batch_size: 20
  iterations: 9
  evaluate_every: 9
  slices: 3
  augment:
    - shift: {image: [28, 28]}
    - flip: {image: [28, 28]}
    - rotation: {image: [28, 28]}
    - elastic: {image: [28, 28]}
"""


@pytest.fixture
def spec(tmp_path):
    path = tmp_path / "augmented.yaml"
    path.write_text(SPEC, encoding="utf-8")
    return mlpkit.load_spec(path)


class StopsAfter(Observer):
    """Asks for a stop as soon as it can."""

    def __init__(self, stop):
        self.stop = stop

    def started(self, total_steps):
        self.stop.stop("enough")


def model(folder):
    return (folder / "model.safetensors").read_bytes()


def test_resumed_after_a_step(spec, tmp_path):
    mlpkit.run(spec, directory=tmp_path / "whole")
    stop = StopRequest()
    assert mlpkit.run(spec, directory=tmp_path / "stopped", observer=StopsAfter(stop), stop=stop).steps == 1
    resume(tmp_path / "stopped")
    assert model(tmp_path / "stopped") == model(tmp_path / "whole")


def test_one_worker_or_three_and_not_as_without(spec):
    splits = spec.data().open(spec.seed)

    def trained(spec, workers):
        proved = prove(spec)
        network = build_for(spec, proved.proof)
        Trainer(network, splits, proved.description, spec.training, workers=workers).train()
        return network.values.tobytes()

    assert trained(spec, 1) == trained(spec, 3)
    plain = mlpkit.load_spec(spec.document.path, overrides={"training.augment": []})
    assert trained(plain, 1) != trained(spec, 1)


def test_flat_digits_need_the_shape_of_their_images_and_image_shaped_ones_none(spec):
    with pytest.raises(mlpkit.SpecError) as caught:
        mlpkit.build(mlpkit.load_spec(spec.document.path, overrides={"training.augment": ["shift"]}))
    message = str(caught.value)
    assert "shift can't take inputs of shape (784,)" in message
    assert "help: give the shape of the images, as in image: [28, 28]" in message
    assert "note: the inputs, of shape (784,), come from the data (mnist) at" in message
    layers = ["Flatten", {"Affine": {"units": 10}}, "SoftmaxWithLoss"]
    images = {"training.augment": ["shift", "rotation", "elastic"], "data": {"mnist": {"flatten": False}}}
    mlpkit.build(mlpkit.load_spec(spec.document.path, overrides={**images, "layers": layers}))
