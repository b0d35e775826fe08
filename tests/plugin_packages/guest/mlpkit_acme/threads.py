"""The engine threads."""

from concurrent.futures import ThreadPoolExecutor
from typing import Annotated

from annotated_types import Ge

from mlpkit import Engine, StopRequest
from mlpkit.engines import available_cores


class Threads(Engine):
    """Trains trials in threads of the process that drives the sweep.

    Args:
        count: how many trials train at once.
    """

    def __init__(self, count: Annotated[int, Ge(1)] = 2):
        self.count = count

    def start(self, most):
        """Start the threads."""
        return _Pool(min(self.count, most or self.count))


class _Pool:
    """Threads that train trials."""

    def __init__(self, count):
        self.count = count
        self.threads = max(1, available_cores() // count)
        self._pool = ThreadPoolExecutor(count)
        self._requests = set()

    def submit(self, function, directory, timeout=None, **arguments):
        """Have a thread train a trial."""
        request = StopRequest()
        self._requests.add(request)
        future = self._pool.submit(function, directory, **arguments, stop=request)
        future.add_done_callback(lambda _: self._requests.discard(request))
        return future

    def stop(self):
        """Ask all trials to stop."""
        for request in list(self._requests):
            request.stop("stopped")

    def shutdown(self):
        """End the threads."""
        self._pool.shutdown()
