"""A network: a stack of layers that ends in a loss."""

from __future__ import annotations

import copy
import os
import warnings
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from threading import RLock
from typing import Any, Final, TypeAlias
from weakref import WeakSet

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from mlpkit.array import Array
from mlpkit.components.dataset import Dataset
from mlpkit.components.initializer import Initializer
from mlpkit.components.layer import Layer
from mlpkit.components.loss import Loss
from mlpkit.components.metric import Metric
from mlpkit.components.operation import Operation, Shape, own_parameters
from mlpkit.components.parameter import Parameter
from mlpkit.components.randomness import RunPosition, keyed_generator
from mlpkit.components.schedule import START, Progress
from mlpkit.components.schema.component_types import default_names
from mlpkit.components.schema.recipe import Resolver
from mlpkit.components.target import Target
from mlpkit.errors import ShapeError, UsageError
from mlpkit.lazy_names import LazyMethod, load
from mlpkit.network import arguments
from mlpkit.network.component_errors import check_first_values, component_errors
from mlpkit.network.contexts import all_of, call_inside, distinct, rounding_contexts
from mlpkit.network.flat_layout import FlatLayout
from mlpkit.network.metrics import Metrics
from mlpkit.network.replica import Replica, add_along_tree
from mlpkit.network.scaled_values import scaled_values
from mlpkit.network.shape_proof import Proof, coupled_by_slices, prove_shapes
from mlpkit.network.slices import NO_EXCHANGE, Exchange, slice_bounds
from mlpkit.network.subnormals import flushed_subnormals, kept_subnormals, subnormals_are_flushed
from mlpkit.registry.registry import installed

Batch: TypeAlias = "tuple[Array, Array, Array | None]"
"""Inputs and targets of some examples, and their weights; None if they have none."""

Judgement: TypeAlias = "tuple[float, float, Any, Array, Array | None]"
"""How much a batch counts, its mean loss, its predictions (None if no metric needs them), targets and weights."""

_Part: TypeAlias = "tuple[Replica, Array, Array, Array | None]"
"""What computes a slice; its inputs, its targets, and their weights."""

Map: TypeAlias = Callable[[Callable[[Any], Any], Sequence[Any]], list[Any]]
"""Computes a function for each of several items, on whatever threads there are, and keeps their order."""

EVALUATION_ROWS = 1000
"""Rows that evaluation and prediction take at a time, so that memory doesn't grow with the data."""


def serial_map(function: Callable[[Any], Any], items: Sequence[Any]) -> list[Any]:
    """Return the function's result for each item."""
    return list(map(function, items))


