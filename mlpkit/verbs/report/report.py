"""The report of a run, and of several: one page about its results."""

from __future__ import annotations

import math
import os
import shlex
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from mlpkit.array import Array
from mlpkit.components.dataset import Description, Split
from mlpkit.components.operation import Operation
from mlpkit.components.target import Classes, Labels, Values
from mlpkit.errors import DivergenceError, MlpkitError, UsageError
from mlpkit.groups.folders import EnsembleFolder, SeedsFolder
from mlpkit.groups.several_runs import listed_runs
from mlpkit.jobs.evaluate import data_of_run, in_order, warning_of_changed_data
from mlpkit.jobs.explanations import column_of_inputs, columns_in, encoded, names_of_columns, names_of_outputs
from mlpkit.jobs.groups_of_rows import metrics_by_group, require_columns
from mlpkit.jobs.load_model import TrainedModel, load_run
from mlpkit.jobs.run_inputs import GivenExamples, hold_examples, parse_resolved
from mlpkit.jobs.spec_data import describe_data, evenly_spaced, raw_rows, rows_to_predict
from mlpkit.jobs.train import units_of
from mlpkit.lazy_names import load
from mlpkit.network.sequential import Batch, Sequential
from mlpkit.network.summary import row_of
from mlpkit.pages import charts
from mlpkit.pages.curves import curves_of_sets, curves_section
from mlpkit.pages.evaluations import best_in_words
from mlpkit.pages.images import image_shape, weights_as_images
from mlpkit.pages.notebook_tables import SUMMARY_TITLES, summary_rows
from mlpkit.pages.page import page
from mlpkit.pages.parts import beside, paragraph, pictures, preformatted, section, table
from mlpkit.pages.results import RunSet, read_runs, repeating_section, result_section, results_table, spec_section
from mlpkit.registry.registry import Registry
from mlpkit.runs.files import require_writable, write_atomically
from mlpkit.runs.folder import RunFolder
from mlpkit.runs.kinds import ENSEMBLE_RUN, RUN, RunArgument, directory_of, kind_of
from mlpkit.runs.layout import MEMBERS, REPORT, SPLITS
from mlpkit.runs.overview import FINISHED, RUNNING, STOPPED, overview_of
from mlpkit.specfile.spec import Spec
from mlpkit.system import real_path
from mlpkit.terminal.figures import figures, promise, regions_table, with_ends
from mlpkit.training.checkpointing import BestTracker, tracker_of
from mlpkit.training.divergence import without_warnings
from mlpkit.training.health import recorded_symptoms
from mlpkit.training.minibatches import BatchReader
from mlpkit.training.workers import blas_threads
from mlpkit.verbs.report.classes import confusion_section, probabilities_section
from mlpkit.verbs.report.importance import (
    dependence_curves,
    importance,
    importance_of_patches,
    importance_section,
    rows_for_importance,
)
from mlpkit.verbs.report.predictions import (
    ScoredPredictions,
    explained_rows,
    mistakes_section,
    values_section,
    worst_outputs,
    worst_rows,
)

if TYPE_CHECKING:
    from mlpkit.components.dataset import RawRows


EXAMPLES_NEEDED: Final = "the examples were given in Python; give them again: mlpkit.report(run, examples=(x, t))"
BY_HAND: Final = "shuffle a column of your rows, and compare mlpkit.load(run).evaluate(rows)"
TOO_LONG: Final = f"it would take longer than the rest of the page; {BY_HAND}"


