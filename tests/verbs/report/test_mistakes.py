"""The rows that are predicted most wrongly."""

import numpy as np

from mlpkit.components.target import Classes, Labels, Values
from mlpkit.verbs.report.predictions import ScoredPredictions, mistakes_section, worst_rows

CLASSES = ScoredPredictions(
    "test",
    5,
    Classes(2),
    np.array([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4], [0.3, 0.7], [0.05, 0.95]]),
    np.array([0, 0, 1, 1, 0]),
    ("no", "yes"),
)


def test_wrong_classes_come_in_the_order_of_their_confidence():
    assert worst_rows(CLASSES).tolist() == [4, 1, 2]


def test_wrong_rows_are_shown_with_their_columns():
    rows = worst_rows(CLASSES)

    part = mistakes_section(CLASSES, rows, {"age": [41, 21, None], "town": ["<A>", "B", "C"]}, np.arange(5) * 2)

    assert "<td>8</td>" in part
    assert '<td class="text">no</td><td class="text">yes</td><td>95.0%</td><td>41</td><td>&lt;A&gt;</td>' in part
    assert "<td>60.0%</td><td></td><td>C</td>" in part


def test_wrong_images_are_shown_as_images():
    part = mistakes_section(CLASSES, worst_rows(CLASSES), np.zeros((3, 4, 4), np.uint8), np.arange(5))

    assert part.count("<img") == 3
    assert "true no, predicted yes, at 95.0%" in part


def test_inputs_without_names_are_left_out():
    part = mistakes_section(CLASSES, worst_rows(CLASSES), np.zeros((3, 4)), np.arange(5))

    assert part.count("<th ") == 4


def test_no_mistake_is_said():
    right = ScoredPredictions("test", 1, Classes(2), np.array([[0.9, 0.1]]), np.array([0]), ("no", "yes"))

    rows = worst_rows(right)

    assert not len(rows)
    assert "No mistake among 1 rows of test." in mistakes_section(right, rows, None, np.arange(1))


def test_residuals_count_in_deviations_of_their_own_value():
    true = np.array([[0.0, 0.0], [2.0, 2000.0], [4.0, 4000.0]])
    predicted = true + np.array([[0.0, 100.0], [3.0, 0.0], [0.0, 0.0]])
    scored = ScoredPredictions("test", 3, Values((2,)), predicted, true, ("width", "price"))

    rows = worst_rows(scored)

    assert rows.tolist() == [1, 0]
    part = mistakes_section(scored, rows, None, np.arange(3))
    assert "<td>2.0000</td><td>5.0000</td><td>2000</td><td>2000</td>" in part


def test_the_label_that_is_most_wrong_counts():
    t, prediction = np.array([[1, 0], [1, 1]]), np.array([[0.9, 0.6], [0.1, 0.8]])
    scored = ScoredPredictions("test", 2, Labels(2), prediction, t, ("red", "round"))

    rows = worst_rows(scored)

    assert rows.tolist() == [1, 0]
    part = mistakes_section(scored, rows, None, np.arange(2))
    assert '<td class="text">red</td><td class="text">yes</td><td>10.0%</td>' in part
    assert '<td class="text">round</td><td class="text">no</td><td>60.0%</td>' in part
