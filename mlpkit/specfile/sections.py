"""The keys of a spec: its top level, ``layers``, ``training``, and the sections below it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, NamedTuple

from annotated_types import Ge, Gt, Le, Lt, MinLen

from mlpkit.components.augmentation import Augmentation
from mlpkit.components.callback import Callback
from mlpkit.components.dataset import Dataset
from mlpkit.components.kinds import KINDS
from mlpkit.components.metric import Metric
from mlpkit.components.optimizer import Optimizer
from mlpkit.components.schema.component_types import (
    ComponentOfKind,
    DistinctListType,
    LayerListType,
    RecipeOfKind,
    layer_names,
)
from mlpkit.components.schema.context import INVALID, CheckContext, ValueType
from mlpkit.components.schema.recipe import KeyPath, Recipe
from mlpkit.components.schema.signature import OneOf, Section, SectionType, schema_of
from mlpkit.components.schema.types import ColumnName, FilePath, PathType, without_null
from mlpkit.lazy_names import load
from mlpkit.specfile.key_types import (
    FormatType,
    LayerPattern,
    MonitorName,
    MonitorNameType,
    RequirementsType,
    check_monitored,
)

if TYPE_CHECKING:
    from mlpkit.components.operation import Operation


STACK_KINDS = ("layer", "loss")

MOST_SEEDS: Final = 1000


class Guest(NamedTuple):
    """A section of the spec that a verb brings.

    Args:
        type: the ``SectionType`` of its value.
        proof: the function that proves, before anything trains, that the verb can do what the section asks for. Its
            arguments are the ``Spec``, and the same as a ``SpecProof``. Empty if nothing needs a proof.
    """

    type: str
    proof: str = ""


GUESTS: Final = {
    "about": Guest("mlpkit.verbs.card.section:AboutType"),
    "sweep": Guest("mlpkit.verbs.sweep.section:SweepType", "mlpkit.verbs.sweep.specs:prove_sweep"),
}


EXTENDS: Final = "extends"
"""The key that names the spec to begin from."""


@dataclass(frozen=True)
class StackMember:
    """A layer or the loss, as a member of the network."""

    recipe: Recipe[Operation]

    @property
    def name(self) -> str:
        """Its name in the network, given or by default."""
        return self.recipe.given_name

    @property
    def path(self) -> KeyPath:
        """Its place in the spec."""
        place = self.recipe.place
        return place[:-1] if place[-1] == self.recipe.name else place  # a bare name is at that place itself

    def reference(self) -> dict[str, dict[str, Any]]:
        """Return it in a spec's notation, with all defaults and the name filled in."""
        return self.recipe.reference()


class LayerStackType(ValueType):
    """A list of layers that ends in a loss; each may be given a ``name`` beside its parameters."""

    def describe(self) -> str:
        """Describe the expected value."""
        return "a list of layers that ends in a loss"

    def check(self, value: object, path: KeyPath, context: CheckContext) -> object:
        """Return the members of the stack."""
        if not isinstance(value, list):
            remedy = "start each layer with '- '"
            if isinstance(value, dict):
                remedy += "; a mapping changes layers, by their names, of a spec that this one extends"
            return self.refuse(value, "is not a list", path, context, remedy=remedy)
        if not value:
            message = "the list of layers is empty"
            return context.report(path, message, expected=self.describe(), at_key=True, code="missing-key")
        before = len(context.faults)
        bases = tuple(KINDS[kind].base_class() for kind in STACK_KINDS)
        recipes = LayerListType(ComponentOfKind(STACK_KINDS, bases)).check_items(value, path, context)
        members = [
            StackMember(replace(recipe, given_name=name))
            for name, recipe in zip(layer_names(value), recipes, strict=True)
            if recipe is not INVALID
        ]
        self._check_losses(members, len(value), context)
        return INVALID if len(context.faults) > before else tuple(members)

    def _check_losses(self, members: list[StackMember], count: int, context: CheckContext) -> None:
        report = partial(context.report, at_key=True, code="misplaced-loss")
        for member in members:
            recipe, is_last = member.recipe, member.path[-1] == count - 1
            is_loss = recipe.component.kind == "loss"
            if is_loss and not is_last:
                message = f"the loss {recipe.name} is in the middle of the stack"
                remedy = "move it to the end, or remove what follows it"
                report(recipe.place, message, expected="a loss only at the end", remedy=remedy)
            elif is_last and not is_loss:
                message = f"the stack ends in {recipe.name}, which is a layer"
                remedy = "add a loss after it; mlpkit plugins lists the installed ones"
                report(recipe.place, message, expected="a loss at the end", remedy=remedy)


