"""Exporting the trained model of a run: which exporter writes the file, and the proof on the run's test rows."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final, NamedTuple, get_args

import numpy as np
from numpy.typing import NDArray

from mlpkit.array import Array
from mlpkit.components.component import recipe_of
from mlpkit.components.dataset import Dataset, Description, Split
from mlpkit.components.exporter import Exporter, ModelGraph
from mlpkit.components.schema.wording import either_of
from mlpkit.errors import ComponentFailure, EngineMissingError, MlpkitError, NotExportableError, PluginError, UsageError
from mlpkit.graph.model_graph import bare_network, model_graph
from mlpkit.graph.provenance import QUANTIZED
from mlpkit.graph.quantization import Quantization, with_int8_weights
from mlpkit.jobs.evaluate import evaluated
from mlpkit.jobs.inputs import Inputs, inputs_of
from mlpkit.jobs.load_model import TrainedModel, load_run
from mlpkit.jobs.predict import predictions
from mlpkit.jobs.run_inputs import DATA, spec_hash
from mlpkit.jobs.spec_data import describe_data, open_data, raw_rows, rows_to_predict
from mlpkit.network.component_errors import component_errors
from mlpkit.registry.registry import RegisteredComponent, Registry
from mlpkit.runs.files import file_hash, write_atomically
from mlpkit.runs.folder import RunFolder
from mlpkit.runs.kinds import RunArgument, directory_of
from mlpkit.runs.layout import MODEL, RESOLVED, SPLITS
from mlpkit.system import real_path
from mlpkit.training.minibatches import BatchReader
from mlpkit.verbs.export.proof import KnownRows, prove
from mlpkit.version import VERSION

if TYPE_CHECKING:
    from mlpkit.components.dataset import RawRows

KINDS: Final = (Exporter.kind,)


def exporter_of(file: Path, named: str | dict[str, Any] | Exporter | None, registry: Registry) -> Exporter:
    """Return the exporter that is named, or the one that the ending of a file's name chooses; a built-in comes first.

    Other plugins are loaded only if no built-in has the ending.
    """
    if named is not None:
        exporter = registry.create(Exporter.kind, named)
        if not isinstance(exporter, Exporter):
            raise UsageError(f"{exporter!r} is not {either_of(KINDS)}; expected its name, or a mlpkit.Exporter")
        return exporter
    ending = file.suffix.lower()
    built_in = dict(_by_ending(registry, built_in=True))
    chosen = built_in.get(ending)
    if chosen is None:
        registry.examined()  # a plugin that could harm this process isn't loaded below
        found = list(_by_ending(registry))
        names = [entry.name for its_ending, entry in found if its_ending == ending]
        if not names:
            expected = f"expected a name that ends in {', '.join(dict.fromkeys(each for each, _ in found))}"
            example = f", such as model{[*built_in][-1]}" if built_in else ""
            remedy = f"; to write {ending} files, install a plugin that has an exporter for them" if ending else ""
            raise UsageError(f"the format of '{file}' is unknown; {expected}{example}{remedy}")
        if len(names) > 1:
            raise UsageError(f"{' and '.join(names)} write {ending}; choose one, such as --format {names[0]}")
        chosen = dict(found)[ending]
    made: Exporter = registry.create(Exporter.kind, chosen.name)
    return made


def _by_ending(registry: Registry, *, built_in: bool = False) -> Iterator[tuple[str, RegisteredComponent]]:
    """Yield exporters with the endings of their files; `mlpkit plugins` shows why an exporter is missing here."""
    for entry in registry.components(KINDS, built_in=built_in):
        with suppress(PluginError):
            ending = getattr(entry.component, "ending", None)
            if isinstance(ending, str):
                yield ending, entry


@dataclass(frozen=True)
class Export:
    """A file that a model was exported to.

    Args:
        file: the file.
        rows: how many rows of the run's data it was proved on.
        exact: for how many of them it gives the bits of ``predict``.
        split: the split that they are from; empty without any.
        outputs: the names of its outputs.
        warning: why it wasn't proved, or not on all that it should have been; or empty.
        rounding: what rounding the weights changed; None if they aren't rounded.
    """

    file: Path
    rows: int
    exact: int
    split: str
    outputs: tuple[str, ...]
    warning: str
    rounding: Rounding | None = None


@dataclass(frozen=True)
class Rounding:
    """What rounding the weights of a model changed.

    Args:
        weights: the names of the parameters that are rounded.
        before: loss and metrics of the model as it was trained, on the split that the file was proved on, a table as a
            list of rows; empty without the run's data.
        after: the same with the weights rounded.
        rows: how many rows of that split were predicted before and after.
        relabelled: how many of them have another class, or other labels, after; None if values are predicted.
    """

    weights: tuple[str, ...]
    before: Mapping[str, Any]
    after: Mapping[str, Any]
    rows: int
    relabelled: int | None


def export(
    run: RunArgument,
    to: str | os.PathLike[str],
    *,
    exporter: str | dict[str, Any] | Exporter | None = None,
    network_only: bool = False,
    quantize: Quantization | None = None,
    plugins: Iterable[str | Path | ModuleType] = (),
    blocked: Iterable[str] = (),
) -> Export:
    """Write the trained model of a run to a file, and prove that it computes the same before it takes its place.

    Args:
        run: the run, or its folder.
        to: the file; its extension selects the format.
        exporter: what writes it: the name of an exporter, a mapping from it to its parameters, or an exporter; by
            default the one for the file's extension.
        network_only: whether to export the network alone, without its data set's encoder and names.
        quantize: ``"int8"`` to round the weights of products to integers of eight bits, with a float32 scale for each
            output unit; the file computes what the network with these weights predicts. For ``.c``.
        plugins: modules, or paths of Python files, that are plugins too.
        blocked: namespaces, or names of components, to disable.

    Raises:
        UnknownComponentError: no such exporter.
        UsageError: the ending is unknown, or the format holds no rounded weights; a package is missing; or no folder
            keeps the run.
        RunFolderError: the folder is not a run folder, or holds no model yet.
        ModelFileError: the model file is damaged.
        NotExportableError: a component doesn't describe its operators, or the network has no weights to round.
        ExportError: the file computes something else than the model.
        DataError: a row of the test split can't be an input of an exported model.
        StorageError: the file can't be written.
        ComponentFailure: the data set, the network or the exporter raised an exception.
    """
    directory, file = directory_of(run), Path(to)
    registry = Registry.discover(plugins=plugins, blocked=blocked)
    chosen = exporter_of(file, exporter, registry)
    if quantize is not None:
        _require_quantizes(chosen, file, quantize, registry)
    model = load_run(directory, registry)
    with _lines_named(directory, model):
        return _export(directory, model, file, chosen, network_only=network_only, quantize=quantize)


def _require_quantizes(exporter: Exporter, file: Path, quantize: str, registry: Registry) -> None:
    """Check that a file can hold weights rounded so, or raise ``UsageError``."""
    if quantize not in get_args(Quantization):
        raise UsageError(f"weights can't be rounded to '{quantize}'; expected {', '.join(get_args(Quantization))}")
    if not exporter.quantizes:
        built_in = _by_ending(registry, built_in=True)
        endings = [ending for ending, entry in built_in if getattr(entry.component, "quantizes", False)]
        such = f", such as model{endings[0]}" if endings else ""
        expected = f"expected a name that ends in {', '.join(endings)}{such}; or leave out quantize"
        raise UsageError(f"'{file}' can't hold rounded weights; {expected}")


def _export(
    directory: Path,
    model: TrainedModel,
    to: Path,
    exporter: Exporter,
    *,
    network_only: bool,
    quantize: Quantization | None,
) -> Export:
    exact, came_from = model, provenance(directory, model)
    weights: tuple[str, ...] = ()
    if quantize is not None:
        network, weights = with_int8_weights(exact.network)
        model, came_from = exact._replace(network=network), {**came_from, QUANTIZED: quantize}
    graph = replace(_graph(model, came_from, network_only=network_only), quantized=quantize is not None)
    test, warning = _test_split(model)
    rows, warning = (None, warning) if test is None else _known_rows(model, graph, exporter, test)
    if rows is not None:
        graph = replace(graph, examples=rows.feeds)
    rounding = None if quantize is None else _rounding(exact, model, weights, test, rows)
    with TemporaryDirectory(prefix="mlpkit-") as folder:
        written = Path(folder) / to.name
        with component_errors(f"exporter {exporter.registered_name} failed in write"):
            exporter.write(graph, written)
        if not written.is_file():
            raise ComponentFailure(f"exporter {exporter.registered_name} wrote no file; expected one at the given path")
        content = written.read_bytes()
        try:
            same_bits = prove(exporter, written, graph, model.network, rows)
        except EngineMissingError as error:
            same_bits, rows, warning = 0, None, f"not proved to compute what the model does: {error}"
        write_atomically(to, content)
    proved_on, place = (0, "") if rows is None else (len(rows.prediction), rows.place)
    return Export(to, proved_on, same_bits, place, tuple(graph.graph.outputs), warning, rounding)


def _graph(model: TrainedModel, came_from: Mapping[str, Any], *, network_only: bool) -> ModelGraph:
    if network_only:
        return bare_network(model.network, came_from)
    with component_errors(f"dataset {model.spec.data.name} failed in onnx"):
        return model_graph(model.network, model.dataset, came_from)


@contextmanager
def _lines_named(directory: Path, model: TrainedModel) -> Iterator[None]:
    """Have errors of layers that can't be exported start with the layer's place in the run's spec."""
    try:
        yield
    except NotExportableError as error:
        recipes = {each.path: recipe_of(each) for each in model.network.replicas[0].operations()}
        recipe = recipes.get(error.made_by)
        if recipe is None:
            raise
        place = model.spec.document.place(recipe.place, at_key=True)
        message = f"{directory / RESOLVED}:{place.line}:{place.column}: {error}"
        raise NotExportableError(message, error.made_by) from error.__cause__


