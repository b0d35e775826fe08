"""The stub of ``mlpkit.layers``, from which editors complete the built-in layers and losses."""

from __future__ import annotations

from typing import Final

from mlpkit.registry.registry import installed

STUB: Final = "mlpkit/layers.pyi"
"""Where it stands in the repository."""

HEAD: Final = """# Written by docs/generate.py.
from typing import Any

"""
TAIL: Final = """
def __getattr__(name: str) -> Any: ...  # the namespaces of plugins
def __dir__() -> list[str]: ...
"""


def stub() -> str:
    """Return the stub."""
    targets = [entry.component for entry in installed().components(("layer", "loss")) if entry.plugin.built_in]
    imports = sorted(f"from {found.__module__} import {found.__name__} as {found.__name__}\n" for found in targets)
    return f"{HEAD}{''.join(imports)}{TAIL}"
