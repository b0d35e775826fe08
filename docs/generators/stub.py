"""The stubs of mlpkit's packages with public names, for type checkers and editors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import mlpkit
import mlpkit.engines
import mlpkit.graph
import mlpkit.testing
from mlpkit.registry.registry import installed

if TYPE_CHECKING:
    from collections.abc import Iterable

HEAD: Final = "# Written by docs/generate.py.\n"
LAYERS_TAIL: Final = """
def __getattr__(name: str) -> Any: ...  # the namespaces of plugins
def __dir__() -> list[str]: ...
"""


def stubs() -> dict[str, str]:
    """Return each stub by its place in the repository."""
    own, engines, graph, testing = (
        _imports((home, name) for name, home in module._HOME_OF.items())  # noqa: SLF001 - the table of public names
        for module in (mlpkit, mlpkit.engines, mlpkit.graph, mlpkit.testing)
    )
    targets = [entry.component for entry in installed().components(("layer", "loss")) if entry.plugin.built_in]
    layers = _imports((found.__module__, found.__name__) for found in targets)
    modules = "".join(f"from mlpkit import {name} as {name}\n" for name in ("engines", "graph", "layers"))
    return {
        "mlpkit/__init__.pyi": f"{HEAD}{modules}{own}\n__version__: str\n",
        "mlpkit/engines.pyi": f"{HEAD}{engines}",
        "mlpkit/graph/__init__.pyi": f"{HEAD}{graph}",
        "mlpkit/testing/__init__.pyi": f"{HEAD}{testing}",
        "mlpkit/layers.pyi": f"{HEAD}from typing import Any\n\n{layers}{LAYERS_TAIL}",
    }


def _imports(names: Iterable[tuple[str, str]]) -> str:
    """Return a line for each module and name, sorted as ruff does; "as" marks the name as public."""

    def kind(name: str) -> int:
        """Return 0 for a constant, 1 for a class, and 2 for anything else."""
        return 0 if name.isupper() else 1 if name[0].isupper() else 2

    in_order = sorted(names, key=lambda found: (found[0], kind(found[1]), found[1].casefold()))
    return "".join(f"from {module} import {name} as {name}\n" for module, name in in_order)
