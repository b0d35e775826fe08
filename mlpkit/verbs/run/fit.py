"""Training on arrays and data frames that are in memory: a new network, or one that is there already."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any, Final

from mlpkit.components.dataset import Dataset
from mlpkit.components.layer import Layer
from mlpkit.components.loss import Loss
from mlpkit.components.schema.component_types import default_names
from mlpkit.components.schema.recipe import written
from mlpkit.components.schema.signature import schema_of
from mlpkit.components.schema.wording import nearest
from mlpkit.display.notebook import notebook_display
from mlpkit.errors import UsageError
from mlpkit.groups.ensemble import run_ensemble
from mlpkit.jobs.load_model import Origin, model_of
from mlpkit.jobs.spec_data import describe_data
from mlpkit.jobs.train import Run, train_spec
from mlpkit.network.ensemble import NOT_TRAINED, Ensemble
from mlpkit.network.sequential import Sequential
from mlpkit.registry.registry import RegisteredComponent, Registry, installed
from mlpkit.runs.model_file import save_model
from mlpkit.specfile.document import document_of
from mlpkit.specfile.key_types import FORMAT, FORMAT_KEY
from mlpkit.specfile.python_spec import reference_of
from mlpkit.specfile.sections import Training
from mlpkit.specfile.spec import Spec, check_document
from mlpkit.training.events import Observer, StopRequest, python_warnings

TRAINING: Final = schema_of(Training)
"""The keys of ``training``, each of which is a keyword."""

ONE_SEED: Final = (
    "fit trains with one seed: the processes that train several don't have the examples. Call it for each seed, with "
    "seed=0, directory='runs/five/seed-0' and so on, and mlpkit runs shows their mean; or put the examples into a file "
    "that a spec names, for mlpkit.run(spec, seeds=5)"
)

NO_LAYERS: Final = "fit needs layers, with a loss at the end; to start with, add layers={layers}"

Examples = tuple[Any, ...]
"""Inputs, and the target of each; and the weight of each, if they have weights."""


def with_training_keys(function: Callable[..., Any]) -> Callable[..., Any]:
    """Have a function's signature show the keys of ``training`` in place of ``**options``."""
    own = inspect.signature(function)
    *named, options = own.parameters.values()
    keyword = inspect.Parameter.KEYWORD_ONLY
    keys = [
        inspect.Parameter(field.name, keyword, default=None if field.required else written(field.default))
        for field in TRAINING.fields
    ]
    function.__signature__ = own.replace(parameters=[*named, *keys, options])  # type: ignore[attr-defined]
    return function


@with_training_keys
def fit(
    x: Any,
    t: Any,
    *,
    layers: Sequence[Layer | Loss | str | Mapping[str, Any]] | None = None,
    weights: Any = None,
    validation: float | Examples = 0.0,
    test: float | Examples = 0.0,
    name: str = "fit",
    seed: int = 0,
    dtype: str = "float32",
    ensemble: Mapping[str, int] | None = None,
    calibration: str | Mapping[str, Any] | None = None,
    coverage: float | None = None,
    initialize_from: str | Path | Mapping[str, Any] | None = None,
    directory: str | Path | None = None,
    observer: Observer | None = None,
    quiet: bool = False,
    stop: StopRequest | None = None,
    plugins: Iterable[str | Path | ModuleType] = (),
    blocked: Iterable[str] = (),
    **options: Any,
) -> Run:
    """Train a network on arrays, lists or data frames, and evaluate it at the end.

    Each key of ``training`` in a spec is a keyword: ``epochs``, ``optimizer``, ``metrics``, ``early_stopping`` and the
    rest. The optimizer is by default Adam, and a minibatch no larger than the training data. Whatever else is given
    goes to the data set ``in_memory``: ``predict``, ``standardize``, ``scale_target``, ``flatten``, ``divide_by``,
    ``classes``, ``unknown``, ``split`` and ``split_seed``.

    Args:
        x: inputs, with a row for each example: an array, a data frame, or a dict of columns.
        t: targets: classes of any kind (texts, integers, truth values), rows of 0 and 1, or numbers; or the name of the
            column of the frame that holds them, or of several.
        layers: the layers, and the loss at the end, as a spec writes them or built in Python; those built in Python
            describe the network's layers, and stay as they are.
        weights: how much each example counts in the loss and in metrics, numbers from 0 up; None for equal weights.
            Examples of weight 0 are left out.
        validation: share of the examples for validation, or separate inputs and targets, and weights, if any.
        test: share of the examples for testing, or separate inputs and targets, and weights, if any.
        name: name of the run.
        seed: what all random numbers are keyed by.
        dtype: type of parameters and activations.
        ensemble: several networks to train and average, as in a spec: ``{"members": 8}`` or ``{"folds": 5}``; the
            result is an ``EnsembleRun``.
        calibration: how predicted probabilities are adjusted after training, on the examples for validation, such as
            ``temperature``; by default not at all.
        coverage: the share of targets that intervals or sets around predictions should hold, as in a spec.
        initialize_from: a run folder or a model file whose weights the network starts with; or a mapping with this as
            ``run``, and with the names of ``layers`` to take.
        directory: where to keep what happened; missing or empty. None keeps nothing.
        observer: receives the events, warnings of the data set included; by default Python warns of these, and a
            notebook shows progress. Not with an ensemble.
        quiet: whether to show no progress in a notebook.
        stop: may ask the run to end after the step that it is in; the folder then keeps a checkpoint.
        plugins: modules, or paths of Python files, that are plugins too.
        blocked: namespaces, or names of components, to disable.
        options: keys of ``training``, and parameters of the data set.

    Raises:
        UsageError: ``seeds`` is given, or an observer and an ensemble; or ``layers`` is empty.
        SpecError: a keyword or a layer is wrong, or the layers don't fit each other or the data; the message names the
            key, such as ``training.batch_size``.
        DataError: the examples are not what they should be.
        DivergenceError: a loss, a parameter or an optimizer's slot was not finite.
        EnsembleError: a network of an ensemble could not be trained.
        RunFolderError: the directory is in use.
        StorageError: the run folder can't be written.
        KeyboardInterrupt: Ctrl-C stopped the training after the step that it was in; ``run`` of the exception has what
            was trained.
    """
    registry = Registry.discover(plugins=plugins, blocked=blocked)
    examples, shares = splits_of(x, t, weights, validation=validation, test=test)
    top_level: dict[str, Any] = {"name": name, "seed": seed, "dtype": dtype, "layers": layers}
    top_level["initialize_from"] = initialize_from
    top_level |= {"ensemble": ensemble, "calibration": calibration, "coverage": coverage}
    spec, dataset = spec_in_memory(registry, examples, top_level, options, shares)
    if spec.trains_ensemble:
        if observer is not None:
            raise UsageError("fit takes no observer of an ensemble; it is for one network")
        return run_ensemble(spec, directory, examples=examples, observer=python_warnings("member"), stop=stop)
    return train_spec(
        spec, directory, dataset=dataset, observer=observer, display=notebook_display(quiet=quiet), stop=stop
    )


