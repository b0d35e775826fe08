# Written by docs/generate.py.
from mlpkit.testing.check_plugin import conformance as conformance
from mlpkit.testing.outside_network import GradientMismatch as GradientMismatch
from mlpkit.testing.outside_network import begin_pass as begin_pass
from mlpkit.testing.outside_network import check_gradients as check_gradients
from mlpkit.testing.outside_network import numerical_gradient as numerical_gradient
from mlpkit.testing.outside_network import standalone as standalone
from mlpkit.testing.suite.check import CheckFailure as CheckFailure
