"""Watches a loader: which exceptions it raises, how long it takes, and how much memory."""

from __future__ import annotations

import contextlib
import gc
import hashlib
import resource
import sys
import time
import tracemalloc
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Any

import pytest
from calibration import slowness

from fuzzing.minimize import minimized
from mlpkit.errors import MlpkitError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

BATCH = 200


@dataclass(frozen=True)
class Limits:
    """What one input may cost.

    Args:
        seconds: processor time, on a machine without other work.
        memory: bytes beyond what was in use before.
    """

    seconds: float = 1.0
    memory: int = 100_000_000


@dataclass
class Report:
    """What came of a campaign: how many inputs were refused and accepted, and the highest cost of one."""

    refused: int = 0
    accepted: int = 0
    seconds: float = 0.0
    memory: int = 0
    failures: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        """Read as a line of a table."""
        return (
            f"{self.refused + self.accepted:,} inputs, {self.refused:,} refused, {self.accepted:,} accepted; "
            f"at most {self.seconds * 1000:.0f} ms and {self.memory / 1e6:.1f} MB each"
        )


def campaign(
    load: Callable[[Path], Any],
    inputs: Iterable[bytes],
    path: Path,
    *,
    may_accept: Callable[[Any], bool] = lambda loaded: False,
    limits: Limits | None = None,
    keep: Path | None = None,
    names_file: bool = True,
) -> Report:
    """Let a loader read damaged files, and make sure that it refuses each in our own words, soon and cheaply.

    Args:
        load: reads the file at a path; whatever it returns, it has accepted the file.
        inputs: contents of the file.
        path: where to write each of them.
        may_accept: whether what was loaded is what the file says in spite of the damage; by default it never is.
        limits: what one input may cost.
        keep: a folder for inputs that fail, made as small as they can be while they still fail.
        names_file: whether each message must name the file.

    Raises:
        AssertionError: an input was accepted wrongly, raised a foreign exception, or cost too much.
    """
    report = Report()
    limits = limits or Limits()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    rest = iter(inputs)
    while batch := list(islice(rest, BATCH)):  # drawn in advance, as drawing takes longer while memory is watched
        with _memory_watched():
            for content in batch:
                fault = _examine(load, content, path, may_accept, limits, names_file, report)
                if fault:
                    report.failures.append(_kept(fault, load, content, path, may_accept, limits, names_file, keep))
        assert not report.failures, "\n".join(report.failures[:10])
    unit = 1 if sys.platform == "darwin" else 1024  # libraries in C take memory that tracemalloc doesn't see
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * unit
    assert grown <= limits.memory, f"the process grew by {grown / 1e6:.0f} MB"
    print(report)  # noqa: T201 - the figures of docs/how-it-is-tested.md
    return report


@contextlib.contextmanager
def _memory_watched() -> Iterator[None]:
    """Watch memory, and don't measure coverage meanwhile: that takes time and memory of its own."""
    tracer = sys.gettrace()
    sys.settrace(None)
    tracemalloc.start()
    try:
        yield
    finally:
        tracemalloc.stop()
        sys.settrace(tracer)


def _examine(
    load: Callable[[Path], Any],
    content: bytes,
    path: Path,
    may_accept: Callable[[Any], bool],
    limits: Limits,
    names_file: bool,
    report: Report,
) -> str:
    """Return what the loader does wrong with one input; nothing if all is well."""
    path.write_bytes(content)
    tracemalloc.reset_peak()
    begin, (in_use, _) = time.process_time(), tracemalloc.get_traced_memory()
    fault = ""
    try:
        loaded = load(path)
    except MlpkitError as error:
        report.refused += 1
        if names_file and path.name not in str(error):
            fault = f"doesn't name the file: {error}"
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt):
            raise
        fault = f"raised {type(error).__name__}: {error}"
    else:
        report.accepted += 1
        if not may_accept(loaded):
            fault = "was accepted"
    seconds = time.process_time() - begin
    memory = tracemalloc.get_traced_memory()[1] - in_use
    for _ in range(3):  # watching memory makes everything several times slower, and so does a busy machine
        if seconds > limits.seconds:
            seconds = min(seconds, _seconds_unwatched(load, path))
    report.seconds, report.memory = max(report.seconds, seconds), max(report.memory, memory)
    if seconds > limits.seconds:
        fault = fault or f"took {seconds:.2f} s"
    if memory > limits.memory:
        fault = fault or f"took {memory / 1e6:.0f} MB"
    return fault


def _seconds_unwatched(load: Callable[[Path], Any], path: Path) -> float:
    tracemalloc.stop()
    gc.collect()
    gc.freeze()  # or the loader pays for looking through all that earlier tests have left
    begin = time.process_time()
    with contextlib.suppress(Exception):
        load(path)
    seconds = (time.process_time() - begin) / slowness()
    gc.unfreeze()
    tracemalloc.start()
    return seconds


def _kept(
    fault: str,
    load: Callable[[Path], Any],
    content: bytes,
    path: Path,
    may_accept: Callable[[Any], bool],
    limits: Limits,
    names_file: bool,
    keep: Path | None,
) -> str:
    """Save the smallest input found that fails in the same way, and say where."""
    kind = fault[:25]

    def fails(smaller: bytes) -> bool:
        return _examine(load, smaller, path, may_accept, limits, names_file, Report()).startswith(kind)

    small = content if fault == "was accepted" else minimized(content, fails)
    name = hashlib.sha256(small).hexdigest()[:12] + path.suffix
    if keep is None:
        return f"{fault} [{small[:200]!r}]"
    keep.mkdir(parents=True, exist_ok=True)
    (keep / name).write_bytes(small)
    return f"{fault} [{keep / name}]"


def counts(short: int, long: int) -> pytest.MarkDecorator:
    """Return the two lengths of a suite."""
    cases = [pytest.param(short, id="short"), pytest.param(long, id="long", marks=pytest.mark.fuzz)]
    return pytest.mark.parametrize("count", cases)