@dataclass(frozen=True)
class CheckpointSection(Section):
    """When a run is saved as it goes, and how much of that is kept.

    Args:
        every: steps between checkpoints.
        every_epochs: passes over the training data between checkpoints.
        every_seconds: seconds between checkpoints.
        keep: how many of the last checkpoints to keep; with one, nothing is left to fall back on.
        best: what to compare on the validation data, to keep the best checkpoint as well.
    """

    title = "training.checkpoint"
    rules = (
        OneOf(
            ("every", "every_epochs", "every_seconds", "best"),
            missing="no checkpoint would be saved",
            expected="one of every, every_epochs, every_seconds, best",
            exclusive=False,
        ),
    )
    every: Annotated[int | None, Ge(1)] = None
    every_epochs: Annotated[int | None, Ge(1)] = None
    every_seconds: Annotated[float | None, Gt(0)] = None
    keep: Annotated[int, Ge(1)] = 2
    best: MonitorName | None = None


@dataclass(frozen=True)
class ClipSection(Section):
    """How large the gradient of a step may be.

    Args:
        norm: largest length of the whole gradient; a longer one is scaled to it, and keeps its direction.
        value: largest absolute value of each element of the gradient; a larger one is set to it, and keeps its sign.
    """

    title = "training.clip"
    rules = (
        OneOf(
            ("norm", "value"),
            missing="no limit for the gradient is set",
            expected="either norm: LENGTH or value: LIMIT",
        ),
    )
    norm: Annotated[float | None, Gt(0)] = None
    value: Annotated[float | None, Gt(0)] = None


@dataclass(frozen=True)
class EarlyStoppingSection(Section):
    """When to end a training that has stopped improving.

    Args:
        metric: what must improve on the validation data.
        patience: evaluations in a row without improvement, after which training ends.
        minimum_change: how much better the value must be to count as an improvement.
        after_epochs: passes over the training data before the first evaluation that counts.
    """

    title = "training.early_stopping"
    metric: MonitorName = "loss"
    patience: Annotated[int, Ge(1)] = 5
    minimum_change: Annotated[float, Ge(0)] = 0.0
    after_epochs: Annotated[int, Ge(0)] = 0


@dataclass(frozen=True)
class MovingAverageSection(Section):
    """How weights are averaged over the steps.

    Args:
        decay: what the weights of a step count for, compared with those of the next; about 1 / (1 - decay) steps count.
    """

    title = "training.moving_average"
    decay: Annotated[float, Gt(0), Lt(1)] = 0.999


@dataclass(frozen=True)
class InitializeFromSection(Section):
    """Which weights of another run a network begins with.

    Args:
        run: a run folder, or a model file, relative to this file.
        layers: the layers whose weights are taken, by name or by a pattern such as ``Affine*``; by default all.
    """

    title = "initialize_from"
    run: FilePath
    layers: Annotated[tuple[LayerPattern, ...], MinLen(1)] | None = None


@dataclass(frozen=True)
class TeacherSection(Section):
    """Which run's predictions for the training rows a network learns, mixed with the targets.

    Args:
        run: a run folder, relative to this file; its target and its columns are those of the data.
        weight: the share of the teacher's prediction in each target; the rest is the row's own target.
        temperature: above 1, probabilities p of the teacher are softened to p^(1/temperature), and scaled to the same
            sum; values have none.
    """

    title = "training.teacher"
    main_key = "run"
    run: FilePath
    weight: Annotated[float, Gt(0), Le(1)] = 0.5
    temperature: Annotated[float, Gt(0)] = 1.0


