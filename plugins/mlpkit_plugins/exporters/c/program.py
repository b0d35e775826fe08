"""A graph as a program in C: the type and place of each value, and the statements that compute it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

import numpy as np

from mlpkit import Array, Graph, NotExportableError, Value
from mlpkit.graph import Feed, Node, evaluate
from mlpkit_plugins.exporters.c.operators import ONE_TO_ONE, OPERATORS, VIEWS
from mlpkit_plugins.exporters.c.step import MATH, Operand, Step, loops, row_major
from mlpkit_plugins.exporters.c.syntax import INDENT, TYPES, Names, comment, declaration, pieces, type_of, words

ROWS: Final = 2
"""Rows evaluated to find the shapes of values."""


@dataclass
class Program:
    """The parts of a program in C that computes a graph for one example.

    Args:
        inputs: the members of the inputs' structure, by the names of the feeds.
        outputs: the members of the outputs' structure, by the names of the graph's outputs.
        arrays: the constant arrays, by their names in C.
        paragraphs: the lines of statements of each operator.
        places: the operand of each value in C, by its name in the graph.
        after: the number of paragraphs after which each value is computed, by its name in the graph.
        work: the size of the work memory in numbers.
        stack: the size of local variables in bytes.
        multiplications: the number of multiplications by weights.
    """

    inputs: dict[str, Operand]
    outputs: dict[str, Operand]
    arrays: dict[str, Array]
    paragraphs: list[list[str]] = field(default_factory=list)
    places: dict[str, Operand] = field(default_factory=dict)
    after: dict[str, int] = field(default_factory=dict)
    work: int = 0
    stack: int = 0
    multiplications: int = 0

    @property
    def statements(self) -> str:
        """The statements of the function."""
        return "\n\n".join("\n".join(INDENT + line for line in paragraph) for paragraph in self.paragraphs)


def signature(name: str) -> str:
    """Return the signature of the function that computes a model, given the prefix of its names."""
    return f"void {name}_predict(const {name}_inputs *in, {name}_outputs *out, float *work)"


def program(graph: Graph, outputs: Mapping[str, Value], *, quantized: bool = False) -> Program:
    """Convert a graph to a program in C with outputs by name; if ``quantized``, with weights as integers and scales."""
    return _Writer(graph, outputs, quantized=quantized).written()


class _Writer:
    """Writes a program, operator by operator."""

    def __init__(self, graph: Graph, outputs: Mapping[str, Value], *, quantized: bool) -> None:
        self.graph, self.outputs, self.quantized = graph, outputs, quantized
        values = evaluate(graph, {name: _rows(feed) for name, feed in graph.feeds.items()})
        self.constants = _constants(graph, values)
        self.nodes = _needed(graph, self.constants, outputs)
        varying = [*graph.feeds, *(node.outputs[0] for node in self.nodes)]
        self.values = {name: _operand_of_example(name, values[name]) for name in varying}
        self.names = Names({*pieces(), *MATH, *(f"{name}f" for name in MATH), "strcmp", "size_t"})
        for name, value in outputs.items():
            if value.name not in self.values:
                raise NotExportableError(f"the output {name} doesn't depend on any input")
        self.storage = Storage(self.nodes, self.values, graph.feeds, [value.name for value in outputs.values()])

    def written(self) -> Program:
        """Return the program."""
        members = Names()
        inputs = {name: self._member("in", members.new(name), name) for name in self.graph.feeds}
        members = Names()
        outputs = {name: self._member("out", members.new(name), value.name) for name, value in self.outputs.items()}
        self.program = Program(inputs, outputs, {})
        self._name_constants()
        self._name_values()
        self.program.after = dict.fromkeys(self.graph.feeds, len(self.program.paragraphs))
        for node in self.nodes:
            if is_view(node, self.values):
                self.program.after[node.outputs[0]] = self.program.after[node.inputs[0]]
            else:
                self.program.paragraphs.append(self._statements(node))
                self.program.after[node.outputs[0]] = len(self.program.paragraphs)
        copies = [self._copied(self._operand(value.name), outputs[name]) for name, value in self.outputs.items()]
        self.program.paragraphs += filter(None, copies)
        self.program.places = {name: self._operand(name) for name in self.values}
        used = words(self.program.statements)
        self.program.arrays = {name: array for name, array in self.program.arrays.items() if name in used}
        return self.program

    def _member(self, structure: str, member: str, name: str) -> Operand:
        return self.values[name]._replace(name=f"{structure}->{member}")

    def _name_constants(self) -> None:
        """Name the constant arrays; equal arrays share a name."""
        named: dict[tuple[str, tuple[int, ...], bytes], str] = {}
        self.lasting = {}
        for name in dict.fromkeys(name for node in self.nodes for name in node.inputs if name in self.constants):
            array = self.constants[name]
            key = array.dtype.str, array.shape, array.tobytes()
            if key not in named:
                named[key] = self.names.new(name)
                self.program.arrays[named[key]] = array
            self.lasting[name] = named[key]

    def _name_values(self) -> None:
        """Name the values that have separate memory, and assign the work memory to them."""
        self.places = {name: member.name for name, member in self.program.inputs.items()}
        for name, value in self.outputs.items():
            self.places.setdefault(self.storage[value.name], self.program.outputs[name].name)
        lifetimes = {}
        self.variables: set[str] = set()
        for number, node in enumerate(self.nodes):
            y = node.outputs[0]
            if not self.storage.owns(y) or y in self.places:
                continue
            self.places[y] = self.names.new(self._name_of(node))
            if self.values[y].size > 1 and self.values[y].dtype == self.graph.dtype:
                lifetimes[y] = Lifetime(self.values[y].size, number, self.storage.last[y])
            else:
                self.variables.add(y)
        offset_of, self.program.work = offsets(lifetimes)
        pointers = [(self.places[name], f"work + {offset}" if offset else "work") for name, offset in offset_of.items()]
        unused = [] if pointers else ["(void)work;"]
        self.program.paragraphs = [[*unused, *(f"float *const {name} = {where};" for name, where in pointers)]]

    def _name_of(self, node: Node) -> str:
        """Return the name of an operator's result: the layer's name for the last operator of a layer."""
        last = [each for each in self.nodes if each.made_by == node.made_by][-1]
        return node.made_by if node is last and node.made_by else node.outputs[0]

    def _operand(self, name: str) -> Operand:
        if name in self.constants:
            array = self.constants[name]
            return Operand(self.lasting[name], array.shape, array.dtype, array)
        return self.values[name]._replace(name=self.places[self.storage[name]])

    def _statements(self, node: Node) -> list[str]:
        """Return the statements of an operator."""
        inputs = [self._operand(name) if name else None for name in node.inputs]
        y = self._operand(node.outputs[0])
        step = Step(node, inputs, y, self.program.arrays, self.names, self.quantized)
        lines = OPERATORS[node.domain, node.operator](step)
        self.program.multiplications += step.multiplications
        self.program.stack += step.stack
        if node.outputs[0] in self.variables:
            self.program.stack += y.size * y.dtype.itemsize
            lines = _declared(y, lines)
        return [comment(ascii(f"{node.made_by}: {node.operator}".removeprefix(": "))[1:-1]), *lines]

    def _copied(self, x: Operand, y: Operand) -> list[str]:
        """Return the statements that copy a value to another place, unless it is there already."""
        strides = [row_major(y.shape)] * 2
        return [] if x.name == y.name else loops(y.shape, strides, f"{y.at('{0}')} = {x.at('{1}')};")


def _rows(feed: Feed) -> Array:
    """Return arbitrary rows of an input."""
    return np.zeros((ROWS, *feed.shape), feed.dtype)


def _constants(graph: Graph, values: Mapping[str, Array]) -> dict[str, Array]:
    """Return the constants, including values that are computed from constants only."""
    constants = dict(graph.constants)
    for node in graph.nodes:
        if all(name in constants for name in node.inputs if name):
            constants[node.outputs[0]] = np.asarray(values[node.outputs[0]])
    return constants


def _needed(graph: Graph, constants: Mapping[str, Array], outputs: Mapping[str, Value]) -> list[Node]:
    """Return the operators on which outputs depend, without operators that compute constants."""
    wanted = {value.name for value in outputs.values()}
    nodes = []
    for node in reversed(graph.nodes):
        if node.outputs[0] in wanted and node.outputs[0] not in constants:
            nodes.append(node)
            wanted.update(node.inputs)
    return nodes[::-1]


def _operand_of_example(name: str, value: Array) -> Operand:
    """Return the operand for one example's part of a value, or raise ``NotExportableError``."""
    if value.shape[:1] != (ROWS,):
        raise NotExportableError(f"{name} isn't computed example by example, and C computes one at a time")
    if value.dtype.kind not in "UO" and value.dtype.name not in TYPES:
        raise NotExportableError(f"{name} is {value.dtype.name}; C knows {', '.join(TYPES)}")
    return Operand("", value.shape[1:], value.dtype)


