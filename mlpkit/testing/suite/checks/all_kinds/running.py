"""Running: a whole training with the component, as a spec would run it, and its model file."""

from __future__ import annotations

import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np

from mlpkit.components.kinds import KINDS
from mlpkit.components.target import Values, target_to_plain
from mlpkit.jobs.load_model import load_trained
from mlpkit.jobs.run import run
from mlpkit.spec.spec import parse_spec
from mlpkit.testing.suite.check import checks_examples
from mlpkit.testing.suite.comparison import expect_same_bits
from mlpkit.testing.suite.examples.layer import LayerExample
from mlpkit.testing.suite.examples.loss import LossExample

if TYPE_CHECKING:
    from mlpkit.testing.suite.examples.example import Example

NAMESPACE = "stand_ins"


@checks_examples(*KINDS)
def trains_saves_and_loads(example: Example) -> None:
    """Does a short training with it run, and does the model file give the trained network back to the bit?

    What a model needs must stand in parameters, in state, or in the spec; all else is lost when the process ends.
    """
    spec = parse_spec(json.dumps(spec_with(example)), name=example.name, registry=example.registry)
    with TemporaryDirectory() as folder:
        done = run(spec, Path(folder) / "run")
        x = example.random("inputs").uniform(size=(5, *done.network.input_shape))
        expected = done.network.predict(x)
        loaded = load_trained(Path(folder) / "run" / "model.safetensors", example.registry)
        found = loaded.network.predict(x)
    remedy = "declare with self.parameter or self.state what forward needs"
    what = "the prediction"
    expect_same_bits({what: found}, {what: expected}, "of the network that was saved and loaded", remedy)


def spec_with(example: Example) -> dict[str, Any]:
    """Return a spec in which the component has its place, and stand-ins have all others."""
    written = {example.name: example.parameters()}
    shape: tuple[int, ...] = (6,)
    target: Any = Values((6,))
    if isinstance(example, LayerExample):
        shape = example.shape
    elif isinstance(example, LossExample):
        shape, target = example.shape, example.target
    elif example.entry.kind == "augmentation":
        shape = example.shown_with()
    elif example.entry.kind == "metric":
        target = example.shown_with()
        shape = np.shape(example.predictions(1).prediction)[1:]  # type: ignore[attr-defined]
    parts: dict[str, Any] = {
        "dataset": {f"{NAMESPACE}.stand_in_dataset": {"input_shape": shape, "target": target_to_plain(target)}},
        "initializer": {f"{NAMESPACE}.StandInLayer": {"factors": f"{NAMESPACE}.stand_in_initializer"}},
        "optimizer": f"{NAMESPACE}.stand_in_optimizer",
        "loss": f"{NAMESPACE}.StandInLoss",
    }
    training: dict[str, Any] = {"batch_size": 4, "iterations": 6, "evaluate_every": 3}
    match example.entry.kind:
        case "schedule":
            parts["optimizer"] = {parts["optimizer"]: {"learning_rate": written}}
        case "initializer":
            factors = {"factors": written, "shape": example.shown_with()}
            parts["initializer"] = {f"{NAMESPACE}.StandInLayer": factors}
        case "augmentation" | "metric" | "callback" as kind:
            key = {"augmentation": "augment", "metric": "metrics", "callback": "callbacks"}[kind]
            training[key] = [written]
        case kind:
            parts[kind] = written
    layers = [parts["initializer"], *([written] if example.entry.kind == "layer" else []), parts["loss"]]
    training["optimizer"] = parts["optimizer"]
    return {"mlpkit": 1, "name": "conformance", "data": parts["dataset"], "layers": layers, "training": training}