MOST_MEMBERS: Final = 100


@dataclass(frozen=True)
class EnsembleSection(Section):
    """Several networks that are trained, each with a seed of its own, and whose predictions are averaged.

    Args:
        members: how many networks; all are trained on the same rows.
        folds: how many networks; the rows for training and validation are cut into as many parts, and each network is
            validated on another part and trained on the rest.
        member: the only one to train, counted from 0; by default all are trained, and averaged.
    """

    title = "ensemble"
    main_key = "members"
    rules = (
        OneOf(
            ("members", "folds"),
            missing="the number of networks is not set",
            expected="either members: NETWORKS or folds: PARTS",
        ),
    )
    members: Annotated[int | None, Ge(2), Le(MOST_MEMBERS)] = None
    folds: Annotated[int | None, Ge(2), Le(MOST_MEMBERS)] = None
    member: Annotated[int | None, Ge(0)] = None

    @property
    def size(self) -> int:
        """How many networks there are."""
        return self.members or self.folds or 0

    def check_together(self, path: KeyPath, context: CheckContext) -> None:
        """Check that the only network to train is one of them."""
        if self.member is not None and self.size and self.member >= self.size:
            message, expected = (
                f"network {self.member} is not one of {self.size}",
                f"a number from 0 to {self.size - 1}",
            )
            context.report((*path, "member"), message, expected=expected, code="out-of-range")


@dataclass(frozen=True)
class InitializeFromType(SectionType):
    """The section, or no more than its ``run``."""

    owner: type[Section] = InitializeFromSection
    short_form = PathType()

    def describe(self) -> str:
        """Describe the expected value."""
        return "a run folder or a model file, or a mapping with the keys run and layers"

    def check(self, value: object, path: KeyPath, context: CheckContext) -> object:
        """Return the section."""
        return super().check({"run": value} if isinstance(value, str) else value, path, context)


METRICS: Final = DistinctListType(RecipeOfKind(("metric",), (Metric,)), as_tuple=True)

CALIBRATION: Final = RecipeOfKind(("calibration",), ())
"""A calibration; its class isn't named, so that only a spec that has one loads it."""