def _declared(y: Operand, lines: list[str]) -> list[str]:
    """Add the declaration of the variable to the statements that set it."""
    if lines[0].startswith(f"{y.name} = ") and len(lines) == 1:
        space = "" if type_of(y.dtype).endswith("*") else " "
        return [f"{type_of(y.dtype)}{space}{lines[0]}"]
    return [declaration(y.dtype, y.name, None if y.size == 1 else y.size), *lines]


FOREVER: Final = 1 << 62
"""The last step of outputs, and of inputs, which can't be overwritten."""


class Lifetime(NamedTuple):
    """The number of a value's elements, and the first and last step that needs it."""

    size: int
    first: int
    last: int

    def meets(self, other: Lifetime) -> bool:
        """Whether both values are needed during a step."""
        return self.first <= other.last and other.first <= self.last


def offsets(lifetimes: Mapping[str, Lifetime]) -> tuple[dict[str, int], int]:
    """Return the offset of each value in the work memory, and the size of the memory.

    Values are placed one by one into the first gap, from the largest to the smallest or in the order of computation,
    whichever takes less memory.
    """
    by_size = sorted(lifetimes, key=lambda name: (-lifetimes[name].size, lifetimes[name].first))
    placements = [_placed(order, lifetimes) for order in (by_size, [*lifetimes])]
    return min(placements, key=lambda placement: placement[1])


