"""Setting the number of BLAS threads for a while."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def blas_threads(count: int) -> Iterator[None]:
    """Run matrix products on that many threads inside the block, and on as many as before after it.

    Args:
        count: number of threads.
    """
    from threadpoolctl import threadpool_limits  # noqa: PLC0415 - only work on arrays needs it

    with threadpool_limits(limits=count, user_api="blas"):
        yield
