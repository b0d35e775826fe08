"""The engine queue."""

from mlpkit import Engine, LocalWorkers


class Queue(Engine):
    """Trains the trials one by one, in a process on this machine, and prints which one begins."""

    def start(self, most):
        """Start the process."""
        return OneByOne(1)


class OneByOne(LocalWorkers):
    """A process that trains one trial after the other."""

    def submit(self, function, directory, *, timeout=None, **arguments):
        """Hand a trial to the process."""
        (directory.parent / "queue.txt").open("a").write(f"{directory.name}\n")
        return super().submit(function, directory, timeout=timeout, **arguments)
