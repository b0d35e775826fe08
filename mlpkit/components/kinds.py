"""The nine kinds of component: their names, how the names of their components are spelt, their classes."""

from __future__ import annotations

import re
from importlib import import_module
from typing import Final, NamedTuple

CAMEL_CASE: Final = re.compile(r"[A-Z][A-Za-z0-9]*")
SNAKE_CASE: Final = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")


class Kind(NamedTuple):
    """A kind of component.

    Args:
        name: as it stands in ``component(kind, ...)`` and in messages.
        module: the module that defines its class.
        base: the name of that class.
        camel_case: whether its components are spelt ``LikeThis``, and not ``like_this``.
    """

    name: str
    module: str
    base: str
    camel_case: bool = False

    def base_class(self) -> type:
        """Return the class that a component of this kind derives from."""
        found: type = getattr(import_module(self.module), self.base)
        return found

    def spells(self, name: str) -> bool:
        """Whether ``name`` is spelt as components of this kind are."""
        return (CAMEL_CASE if self.camel_case else SNAKE_CASE).fullmatch(name) is not None

    @property
    def spelling(self) -> str:
        """An example of the spelling, for messages."""
        return "CamelCase" if self.camel_case else "snake_case"


KINDS: Final = {
    kind.name: kind
    for kind in (
        Kind("layer", "mlpkit.components.layer", "Layer", camel_case=True),
        Kind("loss", "mlpkit.components.loss", "Loss", camel_case=True),
        Kind("optimizer", "mlpkit.components.optimizer", "Optimizer"),
        Kind("schedule", "mlpkit.components.schedule", "Schedule"),
        Kind("initializer", "mlpkit.components.initializer", "Initializer"),
        Kind("dataset", "mlpkit.components.dataset", "Dataset"),
        Kind("augmentation", "mlpkit.components.augmentation", "Augmentation"),
        Kind("metric", "mlpkit.components.metric", "Metric"),
        Kind("callback", "mlpkit.components.callback", "Callback"),
    )
}
