"""The base of layers and losses: parameters, state, scratch arrays, random numbers, layers inside."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterator
from contextlib import AbstractContextManager
from math import isfinite, prod
from typing import TYPE_CHECKING, Any, ClassVar, Final, TypeAlias

import numpy as np

from mlpkit.components.component import Component
from mlpkit.components.initializer import Fans
from mlpkit.components.parameter import Parameter, State, StepFactors, gapped_size, padded_view
from mlpkit.components.randomness import RunPosition, keyed_generator
from mlpkit.components.schedule import START, Rate, value_now
from mlpkit.components.schema.recipe import Resolver
from mlpkit.errors import ComponentFailure, NotExportableError, ShapeError, UsageError, WrongUseError

if TYPE_CHECKING:
    from numpy.typing import DTypeLike, NDArray

    from mlpkit.components.graph import Graph, Value
    from mlpkit.components.initializer import InitializerLike

MOST_LAYERS_INSIDE: Final = 5_000
"""Most layers inside layers of one network; laying these out takes a second and tens of megabytes."""


Shape = tuple[int, ...]

_ViewKey: TypeAlias = "tuple[str, Shape | None, DTypeLike | None, Shape | None, bool | None]"
"""The arguments of ``buffer``, with the strides of an array in place of the array."""

MOST_VIEWS = 64
"""Views of scratch arrays kept by one operation; ever new batch sizes must not fill the memory."""


class Operation(Component):
    """A member of the layer stack: a layer or the loss.

    Attributes:
        path: its name in the network, such as ``Affine1`` or ``Residual1.Affine1``.
        dtype: the network's dtype.
        training: whether this pass is part of training; false in a frozen layer, even if it is.
        needs_input_gradient: whether the result of ``backward`` is used.
        couples_examples: whether the examples of a minibatch affect each other.
        takes_indices: whether inputs are indices of categories, which it looks up, rather than numbers.
        compute_context: returns a context manager that is entered while a network with the operation computes, for
            compiled code with its own threads; None if not needed.
        evaluation_context: the same while it predicts or evaluates, for code that computes a row in one order then,
            whatever the batch; None if not needed.
        bfloat16_context: the same while it computes a step with ``precision: bfloat16``, for code that can round the
            factors of matrix products; None if the operation computes such a step like any other.
    """

    couples_examples: ClassVar[bool] = False
    takes_indices: ClassVar[bool] = False
    compute_context: ClassVar[Callable[[], AbstractContextManager[object]] | None] = None
    evaluation_context: ClassVar[Callable[[], AbstractContextManager[object]] | None] = None
    bfloat16_context: ClassVar[Callable[[], AbstractContextManager[object]] | None] = None
    _planned_method: ClassVar[str] = "forward"
    _frozen = False

    def _prepare(self) -> None:
        self.path = ""
        self.dtype: np.dtype[Any] = np.dtype(np.float32)
        self.training = False
        self.needs_input_gradient = True
        self._parameters: dict[str, Parameter] = {}
        self._states: dict[str, State] = {}
        self._children: dict[str, Operation] = {}
        self._on_freeze: list[Callable[[], None]] = []
        self._layer_counts: dict[str, Counter[str]] = defaultdict(Counter)
        self._layers_inside: list[str] = []  # the holders of all layers inside layers, of the whole network
        self._input_shape: Shape = ()
        self._output_shape: Shape = ()
        self._storage: dict[str, NDArray[np.uint8]] = {}
        self._views: dict[_ViewKey, NDArray[Any]] = {}
        self._position = RunPosition(START)
        self._generator: tuple[int, np.random.Generator] | None = None
        self._built: dict[str, bool] | None = None

    def __getstate__(self) -> dict[str, Any]:
        """Return what a copy or a pickle takes over: all but what came after ``build``, which is scratch."""
        attributes = vars(self)
        if self._built is not None:
            attributes = {name: attributes[name] for name in self._built if name in attributes}
            attributes |= dict.fromkeys(name for name, was_none in self._built.items() if was_none)
        return {**attributes, "_built": self._built, "_storage": {}, "_views": {}}

    @property
    def type_name(self) -> str:
        """The name of this type of operation in specs, without its namespace."""
        return self.registered_name.rpartition(".")[2]

    def parameter(
        self,
        name: str,
        shape: Shape,
        initializer: InitializerLike,
        *,
        fans: tuple[int, int] | None = None,
        decay: float = True,
        rate: float = 1.0,
        unit_axis: int = -1,
        constraint: Callable[[NDArray[Any]], None] | None = None,
    ) -> Parameter:
        """Declare an array to be trained; to be called in ``build``.

        Args:
            name: its name within the layer.
            shape: its shape.
            initializer: where its first values come from; a number fills it.
            fans: fan-in and fan-out; by default the product of all axes but the last, and the last axis.
            decay: factor of the weight decay, or whether it applies; false for biases, and for scales and shifts.
            rate: factor of the learning rate.
            unit_axis: the axis that counts the units, that is the outputs or their channels.
            constraint: changes its value in place after each step, such as to keep it positive; by default nothing.
        """
        shape = self._new_declaration(name, shape)
        factors = StepFactors(_factor(name, "decay", decay), _factor(name, "rate", rate))
        fan_in, fan_out = fans if fans is not None else (prod(shape[:-1]), shape[-1] if shape else 1)
        path, given_fans = f"{self.path}.{name}", Fans(fan_in, fan_out)
        declared = Parameter(name, path, shape, initializer, given_fans, *factors, unit_axis, constraint)
        self._parameters[name] = declared
        return declared

    def state(self, name: str, shape: Shape, initial: float) -> State:
        """Declare an array that is saved but not trained; to be called in ``build``.

        Args:
            name: its name within the layer.
            shape: its shape.
            initial: the number that fills it at first.
        """
        shape = self._new_declaration(name, shape)
        declared = State(name, f"{self.path}.{name}", shape, initial)
        self._states[name] = declared
        return declared

    def buffer(
        self,
        name: str,
        shape: Shape | None = None,
        dtype: DTypeLike | None = None,
        *,
        like: NDArray[Any] | None = None,
        contiguous: bool | None = None,
    ) -> NDArray[Any]:
        """Return a scratch array of undefined content, the same memory at each call.

        Arrays of one name share their memory: the largest one asked for so far.

        Args:
            name: what the array is for, within this operation.
            shape: its shape; by default that of ``like``.
            dtype: its dtype; by default the network's.
            like: an array with as many axes, whose memory order is used, since loops over two orders are slow; without
                it the last axis is the fastest.
            contiguous: whether it must be contiguous, as ``reshape`` needs it; if not, a matrix may have gaps between
                its rows, which makes products faster. By default only an array like another may have gaps.
        """
        strides = None if like is None else like.strides
        if like is not None and shape is None:
            shape = like.shape
        key = (name, shape, dtype, strides, contiguous)
        try:
            return self._views[key]
        except KeyError:
            return self._new_view(key)

    def prediction_plan(self, x: NDArray[Any]) -> Callable[[], NDArray[Any]] | None:
        """Return what computes ``forward`` outside training, or a loss's ``predict``, for the same array again.

        A network that keeps predicting the same few rows calls it instead of the method, which saves time. By then, x
        and parameters may hold other numbers. The function returns the same array each time; if it returns another, the
        network goes back to the method. A class that overrides the method, but not this one, has no plan.

        Args:
            x: inputs, shape (rows, *input_shape); must be left as they are.

        Returns:
            The function; None, the default, to have the method called.
        """
        return None

    def onnx(self, graph: Graph) -> Value:
        """Add the operators that compute ``forward`` outside training, or a loss's ``predict``, and return the output.

        Args:
            graph: what to add them to; ``graph.input`` is x.

        Raises:
            NotExportableError: the component doesn't describe itself, as by default.
        """
        raise NotExportableError(
            f"{self.kind} {self.path} ({self.registered_name}) can't be exported: it has no method onnx", self.path
        )

    def expect_rank(self, input_shape: Shape, rank: int, *, remedy: str = "") -> Shape:
        """Return the input shape if it has that many axes, the batch axis not counted.

        Raises:
            ShapeError: it has another number of axes.
        """
        if len(input_shape) != rank:
            axes = "axis" if rank == 1 else "axes"
            raise ShapeError(
                f"{self.path or self.type_name} can't take inputs of shape {input_shape}",
                expected=f"a shape with {rank} {axes} (the batch axis not counted)",
                remedy=remedy,
            )
        return input_shape

    def now(self, rate: Rate) -> float:
        """Return the value of a parameter that may be a schedule, in this step; outside training, at the start of one.

        Raises:
            ParameterError: the schedule leaves the parameter's range.
        """
        if isinstance(rate, float):
            return rate
        return value_now(self, rate, self._position.progress if self.training else START)

    @property
    def rng(self) -> np.random.Generator:
        """Random numbers for this forward pass, keyed by seed, path, step and slice."""
        position = self._position
        if self._generator is None or self._generator[0] != position.forwards:
            generator = keyed_generator(position.seed, "layer", self.path, position.step, position.slice)
            self._generator = (position.forwards, generator)
        return self._generator[1]

    def operations(self) -> Iterator[Operation]:
        """Go through this operation and all those inside it, outermost first."""
        yield self
        for child in self._children.values():
            yield from child.operations()

    def declared_parameters(self) -> Iterator[Parameter]:
        """Go through the parameters of this operation and of those inside it."""
        for operation in self.operations():
            yield from own_parameters(operation)

    def declared_states(self) -> Iterator[State]:
        """Go through the state of this operation and of those inside it."""
        for operation in self.operations():
            yield from operation._states.values()

    @property
    def needs_parameter_gradients(self) -> bool:
        """Whether its parameters' gradients are used: not in a frozen layer."""
        return not self._frozen

    def _is_trained(self) -> bool:
        """Whether training changes a parameter of this operation, or of one inside it."""
        return any(operation._parameters and not operation._frozen for operation in self.operations())

    def _join(self, path: str, dtype: np.dtype[Any]) -> None:
        """Become part of a network, if nothing was declared before ``build``."""
        self.path, self.dtype = path, dtype
        declared = next(iter({**self._parameters, **self._states, **self._children}), None)
        if declared is not None:
            raise UsageError(
                f"{self.path} has declared '{declared}' before its place in the network was known; expected it to be "
                "declared in build(self, input_shape), which the network calls"
            )

    def _end_build(self) -> None:
        """Remember which attributes ``build`` has set; a pass over rows sets more."""
        self._built = {name: value is None for name, value in vars(self).items()}

    def _build_initializers(self, create: Resolver) -> None:
        """Resolve the names of initializers, and make sure that every parameter has one, or a number."""
        for parameter in self._parameters.values():
            given, what = parameter.initializer, f"first values of {parameter.path}"
            try:
                parameter.initializer = create("initializer", given)
            except WrongUseError as error:
                message = f"{what}: {error.described()}"
                raise WrongUseError(message, expected=error.expected, remedy=error.remedy) from error
            is_number = isinstance(given, int | float) and not isinstance(given, bool)
            if not is_number and not callable(parameter.initializer):
                forms = "the name of an initializer, a mapping from its name to its parameters, or an Initializer"
                raise WrongUseError(f"{what}: {given!r} is not an initializer", expected=f"a number, {forms}")

    def _new_declaration(self, name: str, shape: Shape) -> Shape:
        self._require_new_name(name)
        if "." in name or not name:
            whose = self.path or self.type_name
            raise ValueError(f"{whose} declares '{name}'; names must not be empty or contain dots")
        return tuple(int(length) for length in shape)

    def _require_new_name(self, name: str) -> None:
        if name in self._parameters or name in self._states or name in self._children:
            raise ValueError(f"{self.path or self.type_name} declares '{name}' twice")

    def _new_view(self, key: _ViewKey) -> NDArray[Any]:
        name, shape, dtype, strides, contiguous = key
        if shape is None:
            whose = self.path or self.type_name
            raise TypeError(f"buffer '{name}' of {whose} has neither a shape nor an array to copy it from")
        kind = self.dtype if dtype is None else np.dtype(dtype)
        slowest_first = sorted(range(len(shape)), key=lambda axis: -abs(strides[axis]) if strides else axis)
        in_memory = tuple(shape[axis] for axis in slowest_first)
        gaps = len(shape) == 2 and not (strides is None if contiguous is None else contiguous)
        size = (gapped_size(in_memory) if gaps else prod(shape)) * kind.itemsize
        storage = self._storage.get(name)
        if storage is None or storage.nbytes < size:
            storage = self._storage[name] = np.empty(size, np.uint8)
            self._views = {key: view for key, view in self._views.items() if key[0] != name}
        elif len(self._views) >= MOST_VIEWS:
            self._views.clear()
        memory = storage[:size].view(kind)
        view = padded_view(memory, in_memory) if gaps else memory.reshape(in_memory)
        view = view.transpose(np.argsort(slowest_first))
        self._views[key] = view
        return view


