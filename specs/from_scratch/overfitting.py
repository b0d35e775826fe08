"""Overfitting on three hundred digits, and remedies.

python specs/from_scratch/overfitting.py [--to FILE] [--set KEY=VALUE]
"""

from __future__ import annotations

from lesson import Lesson, main

from mlpkit.pages import charts, parts

REMEDIES = {
    "Nothing": [],
    "Weight decay 0.1": ["training.optimizer.sgd.weight_decay=0.1"],
    "Dropout 0.2": ["vars.dropout=0.2"],
}


def histories(lesson: Lesson) -> dict[str, list[dict[str, float]]]:
    """Train with each remedy, and return the histories."""
    return {name: lesson.train(*changes).history for name, changes in REMEDIES.items()}


def make(lesson: Lesson) -> str:
    """Return the page."""
    by_remedy = histories(lesson)
    figures = [charts.figure(name, accuracies(history)) for name, history in by_remedy.items()]
    rows = [
        [name, f"{train:.3f}", f"{validation:.3f}", f"{train - validation:.3f}"]
        for name, history in by_remedy.items()
        for train, validation in [(history[-1]["train_accuracy"], history[-1]["validation_accuracy"])]
    ]
    return lesson.page(
        parts.section(
            "Accuracy on training digits and on new ones",
            parts.beside(*figures, least=16),
            parts.table(["remedy", "training", "validation", "gap"], rows, caption="At the end", texts=[0]),
        )
    )


def accuracies(history: list[dict[str, float]]) -> charts.Chart:
    """Return the curves of the accuracy on training and on validation data."""
    points = [
        {"epoch": record["epoch"], "accuracy": record[f"{split}_accuracy"], "series": split}
        for split in ("train", "validation")
        for record in history
    ]
    return charts.curves(points, "epoch", "accuracy", domain=(0, 1.05))


if __name__ == "__main__":
    main(make)