@dataclass(frozen=True)
class Training(Section):
    """How a network is trained.

    Args:
        optimizer: how gradients change the parameters.
        batch_size: examples of a minibatch; by default no more than the training data has.
        accumulate: minibatches whose gradients are averaged for one step, as if they were one minibatch.
        sampling: how minibatches are drawn: every example once an epoch, or independently with replacement.
        drop_last: whether the last step of an epoch is left out if it has fewer examples than the others.
        iterations: steps to train for; either this, epochs or seconds.
        epochs: passes over the training data to train for; either this, iterations or seconds.
        seconds: seconds to train for, evaluations included; either this, iterations or epochs.
        evaluate_every: steps between evaluations; by default once an epoch.
        evaluate_train: whether evaluations go through the training data, too, and not only that for validation; at the
            end both are evaluated.
        metrics: what to report beside the loss.
        teacher: a run whose predictions are mixed into the targets of the training rows; by default none.
        callbacks: code that follows training and may end it.
        clip: limit on the gradient, before the optimizer sees it; by default no limit.
        moving_average: a moving average of the weights, evaluated and saved in place of them; by default none.
        freeze: layers that stay as they are, by name or by a pattern such as ``Affine*``; by default none.
        rates: factors of the learning rate, by the parameter's path or a pattern such as ``*.b``, the last that matches
            counting; by default what the layers declare.
        decays: factors of the weight decay, in the same way; 0 for none.
        max_weight_norm: the longest that the incoming weights of a unit may be after a step, by the parameter's path or
            a pattern such as ``*.W``, the last that matches counting; by default no limit.
        augment: random changes to training inputs, in order.
        checkpoint: when to save what a resume needs; null for only when a signal ends the run.
        early_stopping: when to end a training that has stopped improving; by default never.
        best_weights: what to compare on the validation data, to end with the best weights and not the last.
        ties: which of equally good evaluations is the best, for ``best_weights`` and ``checkpoint.best``.
        precision: what the factors of a step's matrix products are rounded to; bfloat16 is faster on some processors,
            and sums, parameters and evaluations stay float32.
        slices: slices that each minibatch is cut into; by default one.
        threads: threads for each matrix product; by default one per core, as far as the step keeps them busy.
        reduce: how the gradients of several MPI ranks are added: along a fixed tree, for the same bits on any number of
            ranks, or fast, in whatever order MPI chooses.
    """

    title = "training"
    rules = (
        OneOf(
            ("iterations", "epochs", "seconds"),
            missing="neither iterations nor epochs nor seconds is given",
            expected="one of iterations: STEPS, epochs: PASSES or seconds: TIME",
        ),
    )
    optimizer: Recipe[Optimizer]
    batch_size: Annotated[int, Ge(1)] = 32
    accumulate: Annotated[int, Ge(1)] = 1
    sampling: Literal["shuffle", "with_replacement"] = "shuffle"
    drop_last: bool = False
    iterations: Annotated[int | None, Ge(1)] = None
    epochs: Annotated[int | None, Ge(1)] = None
    seconds: Annotated[float | None, Gt(0)] = None
    evaluate_every: Annotated[int | None, Ge(1)] = None
    evaluate_train: bool = True
    metrics: Annotated[tuple[Recipe[Metric], ...], METRICS] = ()
    teacher: TeacherSection | None = None
    callbacks: tuple[Recipe[Callback], ...] = ()
    clip: ClipSection | None = None
    moving_average: MovingAverageSection | None = None
    freeze: tuple[LayerPattern, ...] | None = None
    rates: dict[str, Annotated[float, Ge(0)]] | None = None
    decays: dict[str, Annotated[float, Ge(0)]] | None = None
    max_weight_norm: dict[str, Annotated[float, Gt(0)]] | None = None
    augment: tuple[Recipe[Augmentation], ...] = ()
    checkpoint: CheckpointSection | None = CheckpointSection(every_seconds=300.0)
    early_stopping: EarlyStoppingSection | None = None
    best_weights: MonitorName | None = None
    ties: Literal["first", "last"] = "first"
    precision: Literal["float32", "bfloat16"] = "float32"
    slices: Annotated[int | None, Ge(1), Le(1024)] = None
    threads: Annotated[int | None, Ge(1), Le(1024)] = None
    reduce: Literal["tree", "fast"] = "tree"

    def check_together(self, path: KeyPath, context: CheckContext) -> None:
        """Check that evaluations are compared by the loss or one of the run's metrics."""
        for below, name in _monitors(self):
            check_monitored(name, self.metrics, (*path, *below), context)


class GuestSection(Section):
    """A section that a verb brings; it is checked with the rest of the spec, and other verbs leave it alone."""

    def check_in_spec(self, spec: TopLevel, path: KeyPath, context: CheckContext) -> None:
        """Report what doesn't go with the rest of the spec."""

    def summary(self) -> str:
        """Describe the section in a line of ``mlpkit check``."""
        return ""


def guest(key: str) -> SectionType:
    """Return the type of a section that a verb brings."""
    found: Callable[[], SectionType] = load(GUESTS[key].type)
    return found()


