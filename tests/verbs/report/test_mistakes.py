"""The rows that are predicted most wrongly."""

import re

import numpy as np
import pytest

from mlpkit.components.target import Classes, Labels, Values
from mlpkit.verbs.report.predictions import ScoredPredictions, mistakes_section, worst_outputs, worst_rows

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


def cells(part):
    rows = re.findall(r"<tr[^>]*>(.*?)</tr>", part)
    return [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row) for row in rows]


def test_fifteen_rows_have_thirty_columns_of_sixty_letters_each():
    probabilities = np.array([[0.5 + i / 100, 0.5 - i / 100] for i in range(1, 41)])
    scored = ScoredPredictions("test", 90, Classes(2), probabilities, np.ones(40, int), ("no", "yes"))
    raw = {f"c{i}": [f"{i}.{row}" for row in range(24)] for i in range(31)}
    raw |= {"c0": ["x" * 60] * 24, "c1": ["y" * 61] * 24, "c2": [1234567.8] * 24, "c3": [1234567] * 24}
    rows = worst_rows(scored)
    assert rows.tolist() == [39 - i for i in range(24)]
    part = mistakes_section(scored, rows, raw, np.arange(40) * 100, "<p>why</p>")
    headings, first, *rest = cells(part)
    assert headings == ["row", "true", "predicted", "at", *(f"c{i}" for i in range(30))]
    assert first[:8] == ["3,900", "yes", "no", "90.0%", "x" * 60, "y" * 59 + "…", "1.23457e+06", "1234567"]
    assert (len(rest), rest[-1][8:10]) == (14, ["4.14", "5.14"])
    assert "<p>Among 40 of 90 rows of test. Rows of test count from 0.</p>" in part
    assert part.endswith("<p>why</p>\n</section>")
    assert '<table class="sortable">' in part
    assert "<p>Among 40 of 90 rows of test.</p>" in mistakes_section(
        scored, rows, np.zeros((24, 4, 4), np.uint8), np.arange(40)
    )


def test_a_value_that_is_the_same_in_all_rows_counts_as_it_is():
    true = np.array([[5.0, 0.0], [5.0, 4.0]])
    scored = ScoredPredictions("test", 2, Values((2,)), true + np.array([[0.25, 1.0], [0.75, 1.0]]), true, ("a", "b"))
    assert worst_rows(scored).tolist() == [1, 0]
    assert worst_outputs(scored, np.array([1, 0])) == [0, 1]
    assert worst_outputs(CLASSES, np.array([4, 1])) == [0, 0]


@pytest.mark.parametrize(("p", "has", "wrong"), [(0.5, 1, 0), (0.5, 0, 0), (0.49, 1, 1), (0.49, 0, 0), (0.51, 0, 1)])
def test_a_label_is_predicted_from_a_half_on(p, has, wrong):
    scored = ScoredPredictions("test", 1, Labels(1), np.array([[p]]), np.array([[has]]), ("red",))
    assert len(worst_rows(scored)) == wrong


def test_of_one_value_the_columns_have_no_name():
    true = np.array([[10.0], [20.0]])
    scored = ScoredPredictions("test", 2, Values((1,)), true + 5, true, ("price",))
    part = mistakes_section(scored, worst_rows(scored), None, np.arange(2))
    assert cells(part) == [["row", "true", "predicted"], ["0", "10.00", "15.00"], ["1", "20.00", "25.00"]]
    assert "Largest residuals" in part
    assert 'class="text"' not in part
