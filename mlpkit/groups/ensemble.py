"""Training the networks of an ensemble, averaging them, and what each predicts for rows it was not trained on."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from mlpkit.array import Array
from mlpkit.components.dataset import Description, Split
from mlpkit.components.input_columns import InputShape
from mlpkit.components.target import Classes
from mlpkit.errors import DivergenceError, EnsembleError, ModelFileError, RunFolderError
from mlpkit.groups.folders import EnsembleFolder, Summary, plain_summary
from mlpkit.groups.prediction_file import write_predictions
from mlpkit.groups.several_runs import Group, GroupSession, finished_runs, listed_runs, train_in, train_unfinished
from mlpkit.jobs.build import build_for
from mlpkit.jobs.evaluate import evaluated, in_order
from mlpkit.jobs.folds import Folds
from mlpkit.jobs.load_model import Origin, TrainedModel, load_run, model_of, prove_trained
from mlpkit.jobs.open_training import plan_of
from mlpkit.jobs.predict import predictions_of
from mlpkit.jobs.prove import SpecProof, prove
from mlpkit.jobs.run_inputs import (
    INITIALIZED_FROM,
    GivenExamples,
    dataset_of,
    lock_and_spec,
    lock_changes,
    lock_of,
    parse_resolved,
    prove_again,
)
from mlpkit.jobs.run_recorder import finite
from mlpkit.jobs.spec_data import open_data, open_folds
from mlpkit.jobs.train import Run, prepare
from mlpkit.jobs.trained_model import class_values
from mlpkit.network.component_errors import component_errors
from mlpkit.network.ensemble import NAME
from mlpkit.network.metrics import Metrics
from mlpkit.network.sequential import Sequential
from mlpkit.registry.registry import Registry
from mlpkit.runs.folder import RunFolder
from mlpkit.runs.kinds import kind_of
from mlpkit.runs.layout import OUT_OF_FOLD, SPLITS, SPREAD
from mlpkit.specfile.spec import Spec
from mlpkit.system import require_processes
from mlpkit.training.checkpointing import tracker_of
from mlpkit.training.divergence import without_warnings
from mlpkit.training.events import Event, Listener, StopRequest, interrupt_with
from mlpkit.training.workers import blas_threads

if TYPE_CHECKING:
    from mlpkit.jobs.inputs import Column

MEMBER: Final = "member"
"""What the number of a network of an ensemble is called."""

STOPPED_WITHOUT_FOLDER: Final = "stopped, and nothing was saved; with a directory, it could be resumed"


@dataclass(repr=False)
class EnsembleRun(Run):
    """The result of training an ensemble: a run whose network is the average.

    Args:
        spread: the mean of each loss and metric over the networks, with its 95 % interval, by split.
        unfinished: the numbers of the networks that are not finished, if training was stopped.
        size: how many networks there are.
    """

    spread: Summary = field(default_factory=dict)
    unfinished: tuple[int, ...] = ()
    size: int = field(kw_only=True)
    _load: Callable[[], dict[int, Run]] = field(kw_only=True, repr=False, compare=False)
    _predicted: Callable[[], OutOfFold | None] = field(kw_only=True, repr=False, compare=False)

    @cached_property
    def members(self) -> dict[int, Run]:
        """The finished runs of the networks, by number."""
        return self._load()

    @cached_property
    def out_of_fold(self) -> OutOfFold | None:
        """Predictions for the rows of all folds, those for training first; None without folds, or if it was stopped."""
        return self._predicted()

    def _steps_done(self) -> str:
        return f"an ensemble of {self.size} networks"


def run_ensemble(
    spec: Spec,
    directory: str | Path | None = None,
    *,
    examples: GivenExamples | None = None,
    workers: int | None = None,
    observer: Listener,
    stop: StopRequest | None = None,
) -> EnsembleRun:
    """Train each network of an ensemble, to the same bits as on its own, and average them."""
    if examples is None:
        require_processes("training an ensemble")
    stop = stop or StopRequest()
    session = GroupSession(spec.registry.arguments(), observer, stop, workers, examples)

    def train(place: Path) -> EnsembleRun:
        group = EnsembleGroup(spec, examples).prove()
        group.warn(observer)
        group.create(place)
        with group.folder as folder:
            return _trained(folder, spec.registry, session)

    return train_in(directory, train, "run", lambda found: found.members, STOPPED_WITHOUT_FOLDER)


def resume_ensemble(
    directory: Path,
    registry: Registry,
    *,
    examples: GivenExamples | None = None,
    workers: int | None = None,
    observer: Listener,
    stop: StopRequest | None = None,
) -> EnsembleRun:
    """Resume the networks of an ensemble that are not finished, to the same bits as without the break."""
    session = GroupSession(registry.arguments(), observer, stop or StopRequest(), workers, examples)
    with EnsembleFolder.open(directory) as folder:
        folder.run.claim()
        whole = folder
        if not folder.run.finished:
            spec = _require_unchanged(folder, registry, examples)
            whole = _with_all_members(folder, spec, examples, observer)
        return _trained(whole, registry, session)


def _with_all_members(
    folder: EnsembleFolder, spec: Spec, examples: GivenExamples | None, observer: Listener
) -> EnsembleFolder:
    """Prepare the networks again whose folders were removed, and return the folder of all networks."""
    whole = EnsembleFolder(folder.run, _size_of(spec))
    for number, directory in whole.members.items():
        if kind_of(directory) is None:
            proved = prove(spec.with_member(number), dataset_of(spec, examples))
            prepare(proved, directory, written=folder.run.spec_text())
            observer(Event(number, "noticed", ("its folder was missing, so it is trained again",)))
    return whole


def _require_unchanged(folder: EnsembleFolder, registry: Registry, examples: GivenExamples | None) -> Spec:
    """Return the resolved spec, if spec, plugins and data are unchanged; otherwise raise ``RunFolderError``."""
    lock, resolved = lock_and_spec(folder.run)
    spec = parse_resolved(folder.directory, resolved, registry)
    dataset = dataset_of(spec, examples)
    prove_again(folder.directory, spec, dataset)
    open_data(spec, dataset)
    now = lock_of(spec, resolved, dataset, lock.get(INITIALIZED_FROM))
    changed = [str(change) for change in lock_changes(lock, now) if not change.of_environment]
    if changed:
        message = f"{folder.directory}: can't be resumed: what it depends on has changed: {'; '.join(changed)}"
        raise RunFolderError(f"{message}; restore it, or start a new run")
    return spec


class EnsembleGroup(Group):
    """The networks of an ensemble.

    Each has one BLAS thread by default: the cores train different networks.
    """

    what = MEMBER
    folder: EnsembleFolder

    def __init__(self, spec: Spec, examples: GivenExamples | None = None) -> None:
        super().__init__(spec)
        self.numbers = range(_size_of(spec))
        self._examples = examples

    def _proofs(self) -> Sequence[SpecProof]:
        specs = [self.spec, *map(self.spec_of, self.numbers)]
        return [prove(each, dataset_of(each, self._examples)) for each in specs]

    def keep_in(self, run: RunFolder) -> Self:
        """Keep a run folder for each network in a run folder."""
        self.folder = EnsembleFolder(run, len(self.numbers))
        return self

    def spec_of(self, number: int) -> Spec:
        """Return the spec of a network."""
        return self.spec.with_member(number)

    def _prepare(self, proved: Sequence[SpecProof], cores: int | None) -> int:
        (whole, *networks), run = proved, self.folder.run
        spec, plan = whole.spec, plan_of(whole)
        open_data(spec, whole.dataset)
        for number, network in enumerate(networks):
            prepare(network, self.folder.members[number])
        resolved = spec.resolved_text(slices=plan.slices, threads=plan.threads)
        first_weights = whole.first_weights.checksum if whole.first_weights else None
        run.write_lock(lock_of(spec, resolved, whole.dataset, first_weights))
        run.write_resolved(resolved)
        run.write_identity(None)
        run.write_spec(spec.document.text)  # last: it makes their folder a run
        return plan.threads

    def sum_up(self) -> Mapping[str, Mapping[str, Any]]:
        """Write the average, and return its loss and metrics."""
        if self.folder.unfinished:  # there is no average without them
            return {}
        registry = self.spec.registry
        return _averaged(self.folder, _spec_of(self.folder, registry), None, "").metrics


def _size_of(spec: Spec) -> int:
    assert spec.ensemble is not None
    return spec.ensemble.size


def _trained(folder: EnsembleFolder, registry: Registry, session: GroupSession) -> EnsembleRun:
    """Train what is not finished, and average."""
    spec = _spec_of(folder, registry)
    failures, interrupted = train_unfinished(folder, spec.training.threads or 1, session)
    if failures and not session.stop.reason:
        why = "; ".join(dict.fromkeys(failures.values()))
        remedy = "they have no average without it; change the spec, and train a new ensemble"
        raise EnsembleError(f"{folder.directory}: {listed_runs(failures, MEMBER)} failed: {why}; {remedy}")
    found = _averaged(folder, spec, session.examples, session.stop.reason)
    if interrupted:
        given = ", examples=(x, t)" if session.examples is not None else ""
        raise interrupt_with(f'stopped; resume it with: mlpkit.resume("{folder.directory}"{given})', found)
    return found


def _spec_of(folder: EnsembleFolder, registry: Registry) -> Spec:
    return parse_resolved(folder.directory, folder.run.resolved_text(), registry)


def _averaged(folder: EnsembleFolder, spec: Spec, examples: GivenExamples | None, stopped: str) -> EnsembleRun:
    """Return the average of the networks; once all are finished, write its model and results."""
    found, is_new = None, not folder.run.finished
    if is_new:
        model, metrics, found = _average(folder, spec, examples, stopped)
    else:
        model, metrics = load_run(folder.directory, spec.registry), in_order(folder.run.read_metrics(), spec)
    return EnsembleRun(
        model.network,
        metrics=metrics,
        folder=folder.directory,
        stopped=stopped if is_new else "",
        spread=folder.summary(),
        unfinished=tuple(folder.unfinished),
        size=len(folder.members),
        _compared=partial(tracker_of, model.spec.training, []),
        _trained=lambda: model,
        _load=partial(finished_runs, folder, model.spec.registry.arguments()),
        _predicted=(lambda: found) if is_new else partial(_predicted_again, folder, spec, examples),
    )


def _average(
    folder: EnsembleFolder, spec: Spec, examples: GivenExamples | None, stopped: str
) -> tuple[TrainedModel, dict[str, dict[str, Any]], OutOfFold | None]:
    """Average the networks, write the model and ``_write_results`` unless training was stopped, and return all."""
    dataset, resolved = dataset_of(spec, examples), folder.run.resolved_text()
    description = prove_again(folder.directory, spec, dataset).description
    input_shape = InputShape(description.input_shape, description.columns)
    network = build_for(spec, prove_trained(spec, input_shape, description.target), slices=1)
    network.origin = Origin(resolved, dataset)
    for number, member in folder.members.items():
        if RunFolder(member).has_model:  # otherwise it has not begun
            _copy_weights(member, number, network)
    model = TrainedModel(spec, network, dataset, description.target)
    metrics, found = ({}, None) if stopped else _write_results(folder, model, description)
    if examples is not None:
        network.encoder = dataset
        dataset.hold({})
    return model, metrics, found


def _predicted_again(folder: EnsembleFolder, spec: Spec, examples: GivenExamples | None) -> OutOfFold | None:
    """Predict out of fold with the networks of a finished ensemble, whose table has these values in digits."""
    if spec.folds is None:
        return None
    dataset = dataset_of(spec, examples)
    description = prove_again(folder.directory, spec, dataset).description
    folds = open_folds(spec, dataset, spec.folds)
    found = predict_out_of_fold(folder.members, folds, description, spec.registry)
    return calibrated_out_of_fold(load_run(folder.directory, spec.registry), found) if spec.calibration else found


def _write_results(
    folder: EnsembleFolder, model: TrainedModel, description: Description
) -> tuple[dict[str, dict[str, Any]], OutOfFold | None]:
    """Write the model of an ensemble, and then loss and metrics by split; return these, and what is out of fold."""
    run, spec, dataset = folder.run, model.spec, model.dataset
    data, found = open_data(spec, dataset), None
    if spec.folds is not None:
        folds = open_folds(spec, dataset, spec.folds)
        found = predict_out_of_fold(folder.members, folds, description, spec.registry)
    if model.network.adjustments.present:
        found = _fit_adjustments(model, found, data, description)
    metrics = evaluated(model, data, description, [split for split in SPLITS if split in data], folder.directory)
    if found is not None:
        metrics["validation"] = metrics_out_of_fold(model, found, folder.directory)
        write_out_of_fold(folder.directory / OUT_OF_FOLD, model, found, folds)
    run.save_model(*model_of(model.network, Origin(run.resolved_text, dataset)))
    run.write_json(SPREAD, plain_summary(folder.summary()))
    run.write_metrics({split: finite(values) for split, values in metrics.items()})
    return in_order(metrics, spec), found


def _fit_adjustments(
    model: TrainedModel, found: OutOfFold | None, data: Mapping[str, Split], description: Description
) -> OutOfFold | None:
    """Fit what adjusts predictions out of fold, or on the validation rows; return what is out of fold, adjusted."""
    from mlpkit.jobs.held_out import HeldOut, fit_adjustments, held_out  # noqa: PLC0415 - few specs adjust predictions

    network = model.network
    if found is None:
        with blas_threads(model.threads):
            fit_adjustments(network, held_out(network, data["validation"], description))
        return None
    fit_adjustments(network, HeldOut(found.values, found.targets, found.weights))
    return calibrated_out_of_fold(model, found)


def _copy_weights(member: Path, number: int, network: Sequential) -> None:
    """Copy the parameters and states of a trained network into the ensemble."""
    try:
        arrays, before = RunFolder(member).load_model().arrays, f"{NAME}.{number}."
    except ModelFileError as error:
        error.add_note(f"help: or remove {member}; then mlpkit resume trains this network again")
        raise
    for name, view in (*network.parameters.items(), *network.states.items()):
        if name.startswith(before):
            view[...] = arrays[name.removeprefix(before)]


class OutOfFold(NamedTuple):
    """Predictions for all rows that are cut into folds, each by the network that has not seen it.

    Args:
        values: the predictions, as ``network.predict`` returns them, shape (rows, ...).
        targets: the targets of the rows, as the network is compared with them.
        weights: their weights; None if they have none.
        folds: the number of each row's fold, and so of the network that predicts it.
    """

    values: Array
    targets: Array
    weights: Array | None
    folds: NDArray[np.intp]


def predict_out_of_fold(
    members: Mapping[int, Path], folds: Folds, description: Description, registry: Registry
) -> OutOfFold:
    """Return the predictions of each network for the rows of its fold, or raise ``ModelFileError``."""
    from mlpkit.jobs.held_out import held_out, joined  # noqa: PLC0415 - few ensembles have folds

    parts = []
    for number, directory in members.items():
        member = load_run(directory, registry)
        with blas_threads(member.threads), without_warnings():
            parts.append(held_out(member.network, folds.splits(number)["validation"], description))
    order = np.argsort(np.concatenate([np.flatnonzero(folds.of(number)) for number in members]))
    values, targets, weights = joined(parts)
    return OutOfFold(values[order], targets[order], None if weights is None else weights[order], folds.numbers)


def calibrated_out_of_fold(model: TrainedModel, found: OutOfFold) -> OutOfFold:
    """Return predictions as the model's calibration, which is fitted, changes them."""
    with model.network.evaluating(), without_warnings():
        return found._replace(values=model.network.replicas[0].calibrated(found.values).copy())