def provenance(directory: Path, model: TrainedModel) -> dict[str, Any]:
    """Return what a run's model came from: names, the version of mlpkit, and SHA-256 of spec, data and weights."""
    return {"mlpkit": VERSION, "run": real_path(directory).name, "name": model.spec.name, **hashes(directory)}


def hashes(directory: Path) -> dict[str, str | None]:
    """Return the SHA-256 of a run's spec, data and weights; None for data without a checksum."""
    folder = RunFolder.open(directory)
    return {
        "spec": spec_hash(folder.resolved_text()),
        "data": folder.read_lock().get(DATA),
        "weights": file_hash(directory / MODEL),
    }


class _TestSplit(NamedTuple):
    """The run's data, and the rows of it that a file is proved on."""

    data: Mapping[str, Split]
    description: Description
    name: str
    indices: NDArray[np.intp]


def _test_split(model: TrainedModel) -> tuple[_TestSplit | None, str]:
    """Return the rows of the run's data that a file is proved on; or none, and why."""
    try:
        description = describe_data(model.spec, model.dataset)
        data = open_data(model.spec, model.dataset)
    except MlpkitError as error:
        return None, f"proved on made-up rows only, since the run's data can't be read: {error}"
    name = next(name for name in SPLITS if name in data)
    return _TestSplit(data, description, name, rows_to_predict(len(data[name]), model.network)), ""


