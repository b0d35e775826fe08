"""Sets overrides in a spec.

The parts of a key lead from mapping to mapping; an item of ``layers``, or of a list inside a layer, goes by its
layer name. A component's parameters are reached without its name: ``training.optimizer.learning_rate`` sets a
parameter of the optimizer that stands there, whichever it is. A layer inside another is reached without the name of
the list it stands in: ``layers.Residual1.Affine1.units``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from mlpkit.components.schema.layer_names import layer_names
from mlpkit.components.schema.suggestion import did_you_mean
from mlpkit.components.schema.value_type import show
from mlpkit.spec.extends import EXTENDS
from mlpkit.spec.nodes import Entry, ListNode, MappingNode, Origin, is_null, plain
from mlpkit.spec.structure import component_of, may_be_component
from mlpkit.spec.variables import VARS, follow, preview, variables_of

if TYPE_CHECKING:
    from mlpkit.components.schema.fault import Path
    from mlpkit.spec.faults import FaultList
    from mlpkit.spec.nodes import Node
    from mlpkit.spec.overrides import Override

NEEDED_COMPONENTS: Final[tuple[Path, ...]] = (("data",), ("training", "optimizer"))
"""Where a component stands in every spec, so that parameters without one are a mistake."""


def set_overrides(root: MappingNode, overrides: list[Override], faults: FaultList) -> None:
    """Set the values in their order, those of variables first.

    Layers go by the names they have before the first override, so that one does not rename what another means.

    Args:
        root: the spec, changed in place.
        overrides: what to set.
        faults: takes what is wrong.
    """
    names: dict[int, tuple[ListNode, list[str]]] = {}
    for override in sorted(overrides, key=lambda override: override.keys[0] != VARS):
        _Setting(root, override, faults, names).apply()


class _Setting:
    """One override on its way into the tree."""

    def __init__(
        self,
        root: MappingNode,
        override: Override,
        faults: FaultList,
        names: dict[int, tuple[ListNode, list[str]]],
    ) -> None:
        self.root = root
        self.override = override
        self.keys = override.keys
        self.faults = faults
        self.names = names
        self.variables = variables_of(root) or MappingNode({}, root.origin)

    def apply(self) -> None:
        """Set the value."""
        if self.keys[0] == EXTENDS:
            self._report(0, "an override can't extend a spec", remedy="write extends into the file")
            return
        self._in_mapping(self.root, 0, ())

    def _changed(self, node: Node, index: int, path: Path) -> Node:
        """Return a node with the value set.

        Args:
            node: the node at ``path``.
            index: number of the next part of the key.
            path: where the node is in the tree.
        """
        if index == len(self.keys):
            return self._replacement(node)
        written = node
        node = follow(node, self.variables)
        if isinstance(node, ListNode):
            item = self._item(node, index, path)
            if item is not None:
                node.items[item] = self._changed(node.items[item], index + 1, (*path, item))
            return node
        if may_be_component(path):
            self._follow_parameters(node)
            component = component_of(node)
            if component:
                return self._in_component(node, *component, index, path)
        if is_null(node):
            node = MappingNode({}, node.origin)
        if isinstance(node, MappingNode):
            return self._in_mapping(node, index, path)
        what = f"{self.override.path(index)} is {show(plain(node))}, not a mapping"
        self._report(index, what, remedy=f"set it whole: {self.override.path(index)}=...")
        return written

    def _in_component(
        self, node: Node, name: str, parameters: MappingNode | None, index: int, path: Path
    ) -> MappingNode:
        key = node.entries[name].key if isinstance(node, MappingNode) else node.origin
        if self.keys[index] == name and index + 1 < len(self.keys):
            index += 1  # the key names the component, as the spec does
        inside = parameters or MappingNode({}, node.origin)
        here = (*path, name)
        lists = self._lists_with_layer(inside, index, here)
        if len(lists) > 1:
            whole, wanted = self.override.path(index), self.keys[index]
            choices = " or ".join(f"{whole}.{found}.{wanted}" for found in lists)
            self._report(index, f"{whole} has a layer '{wanted}' in {' and in '.join(lists)}", expected=choices)
        elif lists:
            entry = inside.entries[lists[0]]
            entry.node = self._changed(entry.node, index, (*here, lists[0]))
        else:
            inside = self._in_mapping(inside, index, here)
        return MappingNode({name: Entry(key, inside)}, node.origin)

    def _lists_with_layer(self, parameters: MappingNode, index: int, path: Path) -> list[str]:
        """Return the parameters of a layer that list one of the name in the key; none if it names a parameter."""
        wanted = self.keys[index]
        if path[0] != "layers" or wanted in parameters.entries:
            return []
        values = {key: follow(entry.node, self.variables) for key, entry in parameters.entries.items()}
        return [key for key, node in values.items() if isinstance(node, ListNode) and wanted in self._names_of(node)]

    def _in_mapping(self, mapping: MappingNode, index: int, path: Path) -> MappingNode:
        key = self.keys[index]
        here = (*path, key)
        entry = mapping.entries.get(key)
        if entry:
            entry.node = self._changed(entry.node, index + 1, here)
        elif index + 1 == len(self.keys):
            mapping.entries[key] = Entry(Origin(self.override.place(index)), self.override.value)
        elif here in NEEDED_COMPONENTS:
            whole = self.override.path(index + 1)
            message = f"the spec has no {whole} that '{self.keys[index + 1]}' could belong to"
            self._report(index, message, remedy=f"set it whole: {whole}={{name: {{...}}}}")
        else:
            origin = Origin(self.override.place(index))
            mapping.entries[key] = Entry(origin, self._changed(MappingNode({}, origin), index + 1, here))
        return mapping

    def _replacement(self, old: Node) -> Node:
        """Return the new value, which remembers where the old one is."""
        value = self.override.value
        place = value.origin.place
        value.origin = value.origin.with_note(f"{place.quoted} replaces {old.origin.place.quoted}")
        return value

    def _follow_parameters(self, node: Node) -> None:
        if isinstance(node, MappingNode) and len(node.entries) == 1:
            (entry,) = node.entries.values()
            entry.node = follow(entry.node, self.variables)

    def _item(self, node: ListNode, index: int, path: Path) -> int | None:
        """Return the position of the list item that the key means, or None after reporting that there is none."""
        whole = self.override.path(index)
        if path[0] != "layers":
            self._report(index, f"{whole} is a list", remedy=f"set it whole: {whole}=[...]")
            return None
        names = self._names_of(node)
        wanted = self.keys[index]
        if wanted in names:
            return names.index(wanted)
        known = [name for name in names if name]
        remedy = did_you_mean(wanted, known)
        expected = f"one of {', '.join(known)}" if known and not remedy else ""
        self._report(index, f"{whole} has no layer {show(wanted)}", expected=expected, remedy=remedy)
        return None

    def _names_of(self, node: ListNode) -> list[str]:
        if id(node) not in self.names:
            self.names[id(node)] = node, layer_names(preview(node, self.variables))
        return self.names[id(node)][1]

    def _report(self, index: int, message: str, *, expected: str = "", remedy: str = "") -> None:
        self.faults.report(self.override.place(index), message, expected=expected, remedy=remedy)
