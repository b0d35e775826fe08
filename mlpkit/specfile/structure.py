"""The structure of a spec whose components aren't known yet: what may be one, and layers by their names."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Final, TypeAlias

from mlpkit.components.schema.component_types import layer_names
from mlpkit.components.schema.context import correction, show
from mlpkit.components.schema.wording import did_you_mean
from mlpkit.specfile.nodes import Entry, ListNode, MappingNode, Node, ScalarNode, is_null, plain
from mlpkit.specfile.variables import follow, preview, variables_of

Report: TypeAlias = Callable[..., None]
"""Takes a message about the name of a layer, with what was expected or the remedy."""


LAYERS: Final = "layers"
"""The key of a spec's layers."""

COMPONENT_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]*(\.[A-Za-z][A-Za-z0-9_]*)*")


def component_of(node: Node) -> tuple[str, MappingNode | None] | None:
    """Return the name and the parameters of what may be a component, or None if it can't be one.

    ``sgd``, ``{sgd: null}`` and ``sgd:`` are the same: a component without parameters.
    """
    if isinstance(node, ScalarNode) and isinstance(node.value, str) and COMPONENT_NAME.fullmatch(node.value):
        return node.value, None
    if isinstance(node, MappingNode) and len(node.entries) == 1:
        ((name, entry),) = node.entries.items()
        if isinstance(entry.node, MappingNode):
            return name, entry.node
        if is_null(entry.node):
            return name, None
    return None


def with_parameters(node: Node, variables: MappingNode) -> Node:
    """Return what may be a component with its parameters, if a variable stands for them; any other node as it is."""
    if isinstance(node, MappingNode) and len(node.entries) == 1:
        ((name, entry),) = node.entries.items()
        return MappingNode({name: Entry(entry.key, follow(entry.node, variables))}, node.origin)
    return node


class LayerLists:
    """The lists of layers in a spec: what their layers were called before any of them changed."""

    def __init__(self, root: MappingNode) -> None:
        self._root = root
        self._names: dict[int, tuple[ListNode, list[str]]] = {}

    @property
    def variables(self) -> MappingNode:
        """The variables of the spec."""
        return variables_of(self._root) or MappingNode({}, self._root.origin)

    def stack(self) -> ListNode | None:
        """Return the layers of the spec, or None if they aren't a list."""
        return self.list_at(self._root, LAYERS)

    def list_at(self, mapping: MappingNode, key: str) -> ListNode | None:
        """Return the list at a key, variables followed; None if that is missing or something else."""
        entry = mapping.entries.get(key)
        node = follow(entry.node, self.variables) if entry else None
        return node if isinstance(node, ListNode) else None

    def component(self, layer: Node) -> tuple[str, MappingNode | None] | None:
        """Return the name and the parameters of a layer, variables followed, or None if it can't be one."""
        return component_of(with_parameters(follow(layer, self.variables), self.variables))

    def names(self, layers: ListNode) -> list[str]:
        """Return the names of layers; a list among them goes by its position, from 0 on."""
        if id(layers) not in self._names:
            items = plain(preview(layers, self.variables))
            names = [
                str(i) if isinstance(item, list) else name
                for i, (item, name) in enumerate(zip(items, layer_names(items), strict=True))
            ]
            self._names[id(layers)] = layers, names
        return self._names[id(layers)][1]

    def position(self, layers: ListNode, wanted: str, whole: str, report: Report) -> int | None:
        """Return a layer's position in a list, ``whole`` in messages, or None after reporting that it is missing."""
        names = self.names(layers)
        if wanted in names:
            return names.index(wanted)
        known = [name for name in names if name]
        remedy = did_you_mean(wanted, known)
        expected = f"one of {', '.join(known)}" if known and not remedy else ""
        meant = correction(wanted, known)
        report(f"{whole} has no layer {show(wanted)}", expected=expected, remedy=remedy, meant=meant)
        return None

    def holders(self, parameters: MappingNode, wanted: str) -> list[str]:
        """Return the parameters of a layer that list a layer of a name; none if the name is a parameter's."""
        if wanted in parameters.entries:
            return []
        lists = {key: self.list_at(parameters, key) for key in parameters.entries}
        return [key for key, layers in lists.items() if layers and wanted in self.names(layers)]

    def holder(self, parameters: MappingNode, wanted: str, whole: str, report: Report) -> str | None:
        """Return the first of these parameters, or None; several are reported."""
        found = self.holders(parameters, wanted)
        if len(found) > 1:
            choices = " or ".join(f"{whole}.{key}.{wanted}" for key in found)
            report(f"{whole} has a layer '{wanted}' in {' and in '.join(found)}", expected=choices)
        return found[0] if found else None

    def inside(self, layer: Node, path: Sequence[str]) -> tuple[ListNode, Sequence[str]] | None:
        """Return the list inside a layer that a path goes through, and the path in it; None if it goes through none."""
        layer = follow(layer, self.variables)
        if not path or isinstance(layer, ListNode):
            return (layer, path) if path and isinstance(layer, ListNode) else None
        component = self.component(layer)
        parameters = component[1] if component else None
        if parameters is None:
            return None
        held = next(iter(self.holders(parameters, path[0])), None)
        layers = self.list_at(parameters, held or path[0])
        return (layers, path if held else path[1:]) if layers else None

    def remaining(self, layers: ListNode, items: list[Node]) -> list[Node]:
        """Return the items of a list after its layers have changed, without those that are now ``null``."""
        return [item for item, name in zip(items, self.names(layers), strict=True) if not (name and is_null(item))]

    def remove_nulls(self) -> None:
        """Remove the layers that are now ``null`` from all lists whose names were asked for."""
        for layers, _ in self._names.values():
            layers.items = self.remaining(layers, layers.items)