def splits_of(
    x: Any, t: Any, weights: Any = None, **splits: float | Examples
) -> tuple[dict[str, Examples], dict[str, Any]]:
    """Return the examples of each split that has its own, and the shares of x and t that the others are."""
    own = {name: tuple(given) for name, given in splits.items() if isinstance(given, tuple | list)}
    train = (x, t) if weights is None else (x, t, weights)
    return {"train": train, **own}, {name: given for name, given in splits.items() if name not in own}


def spec_in_memory(
    registry: Registry,
    examples: Mapping[str, Examples],
    top_level: Mapping[str, Any],
    options: Mapping[str, Any],
    shares: Mapping[str, Any],
    learned: Dataset | None = None,
) -> tuple[Spec, Dataset]:
    """Return the spec of a training on examples by split, and its data set, which holds them.

    ``options`` are keys of ``training`` and parameters of the data set; ``shares`` are more parameters of that. The
    encoder of a data set of the same kind, ``learned``, serves again.
    """
    if "seeds" in options:
        raise UsageError(ONE_SEED)
    found, parameters = dataset_for(registry, examples, {**shares, **options})
    types = found.schema.types
    if top_level["layers"] is None:
        assert issubclass(found.component, Dataset)
        raise UsageError(NO_LAYERS.format(layers=found.component.layers_for(examples, parameters)))
    of_data = {key: value for key, value in parameters.items() if key not in options or _is_of_data(key, types)}
    training = {key: value for key, value in options.items() if key not in of_data}
    training = {"optimizer": registry.default("optimizer")} | training
    keys = {FORMAT_KEY: FORMAT, **top_level, "data": {found.name: of_data}, "training": training}
    spec = _checked(keys, registry)
    dataset = spec.new_dataset()
    if type(learned) is type(dataset):
        dataset.load_encoder_state(learned.encoder_state())
    dataset.hold(examples)
    rows = describe_data(spec, dataset).sizes["train"]
    if "batch_size" not in training and rows < spec.training.batch_size:
        spec = _checked(keys | {"training": training | {"batch_size": rows}}, registry)
    return spec, dataset


def dataset_for(
    registry: Registry, examples: Mapping[str, Examples], given: Mapping[str, Any]
) -> tuple[RegisteredComponent, Mapping[str, Any]]:
    """Return the data set that holds such examples by split, and its parameters, some of which may be given."""
    for name in registry.defaults("dataset"):
        found = registry.find(("dataset",), name)
        assert issubclass(found.component, Dataset)
        parameters = found.component.parameters_for(examples, given)
        if parameters is not None:
            return found, parameters
    raise UsageError(f"fit takes no {type(examples['train'][0]).__name__}; expected an array or a data frame")


def _is_of_data(key: str, parameters: Mapping[str, object]) -> bool:
    """Whether a keyword is a parameter of the data set, perhaps misspelt, and no key of ``training``."""
    if key in parameters or key in TRAINING.types:
        return key in parameters
    return bool(nearest(key, parameters) and not nearest(key, TRAINING.types))


def _checked(keys: Mapping[str, Any], registry: Registry) -> Spec:
    return check_document(document_of(keys, registry=registry), registry)


@with_training_keys
def fit_network(
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
