"""Tools for plugin authors to test their components.

Names are loaded when they are first used, and type checkers read ``__init__.pyi``, as with ``mlpkit``.
"""

from __future__ import annotations

from mlpkit.lazy_names import lazy_names

_HOME_OF = {
    "CheckFailure": "mlpkit.testing.suite.check",
    "GradientMismatch": "mlpkit.testing.outside_network",
    "begin_pass": "mlpkit.testing.outside_network",
    "conformance": "mlpkit.testing.check_plugin",
    "check_gradients": "mlpkit.testing.outside_network",
    "numerical_gradient": "mlpkit.testing.outside_network",
    "standalone": "mlpkit.testing.outside_network",
}

__all__ = sorted(_HOME_OF)  # noqa: PLE0605 - the table above has the names

__getattr__, __dir__ = lazy_names(globals(), _HOME_OF)