def _known_rows(
    model: TrainedModel, graph: ModelGraph, exporter: Exporter, test: _TestSplit
) -> tuple[KnownRows | None, str]:
    """Return rows of the run's data with their predictions; or none, and why."""
    split, indices = test.name, test.indices
    place = f"the {split} split"
    raw = None if graph.encoded.name in graph.graph.feeds else raw_rows(model.dataset, split, indices, test.data[split])
    if raw is not None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # training has already warned about these rows
            inputs = inputs_of(model, raw)
            predicted = predictions(model, inputs).values
        x = np.asarray(inputs.x, model.network.dtype)
        return KnownRows(_feeds(model, graph, raw), x, predicted, place), ""
    x, *_ = BatchReader(test.data[split], test.description, model.network.dtype, len(indices)).take(indices)
    known = KnownRows({graph.encoded.name: x}, x, predictions(model, Inputs(x)).values, place)
    if graph.encoded.name in graph.graph.feeds:
        return known, ""
    if type(model.dataset).encode is Dataset.encode:
        return known._replace(feeds={"x": x}), ""
    reason = f"{model.spec.data.name} keeps no raw rows"
    if exporter.shows_values:
        return known, f"the network is proved on encoded rows, and the encoder on made-up rows only: {reason}"
    return None, f"proved on made-up rows only: {reason}"


def _rounding(
    exact: TrainedModel,
    rounded: TrainedModel,
    weights: tuple[str, ...],
    test: _TestSplit | None,
    rows: KnownRows | None,
) -> Rounding:
    """Return what rounding some weights changed on the run's data, and on rows of it, if there are any."""
    if test is None or rows is None:
        return Rounding(weights, {}, {}, 0, None)
    before, after = (
        evaluated(each, test.data, test.description, [test.name], each.spec.data.name)[test.name]
        for each in (exact, rounded)
    )
    then, now = (predictions(each, Inputs(rows.encoded)).labels for each in (exact, rounded))
    others = None if then is None else int((then != now).reshape(len(then), -1).any(axis=1).sum())
    return Rounding(weights, before, after, len(rows.encoded), others)


def _feeds(model: TrainedModel, graph: ModelGraph, raw: RawRows) -> dict[str, Array]:
    """Return raw rows as inputs of an exported model."""
    if isinstance(raw, Mapping):
        with component_errors(f"dataset {model.spec.data.name} failed in feeds"):
            found = model.dataset.feeds(raw)
        return {name: found[name] for name in graph.graph.feeds}
    (feed,) = graph.graph.feeds.values()
    return {feed.name: raw.reshape(len(raw), *feed.shape).astype(feed.dtype, copy=False)}
