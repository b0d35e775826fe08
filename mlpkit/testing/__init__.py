"""Tools for plugin authors to test their components.

Names are loaded when they are first used, as those of ``mlpkit`` are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlpkit.lazy_names import lazy_names

if TYPE_CHECKING:  # "as" marks the name as public
    from mlpkit.testing.conformance_tests import conformance as conformance
    from mlpkit.testing.gradients import GradientMismatch as GradientMismatch
    from mlpkit.testing.gradients import check_gradients as check_gradients
    from mlpkit.testing.gradients import numerical_gradient as numerical_gradient
    from mlpkit.testing.outside_network import begin_pass as begin_pass
    from mlpkit.testing.outside_network import standalone as standalone
    from mlpkit.testing.suite.check import CheckFailure as CheckFailure

_HOME_OF = {
    "CheckFailure": "mlpkit.testing.suite.check",
    "GradientMismatch": "mlpkit.testing.gradients",
    "begin_pass": "mlpkit.testing.outside_network",
    "conformance": "mlpkit.testing.conformance_tests",
    "check_gradients": "mlpkit.testing.gradients",
    "numerical_gradient": "mlpkit.testing.gradients",
    "standalone": "mlpkit.testing.outside_network",
}

__all__ = sorted(_HOME_OF)  # noqa: PLE0605 - the names are those of the table above

__getattr__ = lazy_names(globals(), _HOME_OF)


def __dir__() -> list[str]:
    """List the public names."""
    return list(__all__)