def report(
    run: RunArgument,
    to: str | os.PathLike[str] | None = None,
    *,
    examples: GivenExamples | None = None,
    by: str | Sequence[str] = (),
    plugins: Iterable[str | Path | ModuleType] = (),
    blocked: Iterable[str] = (),
) -> Path:
    """Write a page about a run, and return where it is: one file that works from disk, without a network.

    It has the results, the curves, the network's mistakes, its layers, and how to repeat the run.

    Args:
        run: the run, or its folder; it may be unfinished. With several seeds, the page has means and all curves;
            of a sweep, its trials and what each searched key did.
        to: the file to write; by default ``report.html`` in the folder.
        examples: as for ``resume``, if ``fit`` was given them.
        by: columns of the table, to give loss and metrics of the groups of rows by each; by default the spec's ``by``.
        plugins: modules, or paths of Python files, that are plugins too.
        blocked: namespaces, or names of components, to disable.

    Raises:
        UsageError: vl-convert or Pillow isn't installed, no folder keeps the run, or ``by`` is given for several runs
            or names no column of the data.
        RunFolderError: the folder is not a run folder, or a file in it is damaged.
        ModelFileError: the model file is damaged.
        DataError: there are examples, and the data set reads its own.
        SpecError: a plugin that the spec needs is missing; or ``by`` is given, and the data is gone.
        StorageError: the file can't be written.
    """
    directory, chosen = directory_of(run), None if to is None else Path(to)
    if chosen is not None:
        require_writable(chosen)
    registry = Registry.discover(plugins=plugins, blocked=blocked)
    kind, columns = kind_of(directory) or RUN, (by,) if isinstance(by, str) else tuple(by)
    if columns and not kind.is_run:
        raise UsageError(f"{directory}: holds {kind.holds}; give one run to have its groups of rows by a column")
    written: Path = load(kind.report)(directory, chosen or directory / REPORT, registry, examples, columns)
    return written


def write_run_page(
    directory: Path, file: Path, registry: Registry, examples: GivenExamples | None, by: Sequence[str] = ()
) -> Path:
    """Write the page about a run of one network or of an ensemble; see ``report``."""
    found = _read(directory, registry)
    found.by = by or found.spec.top_level.by or ()
    if found.model is not None and examples is not None:
        hold_examples(found.model.dataset, examples)
    elif found.model is not None and found.model.dataset.in_memory:
        found.has_data = False
    if by and found.model is not None and found.has_data:
        describe_data(found.spec, found.model.dataset)
        require_columns(found.model, by)
    write_atomically(file, page(found.spec.name, _sections(found)).encode())
    return file


@dataclass
class _Found:
    """What a run folder holds.

    ``metrics`` are empty if the run isn't finished, ``model`` is None without one that can be used, and ``notes`` tell
    what is missing, and why. Without ``has_data``, the examples were given in memory, and aren't there.
    """

    folder: RunFolder
    spec: Spec
    history: list[dict[str, Any]]
    metrics: dict[str, dict[str, Any]]
    model: TrainedModel | None
    notes: list[str] = field(default_factory=list)
    has_data: bool = True
    by: Sequence[str] = ()

    @property
    def units(self) -> dict[str, str]:
        """The units of the loss and of metrics, by name; none without a model."""
        return {} if self.model is None else units_of(self.model)

    @contextmanager
    def left_out(self, what: str) -> Iterator[None]:
        """Leave something out of the report if it can't be computed, and note why."""
        try:
            with warnings.catch_warnings(), without_warnings():
                warnings.simplefilter("ignore")  # training has already warned about the data
                yield
        except MlpkitError as error:
            self.notes.append(f"Left out, {what}: {error}")


def _read(directory: Path, registry: Registry) -> _Found:
    folder = RunFolder.open(directory)
    spec = parse_resolved(directory, folder.resolved_text(), registry)
    metrics = in_order(folder.read_metrics() if folder.finished else {}, spec)
    found = _Found(folder, spec, folder.read_history(), metrics, None)
    if not folder.has_model:
        found.notes.append("The run has no model yet, so its layers and predictions are left out.")
        return found
    try:
        found.model = load_run(directory, registry)
    except DivergenceError as error:
        found.notes.append(f"Layers and predictions are left out: {error}")
    return found


