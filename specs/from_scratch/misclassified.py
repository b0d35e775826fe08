"""The test images that a network gets wrong.

python specs/from_scratch/misclassified.py [--to FILE] [--set KEY=VALUE]
"""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple

import numpy as np
from lesson import Lesson, main

import mlpkit
from mlpkit.pages import charts, parts

SHOWN = 27


class Mistakes(NamedTuple):
    """Images that a network gets wrong, the most confident mistake first, with label, answer and its probability."""

    images: np.ndarray
    labels: np.ndarray
    answers: np.ndarray
    probabilities: np.ndarray


def mistakes(lesson: Lesson) -> tuple[Mistakes, float]:
    """Return the mistakes on the test images, and the accuracy."""
    network = lesson.train().network
    x, t = mlpkit.load_data(lesson.spec(), "test")
    probabilities = network.predict(x)
    answers, sure = probabilities.argmax(axis=1), probabilities.max(axis=1)
    wrong = np.flatnonzero(answers != t)
    wrong = wrong[np.argsort(-sure[wrong], kind="stable")]
    return Mistakes(x[wrong], t[wrong], answers[wrong], sure[wrong]), 1 - len(wrong) / len(t)


def make(lesson: Lesson) -> str:
    """Return the page."""
    wrong, accuracy = mistakes(lesson)
    shown = [(255 * (1 - image.reshape(28, 28))).astype(np.uint8) for image in wrong.images[:SHOWN]]
    captions = [
        f"{label}, taken for {answer} ({probability:.0%})"
        for label, answer, probability in zip(wrong.labels, wrong.answers, wrong.probabilities, strict=True)
    ]
    pairs = Counter(zip(wrong.labels.tolist(), wrong.answers.tolist(), strict=True))
    cells = [
        {"answer": str(answer), "digit": str(label), "mistakes": pairs[label, answer]}
        for label in range(10)
        for answer in range(10)
    ]
    return lesson.page(
        parts.section(
            f"The {len(shown)} most confident of {len(wrong.images)} mistakes",
            parts.pictures(shown, captions[:SHOWN], least=5.5),
            parts.paragraph(f"Accuracy on the test images: {accuracy:.3f}"),
        ),
        parts.section(
            "Which digit is taken for which",
            charts.figure(
                "How often a digit (row) is taken for another (column)",
                charts.heatmap(cells, "answer", "digit", "mistakes", titles=("answer", "digit")),
            ),
        ),
    )


if __name__ == "__main__":
    main(make)
