"""Training and saving a network that is there already."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mlpkit.components.schema.component_types import default_names
from mlpkit.display.notebook import notebook_display
from mlpkit.errors import UsageError
from mlpkit.jobs.load_model import Origin, model_of
from mlpkit.jobs.train import train_spec
from mlpkit.jobs.training_job import Run
from mlpkit.network.ensemble import NOT_TRAINED, Ensemble
from mlpkit.network.sequential import Sequential
from mlpkit.registry.registry import Registry, installed
from mlpkit.runs.model_file import save_model
from mlpkit.specfile.python_spec import reference_of
from mlpkit.training.events import Observer, StopRequest
from mlpkit.verbs.run.fit import Examples, spec_in_memory, splits_of, with_training_keys


@with_training_keys
def fit(
    network: Sequential,
    x: Any,
    t: Any,
    *,
    weights: Any = None,
    validation: float | Examples = 0.0,
    test: float | Examples = 0.0,
    observer: Observer | None = None,
    quiet: bool = False,
    stop: StopRequest | None = None,
    **options: Any,
) -> Run:
    """Train the network on arrays, lists or data frames, from the parameters that it has.

    Each key of ``training`` is a keyword, as for ``mlpkit.fit``. The optimizer starts from scratch. A network that was
    trained on examples in memory before keeps the classes, columns and scaling that it learned then.

    Args:
        network: the network.
        x: inputs, with a row for each example.
        t: targets: classes of any kind (texts, integers, truth values), rows of 0 and 1, or numbers.
        weights: how much each example counts, as for ``mlpkit.fit``.
        validation: share of the examples for validation, or separate inputs and targets, and weights, if any.
        test: share of the examples for testing, or separate inputs and targets, and weights, if any.
        observer: receives the events, warnings of the data set included; by default Python warns of these, and a
            notebook shows progress.
        quiet: whether to show no progress in a notebook.
        stop: may ask the training to end after the step that it is in.
        options: keys of ``training``, and parameters of the data set.

    Raises:
        SpecError: a keyword is wrong, or the network doesn't fit the examples.
        DataError: the examples are not what they should be.
        UsageError: the network was built for other inputs or slices, or is an ensemble.
        DivergenceError: a loss, a parameter or an optimizer's slot was not finite.
        KeyboardInterrupt: Ctrl-C stopped the training after the step that it was in; the network keeps what it learned,
            and ``run`` of the exception has the history.
    """
    if isinstance(network.layers[0], Ensemble):
        raise UsageError(NOT_TRAINED)
    registry = installed()
    examples, shares = splits_of(x, t, weights, validation=validation, test=test)
    slices = len(network.replicas)
    top_level = {"name": "fit", "seed": network.seed, "dtype": str(network.dtype), "layers": _layers(network, registry)}
    if network.adjustments.calibration is not None:
        top_level["calibration"] = reference_of(network.adjustments.calibration, registry)
    learned = network.origin.dataset if isinstance(network.origin, Origin) else None
    spec, dataset = spec_in_memory(registry, examples, top_level, {"slices": slices} | options, shares, learned)
    return train_spec(
        spec,
        None,
        dataset=dataset,
        observer=observer,
        display=notebook_display(quiet=quiet),
        stop=stop,
        network=network,
    )


def save(network: Sequential, path: str | Path) -> None:
    """Save the trained network as a model file, with all that ``mlpkit.load_model`` needs.

    Args:
        network: the network.
        path: the file, such as ``model.safetensors``.

    Raises:
        UsageError: the network was never trained.
        StorageError: the file can't be written.
    """
    if not isinstance(network.origin, Origin):
        raise UsageError("the network was never trained; expected one that fit, run or load_model returned")
    save_model(Path(path), *model_of(network, network.origin))


def _layers(network: Sequential, registry: Registry) -> list[Any]:
    """Return the network's layers as in a spec, including names that aren't the defaults."""
    stack = [*network.layers, network.loss_layer]
    references: list[Any] = []
    for member, default in zip(stack, default_names(member.type_name for member in stack), strict=True):
        reference = reference_of(member, registry)
        if member.path != default:
            ((name, parameters),) = ({reference: {}} if isinstance(reference, str) else reference).items()
            reference = {name: {**parameters, "name": member.path}}
        references.append(reference)
    return references