def _placed(order: Sequence[str], lifetimes: Mapping[str, Lifetime]) -> tuple[dict[str, int], int]:
    placed: dict[str, int] = {}
    for name in order:
        own, begin = lifetimes[name], 0
        for other in sorted((each for each in placed if lifetimes[each].meets(own)), key=placed.__getitem__):
            if placed[other] >= begin + own.size:
                break
            begin = max(begin, placed[other] + lifetimes[other].size)
        placed[name] = begin
    return placed, max((placed[name] + lifetimes[name].size for name in placed), default=0)


def is_view(node: Node, values: Mapping[str, Operand]) -> bool:
    """Whether an operator leaves an example's elements unchanged, given the values that aren't constant."""
    y, x = (values.get(name) for name in (node.outputs[0], node.inputs[0]))
    same_type = y is not None and x is not None and y.dtype == x.dtype
    return node.operator in VIEWS or (node.operator == "Cast" and same_type)


class Storage:
    """The values that share memory: views, and results that overwrite an input that isn't needed any more.

    ``last`` has the number of the last step that uses a value's memory. ``leaving`` are the outputs.
    """

    def __init__(
        self, nodes: Sequence[Node], values: Mapping[str, Operand], feeds: Collection[str], leaving: Collection[str]
    ) -> None:
        self._values = values
        self._of = {name: name for name in feeds}
        for node in nodes:
            y = node.outputs[0]
            self._of[y] = self._of[node.inputs[0]] if is_view(node, values) else y
        self.last = {
            self._of[name]: number for number, node in enumerate(nodes) for name in node.inputs if name in self._of
        }
        self.last |= dict.fromkeys([*feeds, *(self._of[name] for name in leaving)], FOREVER)
        for number, node in enumerate(nodes):
            y, x = node.outputs[0], node.inputs[0]
            if self._can_overwrite(node) and self.last[self[x]] == number and self.last[y] != FOREVER:
                owner = self[x]
                self.last[owner] = self.last[y]
                self._of.update((name, owner) for name, place in self._of.items() if place == y)

    def __getitem__(self, name: str) -> str:
        """Return the value whose memory a value uses."""
        return self._of[name]

    def owns(self, name: str) -> bool:
        """Whether a value has separate memory."""
        return self._of[name] == name

    def _can_overwrite(self, node: Node) -> bool:
        """Whether an operator can overwrite its first input with its result."""
        y, x = node.outputs[0], node.inputs[0]
        if node.operator not in ONE_TO_ONE or x not in self._of or not self.owns(y) or self._values[y].size == 1:
            return False
        sharing = [y, x, *(name for name in node.inputs[1:] if self._of.get(name) == self[x])]
        return len({(self._values[name].shape, self._values[name].dtype) for name in sharing}) == 1
