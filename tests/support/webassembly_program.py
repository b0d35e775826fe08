"""What a program does with mlpkit in WebAssembly, or in what stands in for it; a test looks at the results."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from click.testing import CliRunner
from stop_at import StopAt

import mlpkit
from mlpkit.cli.verbs import program
from mlpkit.registry.registry import Registry
from mlpkit.verbs.export.export import export

SPECS = Path(mlpkit.__file__).parent / "shipped_specs"
SOUND = """
from mlpkit import Layer, component, hookimpl

class Same(Layer):
    \"\"\"Hands on its inputs.\"\"\"

    forward = backward = lambda self, x: x

@hookimpl
def mlpkit_components():
    return [component("layer", "Same", Same)]
"""


def results(folder: Path):
    """Train, resume, load, predict and fail; return the results as plain data."""
    return {
        "trained": trained(folder / "trained"),
        "exported": exported(folder / "trained", folder / "model.html"),
        "resumed": resumed(folder / "resumed"),
        "fitted": fitted(),
        "refused": refused(folder),
        "plugins": plugins(folder),
    }


def flowers(**training):
    training |= {"iterations": 100, "evaluate_every": 20}
    overrides = {f"training.{key}": value for key, value in training.items()}
    return mlpkit.load_spec(SPECS / "flowers.yaml", overrides=overrides)


def trained(folder):
    """Train with checkpoints, and use the model."""
    run = mlpkit.run(flowers(checkpoint={"every": 30, "best": "loss"}), directory=folder)
    model = mlpkit.load(folder)
    row = {"petal_length": 45.5, "petal_width": 13.5, "stem_height": 100.5, "soil": "clay"}
    return {
        "accuracy": run.metrics["test"]["accuracy"],
        "files": sorted(path.name for path in folder.iterdir()),
        "checkpoints": sorted(path.name for path in (folder / "checkpoints").iterdir()),
        "predicted": str(model.predict([row])[0]),
    }


def exported(run, file):
    """Export a model, which nothing can prove here."""
    warning = export(run, file).warning
    return {"warning": warning, "written": file.read_text("utf-8").startswith("<!doctype html>")}


def resumed(folder):
    """Stop a training, and go on with it."""
    stop = StopAt(40)
    first = mlpkit.run(flowers(), directory=folder, observer=stop, stop=stop.stop)
    whole = mlpkit.run(flowers())
    run = mlpkit.resume(folder)
    return {"stopped": first.steps, "steps": run.steps, "same": run.metrics == whole.metrics}


def fitted():
    """Train on arrays."""
    x = np.random.default_rng(0).normal(size=(400, 2))
    t = np.where(x.sum(axis=1) > 0, "above", "below")
    run = mlpkit.fit(x, t, layers=[{"Affine": {"units": 2}}, "SoftmaxWithLoss"], epochs=40, metrics=["accuracy"])
    return {"accuracy": run.metrics["train"]["accuracy"], "predicted": run.model.predict([[3.0, 3.0]]).tolist()}


def refused(folder):
    """Ask for what needs processes or threads."""
    try:
        mlpkit.run(flowers(), seeds=2)
    except mlpkit.UsageError as error:
        seeds = str(error)
    arguments = ["run", str(SPECS / "flowers.yaml"), "--live", "--out", str(folder / "live"), "--quiet"]
    done = CliRunner().invoke(program, arguments)
    return {"seeds": seeds, "live": [done.exit_code, done.stderr]}


def plugins(folder):
    """Look at a plugin that is sound, and at one that is not."""
    (folder / "acme.py").write_text(SOUND)
    (folder / "broken.py").write_text("import no_such_library")
    registry = Registry.discover(plugins=[folder / "acme.py", folder / "broken.py"])
    return {plugin.namespace: verdict.reason for plugin, verdict in registry.examined()}
