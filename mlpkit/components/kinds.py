"""The kinds of component: their names and classes, how their components are spelt, and where a spec names them."""

from __future__ import annotations

import re
from importlib import import_module
from typing import Final, NamedTuple

CAMEL_CASE: Final = re.compile(r"[A-Z][A-Za-z0-9]*")
SNAKE_CASE: Final = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")


class Kind(NamedTuple):
    """A kind of component, such as ``category_encoding``; its class is ``CategoryEncoding`` in a module of its name.

    Args:
        name: as in ``component(kind, ...)`` and in messages.
        spec_key: the key under which a spec names its components, such as ``training.optimizer``; if only other
            components take the kind, the usual name of their parameter; empty if no spec names them.
        is_list: whether that key takes a list of them.
        camel_case: whether its components are spelt ``LikeThis``, not ``like_this``.
        command: the command that uses one, with ``{name}`` for its name; empty if specs name them.
    """

    name: str
    spec_key: str
    is_list: bool = False
    camel_case: bool = False
    command: str = ""

    @property
    def base(self) -> str:
        """The name of the class that a component of this kind derives from."""
        return self.name.title().replace("_", "")

    def base_class(self) -> type:
        """Return that class."""
        found: type = getattr(import_module(f"mlpkit.components.{self.name}"), self.base)
        return found

    def use(self, name: str, *, spec: str, run: str) -> str:
        """Return the command that uses a component in a spec, or on a run."""
        return (self.command or "mlpkit run SPEC").format(name=name).replace("SPEC", spec).replace("RUN", run)

    def spells(self, name: str) -> bool:
        """Whether ``name`` is spelt as components of this kind are."""
        return (CAMEL_CASE if self.camel_case else SNAKE_CASE).fullmatch(name) is not None

    @property
    def spelling(self) -> str:
        """An example of the spelling, for messages."""
        return "CamelCase" if self.camel_case else "snake_case"


def in_words(kind: str) -> str:
    """Return the name of a kind for messages, such as ``category encoding``."""
    return kind.replace("_", " ")


KINDS: Final = {
    kind.name: kind
    for kind in (
        Kind("layer", "layers", is_list=True, camel_case=True),
        Kind("loss", "layers", is_list=True, camel_case=True),
        Kind("optimizer", "training.optimizer"),
        Kind("schedule", "learning_rate"),
        Kind("initializer", "weights"),
        Kind("encoding", "numbers"),
        Kind("category_encoding", "categories"),
        Kind("dataset", "data"),
        Kind("augmentation", "training.augment", is_list=True),
        Kind("metric", "training.metrics", is_list=True),
        Kind("calibration", "calibration"),
        Kind("callback", "training.callbacks", is_list=True),
        Kind("exporter", "", command="mlpkit export RUN --to FILE --format {name}"),
        Kind("engine", "", command="mlpkit sweep SPEC --on {name}"),
        Kind("verb", "", command="mlpkit {name} --help"),
    )
}

IN_SPECS: Final = tuple(kind.name for kind in KINDS.values() if kind.spec_key)
"""The kinds whose components a spec names."""
