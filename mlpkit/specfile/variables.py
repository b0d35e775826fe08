"""Replaces ``$name`` by its value in ``vars:``.

``$name`` or ``${name}`` is the whole scalar, and the value keeps its type: a number, a list, a component. Or it begins
a path, as in ``$folder/train.csv``. ``$$`` is a dollar. A variable that is ``{env: NAME, default: VALUE}`` takes its
value from the environment.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from functools import partial
from typing import Final, Unpack

from mlpkit.components.schema.context import Correction, show
from mlpkit.components.schema.types import BegunPath
from mlpkit.components.schema.wording import certain, listed, nearest
from mlpkit.specfile.nodes import (
    Entry,
    ListNode,
    MappingNode,
    Node,
    ScalarNode,
    ValueOrigin,
    copied,
    descendants,
    height,
    plain,
)
from mlpkit.specfile.source import (
    DEEPEST_NESTING,
    MOST_VALUES,
    REFUSED,
    TOO_DEEP,
    Details,
    DiagnosticList,
    SourceText,
    describe_character,
)
from mlpkit.specfile.yaml_parser import resolve_plain

VARS: Final = "vars"
NAME: Final = r"[A-Za-z_][A-Za-z0-9_]*"
REFERENCE: Final = rf"\$(?:({NAME})|\{{({NAME})\}})"
REFERENCE_FIRST: Final = rf"{REFERENCE}(?=[/\\]|\Z)"
"""A variable that is the whole text, or begins a path."""

DOLLARS: Final = r"\$\$?"

ENV: Final = "env"
DEFAULT: Final = "default"

MOST_NAMES_SHOWN: Final = 10


def substitute(root: MappingNode, faults: DiagnosticList) -> MappingNode | None:
    """Return the spec with variables put in, or None if that makes it too large."""
    variables, report = variables_of(root), partial(faults.report, code="unknown-variable")
    if variables is None:
        node = root.entries[VARS].node
        message = f"vars is {show(plain(node))}, not a mapping"
        report(node.origin.place, message, expected="a mapping from names to values")
        return None
    for name, variable in variables.entries.items():
        if not re.fullmatch(NAME, name):
            message = f"{show(name)} can't be the name of a variable"
            report(variable.key.place, message, expected="letters, digits and underscores, not beginning with a digit")
    try:
        return _Substitution(variables, faults).spec(root)
    except _Stop:
        return None


def variables_of(root: MappingNode) -> MappingNode | None:
    """Return the variables of a spec as they are written, or None if ``vars`` is not a mapping."""
    entry = root.entries.get(VARS)
    node = entry.node if entry else MappingNode({}, root.origin)
    return node if isinstance(node, MappingNode) else None


def preview(node: Node, variables: MappingNode) -> Node:
    """Return a part of a spec with variables put in; as written if that makes it too large."""
    try:
        return _Substitution(variables, DiagnosticList()).node(node)
    except _Stop:
        return node


def follow(node: Node, variables: MappingNode) -> Node:
    """Return a copy of what ``$name`` refers to, as it is written; any other node as it is."""
    for name, value in _references(node, variables):
        node = _copy_for(node, name, value)
    return node


def referred_node(node: Node, root: MappingNode) -> Node:
    """Return the node that ``$name`` refers to, as it is written in a spec, and no copy; any other node as it is."""
    for _, value in _references(node, variables_of(root)):
        node = value
    return node


def beginning(node: ScalarNode, root: MappingNode) -> Node | None:
    """Return the node of the variable that begins a path, as it is written in a spec, and no copy; None without one."""
    found = re.match(REFERENCE_FIRST, str(node.value))
    entries = (variables_of(root) or MappingNode({}, root.origin)).entries
    if found is None or found.end() == len(str(node.value)) or (found[1] or found[2]) not in entries:
        return None
    return referred_node(entries[found[1] or found[2]].node, root)


def _references(node: Node, variables: MappingNode | None) -> Iterator[tuple[str, Node]]:
    """Go through the variables that a node refers to, one by way of another: their names and values as written."""
    for _ in range(DEEPEST_NESTING):
        found = re.fullmatch(REFERENCE, str(node.value)) if isinstance(node, ScalarNode) else None
        if variables is None or found is None or (name := found[1] or found[2]) not in variables.entries:
            return
        node = value_as_written(name, variables.entries[name].node, DiagnosticList())
        yield name, node


def value_as_written(name: str, node: Node, faults: DiagnosticList) -> Node:
    """Return the value of a variable before others are put in: the environment's, if the spec asks for that.

    An empty environment variable counts as missing. Its text is read as one scalar without quotes.
    """
    if not isinstance(node, MappingNode) or ENV not in node.entries or node.entries.keys() - {ENV, DEFAULT}:
        return node
    asked = node.entries[ENV].node
    if not isinstance(asked, ScalarNode):
        return node
    place, text = asked.origin.place, os.environ.get(str(asked.value), "")
    if not text and DEFAULT in node.entries:
        return node.entries[DEFAULT].node
    if not text:
        message = f"${name} has no value: the environment variable {asked.value} isn't set"
        remedy = f"set {asked.value}, or write a default: {{env: {asked.value}, default: ...}}"
        faults.report(place, message, remedy=remedy, notes=asked.origin.notes, code="unknown-variable")
        return ScalarNode("", asked.origin)
    try:
        if refused := REFUSED.search(text):
            raise ValueError(f"a string can't hold the character {describe_character(refused[0])}")
        value = resolve_plain(text)
    except ValueError as error:
        faults.report(place, f"the environment variable {asked.value}: {error}", code="unknown-variable")
        return ScalarNode("", asked.origin)
    origin = asked.origin.with_note(f"the environment variable {asked.value} is {show(value)}")
    written = SourceText(str(asked.value), text)
    return ScalarNode(escape(value) if isinstance(value, str) else value, origin._replace(written=written))


def escape(text: str) -> str:
    """Return a string that substitution turns into ``text``."""
    return text.replace("$", "$$")


class _Stop(Exception):  # noqa: N818 - not a separate error: the fault is already reported
    """The spec has become too large, or has more mistakes than are reported."""


class _Substitution:
    """Substitution in one spec: the variables whose values are known already, and how large it has become."""

    def __init__(self, variables: MappingNode, faults: DiagnosticList) -> None:
        self.variables = variables
        self.faults = faults
        self.known: dict[str, tuple[Node, int]] = {}
        self.values = 0

    def spec(self, root: MappingNode) -> MappingNode:
        """Return the whole spec; each variable's value is worked out once."""
        self._count(root)
        entries = {}
        for key, entry in root.entries.items():
            node = self._all_variables() if key == VARS else self.node(entry.node, 2)
            entries[key] = Entry(entry.key, node)
        return MappingNode(entries, root.origin)

    def _all_variables(self) -> MappingNode:
        self._count(self.variables)
        entries = {
            name: Entry(entry.key, self._variable(name, entry.node, ())[0])
            for name, entry in self.variables.entries.items()
        }
        return MappingNode(entries, self.variables.origin)

    def node(self, node: Node, depth: int = 1, chain: tuple[str, ...] = ()) -> Node:
        """Return a node with variables put in; ``chain`` has the variables whose values are being found."""
        if isinstance(node, ScalarNode):
            return self._scalar(node, depth, chain)
        if depth > DEEPEST_NESTING:
            self._too_deep(node)
        self._count(node)
        if isinstance(node, ListNode):
            return ListNode([self.node(item, depth + 1, chain) for item in node.items], node.origin)
        entries = {
            key: Entry(entry.key, self.node(entry.node, depth + 1, chain)) for key, entry in node.entries.items()
        }
        return MappingNode(entries, node.origin)

    def _scalar(self, node: ScalarNode, depth: int, chain: tuple[str, ...]) -> Node:
        self._count(node)
        if not isinstance(node.value, str) or "$" not in node.value:
            return node
        found = re.match(REFERENCE_FIRST, node.value)
        if found is None:
            return self._text(node, node.value)
        name = found[1] or found[2]
        if name not in self.variables.entries:
            self._report_unknown(node, name)
            return node
        if name in chain:
            circle = " -> ".join(f"${link}" for link in (*chain[chain.index(name) :], name))
            self._report(node, f"variables refer to one another in a circle: {circle}")
            return node
        if len(chain) >= DEEPEST_NESTING:
            self._report(node, f"variables refer to each other more than {DEEPEST_NESTING} levels deep")
            return node
        value, deep = self._variable(name, self.variables.entries[name].node, chain)
        if depth + deep - 1 > DEEPEST_NESTING:
            self._too_deep(node)
        copy = _copy_for(node, name, value)
        if found.end() < len(node.value):
            return self._path(node, copy, name, node.value[found.end() :])
        for inside in descendants(copy):
            self._count(inside)
        return copy

    def _variable(self, name: str, node: Node, chain: tuple[str, ...]) -> tuple[Node, int]:
        """Return a variable's value and its height."""
        if name not in self.known:
            value = self.node(value_as_written(name, node, self.faults), 3, (*chain, name))
            self.known[name] = value, height(value)
        return self.known[name]

    def _path(self, node: ScalarNode, folder: Node, name: str, rest: str) -> ScalarNode:
        """Return a path whose beginning, a variable's value, is put in."""
        text = folder.value if isinstance(folder, ScalarNode) else None
        if isinstance(text, str) or type(text) is int:  # a folder may be called 2026
            return ScalarNode(BegunPath(f"{text}{self._text(node, rest).value}"), folder.origin)
        message = f"${name} is {show(plain(folder))}, which can't begin the path {show(node.value)}"
        remedy = f"set ${name} to the name of a folder, or write $$ for a dollar"
        self._report(node, message, remedy=remedy, notes=folder.origin.notes)
        return node

    def _text(self, node: ScalarNode, text: str) -> ScalarNode:
        single = next((found for found in re.finditer(DOLLARS, text) if found[0] == "$"), None)
        if single is None:
            return ScalarNode(re.sub(DOLLARS, "$", text), node.origin)
        reference = re.match(REFERENCE, text[single.start() :])
        if reference:
            rule = "a variable stands for a whole value, or begins a path"
            message = f"{reference[0]} is only a part of {show(text)}; {rule}"
            remedy = f"make {reference[0]} the whole value, or write $$ for a dollar"
        else:
            message = f"the dollar in {show(text)} is not followed by a variable's name"
            remedy = "write $$ for a dollar"
        self._report(node, message, remedy=remedy)
        return node

    def _report_unknown(self, node: ScalarNode, name: str) -> None:
        if self.faults.full:
            raise _Stop
        from mlpkit.specfile.fixes import text_fix  # noqa: PLC0415 - only after a mistake

        names = list(self.variables.entries)
        shown = listed([f"${name}" for name in names], MOST_NAMES_SHOWN)
        known = f"one of {shown}" if names else "a variable that vars sets; this spec has none"
        found, meant = nearest(name, names), certain(name, names)
        correction = Correction(str(node.value), str(node.value).replace(name, meant, 1)) if meant else None
        self._report(
            node,
            f"unknown variable ${name}",
            expected="" if found else known,
            remedy=f"did you mean ${found}?" if found else f"set it: vars: {{{name}: ...}}, or write $$ for a dollar",
            fix=correction and text_fix(node.origin.place, correction),
        )

    def _count(self, node: Node) -> None:
        self.values += 1
        if self.values > MOST_VALUES:
            self._report(node, f"with variables put in, the spec holds more than {MOST_VALUES:,} values")
            raise _Stop

    def _too_deep(self, node: Node) -> None:
        self._report(node, f"with variables put in, {TOO_DEEP}")
        raise _Stop

    def _report(self, node: Node, message: str, **details: Unpack[Details]) -> None:
        details = {"code": "unknown-variable", "notes": node.origin.notes, **details}
        self.faults.report(node.origin.place, message, **details)


def _copy_for(use: Node, name: str, value: Node) -> Node:
    """Return a variable's value for one use: it points at the use, and what is inside it at where it is written."""
    place = value.origin.place
    preposition = "by" if place.text.override else "at"
    set_at = f"${name} is {show(plain(value))}, set {preposition} {place.quoted}"
    notes = (*use.origin.notes, set_at, *value.origin.notes)
    origin = ValueOrigin(use.origin.place, notes, value.origin.written or place.text)
    copy = copied(value, f"${name} is used at {use.origin.place}")
    copy.origin = origin
    return copy
