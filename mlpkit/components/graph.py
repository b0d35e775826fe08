"""What a component computes when it is used, as a graph of ONNX operators: all that exporters read."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Final, Literal, NamedTuple, Protocol, TypeAlias

import numpy as np

from mlpkit.components.parameter import Parameter, State
from mlpkit.errors import ComponentFailure, NotExportableError

if TYPE_CHECKING:
    from numpy.typing import DTypeLike, NDArray

ML_DOMAIN: Final = "ai.onnx.ml"
"""ONNX's domain for operators on texts and categories."""


FeedKind: TypeAlias = Literal["number", "category", "date", "pixels"]
"""What a raw input holds."""


class Value(NamedTuple):
    """An array that flows through a graph; the first axis is the batch axis.

    Args:
        name: its name, unique in the graph.
    """

    name: str


Operand: TypeAlias = "Value | Parameter | State | NDArray[Any] | float | int"
"""What an operator can take: a value, or an array or number that doesn't change."""


class Node(NamedTuple):
    """One use of an operator.

    Args:
        operator: its name, as in ONNX, such as ``Gemm``.
        inputs: names of values and constants; empty for an optional input that is left out.
        outputs: names of the values that it computes.
        attributes: its attributes: numbers, texts, and lists of them.
        domain: the domain of the operator; empty for ONNX's own.
        made_by: path of the layer, or name of the component, that it comes from.
    """

    operator: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: dict[str, Any]
    domain: str
    made_by: str