class Sequential:
    """A stack of layers that ends in a loss.

    ``predict``, ``loss``, ``accuracy``, ``evaluate`` and ``gradient`` may be called from several threads, and from a
    forked child whatever its parent does. The layers keep intermediate results, so the calls take turns. Training takes
    no turns; it needs the network to itself.

    Args:
        stack: the layers, and the loss at the end.
        input_shape: shape of one example.
        target: what to predict, if known.
        seed: what all random numbers are keyed by, an integer from 0 up.
        dtype: float32 or float64.
        names: names of the members of the stack; by default type and ordinal.
        slices: how many slices a minibatch is cut into; mlpkit warns if a layer couples the examples of each.
        own_slices: the slices that this network computes, if other processes compute more; by default all.
        resolver: builds components that are given by name; by default from all that is installed.
        proof: the proof that the members of the stack fit each other, if there is one already; they have their names.

    Attributes:
        slices: how many slices a minibatch is cut into.
        own_slices: the slices that this network computes.
        map: what computes the slices; by default one after the other, in the thread that calls.
        exchange: what joins these slices with the slices of other processes.
        encoder: the data set that encodes inputs; it refuses inputs that plainly aren't encoded. None to take any.
        scaled: how the targets' values are scaled for the loss; None if they stay as they are.
        adjustments: what adjusts predictions once training is over.
        parameters: its arrays by name, such as ``Affine1.W``; writing into one changes the network.
        frozen: names of the layers that steps leave as they are.
        origin: what it was trained from, which ``save`` needs; None if it was never trained.

    Raises:
        StackError: the layers don't fit each other or the data.
        UsageError: a network can't be built from an argument.
        ComponentFailure: an initializer failed.
    """

    def __init__(
        self,
        stack: Sequence[Layer | Loss],
        input_shape: Shape,
        *,
        target: Target | None = None,
        seed: int = 0,
        dtype: DTypeLike = np.float32,
        names: Sequence[str] | None = None,
        slices: int = 1,
        own_slices: range | None = None,
        resolver: Resolver | None = None,
        proof: Proof | None = None,
    ) -> None:
        self.seed = arguments.network_seed(seed)
        self.dtype = arguments.network_dtype(dtype)
        self.input_shape = arguments.input_shape_of(input_shape)
        self.target = target
        self._resolver = resolver
        if slices < 1:
            raise UsageError(f"a minibatch can't be cut into {slices} slices; expected at least 1")
        if proof is None:
            names = names if names is not None else default_names(_type_name(member) for member in stack)
            arguments.check_names(names, len(stack))
            proof = prove_shapes(stack, names, self.input_shape, target, self.dtype, create=self._resolve)
        coupled = coupled_by_slices(proof.stack, slices)
        if coupled and resolver is None:  # of a spec's network, the warning points at the spec's line
            warnings.warn(coupled, stacklevel=2)
        self.layers, self.loss_layer = proof.layers, proof.loss
        self.flops = proof.flops
        declared = [parameter for member in stack for parameter in member.declared_parameters()]
        self.adjustments = proof.adjustments
        declared_states = [s for member in (*stack, *self.adjustments.present) for s in member.declared_states()]
        self.layout = FlatLayout.of_parameters(declared)
        self.state_layout = FlatLayout.of_shapes({state.path: state.shape for state in declared_states})
        self.values = self.layout.zeros(self.dtype)
        self.scaled = scaled_values(target, proof.loss, self.dtype)
        self.slices = slices
        self.own_slices = range(slices) if own_slices is None else own_slices
        self.replicas = self._replicate(proof.layers, proof.loss)
        operations = [type(operation) for operation in self.replicas[0].operations()]
        computing = distinct(operation.compute_context for operation in operations)
        operations += [type(adjustment) for adjustment in self.adjustments.present]
        evaluating = distinct(operation.evaluation_context for operation in operations)
        self._compute_contexts = (*computing, flushed_subnormals)
        self._evaluation_contexts = (*computing, *evaluating)
        self.map: Map = serial_map
        self.exchange: Exchange = NO_EXCHANGE
        self.frozen: frozenset[str] = frozenset()
        self.encoder: Dataset | None = None
        self.origin: object = None
        self._make_lock()
        self._name_arrays()
        for state in declared_states:
            self.states[state.path][...] = state.initial
        for parameter in declared:
            parameter.value[...] = self._first_values(parameter)

    adapt = LazyMethod("mlpkit.network.adapting", "adapt")
    fit = LazyMethod("mlpkit.verbs.run.fit", "fit_network")
    save = LazyMethod("mlpkit.verbs.run.fit", "save")
    summary = LazyMethod("mlpkit.network.summary", "summary")

    def __repr__(self) -> str:
        """Name the members of the stack, and what the network takes."""
        return str(load("mlpkit.network.summary:one_line")(self))

    def _repr_html_(self) -> str:
        """Return the table of ``summary`` for a notebook."""
        return str(load("mlpkit.pages.notebook_tables:network_html")(self))

    @property
    def gradient_values(self) -> Array:
        """All gradients in one flat array, laid out as ``values``."""
        return self.replicas[0].gradient

    def computing(self) -> AbstractContextManager[None]:
        """Return the context in which the network is trained: what its layers ask for, and no subnormal numbers.

        Entered once for many steps, it takes no time from each.
        """
        return all_of(self._compute_contexts)

    def evaluating(self) -> AbstractContextManager[None]:
        """Return the context in which the network predicts and evaluates: a row has the same bits in any batch."""
        return all_of((*self._evaluation_contexts, kept_subnormals))

    def predict(self, x: ArrayLike) -> Array:
        """Return predictions, such as the probability of each class, shape (rows, ...).

        Args:
            x: inputs, encoded as in training, shape (rows, *input_shape).

        Raises:
            UsageError: ``encoder`` finds that the inputs plainly aren't encoded.
            ShapeError: the inputs have another shape.
        """
        return self.predict_encoded(self._inputs(x))

    def predict_encoded(self, inputs: Array) -> Array:
        """Return predictions for inputs that ``encoder`` encoded, which aren't checked again.

        Args:
            inputs: rows, at least one, shape (rows, *input_shape), of the network's dtype.
        """
        contexts = self._evaluation_contexts
        if subnormals_are_flushed():
            contexts = (*contexts, kept_subnormals)
        return call_inside(contexts, self._predict, inputs)

    def _predict(self, inputs: Array) -> Array:
        replica = self.replicas[0]
        with self._turn:
            replica.set_training(False)
            if len(inputs) <= EVALUATION_ROWS:
                return replica.predictions(inputs).copy()
            chunks = (inputs[rows] for rows in _chunks(len(inputs)))
            return np.concatenate([replica.predict(replica.forward(chunk)).copy() for chunk in chunks])

    def activations(self, x: ArrayLike) -> dict[str, Array]:
        """Return what each layer returns for inputs, as in evaluation: new arrays by the layer's name.

        Args:
            x: inputs, encoded as in training, shape (rows, *input_shape).

        Raises:
            UsageError: ``encoder`` finds that the inputs plainly aren't encoded.
            ShapeError: the inputs have another shape.
        """
        inputs, replica = self._inputs(x), self.replicas[0]
        with self._turn, self.evaluating():
            replica.set_training(False)
            return {name: outputs.copy() for name, outputs in replica.outputs(inputs)}

    def loss(self, x: ArrayLike, t: ArrayLike, weights: ArrayLike | None = None) -> float:
        """Return the mean loss over examples."""
        return float(self.evaluate(x, t, (), weights)["loss"])

    def accuracy(self, x: ArrayLike, t: ArrayLike, weights: ArrayLike | None = None) -> float:
        """Return the metric called ``accuracy`` of the predictions for examples."""
        return float(self.evaluate(x, t, ("accuracy",), weights)["accuracy"])

    def evaluate(
        self,
        x: ArrayLike,
        t: ArrayLike,
        metrics: Iterable[str] | Mapping[str, Metric] = (),
        weights: ArrayLike | None = None,
    ) -> dict[str, Any]:
        """Return the mean loss, as ``loss``, and each metric by its name: a float, or a table as rows of integers.

        Args:
            x: inputs, shape (rows, *input_shape).
            t: targets of the same rows.
            metrics: names of metrics, or new metric objects by name.
            weights: how much each row counts, numbers from 0 up; None if all count the same.

        Raises:
            WrongUseError: a metric can't judge predictions of the network's target, or takes no weights of examples.
            ComponentFailure: a metric raised an exception.
        """
        inputs, targets, counts = self._examples(x, t, weights)
        names = (metrics,) if isinstance(metrics, str) else metrics
        given = names if isinstance(names, Mapping) else {name: name for name in names}
        named = {name: self._resolve("metric", metric) for name, metric in given.items()}
        with self._turn:
            batches = (
                (inputs[rows], targets[rows], None if counts is None else counts[rows]) for rows in _chunks(len(inputs))
            )
            return self.evaluate_batches(batches, named)

    def evaluate_batches(
        self,
        batches: Iterable[tuple[Array, Array] | Batch],
        metrics: Mapping[str, Metric],
        with_others: Callable[[Iterator[Judgement]], Iterator[Judgement]] = iter,
    ) -> dict[str, Any]:
        """Return the mean loss over minibatches and each metric's result; takes no turn, unlike ``evaluate``.

        Args:
            batches: inputs and targets of one minibatch after the other, and weights, if the examples have any.
            metrics: new metric objects by name.
            with_others: returns the judgements of these batches and, each in its place, of those judged by other
                processes; by default, none.

        Raises:
            WrongUseError: a metric can't judge predictions of the network's target, or takes no weights of examples.
            ComponentFailure: a metric raised an exception.
        """
        total, counted = 0.0, 0.0
        with self.evaluating():
            judges = Metrics(metrics, self.replicas[0], self.target)
            for weight, loss, prediction, t, weights in with_others(self._judged(batches, predicts=bool(metrics))):
                total += weight * loss
                counted += weight
                if metrics:
                    judges.update(prediction, t, weights)
            return {"loss": total / counted if counted else float("nan"), **judges.results()}

    def judge_batches(self, batches: Iterable[Batch], send: Callable[[Judgement], object], *, predicts: bool) -> None:
        """Judge batches for a process that evaluates the network with ``evaluate_batches``.

        Args:
            batches: inputs, targets and weights of one batch after the other.
            send: takes the judgement of each, whose arrays are valid until the next.
            predicts: whether metrics need predictions.
        """
        with self.evaluating():
            for judgement in self._judged(batches, predicts=predicts):
                send(judgement)

    def _judged(self, batches: Iterable[tuple[Array, Array] | Batch], *, predicts: bool) -> Iterator[Judgement]:
        replica = self.replicas[0]
        replica.set_training(False)
        for x, t, *others in batches:
            weights = others[0] if others else None
            if weights is not None:
                arguments.require_takes_weights(self.loss_layer)
            logits = replica.forward(x)
            weight, loss = replica.weight(t, weights), replica.compare(logits, t, weights)
            yield weight, loss, replica.predict(logits) if predicts else None, t, weights

    def gradient(self, x: ArrayLike, t: ArrayLike, weights: ArrayLike | None = None) -> dict[str, Array]:
        """Return the gradient of the mean loss, as in training, by each parameter: new arrays by name."""
        inputs, targets, counts = self._examples(x, t, weights)
        with self._turn, self.computing():
            self.set_training(True)
            self.loss_and_gradient(inputs, targets, weights=counts)
            return {path: self.layout.view(self.gradient_values, path).copy() for path in self.parameters}

    def _name_arrays(self) -> None:
        """Give parameters and states their names, and cut the gradients of all replicas into blocks."""
        stack = (*self.layers, self.loss_layer)
        parameters = (parameter.path for member in stack for parameter in member.declared_parameters())
        with_states = (*stack, *self.adjustments.present)
        states = (state.path for member in with_states for state in member.declared_states())
        self.parameters: Mapping[str, Array] = {path: self.layout.view(self.values, path) for path in parameters}
        state = self.replicas[0].state
        self.states: Mapping[str, Array] = {path: self.state_layout.view(state, path) for path in states}
        self._cut_gradients()

    def _cut_gradients(self) -> None:
        """Cut the gradients of all replicas into the blocks that are added."""
        self._gradient_blocks = [
            [replica.gradient[begin:end] for replica in self.replicas] for begin, end in self.layout.trained_blocks()
        ]
        self._trained_gradients = [self.gradient_values[begin:end] for begin, end in self.layout.trained()]

    def _make_lock(self) -> None:
        self._turn = RLock()
        _NETWORKS.add(self)

    def __getstate__(self) -> dict[str, Any]:
        """Return what a copy or a pickle takes over: all but the lock, the threads, and views of other arrays."""
        left_out = {"_turn", "map", "exchange", "parameters", "states", "_gradient_blocks", "_trained_gradients"}
        return {name: value for name, value in vars(self).items() if name not in left_out}

    def __setstate__(self, state: Mapping[str, Any]) -> None:
        vars(self).update(state, map=serial_map, exchange=NO_EXCHANGE)
        self.values = _copied(self.values, self.layout)  # a pickle may be mapped from a file, read-only
        for replica in self.replicas:
            gradient, kept = self.layout.zeros(self.dtype), _copied(replica.state, self.state_layout)
            replica.bind(self.layout, self.values, gradient, self.state_layout, kept)
        self._make_lock()
        self._name_arrays()

    def freeze(self, layers: Collection[str]) -> None:
        """Have steps from now on leave layers as they are, those inside them too, and no others.

        They compute as in evaluation, and nothing goes back further than to the first layer that is trained. The
        gradient by a frozen parameter is undefined. ``fit`` freezes what its ``freeze`` names, and nothing after it.

        Args:
            layers: their names in the network, such as ``Affine1`` or ``Residual1.Affine1``; empty for none.
        """
        self.frozen = frozenset(layers)
        for replica in self.replicas:
            replica.freeze(layers)
        frozen = (operation for operation in self.replicas[0].operations() if operation._frozen)
        paths = frozenset(parameter.path for operation in frozen for parameter in own_parameters(operation))
        self.layout = self.layout._replace(frozen=paths)
        self._cut_gradients()

    def follow(self, progress: Progress) -> None:
        """Have schedules of layers and the loss follow a training, by its progress."""
        for replica in self.replicas:
            replica.position.progress = progress

    def set_precision(self, precision: str) -> None:
        """Have steps from now on round the factors of matrix products to bfloat16, in layers that can, or to float32.

        Raises:
            ValueError: the precision is neither.
        """
        if precision not in {"float32", "bfloat16"}:
            raise ValueError(f"factors are rounded to float32 or bfloat16, not to {precision!r}")
        rounds = precision == "bfloat16"
        for replica in self.replicas:
            replica.step_contexts = rounding_contexts(replica.operations()) if rounds else ()

    def set_training(self, training: bool) -> None:
        """Tell every operation whether what follows is training or evaluation."""
        for replica in self.replicas:
            replica.set_training(training)

    def loss_and_gradient(
        self,
        x: Array,
        t: Array,
        step: int = 0,
        weights: Array | None = None,
        minibatch_rows: int | None = None,
    ) -> float:
        """Return the mean loss of a minibatch, and leave its gradient in ``gradient_values``.

        Each slice's gradient is weighted by the slice's share in the minibatch, and all are added along a fixed
        tree: the result doesn't depend on who computes which slice.

        Args:
            x: inputs, of the network's dtype.
            t: their targets.
            step: steps done before this one; random numbers are keyed by it.
            weights: the weights of the examples; None if they have none.
            minibatch_rows: how many rows the minibatch has, if ``x`` has only the rows of the network's slices; None if
                it has them all.
        """
        if self.slices == 1:
            replica = self.replicas[0]
            replica.position.step = step
            return replica.loss_and_gradient(x, t, 1.0, weights)
        exchange = self.exchange
        exchange.broadcast(self.replicas[0].state)
        parts, slices = self._parts(x, t, weights, minibatch_rows)
        counts = exchange.all_gather(self._counts(parts), slices)
        total = sum(counts) or 1.0  # where no row counts, there is neither loss nor gradient
        for replica, *_ in parts:
            replica.position.step = step
            if replica is not self.replicas[0]:
                replica.state[...] = self.replicas[0].state
        shares = [count / total for count in counts[self.own_slices.start :]]
        of_parts: list[float] = self.map(_loss_and_gradient, list(zip(parts, shares, strict=False)))
        losses = exchange.all_gather(of_parts, slices)
        self.map(add_along_tree, [block[: len(parts)] for block in self._gradient_blocks])
        exchange.reduce_gradients(self._trained_gradients, slices)
        return sum(count * loss for count, loss in zip(counts, losses, strict=True)) / total

    def weight(self, t: Array, weights: Array | None = None, minibatch_rows: int | None = None) -> float:
        """Return how much a minibatch counts, compared with others; the arguments are as for ``loss_and_gradient``."""
        if self.slices == 1:
            return self.replicas[0].weight(t, weights)
        parts, slices = self._parts(t, t, weights, minibatch_rows)
        return sum(self.exchange.all_gather(self._counts(parts), slices))

    def _parts(self, x: Array, t: Array, weights: Array | None, minibatch_rows: int | None) -> tuple[list[_Part], int]:
        """Cut the network's own slices out of a minibatch, and return how many slices it has in all."""
        bounds = slice_bounds(len(x) if minibatch_rows is None else minibatch_rows, self.slices)
        own = bounds[self.own_slices.start : self.own_slices.stop]
        before = own[0][0] if own and minibatch_rows is not None else 0
        parts: list[_Part] = []
        for replica, (begin, end) in zip(self.replicas, own, strict=False):
            here = slice(begin - before, end - before)
            parts.append((replica, x[here], t[here], None if weights is None else weights[here]))
        return parts, len(bounds)

    @staticmethod
    def _counts(parts: Iterable[_Part]) -> list[float]:
        return [replica.weight(t, weights) for replica, _, t, weights in parts]

    def _replicate(self, layers: list[Layer], loss: Loss) -> list[Replica]:
        own = layers, loss, self.adjustments
        copies = [own, *(copy.deepcopy(own) for _ in self.own_slices[1:])]
        replicas = []
        for i, (own_layers, own_loss, adjustments) in zip(self.own_slices, copies, strict=True):
            replica = Replica(own_layers, own_loss, RunPosition(START, self.seed, i), self.scaled, adjustments)
            gradient, state = self.layout.zeros(self.dtype), self.state_layout.zeros(self.dtype)
            replica.bind(self.layout, self.values, gradient, self.state_layout, state)
            replicas.append(replica)
        return replicas

    def _first_values(self, parameter: Parameter) -> Array:
        if isinstance(parameter.initializer, int | float):
            return np.full(parameter.shape, parameter.initializer, self.dtype)
        draw: Initializer = parameter.initializer  # type: ignore[assignment]  # the proof has built it
        generator = keyed_generator(self.seed, "initializer", parameter.path)
        with component_errors(f"the initializer of {parameter.path} failed"):
            values = draw(parameter.shape, parameter.fans, generator, self.dtype)
        return check_first_values(parameter, values)

    def _resolve(self, kind: str, reference: object) -> Any:
        if not isinstance(reference, str | dict):
            return reference
        if self._resolver is None:
            self._resolver = installed().create
        return self._resolver(kind, reference)

    def _inputs(self, x: ArrayLike) -> Array:
        return np.asarray(arguments.encoded_inputs(x, self.input_shape, self.encoder), self.dtype)

    def _examples(self, x: ArrayLike, t: ArrayLike, weights: ArrayLike | None) -> Batch:
        inputs, targets = self._inputs(x), arguments.number_array(t, "targets")
        rows = len(inputs)
        if targets.ndim == 0 or len(targets) != rows:
            raise ShapeError(f"targets of shape {targets.shape} don't fit {rows} rows", expected=f"({rows}, ...)")
        if weights is None:
            return inputs, targets, None
        arguments.require_takes_weights(self.loss_layer)
        return inputs, targets, arguments.weights_of_examples(arguments.number_array(weights, "weights"), rows)


_NETWORKS: Final[WeakSet[Sequential]] = WeakSet()


def _renew_locks() -> None:
    """Give each network a new lock: in a forked child, no thread would release the one that its parent held."""
    for network in _NETWORKS:
        network._turn = RLock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew_locks)


def _copied(flat: Array, layout: FlatLayout) -> Array:
    copied = layout.zeros(flat.dtype)
    copied[...] = flat
    return copied


def _loss_and_gradient(part: tuple[_Part, float]) -> float:
    (replica, x, t, weights), share = part
    return replica.loss_and_gradient(x, t, share, weights)


def _type_name(member: object) -> str:
    if isinstance(member, Operation):
        return member.type_name
    return str(getattr(member, "__name__", type(member).__name__))


def _chunks(rows: int) -> list[slice]:
    """Cut rows into as many at a time as evaluation takes."""
    return [slice(begin, begin + EVALUATION_ROWS) for begin in range(0, rows, EVALUATION_ROWS)]
