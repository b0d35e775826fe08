"""A step of a run, computed again: values, gradients and updates of every layer."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import ModuleType
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mlpkit.array import Array
from mlpkit.components.dataset import Dataset, Split
from mlpkit.components.operation import belongs_to
from mlpkit.components.target import Classes, Target
from mlpkit.jobs.folds import of_rows
from mlpkit.jobs.run_inputs import GivenExamples
from mlpkit.jobs.spec_data import raw_rows
from mlpkit.network.component_errors import component_errors
from mlpkit.network.sequential import Sequential
from mlpkit.network.watching import Flow
from mlpkit.pages.images import is_image
from mlpkit.registry.registry import Registry
from mlpkit.runs.kinds import RunArgument, directory_of, require_one_network
from mlpkit.terminal.figures import figure
from mlpkit.terminal.formatting import shape
from mlpkit.training.events import Observer, python_warnings
from mlpkit.verbs.trace.replay import Replay, check_example, replayed

BINS: Final = 24
HEADINGS: Final = ("shape", "mean", "std", "min", "max", "norm", "zero", "not finite")


@dataclass(frozen=True)
class Distribution:
    """Statistics of the finite numbers of an array, in float64; without any, the norm is 0 and the others are NaN.

    ``zeros`` is the share of all numbers that are 0, ``nonfinite`` how many are NaN or infinite. The histogram has
    counts in ranges of equal width, from ``min`` to ``max``.
    """

    shape: tuple[int, ...]
    mean: float
    std: float
    min: float
    max: float
    norm: float
    zeros: float
    nonfinite: int
    histogram: tuple[int, ...]

    @property
    def cells(self) -> list[str]:
        """The statistics as a table shows them, below ``HEADINGS``."""
        numbers = map(figure, (self.mean, self.std, self.min, self.max, self.norm))
        return [shape(self.shape), *numbers, f"{self.zeros:.1%}", str(self.nonfinite)]

    def edges(self) -> tuple[float, ...]:
        """Return the edges of the histogram's ranges, one more than there are ranges."""
        width = self.max / len(self.histogram) - self.min / len(self.histogram)
        return (*(self.min + i * width for i in range(len(self.histogram))), self.max)


def distribution_of(array: Array) -> Distribution:
    """Return the statistics of an array."""
    finite = np.isfinite(array)
    values = array[finite].astype(np.float64)
    nonfinite = array.size - values.size
    zeros = float((array == 0).mean()) if array.size else math.nan
    if not values.size:
        nan = math.nan
        return Distribution(array.shape, nan, nan, nan, nan, 0.0, zeros, nonfinite, ())
    least, greatest = float(values.min()), float(values.max())
    scale = 2.0 ** (math.frexp(max(-least, greatest))[1] - 1)  # so that no square and no range overflows
    values /= scale
    low, high = float(values.min()), float(values.max())
    counts = [values.size]
    if low < high:
        counts = np.histogram((values - low) / (high - low), BINS, (0.0, 1.0))[0].tolist()
    return Distribution(
        array.shape,
        mean=float(values.mean()) * scale,
        std=float(values.std()) * scale,
        min=least,
        max=greatest,
        norm=float(np.sqrt(np.square(values).sum())) * scale,
        zeros=zeros,
        nonfinite=nonfinite,
        histogram=tuple(counts),
    )


def norm_of(arrays: Mapping[str, Array]) -> float:
    """Return the length of arrays as one vector."""
    return float(np.sqrt(sum(float(np.square(array, dtype=np.float64).sum()) for array in arrays.values())))