@dataclass(frozen=True)
class TopLevel(Section):
    """A spec: a network, its data, and how it is trained.

    Args:
        mlpkit: version of the spec format.
        data: where examples come from.
        layers: the stack of layers, which ends in a loss; each takes ``name`` next to its parameters. With ``extends``,
            also a mapping from names of layers to what changes: parameters, another layer, or null to remove it.
        training: how the network is trained.
        calibration: how predicted probabilities are adjusted after training, on validation rows; by default not at all.
        coverage: the share of targets that intervals or sets around predictions should hold, in (0, 1); by default
            predictions have neither.
        initialize_from: a run whose weights the network begins with; by default it begins from scratch.
        name: name of the spec, and of its run folder; by default the file's name.
        seed: what all random numbers are keyed by.
        seeds: seeds to train with, one run each; or how many, from `seed` on; by default one run.
        ensemble: several networks to train and average; by default one network.
        by: columns of the table by which `mlpkit evaluate` and `mlpkit report` also group rows, to give loss and
            metrics of each group.
        dtype: type of parameters and activations.
        requires: packages that must be installed.
        vars: values to be used elsewhere as $name; ``{env: NAME, default: VALUE}`` takes one from the environment.
        extends: another spec to begin from, relative to this file.
        sweep: trainings with other values of some keys, for `mlpkit sweep`; other commands leave it alone.
        about: what only a person knows of the model, for `mlpkit card`; nothing depends on it.
    """

    title = "the spec"
    mlpkit: Annotated[int, FormatType()]
    data: Recipe[Dataset]
    layers: Annotated[tuple[StackMember, ...], LayerStackType()]
    training: Training
    calibration: Annotated[Recipe[Any], CALIBRATION] | None = None
    coverage: Annotated[float | None, Gt(0), Lt(1)] = None
    initialize_from: Annotated[InitializeFromSection, InitializeFromType()] | None = None
    name: str | None = None
    seed: Annotated[int, Ge(0)] = 0
    seeds: Annotated[int, Ge(1), Le(MOST_SEEDS)] | tuple[Annotated[int, Ge(0)], ...] | None = None
    ensemble: EnsembleSection | None = None
    by: Annotated[tuple[ColumnName, ...], MinLen(1)] | None = None
    dtype: Literal["float32", "float64"] = "float32"
    requires: Annotated[dict[str, str] | None, RequirementsType()] = None
    vars: dict[str, Any] | None = None
    extends: str | None = None
    sweep: Annotated[GuestSection, guest("sweep")] | None = None
    about: Annotated[GuestSection, guest("about")] | None = None

    def guests(self) -> Iterator[tuple[str, GuestSection]]:
        """Yield the sections of verbs, with their keys."""
        for key in GUESTS:
            section: GuestSection | None = getattr(self, key)
            if section is not None:
                yield key, section

    def check_together(self, path: KeyPath, context: CheckContext) -> None:
        """Check that seeds are given, distinct (equal ones would repeat a run), and not combined with an ensemble."""
        if self.ensemble is not None and self.seeds is not None:
            message = "a spec trains either an ensemble or several seeds"
            remedy = "leave out seeds: each network of an ensemble has its own seed, counted from seed"
            context.report((*path, "seeds"), message, remedy=remedy, at_key=True, code="conflicting-keys")
        if self.seeds == ():
            context.report((*path, "seeds"), "the list of seeds is empty", expected="at least one seed")
        seeds = self.seeds if isinstance(self.seeds, tuple) else ()
        for i, seed in enumerate(seeds):
            if seed in seeds[:i]:
                context.report((*path, "seeds", i), f"the seed {seed} is given twice", expected="different seeds")
        if self.training.precision != "float32" and self.dtype != "float32":
            message = f"products of {self.dtype} aren't rounded to {self.training.precision}"
            remedy = "leave out precision, or write dtype: float32"
            context.report((*path, "training", "precision"), message, remedy=remedy)
        for key, section in self.guests():
            section.check_in_spec(self, (*path, key), context)


TOP_LEVEL: Final = SectionType(TopLevel)


def _monitors(section: Section) -> Iterator[tuple[KeyPath, str]]:
    """Go through the names of what is monitored, in a section and those below it, and the keys that lead to them."""
    for field in schema_of(type(section)).fields:
        value = getattr(section, field.name)
        if isinstance(value, Section):
            yield from (((field.name, *below), name) for below, name in _monitors(value))
        elif isinstance(without_null(field.type), MonitorNameType) and value is not None:
            yield (field.name,), value