def metrics_out_of_fold(model: TrainedModel, found: OutOfFold, source: Path) -> dict[str, Any]:
    """Return loss and metrics of the predictions, by name."""
    weights = () if found.weights is None else (found.weights,)
    with model.network.evaluating(), without_warnings():
        replica = model.network.replicas[0]
        results: dict[str, Any] = {"loss": replica.compare_predictions(found.values, found.targets, *weights)}
        judges = Metrics({recipe.name: recipe() for recipe in model.spec.training.metrics}, replica, model.target)
        judges.update(found.values, found.targets, *weights)
        results |= judges.results()
    if not math.isfinite(results["loss"]):
        raise DivergenceError(f"{source}: the out-of-fold loss is {results['loss']}; lower the learning rate")
    return results


def write_out_of_fold(file: Path, model: TrainedModel, found: OutOfFold, folds: Folds) -> None:
    """Write a row for each prediction, in the order of the data set: source, fold, target, and the prediction."""
    with component_errors(f"dataset {model.spec.data.name} failed in example_sources"):
        sources = folds.rows.gathered(model.dataset.example_sources, np.arange(len(found.values)))
    columns: dict[str, Column] = {} if sources is None else {"source": sources}
    columns |= {"fold": folds.numbers, **_targets(model, found.targets)}
    write_predictions(file, replace(predictions_of(model, found.values), inputs=columns))


def _targets(model: TrainedModel, targets: Array) -> dict[str, Column]:
    """Return the targets as columns."""
    if isinstance(model.target, Classes):
        numbers = targets if targets.ndim == 1 else targets.argmax(axis=1)
        names = np.array(class_values(model.dataset.class_names(), model.target.count))
        return {"target": np.take(names, numbers)}
    columns = targets.reshape(len(targets), -1)
    of_targets = model.dataset.target_names()
    if of_targets is None and columns.shape[1] == 1:
        return {"target": columns[:, 0]}
    return {f"target_{name}": columns[:, i] for i, name in enumerate(of_targets or range(columns.shape[1]))}
