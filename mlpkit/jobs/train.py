"""Training the network of a spec from beginning to end, or taking part while rank 0 leads."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypedDict, Unpack

from mlpkit.components.callback import Callback, Outcome
from mlpkit.components.dataset import Dataset, Description
from mlpkit.components.input_columns import columns_of
from mlpkit.components.schema.wording import shown_number
from mlpkit.components.target import Target, Values
from mlpkit.errors import SpecShapeError, UsageError
from mlpkit.jobs.leaks import leaks_in
from mlpkit.jobs.load_model import Origin, TrainedModel, model_of
from mlpkit.jobs.open_training import OpenTraining, open_training, plan_of
from mlpkit.jobs.prove import SpecProof, prove
from mlpkit.jobs.run_inputs import RunInputs, parse_resolved, require_same_inputs
from mlpkit.jobs.run_recorder import AsyncCheckpoints, FolderStore, failure_recorded, finite, recording, write_patiently
from mlpkit.lazy_names import load
from mlpkit.network.component_errors import component_errors
from mlpkit.network.sequential import Sequential
from mlpkit.network.shape_proof import coupled_by_slices
from mlpkit.registry.discovery import PluginOptions
from mlpkit.registry.registry import Registry
from mlpkit.runs.folder import RunFolder
from mlpkit.runs.layout import MODEL, SPLITS
from mlpkit.runs.model_file import require_storable
from mlpkit.specfile.sections import CheckpointSection
from mlpkit.specfile.spec import Spec
from mlpkit.system import can_start_processes
from mlpkit.training.checkpointing import BestTracker, Snapshot, tracker_of
from mlpkit.training.divergence import is_finite
from mlpkit.training.evaluation import Evaluator, Record
from mlpkit.training.events import CtrlC, Observer, ObserverGroup, StopRequest, interrupt_with, python_warnings
from mlpkit.training.loop import Trainer
from mlpkit.training.ranks import ONE_RANK, Ranks
from mlpkit.training.update import OptimizerState
from mlpkit.training.workers import Plan

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from mlpkit.jobs.trained_model import Model


WATCHES: Final = ("mlpkit.verbs.doctor.health:HealthMonitor",)
"""What watches a training whose run is kept or shown; each takes the training, its network, observer and steps."""


@dataclass(repr=False)
class Run:
    """The result of a training run.

    Args:
        network: the trained network.
        history: one record an evaluation.
        metrics: loss and metrics at the end, by split, a table as a list of rows; empty if the run was stopped.
        steps: steps done.
        folder: the run folder, or None if nothing was written.
        stopped: why the run was stopped before its end, to be resumed; empty if it was not.
        ended: why a callback ended the run early; empty if none did. Such a run is finished.
        leaks: a sentence for each column of a table that tells the target on its own; none if the run was stopped.
    """

    network: Sequential
    history: list[Record] = field(default_factory=list)
    metrics: dict[str, dict[str, Any]] = field(default_factory=dict)
    steps: int = 0
    folder: Path | None = None
    stopped: str = ""
    ended: str = ""
    leaks: tuple[str, ...] = ()
    _compared: Callable[[], BestTracker] = field(kw_only=True, repr=False, compare=False)
    _trained: Callable[[], TrainedModel] = field(kw_only=True, repr=False, compare=False)

    @cached_property
    def model(self) -> Model:
        """The trained model, which takes raw rows as the data set took them."""
        model: Model = load("mlpkit.jobs.trained_model:Model")(self._trained(), self.folder)
        return model

    def plot(self, *, x: str = "epoch") -> Figure:
        """Return the curves of loss and metrics as a figure of matplotlib, a panel each, the best evaluation marked.

        Args:
            x: what the curves are drawn over, ``epoch`` or ``iteration``.

        Raises:
            UsageError: matplotlib isn't installed, or ``x`` is neither.
        """
        draw = load("mlpkit.display.plot:curves")
        figure: Figure = draw(self.history, self._compared(), x, units_of(self._trained()))
        return figure

    def __repr__(self) -> str:
        """Return how long it trained, and with what results."""
        results = [f"{split} {_figures(found)}" for split, found in self.metrics.items()]
        return f"<Run of {self._steps_done()}: {'; '.join([*results, *self._circumstances()])}>"

    def _repr_html_(self) -> str:
        """Return the history and the results as tables for a notebook."""
        notes = [self._steps_done(), *self._circumstances()]
        return str(load("mlpkit.pages.notebook_tables:run_html")(self.history, self._compared(), self.metrics, notes))

    def _steps_done(self) -> str:
        return "1 step" if self.steps == 1 else f"{self.steps:,} steps"

    def _circumstances(self) -> list[str]:
        """Return why it was stopped, and where it is kept."""
        why = [f"stopped: {self.stopped}"] if self.stopped else []
        return [*why, *([f"saved in {self.folder}"] if self.folder else [])]


def units_of(trained: TrainedModel) -> dict[str, str]:
    """Return the units of a model's loss and metrics, by name; that of the target goes by the target's name."""
    names = trained.dataset.target_names() or ()
    target = names[0] if len(names) == 1 else "target"
    units = {metric.name: metric.component.unit for metric in trained.spec.training.metrics}
    units["loss"] = trained.network.loss_layer.unit
    return {name: unit.replace("{target}", target) for name, unit in units.items()}


def _figures(results: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {shown_number(value)}" for name, value in results.items() if not isinstance(value, list))


class TrainerOptions(TypedDict, total=False):
    """Keywords of ``Trainer``, for functions that pass them on; ``evaluated`` holds for the end of training, too."""

    steps: int | None
    callbacks: Sequence[Callback]
    evaluated: Collection[str]
    optimizer_state: OptimizerState | None


class TrainingJob:
    """A training that is open, and kept in a folder, if there is one."""

    def __init__(self, training: OpenTraining, folder: RunFolder | None) -> None:
        self._training, self._folder = training, folder
        self._interrupted = False

    def train(
        self,
        observer: Observer,
        stop: StopRequest,
        *,
        snapshot: Snapshot | None = None,
        network: Sequential | None = None,
        **options: Unpack[TrainerOptions],
    ) -> Run:
        """Train a network, by default a new one, from its beginning or from a snapshot; evaluate and save it."""
        training, proved, folder = self._training, self._training.proved, self._folder
        evaluated = options.setdefault("evaluated", SPLITS)
        if training.ranks.size > 1:
            require_same_inputs(training.ranks, training.lock, proved.description, observer)
        network = network or training.network(begun=snapshot is not None)
        network.origin = origin = Origin(self._resolved(), proved.dataset)
        for adjustment in network.adjustments.present:
            adjustment.reset()
        network.freeze(proved.frozen)  # watches look only at what is trained
        store: AsyncCheckpoints | FolderStore | None = None
        watches = WATCHES if folder is not None or type(observer) is not Observer else ()
        if folder is not None:
            observer = ObserverGroup((recording(folder), observer))
            require_storable(folder.directory / MODEL, *model_of(network, origin))
            inputs = RunInputs(folder.spec_text(), training.resolved, training.lock)
            keep = (proved.spec.training.checkpoint or CheckpointSection()).keep
            kept = FolderStore(folder, inputs, keep)
            store = AsyncCheckpoints(kept) if can_start_processes() else kept
        trainer = training.trainer(
            network,
            observer=observer,
            stop=stop,
            folder=self._directory,
            resolved=training.values,
            store=store,
            watches=[load(place)(training, network, observer, options.get("steps")) for place in watches],
            **options,
        )
        if snapshot is not None:
            trainer.restore(snapshot)
            if folder is not None:
                folder.rewind([finite(record) for record in trainer.history])
            observer.resumed(snapshot.step)
        observer.monitored(tracker_of(proved.spec.training, trainer.history))
        outcome = Outcome("failed")
        try:
            self._train(trainer, observer, stop, store, origin)
            run = self._finish(trainer, stop, evaluated, origin)
            outcome = Outcome("stopped" if run.stopped else "finished", run.metrics)
        finally:
            trainer.close(outcome)
        return run

    @property
    def _directory(self) -> Path | None:
        return None if self._folder is None else self._folder.directory

    def _resolved(self) -> str | Callable[[], str]:
        """Return the resolved spec; without a folder, which rarely needs it, what writes it and keeps no data."""
        if self._folder is not None:
            return self._training.resolved
        plan = self._training.plan
        return partial(self._training.proved.spec.resolved_text, slices=plan.slices, threads=plan.threads)

    def _train(
        self,
        trainer: Trainer,
        observer: Observer,
        stop: StopRequest,
        store: AsyncCheckpoints | FolderStore | None,
        origin: Origin,
    ) -> None:
        """Train to the end, and save the model, even if training failed: then with the parameters of the last step."""
        network, folder = trainer.network, self._folder
        with failure_recorded(folder, trainer.progress), CtrlC(stop) as ctrl_c:
            try:
                with store if isinstance(store, AsyncCheckpoints) else nullcontext():
                    trainer.train()
            finally:
                if folder is not None and is_finite(network, {}):
                    write_patiently(lambda: folder.save_model(*model_of(network, origin)), folder, observer, stop)
        self._interrupted = ctrl_c.received

    def _finish(self, trainer: Trainer, stop: StopRequest, evaluated: Collection[str], origin: Origin) -> Run:
        """Return the run, with its results unless it was stopped; write these into the folder."""
        network, folder, proved = trainer.network, self._folder, self._training.proved
        run = Run(
            network,
            trainer.history,
            steps=trainer.progress.step,
            folder=self._directory,
            stopped=trainer.stopped if stop.reason else "",
            ended="" if stop.reason else trainer.stopped,
            _compared=partial(tracker_of, proved.spec.training, trainer.history),
            _trained=partial(_trained, proved.spec, network, proved.description.target, proved.dataset.encoder_state()),
        )
        if run.stopped:
            return run
        with failure_recorded(folder, trainer.progress):
            last = {} if trainer.weights_replaced or not run.history else run.history[-1]
            if network.adjustments.present:
                self._fit_adjustments(network, origin)
                last = {}  # of predictions that weren't adjusted
            run.metrics = self._final_metrics(network, last, evaluated)
            run.leaks = leaks_in(self._training.splits["train"], proved.description, proved.dataset)
            if folder is not None:
                folder.write_metrics({split: finite(values) for split, values in run.metrics.items()})
        return run

    def _fit_adjustments(self, network: Sequential, origin: Origin) -> None:
        """Fit what adjusts predictions on the validation rows, and save the model again."""
        from mlpkit.jobs.held_out import fit_adjustments, held_out  # noqa: PLC0415 - few specs adjust predictions

        rows, description = self._training.splits["validation"], self._training.proved.description
        fit_adjustments(network, held_out(network, rows, description))
        if self._folder is not None:
            self._folder.save_model(*model_of(network, origin))

    def _final_metrics(
        self, network: Sequential, last: Record, evaluated: Collection[str]
    ) -> dict[str, dict[str, Any]]:
        """Return loss and metrics by split; what the last evaluation doesn't have is evaluated now."""
        training = self._training
        metrics = {metric.name: metric for metric in training.proved.spec.training.metrics}
        names = ("loss", *metrics)
        known = {
            split: {name: last[f"{split}_{name}"] for name in names}
            for split in ("validation", "train")
            if all(f"{split}_{name}" in last for name in names)
        }
        missing = [split for split in SPLITS if split in evaluated and split not in known]
        evaluate = Evaluator(network, training.splits, training.proved.description, metrics, training.ranks)
        return evaluate(missing) | known

    def require_uninterrupted(self, run: Run) -> None:
        """Raise ``KeyboardInterrupt``, whose ``run`` is the run, if a Ctrl-C stopped it."""
        if not self._interrupted:
            return
        if run.folder is not None:
            examples = ", examples=(x, t)" if self._training.proved.dataset.in_memory else ""
            remedy = f'resume it with: mlpkit.resume("{run.folder}"{examples})'
        else:
            remedy = "the exception holds the run: in a notebook, run = sys.last_value.run"
        raise interrupt_with(f"stopped after step {run.steps}; {remedy}", run)