@dataclass(frozen=True)
class TracedLayer:
    """What went through a layer, forward and backward: of a whole minibatch, or of one example.

    Args:
        name: the layer's name in the network, such as ``Affine1``.
        type: its type.
        input: its input.
        output: its output; None of the loss.
        output_gradient: the derivative of the loss by its output, as it came in; None of the loss, and if nothing went
            back so far.
        input_gradient: the derivative by its input, as it went out; None if nothing before it is trained.
    """

    name: str
    type: str
    input: Array
    output: Array | None
    output_gradient: Array | None
    input_gradient: Array | None

    def of_row(self, row: int) -> TracedLayer:
        """Return what one row of the minibatch was."""
        arrays = (self.input, self.output, self.output_gradient, self.input_gradient)
        return TracedLayer(self.name, self.type, *(None if array is None else array[row] for array in arrays))  # type: ignore[arg-type]


class TracePoint(NamedTuple):
    """An array of an example in its forward or backward pass: a layer's ``output``, or a gradient ``in`` or ``out``."""

    layer: str
    what: str
    numbers: Array


@dataclass(frozen=True, repr=False)
class TracedExample:
    """One example of a minibatch, followed forward and backward.

    Args:
        number: its number in the minibatch, from 1.
        row: its position in the training split, from 0.
        source: where it comes from, such as a row of a file; empty if unknown.
        columns: the inputs before encoding, by the table column's name; empty if they don't come from a table.
        input: what the network took, augmented.
        target: its target.
        prediction: what the network predicted in this step.
        label: the target in words, such as the name of its class.
        predicted: the prediction in words.
        probability: the predicted probability of its class; None if no classes are predicted.
        loss: its loss.
        share: its share in the loss of the minibatch.
        layers: the layers in their order, those inside others after them, and the loss.
    """

    number: int
    row: int
    source: str
    columns: Mapping[str, Any]
    input: Array
    target: Array
    prediction: Array
    label: str
    predicted: str
    probability: float | None
    loss: float
    share: float
    layers: tuple[TracedLayer, ...]

    def __repr__(self) -> str:
        """Name the example, its label, the prediction and the loss."""
        text = f"row {self.row}, label {self.label}, predicted {self.predicted}, loss {figure(self.loss)}"
        return f"<TracedExample {self.number}: {text}>"

    @property
    def cells(self) -> tuple[str, ...]:
        """What a table shows: number, row, label, prediction, probability, loss, share and source; empty if unknown."""
        return (
            str(self.number),
            str(self.row),
            self.label,
            self.predicted,
            "" if self.probability is None else figure(self.probability),
            figure(self.loss),
            f"{self.share:.1%}",
            self.source,
        )

    def forward(self) -> list[TracePoint]:
        """Return the input, and the output of each layer, that of a layer after those inside it."""
        return [TracePoint("input", "", self.input), *_forward(self.layers)]

    def backward(self) -> list[TracePoint]:
        """Return the gradient that comes into each layer, and that goes out, from the loss on."""
        return [*_backward(self.layers)]


def _forward(layers: Sequence[TracedLayer]) -> Iterator[TracePoint]:
    for layer, inside in _nested(layers):
        yield from _forward(inside)
        if layer.output is not None:
            yield TracePoint(layer.name, "output", layer.output)


def _backward(layers: Sequence[TracedLayer]) -> Iterator[TracePoint]:
    for layer, inside in reversed(_nested(layers)):
        if layer.output_gradient is not None:
            yield TracePoint(layer.name, "in", layer.output_gradient)
        yield from _backward(inside)
        if layer.input_gradient is not None:
            yield TracePoint(layer.name, "out", layer.input_gradient)


def _nested(layers: Sequence[TracedLayer]) -> list[tuple[TracedLayer, list[TracedLayer]]]:
    """Return the layers that aren't inside another, each with those inside it, which follow it."""
    groups: list[tuple[TracedLayer, list[TracedLayer]]] = []
    for layer in layers:
        if groups and belongs_to(layer.name, (groups[-1][0].name,)):
            groups[-1][1].append(layer)
        else:
            groups.append((layer, []))
    return groups


