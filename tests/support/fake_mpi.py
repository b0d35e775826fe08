"""A part of mpi4py whose messages go nowhere, so that a test decides what arrives, when, and what fails."""

from __future__ import annotations


class FakeRequest:
    """A communication that is done, or never will be."""

    def __init__(self, item=None, *, done=True):
        self.item, self.done = item, done

    def Test(self):  # noqa: N802 - mpi4py's name
        return self.done

    def test(self):
        return self.done, self.item


class FakeMessage(FakeRequest):
    """A message that has been announced."""

    def irecv(self):
        return self


class FakeWorld:
    """One of several ranks, of which the others say nothing."""

    def __init__(self, rank=0, size=2):
        self.rank, self.size = rank, size
        self.aborted = None

    def Get_rank(self):  # noqa: N802
        return self.rank

    def Get_size(self):  # noqa: N802
        return self.size

    def Dup(self):  # noqa: N802
        return self

    def Split_type(self, kind):  # noqa: N802
        return self

    def Free(self):  # noqa: N802
        pass

    def Abort(self, code):  # noqa: N802
        self.aborted = code

    def Ibcast(self, array, root):  # noqa: N802
        return FakeRequest()

    def allgather(self, item):
        return [item] * self.size

    def allreduce(self, item, op):
        return item

    def isend(self, item, dest, tag=0):
        return FakeRequest()

    def iprobe(self, tag):
        return False

    def improbe(self, source):
        return None


class FakeMpi:
    """The module ``mpi4py.MPI``."""

    COMM_TYPE_SHARED = MIN = None
    IN_PLACE, SUM = "in place", "sum"

    class Exception(RuntimeError):  # noqa: A001, N818 - mpi4py's name
        """What every function of MPI raises."""

    def __init__(self, world):
        self.COMM_WORLD = world
