"""Copying a shipped spec, to begin from."""

from __future__ import annotations

import os
from pathlib import Path

import mlpkit
from mlpkit.components.schema.context import show
from mlpkit.components.schema.wording import did_you_mean
from mlpkit.errors import UsageError
from mlpkit.runs.files import write_atomically


def shipped_specs() -> dict[str, Path]:
    """Return the specs that come with mlpkit, by name."""
    folder = Path(mlpkit.__file__).parent / "shipped_specs"
    return {path.stem: path for path in sorted(folder.glob("*.yaml"))}


def init(name: str, destination: Path | None = None) -> Path:
    """Copy a shipped spec, and return where it is.

    Args:
        name: the spec's name.
        destination: the new file; by default the spec's name in the current folder.

    Raises:
        UsageError: there is no such spec, or the file exists already.
        StorageError: the file can't be written.
    """
    specs = shipped_specs()
    if name not in specs:
        remedy = did_you_mean(name, specs) or f"shipped: {', '.join(specs)}"
        raise UsageError(f"no shipped spec is called {show(name)}; {remedy}")
    target = destination or Path(f"{name}.yaml")
    if os.path.lexists(target):
        raise UsageError(f"{target} exists already; choose another name with --out")
    write_atomically(target, specs[name].read_bytes())
    return target