def plan_of(operation: Operation, x: NDArray[Any]) -> Callable[[], NDArray[Any]] | None:
    """Return an operation's plan for its inputs; None if it has none, or if its method was replaced since."""
    method, kind = operation._planned_method, type(operation)
    knows = issubclass(_definer(kind, "prediction_plan"), _definer(kind, method)) and method not in vars(operation)
    return operation.prediction_plan(x) if knows else None


def _definer(owner: type, method: str) -> type:
    """Return the class that a class has a method from; ``object`` if it hasn't any."""
    return next((each for each in owner.__mro__ if method in vars(each)), object)


def _factor(name: str, of: str, factor: float) -> float:
    if not (isfinite(factor) and factor >= 0):
        declared = f"the parameter '{name}' is declared with {of}={factor!r}"
        raise ValueError(f"{declared}; expected a finite number, at least 0")
    return float(factor)


def own_parameters(operation: Operation) -> list[Parameter]:
    """Return the parameters of an operation, but not of operations inside it."""
    return [*operation._parameters.values()]


def own_states(operation: Operation) -> list[State]:
    """Return the states of an operation, but not of operations inside it."""
    return [*operation._states.values()]


def operations_inside(operation: Operation) -> list[Operation]:
    """Return the operations that an operation holds itself, in their order, without those inside them."""
    return [*operation._children.values()]


