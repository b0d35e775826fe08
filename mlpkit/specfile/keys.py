"""The dotted keys of a checked spec, and which of them somebody most likely meant."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from mlpkit.components.schema.component_types import layer_names
from mlpkit.components.schema.context import Problem
from mlpkit.components.schema.recipe import Recipe, written
from mlpkit.components.schema.signature import Section
from mlpkit.components.schema.wording import nearest
from mlpkit.specfile.sections import STACK_KINDS, StackMember

MOST_SUGGESTIONS: Final = 3


def keys_below(value: Any, above: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the dotted keys below a checked value, with their values; a key comes before the keys below it."""
    for name, item in _inside(value).items():
        key = f"{above}.{name}" if above else name
        yield key, item
        yield from keys_below(item, key)


def _inside(value: Any) -> Mapping[str, Any]:
    if isinstance(value, Section):
        return vars(value)
    if isinstance(value, StackMember):
        return value.recipe.arguments
    if isinstance(value, Recipe):  # a key can't go through the dot of a namespace, and need not name the component
        below = "" if "." in value.name or value.component.kind in STACK_KINDS else f"{value.name}."
        return {f"{below}{name}": item for name, item in value.arguments.items()}
    if isinstance(value, list | tuple):
        return _items(value)
    return {name: item for name, item in value.items() if "." not in name} if isinstance(value, dict) else {}


def _items(items: Sequence[Any]) -> Mapping[str, Any]:
    """Return the layers of a list by their names, lists of layers by position; nothing for what is only set whole."""
    if all(isinstance(item, StackMember) for item in items):
        return {member.name: member for member in items}
    if all(isinstance(item, Recipe) and item.component.kind in STACK_KINDS for item in items):
        return dict(zip(layer_names(written(items)), items, strict=True))
    if all(isinstance(item, list) for item in items) and any(_items(item) for item in items):
        return {str(i): item for i, item in enumerate(items)}
    return {}


def with_whole_key(fault: Problem, known: Sequence[str]) -> Problem:
    """Return the fault of a key whose first parts were left out, with the whole keys among the known that it can be."""
    *above, wanted = map(str, fault.path)
    if ".".join((*above, wanted)) in known:  # the key is right, and something else is missing
        return fault
    below = "".join(f"{key}." for key in above)
    found = keys_meant(wanted, [key for key in known if key.startswith(below)])
    if fault.remedy.startswith("did you mean"):  # a key that looks like it, which the same key elsewhere outdoes
        found = [key for key in found if key.rpartition(".")[2] == wanted]
    return fault._replace(expected="", remedy=suggestion(found)) if found else fault


def keys_meant(wanted: str, keys: Sequence[str]) -> list[str]:
    """Return the keys that end in the parts of one, such as ``learning_rate``, or that are nearest to it."""
    passing = dict.fromkeys(key[: key.index(f".{wanted}.")] + f".{wanted}" for key in keys if f".{wanted}." in key)
    ending = {key: None for key in keys if key.endswith(f".{wanted}")}
    if ending or passing:
        return list(ending | passing)
    alike = nearest(wanted.rpartition(".")[2], {key.rpartition(".")[2] for key in keys})
    return [key for key in keys if key.rpartition(".")[2] == alike]


def suggestion(keys: Sequence[str]) -> str:
    """Return the question whether one of a few keys was meant, or nothing."""
    if not keys:
        return ""
    quoted = [f"'{key}'" for key in keys[:MOST_SUGGESTIONS]]
    more = [f"another of {len(keys)}"] if len(keys) > MOST_SUGGESTIONS else []
    *others, last = [*quoted, *more]
    return f"did you mean {', '.join(others)} or {last}?" if others else f"did you mean {last}?"
