"""Every component passes the conformance checks of its kind, one test per check."""

from mlpkit.testing import conformance

test_survival = conformance("survival")
