"""What a run depends on, as its checkpoints keep it, to be compared when the run is resumed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

_SPEC, _RESOLVED, _LOCK = "origin/spec", "origin/resolved", "lock"


class Origin(NamedTuple):
    """The specs and versions that a run was begun with.

    Args:
        spec: the spec as its author wrote it.
        resolved: the spec with every default filled in.
        lock: versions and checksums, as in lock.json.
    """

    spec: str
    resolved: str
    lock: Mapping[str, Any]

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return the texts as arrays of their bytes: a megabyte of text is too much for a header."""
        texts = {_SPEC: self.spec, _RESOLVED: self.resolved}
        return {name: np.frombuffer(text.encode(), np.uint8) for name, text in texts.items()}

    def metadata(self) -> dict[str, Any]:
        """Return the rest, as plain data."""
        return {_LOCK: self.lock}


def origin_of(arrays: Mapping[str, NDArray[Any]], metadata: Mapping[str, Any]) -> Origin:
    """Return the origin in a checkpoint.

    Raises:
        ValueError: there is none, or none that mlpkit would write.
    """
    lock = metadata.get(_LOCK)
    if not isinstance(lock, dict) or not {_SPEC, _RESOLVED} <= arrays.keys():
        msg = "no origin"
        raise ValueError(msg)
    return Origin(_text(arrays[_SPEC]), _text(arrays[_RESOLVED]), lock)


def _text(array: NDArray[Any]) -> str:
    return array.tobytes().decode()