def _trained(spec: Spec, network: Sequential, target: Target, encoder: Mapping[str, Any]) -> TrainedModel:
    """Return everything needed to use a network, without the examples."""
    dataset = spec.new_dataset()
    with component_errors(f"dataset {spec.data.name} failed in load_encoder_state"):
        dataset.load_encoder_state(encoder)
    return TrainedModel(spec, network, dataset, target)


def train_spec(
    spec: Spec,
    directory: str | Path | None,
    *,
    dataset: Dataset | None = None,
    observer: Observer | None = None,
    display: Observer | None = None,
    stop: StopRequest | None = None,
    network: Sequential | None = None,
    ranks: Ranks = ONE_RANK,
    **options: Unpack[TrainerOptions],
) -> Run:
    """Do what ``run`` does, with a data set that holds examples, a network or other parts that exist already.

    The data set gives its examples up at the end. ``display`` receives the events if no observer does, but no warnings.
    A network built for other inputs or slices is a ``UsageError``.
    """
    proved = prove(spec, dataset)
    if network is not None:
        _require_fit(network, proved.description, spec.training.slices)
        built_for = network.target
        network.target = target = proved.description.target
        if isinstance(target, Values):  # scaled as the network computes with values
            network.target = replace(target, scaling=built_for.scaling if isinstance(built_for, Values) else None)
    for warning in proved.warnings:
        if observer is not None:
            observer.warned(warning)
        else:
            warnings.warn(str(warning), stacklevel=3)
    if spec.training.slices is None and (coupled := coupled_by_slices(proved.proof.stack, ranks.size, proved.frozen)):
        remedy = f"if that is intended, give the {ranks.size} ranks their slices: training.slices={ranks.size}"
        raise UsageError(f"{coupled}; {remedy}")
    folder = RunFolder.create(Path(directory)) if directory is not None else None
    if observer is None:
        shown = display or Observer()
        observer = shown if folder is None else ObserverGroup((python_warnings(), shown))
    with folder or nullcontext():
        try:
            with open_training(proved, ranks=ranks) as training:
                if folder is not None:
                    write_beginning(folder, training)
                job = TrainingJob(training, folder)
                run = job.train(observer, stop or StopRequest(), network=network, **options)
        except BaseException:
            if folder is not None:
                folder.discard_if_unused()
            raise
    if dataset is not None and dataset.in_memory:
        run.network.encoder = dataset
        dataset.hold({})
    job.require_uninterrupted(run)
    return run