def _sections(found: _Found) -> list[str]:
    """Return the sections of the page."""
    tracker = tracker_of(found.spec.training, found.history)
    of_model: list[str] = []
    if found.model is not None:
        with found.left_out("what needs the run's data"):
            if not found.has_data:
                raise UsageError(EXAMPLES_NEEDED)
            of_model = _with_data(found, found.model)
        of_model = of_model or [layers_section(found.model.network, None)]
    spread = ""
    with found.left_out("activations and gradients"):
        spread = spread_section(found.folder.read_health())
    with found.left_out("what was noticed while it was trained"):
        if healths := found.folder.read_health():
            symptoms = recorded_symptoms(found.folder, healths)
            found.notes += [f"Noticed at iteration {each.iteration:,}: {each}." for each in symptoms]
    directory, training = found.folder.directory, found.spec.training
    plan = {"seed": found.spec.seed, "slices": training.slices, "BLAS threads": training.threads}
    of_training = (
        networks_sections(directory)
        if kind_of(directory) is ENSEMBLE_RUN
        else [curves_section(found.history, tracker, found.units)]
    )
    return [
        result_section(found.metrics, found.units, _outcome(found, tracker), *found.notes),
        *of_training,
        *of_model,
        spread,
        spec_section(found.folder.spec_text(), found.folder.resolved_text()),
        repeating_section(real_path(directory).name, found.folder.read_lock(), plan),
    ]


def _outcome(found: _Found, tracker: BestTracker) -> str:
    """Return the run's result in a sentence."""
    overview = overview_of(found.folder.directory)
    total = f" of {overview.total:,}" if overview.total and overview.state != FINISHED else ""
    done = f"{overview.steps:,}{total} iterations"
    if overview.state == FINISHED:
        split = next(iter(found.metrics))
        best = f"; {best_in_words(tracker, found.history[-1])}" if len(found.history) > 1 and tracker.best else ""
        return f"Trained for {done}: {split} {figures(found.metrics[split])}{best}."
    if overview.state in {RUNNING, STOPPED}:
        return f"{overview.state.capitalize()} after {done}; {found.folder.resume_hint}."
    return f"{overview.state.capitalize()} after {done}: {overview.problem}"


def _with_data(found: _Found, model: TrainedModel) -> list[str]:
    """Return the sections that need the run's data."""
    description, data = data_of_run(found.folder.directory, model)
    sizes = ", ".join(f"{size:,} in {name}" for name, size in description.sizes.items())
    shape = f"inputs of shape {description.input_shape}; {description.target}"
    found.notes.append(f"Data: {model.spec.data.name}, examples: {sizes}; {shape}.")
    found.notes += filter(None, [warning_of_changed_data(found.folder.directory, model)])
    split = next(name for name in SPLITS if name in data)
    indices = rows_to_predict(len(data[split]), model.network)
    batch = _taken(model, data[split], description, indices)
    sections: list[str] = []
    scored: ScoredPredictions | None = None
    raw: RawRows | None = None
    with found.left_out("predictions"):
        if isinstance(model.target, Classes | Labels | Values):
            scored = _scored(model, split, len(data[split]), batch)
            sections += [*_judgement(scored), *_coverage(scored)]
    with found.left_out("the worst predictions"):
        worst = indices[:0] if scored is None else worst_rows(scored)
        raw = raw_rows(model.dataset, split, indices[worst] if len(worst) else indices[:1], data[split])
        if scored is not None:
            why = ""
            with found.left_out("why rows are predicted so"):
                if raw is not None and len(worst) and image_shape(raw) is None:
                    why = explained_rows(model, data["train"], raw, indices[worst], worst_outputs(scored, worst))
            sections.append(mistakes_section(scored, worst, raw, indices, why))
    if found.by:
        with found.left_out("groups of rows"):
            sections.append(groups_section(model, split, data[split], description, found.by))
    with found.left_out("importance of inputs"):
        sections += _importance(found, model, split, data[split], description, raw)
    sections.append(layers_section(model.network, image_shape(raw)))
    return [part for part in sections if part]


def _taken(model: TrainedModel, split: Split, description: Description, indices: NDArray[np.intp]) -> Batch:
    return BatchReader(split, description, model.network.dtype, len(indices)).take(indices)


def _scored(model: TrainedModel, split: str, of: int, batch: Batch) -> ScoredPredictions:
    x, t, _ = batch
    with blas_threads(model.threads):
        whole, uncalibrated = model.network.predict_encoded(x), None
        if (calibration := model.network.adjustments.calibration) is not None:
            with calibration.set_aside():
                uncalibrated = model.network.predict_encoded(x)
    prediction = model.network.replicas[0].point_prediction(whole)
    if not np.isfinite(prediction).all():
        raise DivergenceError(f"the prediction for a row of {split} is not finite")
    coverage, regions = model.network.adjustments.coverage, None
    if coverage is not None and split == "test":
        regions = load("mlpkit.jobs.held_out:regions_found")(model, whole, t)
    names = names_of_outputs(model)
    return ScoredPredictions(split, of, model.target, prediction, t, names, uncalibrated, regions)