class Feed(NamedTuple):
    """A raw input of a graph, such as a column of a table; ``Graph.feed`` describes the attributes."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    kind: FeedKind = "number"
    meaning: str = ""
    choices: tuple[str, ...] = ()
    typical: tuple[float, float] | None = None
    extent: tuple[float, float] | None = None


class Encodes(Protocol):
    """What a graph needs of a data set."""

    @property
    def registered_name(self) -> str:
        """Its name in specs."""

    def onnx(self, graph: Graph) -> Value:
        """Add the operators that compute it, and return its output."""


class Describable(Encodes, Protocol):
    """What a graph needs of a layer or a loss."""

    kind: ClassVar[str]
    path: str


ONNX_TYPES: Final = {"float32": 1, "uint8": 2, "int8": 3, "int32": 6, "int64": 7, "bool": 9, "float64": 11}
"""The numbers that ONNX gives dtypes."""


class Graph:
    """Operators in the order in which they are computed, with the constants that they take.

    A layer, a loss or a data set describes itself in its method ``onnx(graph)``: it takes ``graph.input``, adds
    operators with ``op``, and returns the value of the last one.

    Args:
        dtype: the dtype that the network computes in.
        input_shape: shape of one example as the network takes it.

    Attributes:
        input: what the component takes that describes itself.
        feeds: the raw inputs, by name.
        constants: arrays that don't change, by name; parameters and states by their path.
        nodes: the operators, each after those whose outputs it takes.
        outputs: the values that leave the graph, by the name they leave with.
    """

    def __init__(self, dtype: np.dtype[Any], input_shape: tuple[int, ...] = ()) -> None:
        self.dtype = dtype
        self.input_shape = input_shape
        self.input = Value("")
        self.feeds: dict[str, Feed] = {}
        self.constants: dict[str, NDArray[Any]] = {}
        self.nodes: list[Node] = []
        self.outputs: dict[str, Value] = {}
        self._made_by = ""
        self._count = 0

    def feed(
        self,
        name: str,
        dtype: str,
        shape: tuple[int, ...] = (),
        *,
        kind: FeedKind = "number",
        meaning: str = "",
        choices: Sequence[str] = (),
        typical: tuple[float, float] | None = None,
        extent: tuple[float, float] | None = None,
    ) -> Value:
        """Declare a raw input, and return its value.

        Args:
            name: its name, such as that of a column.
            dtype: name of its dtype, as in NumPy; ``str`` for texts.
            shape: shape of one example's part, without the batch axis.
            kind: what it holds: ``number``, ``category``, ``date`` or ``pixels``.
            meaning: what to put into it, in words, such as its unit and what stands for a missing value.
            choices: the texts that it may be, if it is a category.
            typical: mean and standard deviation of a number or a date in training; None if they aren't known.
            extent: least and greatest number or date in training; None if they aren't known.

        Raises:
            NotExportableError: the name is empty, or one that the graph has given to another value.
        """
        if not name or name in self.constants or any(name in node.outputs for node in self.nodes):
            message = f"an input of an exported model can't be called '{name}'"
            raise NotExportableError(f"{message}; rename its column, or leave it out")
        self.feeds[name] = Feed(name, dtype, shape, kind, meaning, tuple(choices), typical, extent)
        return Value(name)

    def constant(self, name: str, value: NDArray[Any]) -> Value:
        """Add an array that doesn't change, under a name, and return its value.

        ``op`` does so for its inputs; this is for a parameter whose numbers enter an operator in another shape.

        Args:
            name: its name, such as the path of the parameter.
            value: the array.
        """
        if name in self.feeds:  # a column may be called as a parameter is
            name = f"{name}/value"
        self.constants[name] = value
        return Value(name)

    def op(self, operator: str, *inputs: Operand | None, domain: str = "", **attributes: Any) -> Value:
        """Add an operator, and return its output.

        Args:
            operator: its name, as in ONNX, such as ``Gemm``; one that opset 17 has.
            inputs: what it takes: values, parameters, states, arrays; a float becomes a constant of the network's
                dtype, an integer one of int64; None leaves an optional input out.
            domain: the domain of the operator; empty for ONNX's own.
            attributes: its attributes, as in ONNX.
        """
        names = tuple("" if each is None else self._name_of(each) for each in inputs)
        output = self._new_name(operator)
        self.nodes.append(Node(operator, names, (output,), attributes, domain, self._made_by))
        return Value(output)

    def cast(self, value: Value, dtype: DTypeLike) -> Value:
        """Turn numbers or truth values into a dtype, such as ``graph.dtype`` or ``"float64"``, and return them."""
        return self.op("Cast", value, to=ONNX_TYPES[np.dtype(dtype).name])

    def describe(self, component: Describable, x: Value) -> Value:
        """Add what a layer or a loss computes from x, and return its output.

        Raises:
            NotExportableError: it doesn't describe itself.
            ComponentFailure: its ``onnx`` returned no value of this graph.
        """
        who = f"{component.kind} {component.path} ({component.registered_name})"
        return self._described(who, component.path, component, x)

    def encode(self, dataset: Encodes) -> Value:
        """Add how a data set encodes raw inputs, which it declares, and return the encoded input.

        Raises:
            NotExportableError: it doesn't describe itself.
            ComponentFailure: its ``onnx`` returned no value of this graph.
        """
        name = dataset.registered_name
        return self._described(f"dataset {name}", name, dataset, Value(""))

    def _described(self, who: str, path: str, component: Encodes, x: Value) -> Value:
        outer = self.input, self._made_by
        self.input, self._made_by = x, path
        y: object = component.onnx(self)
        self.input, self._made_by = outer
        if not isinstance(y, Value):
            returned = f"{who} returned {type(y).__name__} from onnx"
            raise ComponentFailure(f"{returned}; expected the value that graph.op returned last")
        return y

    def chain(self, layers: Iterable[Describable], x: Value | None = None) -> Value:
        """Add layers inside a layer, such as ``chain.layers``, one after the other, and return the last one's output.

        Args:
            layers: the layers, in order.
            x: what the first one takes; by default ``input``.

        Raises:
            NotExportableError: one of them doesn't describe itself.
        """
        y = self.input if x is None else x
        for layer in layers:
            y = self.describe(layer, y)
        return y

    def _name_of(self, operand: Operand) -> str:
        if isinstance(operand, Value):
            return operand.name
        if isinstance(operand, Parameter | State):
            return self.constant(operand.path, operand.value).name
        dtype = self.dtype if isinstance(operand, float) else None
        return self.constant(self._new_name("Constant"), np.asarray(operand, dtype)).name

    def _new_name(self, what: str) -> str:
        self._count += 1
        name = f"{self._made_by}/{what}_{self._count}".lstrip("/")
        return name if name not in self.feeds else self._new_name(what)
