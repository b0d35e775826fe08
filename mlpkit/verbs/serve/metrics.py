"""Counts and times of requests, in the text format of Prometheus."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Final

SECONDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""The upper ends of the histogram's buckets, those that Prometheus suggests and one below."""
BATCH: Final = (1, 2, 4, 8, 16, 32, 64, 128, 256)

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"


class Histogram:
    """How many values are up to each of some limits, and their sum."""

    def __init__(self, limits: tuple[float, ...]) -> None:
        self._limits, self._counts, self._sum = limits, [0] * (len(limits) + 1), 0.0

    def add(self, value: float) -> None:
        """Count a value."""
        self._counts[bisect_left(self._limits, value)] += 1
        self._sum += value

    def lines(self, name: str) -> Iterable[str]:
        """Return its lines in the text format."""
        total = 0
        for limit, count in zip((*self._limits, "+Inf"), self._counts, strict=True):
            total += count
            yield f'{name}_bucket{{le="{limit}"}} {total}'
        yield f"{name}_sum {self._sum}"
        yield f"{name}_count {total}"


class Metrics:
    """What happened since the server began."""

    def __init__(self) -> None:
        self.answers: Counter[tuple[str, int]] = Counter()
        self.rows: Counter[tuple[str, str]] = Counter()
        self.reloads: Counter[tuple[str, str]] = Counter()
        self.seconds, self.batches = Histogram(SECONDS), Histogram(BATCH)

    def text(self, gauges: Mapping[str, tuple[str, Mapping[str, float]]]) -> str:
        """Return all of it; ``gauges`` are further values by name: a text, and a value for each set of labels."""
        lines = _counter(
            "mlpkit_requests_total", "Answers, by path and status.", _labelled(self.answers, "path", "status")
        )
        lines += _counter("mlpkit_rows_total", "Rows predicted, by model.", _labelled(self.rows, "model", "version"))
        lines += _counter(
            "mlpkit_reloads_total",
            "Changed files, by whether they could be loaded.",
            _labelled(self.reloads, "model", "result"),
        )
        for name, help_text, histogram in (
            ("mlpkit_request_seconds", "Times from the request's head to the end of the answer.", self.seconds),
            ("mlpkit_batch_requests", "Requests computed together.", self.batches),
        ):
            lines += [f"# HELP {name} {help_text}", f"# TYPE {name} histogram", *histogram.lines(name)]
        for name, (help_text, values) in gauges.items():
            lines += [f"# HELP {name} {help_text}", f"# TYPE {name} gauge"]
            lines += [f"{name}{labels} {value}" for labels, value in values.items()]
        return "\n".join(lines) + "\n"


def _counter(name: str, help_text: str, values: Mapping[str, float]) -> list[str]:
    samples = [f"{name}{labels} {value}" for labels, value in values.items()]
    return [f"# HELP {name} {help_text}", f"# TYPE {name} counter", *samples]


def _labelled(
    counts: Mapping[tuple[str, str | int], int] | Counter[tuple[str, int]] | Counter[tuple[str, str]], *names: str
) -> dict[str, float]:
    return {labels(**dict(zip(names, map(str, key), strict=True))): count for key, count in counts.items()}


def labels(**values: str) -> str:
    """Return labels as the text format has them."""
    escaped = {
        name: value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n") for name, value in values.items()
    }
    return "{" + ",".join(f'{name}="{value}"' for name, value in escaped.items()) + "}"