def _coverage(scored: ScoredPredictions) -> list[str]:
    """Return the section about what intervals or sets promised, and what they hold."""
    if scored.regions is None:
        return []
    headings, *rows = regions_table(scored.regions)
    said = paragraph(f"{promise(scored.regions)}.")
    return [section("Coverage", said, table(headings, rows, caption=f"In {scored.rows}", texts=[0]))]


def _judgement(scored: ScoredPredictions) -> list[str]:
    """Return the sections about predictions, if these are of the shape that their target has."""
    if scored.prediction.reshape(len(scored.prediction), -1).shape[1] != len(scored.names):
        return []
    if isinstance(scored.target, Values):
        return [values_section(scored)]
    return [confusion_section(scored), probabilities_section(scored)]


def _importance(
    found: _Found, model: TrainedModel, split: str, data: Split, description: Description, some: RawRows | None
) -> list[str]:
    """Return the section about the importance of inputs, if it can be computed in a few seconds."""
    network = model.network
    if some is None:
        return []
    rows = rows_for_importance(some, network.flops)
    if not rows:
        if columns_in(some) > 1:
            found.notes.append(f"Left out, importance of inputs: with {columns_in(some):,} of them, {TOO_LONG}")
        return []
    indices = evenly_spaced(len(data), rows)
    raw = raw_rows(model.dataset, split, indices, data)
    assert raw is not None
    _, t, weights = _taken(model, data, description, indices)

    def loss(x: Array) -> float:
        value = network.loss(x.reshape(-1, *network.input_shape), t, weights)
        if not math.isfinite(value):
            raise DivergenceError(f"the loss of rows of {split} is {value}")
        return value

    seed, of_rows = model.spec.seed, f"{len(indices):,} rows of {split}"
    with blas_threads(model.threads):
        if isinstance(raw, np.ndarray) and image_shape(raw) is not None:
            gains = importance_of_patches(raw, lambda images: loss(encoded(model, images)), seed)
            return [importance_section(gains, of_rows, raw.mean(axis=0).astype(np.uint8))]
        column_of = column_of_inputs(lambda rows: encoded(model, rows), raw)
        if column_of is None:
            found.notes.append(f"Left out, importance of inputs: an input of the network mixes several; {BY_HAND}")
            return []
        x, names = encoded(model, raw), names_of_columns(raw, model.dataset.feature_names())
        gains, curves = importance(x, names, column_of, loss, seed), ""
        with found.left_out("dependence on columns"):
            first = [(names.index(each.name), each.name) for each in gains[:2]]
            curves = dependence_curves(model, raw, x, column_of, first)
        return [importance_section(gains, of_rows, dependence=curves)]


def groups_section(
    model: TrainedModel, split: str, examples: Split, description: Description, by: Sequence[str]
) -> str:
    """Return the section about the groups of the rows of a split by some columns; see ``metrics_by_group``."""
    found = metrics_by_group(model, {split: examples}, description, by)[split]
    text = f"Groups of {found.whole.rows:,} rows of {split}; * marks intervals that don't overlap that of all rows."
    tables = {column: found.table(column, with_ends) for column in found.columns}
    shown = (table(rows[0], rows[1:], caption=f"By {column}", texts=[0]) for column, rows in tables.items())
    return section("By group", paragraph(text), *shown)


def write_seeds_page(directory: Path, file: Path, *_: object) -> Path:
    """Write a page about the runs of several seeds, and return where it is; see ``mlpkit.report``."""
    folder = SeedsFolder.open(directory)
    runs = tuple(read_runs(directory))
    each = results_table([RunSet(run.directory.name, (run,)) for run in runs], "At the end of each")
    parts = [
        section("Mean and interval", *_summary(folder)),
        section("Runs", each),
        curves_of_sets([RunSet(directory.name, runs)]),
    ]
    write_atomically(file, page(f"{directory.name}: {len(folder.seeds)} seeds", parts).encode())
    return file


