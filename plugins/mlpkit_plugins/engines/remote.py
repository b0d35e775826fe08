"""What the built-in engines share: the module of their workers needs a package, an extra of mlpkit."""

from __future__ import annotations

from importlib import import_module
from typing import Any, ClassVar

from mlpkit import Engine, UsageError


class Remote(Engine):
    """An engine whose workers are in a module that needs a package; the extra has the engine's name.

    Attributes:
        package: the package, as it calls itself.
        module: the module.
    """

    package: ClassVar[str]
    module: ClassVar[str]

    def load(self) -> Any:
        """Return the module.

        Raises:
            UsageError: the package is missing.
        """
        try:
            return import_module(self.module)
        except ImportError as error:
            name = self.registered_name
            raise UsageError(
                f'the engine {name} needs {self.package}; install it with: pip install "mlpkit[{name}]"'
            ) from error