@dataclass(frozen=True, repr=False)
class Trace:
    """A step of a run, with all its arrays.

    Arrays by parameter have the names of ``network.parameters``, and arrays by layer the layers' names, those inside
    others too. Gradients are of the step's loss; if minibatches are accumulated, those by layer are of each
    minibatch's own loss.

    Args:
        folder: the run folder.
        step: number of the step, from 1.
        epoch: passes over the training data done after it.
        began_after: steps that a checkpoint spared.
        learning_rate: the learning rate of the step.
        loss: the loss of its minibatch.
        rows: positions of its examples in the training split, from 0.
        sources: where each example comes from, such as a row of a file; None if unknown.
        columns: the inputs before encoding, by the table column's name; empty if they don't come from a table.
        inputs: what the network took, augmented.
        targets: their targets.
        weights: how much each counts; None if they have no weights.
        predictions: what the network predicted in this step, in training mode.
        losses: the loss of each example.
        shares: the share of each in the minibatch's loss; they add up to 1.
        parameters_before: the parameters before the step.
        parameters_after: the parameters after it.
        gradient: the gradient by each parameter that is trained, before it is clipped; empty if training diverged.
        clipped_gradient: the gradient as the optimizer got it.
        update: what the step added to each parameter.
        layers: what went through each layer, those inside others after them, and the loss.
        target: what is predicted.
        class_names: the names of the classes; empty if they are just numbers.
        image_shape: the shape of an input as an image; None if it isn't one.
        divergence: how the training ended in this step, if it diverged; or empty.
        changes: what the run depends on and has changed since, so that its bits may be others.
    """

    folder: Path
    step: int
    epoch: float
    began_after: int
    learning_rate: float
    loss: float
    rows: Array
    sources: Sequence[str] | None
    columns: Mapping[str, Sequence[Any]]
    inputs: Array
    targets: Array
    weights: Array | None
    predictions: Array
    losses: Array
    shares: Array
    parameters_before: Mapping[str, Array]
    parameters_after: Mapping[str, Array]
    gradient: Mapping[str, Array]
    clipped_gradient: Mapping[str, Array]
    update: Mapping[str, Array]
    layers: tuple[TracedLayer, ...]
    target: Target
    class_names: tuple[str, ...] = ()
    image_shape: tuple[int, ...] | None = None
    divergence: str = ""
    changes: tuple[str, ...] = ()

    @cached_property
    def outputs(self) -> dict[str, Array]:
        """The output of each layer, by name; the loss has none."""
        return {layer.name: layer.output for layer in self.layers if layer.output is not None}

    @cached_property
    def output_gradients(self) -> dict[str, Array]:
        """The gradient by the output of each layer, by name, as it came in."""
        return {layer.name: layer.output_gradient for layer in self.layers if layer.output_gradient is not None}

    @property
    def is_clipped(self) -> bool:
        """Whether the gradient that the optimizer got is another than the computed one."""
        return any((self.gradient[name] != clipped).any() for name, clipped in self.clipped_gradient.items())

    def example(self, number: int) -> TracedExample:
        """Return an example of the minibatch, followed forward and backward.

        Layers whose arrays have no row for each example are left out.

        Args:
            number: its number in the minibatch, from 1.

        Raises:
            UsageError: the minibatch has no such example.
        """
        count = len(self.rows)
        check_example(number, self.step, count)
        i = number - 1
        t, prediction = self.targets[i], self.predictions[i]
        known = None
        if isinstance(self.target, Classes) and prediction.shape == (self.target.count,):
            known = int(t.argmax() if t.ndim else t)
        return TracedExample(
            number,
            int(self.rows[i]),
            self.sources[i] if self.sources is not None else "",
            {name: values[i] for name, values in self.columns.items()},
            self.inputs[i],
            t,
            prediction,
            self._in_words(t) if known is None else self._class_name(known),
            self._in_words(prediction) if known is None else self._class_name(int(prediction.argmax())),
            None if known is None else float(prediction[known]),
            float(self.losses[i]),
            float(self.shares[i]),
            tuple(layer.of_row(i) for layer in self.layers if len(layer.input) == count),
        )

    def _class_name(self, number: int) -> str:
        return self.class_names[number] if self.class_names else str(number)

    def _in_words(self, values: Array) -> str:
        """Return a target or a prediction that isn't a class: numbers, or the class of a target alone."""
        if isinstance(self.target, Classes) and values.dtype.kind in "iu" and not values.ndim:
            return self._class_name(int(values))
        return numbers_in_words(values)

    def largest_losses(self, count: int = 10) -> list[int]:
        """Return the numbers, from 1, of the examples that add most to the loss, the largest first."""
        order = np.argsort(-np.nan_to_num(self.shares, nan=np.inf, posinf=np.inf), kind="stable")
        return [int(i) + 1 for i in order[:count]]

    @cached_property
    def distributions(self) -> dict[str, dict[str, Distribution]]:
        """How the numbers of each array are distributed: by kind, such as ``gradient``, and by parameter or layer."""
        kinds = (*BY_PARAMETER, *BY_LAYER)
        return {kind: {name: distribution_of(array) for name, array in getattr(self, kind).items()} for kind in kinds}

    def __repr__(self) -> str:
        """Name the step and its loss."""
        return f"<Trace of step {self.step:,} of {self.folder}: loss {figure(self.loss)}, {len(self.rows)} examples>"


