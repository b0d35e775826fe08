"""Every built-in component conforms, through the line that any author writes."""

from __future__ import annotations

from mlpkit.testing import conformance

DRAWS = "Dask's scheduler, in a thread of this process, draws from them"

test_builtins = conformance("mlpkit", expected_failures={"dask": {"the_process_is_left_alone": DRAWS}})
