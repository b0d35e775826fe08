"""Three hundred digits learned by heart, and what helps against it.

python specs/from_scratch/overfitting.py [--to FILE] [--set KEY=VALUE]
"""

from __future__ import annotations

from lesson import Lesson, main

from mlpkit.pages import charts, parts

REMEDIES = {
    "Nothing": [],
    "Weight decay": ["training.optimizer.sgd.weight_decay=0.1"],
    "Dropout": ["vars.dropout=0.2"],
}


def histories(lesson: Lesson) -> dict[str, list[dict[str, float]]]:
    """Return the evaluations of a training with each remedy."""
    return {name: lesson.train(*changes).history for name, changes in REMEDIES.items()}


def make(lesson: Lesson) -> str:
    """Return the page."""
    found = histories(lesson)
    figures = [
        charts.figure(f"{name}: {', '.join(REMEDIES[name]) or 'the spec as it is'}", accuracies(history))
        for name, history in found.items()
    ]
    rows = [
        [name, *(f"{value:.3f}" for value in (last[0], last[1], last[0] - last[1]))]
        for name, history in found.items()
        for last in [(history[-1]["train_accuracy"], history[-1]["validation_accuracy"])]
    ]
    return lesson.page(
        "Overfitting, weight decay and dropout",
        "A network with six hidden layers learns 300 digits by heart: it knows them all, and one in five new ones not. "
        "Weight decay and dropout bring the two closer.",
        [
            parts.section("Accuracy on the 300 digits, and on 5,000 new ones", parts.beside(*figures, least=16)),
            parts.section(
                "At the end",
                parts.table(["remedy", "training", "validation", "gap"], rows, texts=[0]),
            ),
        ],
        formula="Weight decay:  w ← w − η ( ∂L/∂w + λ w )\nDropout:  y = x m / (1 − p),  m = 0 with probability p, else 1",
        notice=[
            "Without a remedy, accuracy on the training digits reaches 100 %, and the gap stays. More epochs don't help.",
            "Weight decay keeps weights small, and dropout keeps units from relying on each other. With either, the "
            "network can't learn every digit by heart, and the gap gets smaller.",
            "A smaller gap is not a better network: look at the accuracy on new digits. A remedy that is too strong "
            "makes both worse.",
        ],
        experiments={
            "run --set training.optimizer.sgd.weight_decay=0.03": "A weaker decay is better on new digits than none.",
            "run --set vars.dropout=0.5": "Half of the units dropped in each of six layers is too much here.",
            "--set data.mnist.train=3000 --set training.epochs=30": "Ten times the data helps more than any remedy.",
        },
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