def write_beginning(folder: RunFolder, training: OpenTraining) -> None:
    """Write what a run is begun with into its folder, which is new."""
    folder.write_lock(training.lock)  # first: a folder without it is that of a run which is only prepared
    folder.write_spec(training.proved.spec.document.text)
    folder.write_resolved(training.resolved)


def _require_fit(network: Sequential, description: Description, slices: int | None) -> None:
    """Check that a network that exists already can be trained on such examples."""
    input_shape = description.input_shape
    if input_shape != network.input_shape:
        raise UsageError(
            f"the examples have inputs of shape {input_shape}; the network was built for {network.input_shape}"
        )
    built_for = columns_of(network.input_shape)
    if built_for and built_for != tuple(description.columns):
        raise UsageError("the columns, or how many categories they have, are not what the network was built for")
    if slices != len(network.replicas):
        raise UsageError(f"the network cuts a minibatch into {len(network.replicas)} slices, and can't change that now")


def prepare(proved: SpecProof, directory: Path, *, cores: int | None = None, written: str | None = None) -> Plan:
    """Make the folder of a run that will start later, with its spec as its author wrote it; return its plan."""
    spec, plan = proved.spec, plan_of(proved, cores=cores)
    with RunFolder.create(directory) as folder:
        folder.write_spec(spec.document.text if written is None else written)
        folder.write_resolved(spec.resolved_text(slices=plan.slices, threads=plan.threads))
    return plan


def assist(ranks: Ranks, **plugin_options: Unpack[PluginOptions]) -> None:
    """Take part in what rank 0 does, until it is done; other data than rank 0 has is a ``UsageError``."""
    registry = Registry.discover(**plugin_options)

    def train(resolved: str) -> None:  # which sets slices and threads, too
        try:
            proved = prove(parse_resolved(Path(), resolved, registry), begun=True)
        except SpecShapeError as error:
            expected = "expected the same data as rank 0 has, at the same path on each host"
            raise UsageError(f"{error.faults[0].message}; {expected}") from error
        with open_training(proved, resolved=resolved, ranks=ranks) as training:
            network = training.network(begun=True)
            require_same_inputs(ranks, training.lock, proved.description)
            training.bare_trainer(network).assist()

    ranks.follow({"train": train})
