"""Placeholders for packages that aren't installed, as Sphinx mocks imports.

With them, pages describe the components that need an extra wherever they are written. Only for a process that does
nothing else: a component that is imported with a placeholder can't work.
"""

from __future__ import annotations

import sys
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final
from unittest.mock import MagicMock

if TYPE_CHECKING:
    from collections.abc import Sequence

PACKAGES: Final = {
    *("PIL", "alembic", "distributed", "mlflow", "mpi4py", "onnx", "onnxruntime"),
    *("pyarrow", "sqlalchemy", "submitit", "tensorboardX", "wandb"),
}
"""What built-in components import from extras."""


class _Placeholder(ModuleType):
    __path__: Sequence[str] = ()

    def __getattr__(self, name: str) -> Any:
        return MagicMock(name=name)


class _Placeholders(MetaPathFinder, Loader):
    def find_spec(self, name: str, path: object = None, target: object = None) -> ModuleSpec | None:
        return ModuleSpec(name, self) if name.partition(".")[0] in PACKAGES else None

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        return _Placeholder(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        """Leave it empty."""


def use_placeholders() -> None:
    """Let every import of an extra's package succeed."""
    sys.meta_path.append(_Placeholders())
