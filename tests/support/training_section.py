"""The section ``training`` of a spec, made of components that are built already."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mlpkit.specfile.sections import ClipSection, Training

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence


@dataclass
class Made:
    """Stands for a recipe."""

    name: str
    component: Any
    make: Callable[[], Any]

    def __call__(self) -> Any:
        return self.make()


def section_of(
    optimizer: Any,
    *,
    metrics: Mapping[str, Any] | None = None,
    augmentations: Sequence[Any] = (),
    clip: tuple[str, float] | None = None,
    **keys: Any,
) -> Training:
    """Return a section; its keys are those of a spec, but for components, ``metrics`` by name, and ``clip``."""
    return Training(
        optimizer=Made("optimizer", type(optimizer), lambda: optimizer),
        metrics=tuple(Made(name, metric, metric) for name, metric in (metrics or {}).items()),
        augment=tuple(Made("augmentation", type(each), lambda each=each: each) for each in augmentations),
        clip=ClipSection(**{clip[0]: clip[1]}) if clip else None,
        **{"checkpoint": None} | keys,
    )
