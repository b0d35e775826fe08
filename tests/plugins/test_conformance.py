"""Every built-in component conforms, through the line that any author writes."""

from __future__ import annotations

from mlpkit.testing import conformance

test_builtins = conformance("mlpkit")