def _summary(folder: SeedsFolder) -> list[str]:
    """Return a table of the means over the finished runs, and how to resume the rest."""
    rows = summary_rows(folder.summary())
    means = [table(SUMMARY_TITLES, rows, caption="At the end, over the seeds", texts=[0])] if rows else []
    if not folder.unfinished:
        return means
    text = f"Not finished: {listed_runs(folder.unfinished)}; unless they are still training, resume them with:"
    return [*means, paragraph(text), preformatted(f"mlpkit resume {shlex.quote(str(folder.directory))}")]


def networks_sections(directory: Path) -> list[str]:
    """Return the sections about the networks of an ensemble."""
    runs = tuple(read_runs(directory / MEMBERS))
    rows = summary_rows(EnsembleFolder.open(directory).summary())
    means = [table(SUMMARY_TITLES, rows, caption="One network: mean and interval over all", texts=[0])] if rows else []
    each = results_table([RunSet(run.directory.name, (run,)) for run in runs], "At the end of each network")
    return [section("Networks", *means, each), curves_of_sets([RunSet("networks", runs)])]


MOST_LAYERS: Final = 200
QUANTILES: Final = ("q05", "q25", "q50", "q75", "q95")
MOST_CHARTED: Final = 8
MOST_PROBES: Final = 200
"""Most times at which a distribution is drawn."""


def layers_section(network: Sequential, image: tuple[int, ...] | None) -> str:
    """Return the table of the layers, and the first weights as images if the inputs are images."""
    operations = network.replicas[0].operations()
    rows = [_cells(operation) for operation in operations[:MOST_LAYERS]]
    more = f"The first {MOST_LAYERS} of {len(operations):,}" if len(operations) > MOST_LAYERS else ""
    parameters = sum(int(array.size) for array in network.parameters.values())
    name, images = weights_as_images(network, image) if image is not None else ("", [])
    weights = [
        paragraph(f"{name}, an image for each unit: blue above zero, orange below it."),
        pictures(images, [f"unit {i}" for i in range(len(images))]),
    ]
    return section(
        "Layers",
        paragraph(
            f"{parameters:,} parameters; {network.flops:,} floating-point operations for an example, forward and "
            "backward. Figures of a layer include the layers inside it."
        ),
        table(["name", "layer", "outputs", "parameters", "FLOPs"], rows, caption=more, texts=[0, 1, 2]),
        *(weights if images else []),
    )


def _cells(operation: Operation) -> list[str]:
    row = row_of(operation)
    has_layers = len([*operation.operations()]) > 1  # each has its row
    layer = operation.type_name if has_layers else row.layer
    return [row.name, layer, row.shape, f"{row.parameters:,}", f"{row.flops:,}"]


def spread_section(probes: Sequence[Mapping[str, Any]]) -> str:
    """Return how activations and gradients of each layer spread in training, by probes as in ``health.jsonl``."""
    chosen = [probes[i] for i in evenly_spaced(len(probes), MOST_PROBES)]
    names = list(dict.fromkeys(layer["layer"] for probe in chosen for layer in probe["layers"]))
    drawn = [names[i] for i in evenly_spaced(len(names), MOST_CHARTED)]
    figures = [
        _bands(chosen, name, key, word)
        for name in drawn
        for key, word in (("outputs", "activations"), ("gradients", "gradients"))
    ]
    if not any(figures):
        return ""
    return section(
        "Activations and gradients",
        paragraph(
            "On a fixed sample of training rows: the median, the middle half and the middle nine tenths of each "
            "layer's outputs, and of the derivatives of a row's loss by them."
        ),
        beside(*figures),
    )


def _bands(probes: Sequence[Mapping[str, Any]], name: str, key: str, word: str) -> str:
    points = [
        {"iteration": probe["iteration"], **dict(zip(QUANTILES, layer[key]["quantiles"], strict=True))}
        for probe in probes
        for layer in probe["layers"]
        if layer["layer"] == name and layer.get(key)
    ]
    if not points:
        return ""
    chart = charts.bands(points, "iteration", titles=("iteration", word))
    return charts.figure(f"{name}: {word}", {**chart, "height": 120})
