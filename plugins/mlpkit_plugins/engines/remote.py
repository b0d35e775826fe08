"""The base of the built-in engines, whose workers need a package."""

from __future__ import annotations

from importlib import import_module
from typing import Any, ClassVar

from mlpkit import Engine, UsageError


class Remote(Engine):
    """An engine whose workers need a package; the extra of mlpkit that installs it has the engine's name.

    Attributes:
        package: the name of the package in messages.
    """

    package: ClassVar[str]

    def load(self) -> Any:
        """Return the module of the workers, such as ``dask_workers`` next to ``dask``.

        Raises:
            UsageError: the package is missing.
        """
        try:
            return import_module(f"{type(self).__module__}_workers")
        except ImportError as error:
            name = self.registered_name
            raise UsageError(
                f'the engine {name} needs {self.package}; install it with: pip install "mlpkit[{name}]"'
            ) from error
