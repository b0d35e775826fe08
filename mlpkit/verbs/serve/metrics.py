"""Counts and times of requests, in the text format of Prometheus."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable
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

    def samples(self) -> Iterable[str]:
        """Yield its samples in the text format, without the name."""
        total = 0
        for limit, count in zip((*self._limits, "+Inf"), self._counts, strict=True):
            total += count
            yield f'_bucket{{le="{limit}"}} {total}'
        yield f"_sum {self._sum}"
        yield f"_count {total}"


class Metrics:
    """What happened since the server began."""

    def __init__(self) -> None:
        self.answers, self.rows, self.reloads = (Counter[tuple[object, object]]() for _ in range(3))
        self.seconds, self.batches = Histogram(SECONDS), Histogram(BATCH)

    def text(self, waiting: int) -> str:
        """Return all of it, with the number of requests that wait."""
        lines = _family("waiting_requests", "gauge", "Requests that wait to be computed.", [f" {waiting}"])
        for name, about, counts, labels in (
            ("requests_total", "Answers, by path and status.", self.answers, ("path", "status")),
            ("rows_total", "Rows predicted, by model.", self.rows, ("model", "version")),
            ("reloads_total", "Changed files, by whether they could be loaded.", self.reloads, ("model", "result")),
        ):
            samples = (f"{_labels(labels, key)} {count}" for key, count in counts.items())
            lines += _family(name, "counter", about, samples)
        seconds = "Times from the request's head to the end of the answer."
        lines += _family("request_seconds", "histogram", seconds, self.seconds.samples())
        lines += _family("batch_requests", "histogram", "Requests computed together.", self.batches.samples())
        return "\n".join(lines) + "\n"


def _family(name: str, kind: str, about: str, samples: Iterable[str]) -> list[str]:
    name = f"mlpkit_{name}"
    return [f"# HELP {name} {about}", f"# TYPE {name} {kind}", *(f"{name}{sample}" for sample in samples)]


def _labels(names: Iterable[str], values: Iterable[object]) -> str:
    texts = (str(value).replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n") for value in values)
    return "{" + ",".join(f'{name}="{text}"' for name, text in zip(names, texts, strict=True)) + "}"
