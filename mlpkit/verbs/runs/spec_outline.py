"""Where specs differ, component by component, in as few rows as tell it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


def outline(specs: Sequence[Mapping[str, Any]]) -> dict[str, list[Any]]:
    """Return where specs differ by dotted key, with a value for each spec; None if it has none.

    Of different components it has their names, and the parameters that all of them have; of what only some specs have,
    the name of the component, or the value.
    """
    keys = dict.fromkeys(key for spec in specs for key in spec)
    found: dict[str, list[Any]] = {}
    for key in keys:
        values = [spec.get(key) for spec in specs]
        found |= _below(key, values) if key == "layers" else _differences(key, values)
    return found


def _differences(key: str, values: Sequence[Any]) -> Iterator[tuple[str, list[Any]]]:
    if all(value == values[0] for value in values):
        return
    shown = [_in_short(value) for value in values]
    if not all(isinstance(value, Mapping | list) for value in values):
        yield key, shown
    elif any(each != shown[0] for each in shown) and all(map(_is_named, values)):
        yield key, shown
        yield from _shared(key, [_parameters(value) for value in values])
    else:
        yield from _below(key, values)


def _below(key: str, values: Sequence[Any]) -> Iterator[tuple[str, list[Any]]]:
    """Go through the items of mappings and lists."""
    items = [dict(enumerate(value)) if isinstance(value, list) else value for value in values]
    for name in dict.fromkeys(name for each in items for name in each):
        yield from _differences(f"{key}.{name}", [each.get(name) for each in items])


def _shared(key: str, parameters: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, list[Any]]]:
    for name in parameters[0]:
        if all(name in each for each in parameters):
            yield from _differences(f"{key}.{name}", [each[name] for each in parameters])


def _is_named(value: Any) -> bool:
    """Whether a value is a component, or a list of some, or of plain values."""
    items = value if isinstance(value, list) else [value]
    return all(_is_component(each) or not isinstance(each, Mapping | list) for each in items)


def _is_component(value: Any) -> bool:
    return isinstance(value, Mapping) and len(value) == 1 and isinstance(next(iter(value.values())), Mapping | bool)


def _parameters(value: Any) -> Mapping[str, Any]:
    """Return the parameters of a component; none of a list, or of a component without any."""
    found = None if isinstance(value, list) else next(iter(value.values()))
    return found if isinstance(found, Mapping) else {}


def _in_short(value: Any) -> Any:
    """Return the name of a component, the names of several, or the value."""
    if isinstance(value, list):
        return [_in_short(each) for each in value]
    return next(iter(value)) if _is_component(value) else value