BY_PARAMETER: Final = ("parameters_before", "gradient", "clipped_gradient", "update", "parameters_after")
BY_LAYER: Final = ("outputs", "output_gradients")
"""The attributes of a trace that are arrays, or arrays by name."""

SHOWN: Final = 16
"""Numbers of an array up to which all are written out."""


def numbers_in_words(values: Array) -> str:
    """Write the numbers of an array, of a long one those at its ends."""
    flat = np.ravel(values) + 0  # turns -0.0 into 0.0
    parts = [flat] if flat.size <= SHOWN else [flat[: SHOWN - 4], flat[-2:]]
    return "  \N{HORIZONTAL ELLIPSIS}  ".join("  ".join(f"{value:.4g}" for value in part.tolist()) for part in parts)


def trace(
    run: RunArgument,
    step: int,
    *,
    example: int | None = None,
    examples: GivenExamples | None = None,
    plugins: Iterable[str | Path | ModuleType] = (),
    blocked: Iterable[str] = (),
    observer: Observer | None = None,
) -> Trace:
    """Compute a step of a run again, to the bits that it had: values, gradients and updates of every layer.

    Training starts at the nearest checkpoint before the step, or at the beginning, and ends with the step. Nothing is
    written.

    Args:
        run: the run, or its folder; it may be finished, interrupted, diverged or still training.
        step: number of the step, from 1.
        example: the number of an example, from 1, that the minibatch must have.
        examples: inputs and targets, and weights, if ``fit`` was given them, as for ``resume``.
        plugins: modules, or paths of Python files, that are plugins too.
        blocked: namespaces, or names of components, to disable.
        observer: receives what has changed since the run, so that bits may be others; by default Python warns.

    Raises:
        UsageError: the run has no such step, or its minibatch no such example, or no folder keeps the run.
        RunFolderError: the folder isn't a run folder, or the spec or the data has changed since; the message names it.
        SpecError: a plugin that the spec needs is missing.
        DataError: a data file is not what it should be.
    """
    folder, observer = directory_of(run), observer or python_warnings()
    require_one_network(folder, f"trace --step {step}")
    registry = Registry.discover(plugins=plugins, blocked=blocked)
    with replayed(folder, step, example=example, registry=registry, examples=examples, observer=observer) as replay:
        return _trace_of(folder, step, replay)


