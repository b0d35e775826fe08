"""From the section ``training`` of a spec to what the training loop takes."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from mlpkit.training.best_weights import BestWeights
from mlpkit.training.checkpointing import Occasions, Ranking
from mlpkit.training.early_stopping import EarlyStopping
from mlpkit.training.loop import Settings
from mlpkit.training.moving_average import MovingAverage
from mlpkit.training.time_budget import TimeBudget

if TYPE_CHECKING:
    from mlpkit.components.callback import Callback
    from mlpkit.spec.spec import Spec
    from mlpkit.spec.sections import Training


def settings_of(spec: Spec, steps: int | None = None) -> Settings:
    """Return how a spec says to train, its components built.

    Args:
        spec: the spec.
        steps: how many steps to do in place of the time that the spec sets; None to look at the clock.
    """
    training = spec.training
    saving = training.checkpoint
    return Settings(
        optimizer=training.optimizer(),
        batch_size=training.batch_size,
        accumulate=training.accumulate,
        sampling=training.sampling,
        iterations=training.iterations or steps,
        epochs=training.epochs,
        open_ended=training.seconds is not None,
        evaluate_every=training.evaluate_every,
        metrics={metric.name: metric for metric in training.metrics if metric.component.table is None},
        clip=_clip(training),
        augmentations=[augmentation() for augmentation in training.augment],
        callbacks=_callbacks(training, steps),
        occasions=Occasions(saving.every, saving.every_epochs, saving.every_seconds) if saving else None,
        ranking=_ranking(training),
    )


def _clip(training: Training) -> tuple[str, float] | None:
    limits = asdict(training.clip) if training.clip else {}
    return next(((name, limit) for name, limit in limits.items() if limit is not None), None)


def _callbacks(training: Training, steps: int | None) -> list[Callback]:
    """Return the callbacks that the spec names, and those that do what other keys ask for."""
    callbacks: list[Callback] = []
    if training.moving_average is not None:
        callbacks.append(MovingAverage(training.moving_average.decay))
    callbacks += [callback() for callback in training.callbacks]
    if training.seconds is not None and steps is None:
        callbacks.append(TimeBudget(training.seconds))
    stopping = training.early_stopping
    if stopping is not None:
        callbacks.append(
            EarlyStopping(
                stopping.metric,
                higher_is_better=_higher_is_better(stopping.metric, training),
                patience=stopping.patience,
                minimum_change=stopping.minimum_change,
            )
        )
    if training.best_weights is not None:
        higher = _higher_is_better(training.best_weights, training)
        callbacks.append(BestWeights(training.best_weights, higher_is_better=higher))
    return callbacks


def _ranking(training: Training) -> Ranking | None:
    if training.checkpoint is None or training.checkpoint.best is None:
        return None
    figure = training.checkpoint.best
    return Ranking(figure, higher_is_better=_higher_is_better(figure, training))


def _higher_is_better(figure: str, training: Training) -> bool:
    return any(metric.name == figure and metric.component.higher_is_better for metric in training.metrics)
