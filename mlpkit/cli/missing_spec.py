"""Help for someone who names a spec that isn't there, but comes with mlpkit."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from mlpkit.errors import SpecSyntaxError

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def suggesting_shipped_spec(path: str) -> Iterator[None]:
    """Load a spec; if its file is missing and mlpkit ships one of that name, the error says how to get it.

    Args:
        path: the spec's file, as given.
    """
    try:
        yield
    except SpecSyntaxError as error:
        from mlpkit.jobs.init import shipped_specs  # noqa: PLC0415 - only after a mistake

        name = Path(path).stem
        if name in shipped_specs() and not Path(path).exists():
            error.add_note(f"help: mlpkit ships a spec of that name; 'mlpkit init {name}' copies it here")
        raise