def _trace_of(folder: Path, step: int, replay: Replay) -> Trace:
    trainer, network, minibatches = replay.trainer, replay.trainer.network, replay.minibatches
    dataset, train = replay.run.proved.dataset, replay.run.training.splits["train"]
    layers = _layers(network, [flows for minibatch in minibatches for flows in minibatch.slices])
    inputs, targets = (np.concatenate([getattr(each, name) for each in minibatches]) for name in ("x", "t"))
    weights = _joined([each.weights for each in minibatches])
    rows = trainer.rows_of_step(step)[: len(inputs)]  # training may diverge in one of several minibatches
    logits = layers[-1].input
    with network.computing():
        losses, shares = _losses(network, logits, targets, weights)
        predictions = network.replicas[0].predict(logits).copy()
    trained = [path for path in network.parameters if not belongs_to(path, trainer.frozen)]
    raw = raw_rows(dataset, "train", rows, train)
    before, after = (_by_parameter(network, flat, network.parameters) for flat in (replay.before, network.values))
    return Trace(
        folder=folder,
        step=step,
        epoch=step / trainer.steps_per_epoch,
        began_after=replay.began_after,
        learning_rate=replay.learning_rate,
        loss=replay.loss,
        rows=rows,
        sources=_sources(dataset, train, rows),
        columns=raw if isinstance(raw, Mapping) else {},
        inputs=inputs,
        targets=targets,
        weights=weights,
        predictions=predictions,
        losses=losses,
        shares=shares,
        parameters_before=before,
        parameters_after=after,
        gradient=_by_parameter(network, replay.gradient, trained),
        clipped_gradient=_by_parameter(network, replay.clipped, trained),
        update={path: after[path] - before[path] for path in trained} if not replay.divergence else {},
        layers=layers,
        target=replay.run.proved.description.target,
        class_names=dataset.class_names() or (),
        image_shape=_image_shape(network.input_shape, raw),
        divergence=replay.divergence,
        changes=replay.run.changes,
    )


def _by_parameter(network: Sequential, flat: Array | None, paths: Iterable[str]) -> dict[str, Array]:
    """Return copies of the parts of a flat array; none without one."""
    return {} if flat is None else {path: network.layout.view(flat, path).copy() for path in paths}


def _layers(network: Sequential, slices: Sequence[Mapping[str, Flow]]) -> tuple[TracedLayer, ...]:
    """Return what went through the layers, all slices of all minibatches as one."""
    names = ("input", "output", "output_gradient", "input_gradient")
    return tuple(
        TracedLayer(
            operation.path,
            operation.type_name,
            *(_joined([getattr(flows[operation.path], name) for flows in slices]) for name in names),  # type: ignore[arg-type]
        )
        for operation in network.replicas[0].operations()
        if all(operation.path in flows for flows in slices)
    )


def _joined(parts: Sequence[Array | None]) -> Array | None:
    """Return arrays as one; None if one of them is missing."""
    there = [part for part in parts if part is not None]
    return np.concatenate(there) if len(there) == len(parts) else None


def _losses(
    network: Sequential, logits: Array, t: Array, weights: Array | None
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the loss of each example, and its share in the loss of all."""
    replica = network.replicas[0]
    losses, counts = np.empty(len(t)), np.empty(len(t))
    for i in range(len(t)):
        row = slice(i, i + 1)
        of_row = None if weights is None else weights[row]
        losses[i], counts[i] = replica.compare(logits[row], t[row], of_row), replica.weight(t[row], of_row)
    parts = losses * counts
    return losses, parts / (parts.sum() or 1.0)


def _sources(dataset: Dataset, train: Split, rows: Array) -> Sequence[str] | None:
    with component_errors(f"dataset {dataset.registered_name} failed in example_sources"):
        found: Sequence[str] | None = of_rows(dataset.example_sources, "train", rows, train)
    return found


def _image_shape(input_shape: tuple[int, ...], raw: object) -> tuple[int, ...] | None:
    """Return the shape of an input as an image, channels first; None if it isn't one.

    Pixels in a row are an image if the data set has them in a plane.
    """
    shape = input_shape
    if isinstance(raw, np.ndarray) and len(shape) == 1 and math.prod(raw.shape[1:]) == shape[0]:
        shape = raw.shape[1:]
    return shape if is_image(shape) else None