def input_shape_of(operation: Operation) -> Shape:
    """Return the shape that ``build`` got, without the batch axis; empty until then."""
    return operation._input_shape


def output_shape_of(operation: Operation) -> Shape:
    """Return the shape that ``build`` returned, without the batch axis; empty until then."""
    return operation._output_shape


def belongs_to(path: str, layers: Collection[str]) -> bool:
    """Whether the operation of a path is one of some layers, by their paths, or is inside one."""
    return any(path == layer or path.startswith(f"{layer}.") for layer in layers)


def check_gradient(operation: Operation, dx: object, shape: Shape) -> None:
    """Check that the result of an operation's ``backward`` is a writable array like its inputs."""
    expected = f"a writable array of {operation.dtype} of shape {shape}, as its inputs have"
    who = f"{operation.kind} {operation.path} ({operation.type_name})"
    if not isinstance(dx, np.ndarray):
        raise ComponentFailure(f"{who} returned {type(dx).__name__} from backward; expected {expected}")
    if dx.shape != shape or dx.dtype != operation.dtype or not dx.flags.writeable:
        kind = "writable" if dx.flags.writeable else "read-only"
        raise ComponentFailure(
            f"{who} returned a {kind} array of {dx.dtype} of shape {dx.shape} from backward; expected {expected}"
        )
