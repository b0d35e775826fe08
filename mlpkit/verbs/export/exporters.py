"""Which exporter writes a file."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from mlpkit.components.exporter import Exporter
from mlpkit.components.schema.wording import either_of
from mlpkit.errors import PluginError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from mlpkit.registry.registry import RegisteredComponent, Registry

KINDS: Final = (Exporter.kind,)


def exporter_of(file: Path, named: str | dict[str, Any] | Exporter | None, registry: Registry) -> Exporter:
    """Return the exporter that is named, or the one that the ending of a file's name chooses; a built-in comes first.

    Args:
        file: the file.
        named: its name, with its parameters in a mapping; or the exporter; None if the ending chooses it.
        registry: the plugins; others than the built-in are loaded only if no built-in has the ending.

    Raises:
        UnknownComponentError: no such exporter.
        ParameterError: a parameter is wrong.
        UsageError: no exporter has the ending, or several have it.
    """
    if named is not None:
        exporter = registry.create(Exporter.kind, named)
        if not isinstance(exporter, Exporter):
            raise UsageError(f"{exporter!r} is not {either_of(KINDS)}; expected its name, or a mlpkit.Exporter")
        return exporter
    ending = file.suffix.lower()
    built_in = dict(_by_ending(registry.components(KINDS, built_in=True)))
    if ending in built_in:
        return _made(built_in[ending], registry)
    registry.examined()  # a plugin that could harm this process isn't loaded below
    found = list(_by_ending(registry.components(KINDS)))
    names = [entry.name for its_ending, entry in found if its_ending == ending]
    if not names:
        expected = f"expected a name that ends in {', '.join(dict.fromkeys(each for each, _ in found))}"
        example = f", such as model{[*built_in][-1]}" if built_in else ""
        remedy = f"; to write {ending} files, install a plugin that has an exporter for them" if ending else ""
        raise UsageError(f"the format of '{file}' is unknown; {expected}{example}{remedy}")
    if len(names) > 1:
        raise UsageError(f"{' and '.join(names)} write {ending}; choose one, such as --format {names[0]}")
    return _made(dict(found)[ending], registry)


def quantizing_endings(registry: Registry) -> list[str]:
    """Return the endings of the built-in exporters whose files hold rounded weights."""
    return [ending for ending, entry in _by_ending(registry.components(KINDS, built_in=True)) if _type(entry).quantizes]


def _by_ending(entries: list[RegisteredComponent]) -> Iterator[tuple[str, RegisteredComponent]]:
    """Yield exporters with the endings of their files; `mlpkit plugins` shows why an exporter is missing here."""
    for entry in entries:
        with suppress(PluginError):
            ending = getattr(_type(entry), "ending", None)
            if isinstance(ending, str):
                yield ending, entry


def _type(entry: RegisteredComponent) -> type[Exporter]:
    found: type[Exporter] = entry.component  # type: ignore[assignment]
    return found


def _made(entry: RegisteredComponent, registry: Registry) -> Exporter:
    exporter: Exporter = registry.create(entry.kind, entry.name)
    return exporter
