"""Predicted classes and labels, compared with scikit-learn."""

import re

import numpy as np
import pytest
from peak_memory import with_peak
from requirements import require_package

from mlpkit.components.target import Classes, Labels
from mlpkit.verbs.report.classes import (
    calibration_error,
    calibration_of,
    confusion_matrix,
    confusion_section,
    probabilities_section,
    roc,
)
from mlpkit.verbs.report.predictions import ScoredPredictions

metrics = require_package("sklearn.metrics")


@pytest.fixture(scope="module")
def scored():
    rng = np.random.default_rng(0)
    t = rng.integers(0, 4, 300)
    logits = rng.normal(size=(300, 4)) + 1.5 * np.eye(4)[t]
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    return ScoredPredictions("test", 300, Classes(4), probabilities, t, ("ash", "birch", "cedar", "<elm>"))


def cells(part, caption=""):
    table = part[part.index(caption) :]
    table = table[: table.index("</table>")]
    return [re.findall(r"<td[^>]*>(.*?)</td>", row) for row in re.findall(r"<tr>(.*?)</tr>", table)[1:]]


def test_the_confusion_matrix(scored):
    expected = metrics.confusion_matrix(scored.t, scored.prediction.argmax(axis=1))

    assert confusion_matrix(scored).tolist() == expected.tolist()


def test_one_hot_targets_are_classes_too(scored):
    one_hot = ScoredPredictions(
        "test", 300, Classes(4, one_hot=True), scored.prediction, np.eye(4)[scored.t], scored.names
    )

    assert confusion_matrix(one_hot).tolist() == confusion_matrix(scored).tolist()


def test_precision_and_recall_by_class(scored):
    predicted = scored.prediction.argmax(axis=1)
    expected = metrics.precision_recall_fscore_support(scored.t, predicted)

    rows = cells(confusion_section(scored), "By class")

    assert [row[0] for row in rows] == ["ash", "birch", "cedar", "&lt;elm&gt;"]
    assert [row[1:] for row in rows] == [
        [*(f"{value:.3f}" for value in figures), str(count)] for *figures, count in zip(*expected, strict=True)
    ]


def test_a_class_that_is_never_predicted_has_no_precision():
    prediction = np.array([[0.9, 0.1, 0.0]] * 3)
    scored = ScoredPredictions("test", 3, Classes(3), prediction, np.array([0, 0, 1]), ("a", "b", "c"))

    assert cells(confusion_section(scored), "By class") == [
        ["a", "0.667", "1.000", "0.800", "2"],
        ["b", "", "0.000", "0.000", "1"],
        ["c", "", "", "", "0"],
    ]


def test_a_hundred_thousand_classes_take_no_matrix_of_them():
    prediction = np.zeros((8, 100_000), np.float32)
    prediction[range(8), [0, 1, 2, 3, 7, 7, 99_999, 99_999]] = 1
    t = np.array([0, 1, 2, 3, 4, 4, 5, 99_999])
    scored = ScoredPredictions("test", 8, Classes(100_000), prediction, t, [*map(str, range(100_000))])

    part, peak = with_peak(lambda: confusion_section(scored))

    assert peak < 3 * prediction.nbytes
    assert "8 rows of test, 5 are predicted correctly" in part
    assert cells(part, "Most common mistakes") == [["4", "7", "2"], ["5", "99999", "1"]]
    assert len(cells(part, "By class")) == 200


def test_of_many_classes_the_commonest_mistakes_are_listed():
    t = np.repeat(np.arange(30), 2)
    prediction = np.eye(30)[t]
    prediction[[10, 11]] = np.eye(30)[7]
    names = [f"class {i}" for i in range(30)]

    part = confusion_section(ScoredPredictions("test", 60, Classes(30), prediction, t, names))

    assert cells(part, "Most common mistakes") == [["class 5", "class 7", "2"]]


@pytest.mark.parametrize("decimals", [16, 1])
def test_roc_curves(scored, decimals):
    truth, score = scored.t == 2, scored.prediction[:, 2].round(decimals)
    alarms, hits, _ = metrics.roc_curve(truth, score, drop_intermediate=False)

    curve = roc(truth, score)

    assert np.allclose(curve.alarms, alarms)
    assert np.allclose(curve.hits, hits)
    assert curve.area == pytest.approx(metrics.roc_auc_score(truth, score))


def test_a_roc_curve_at_any_share_of_false_alarms(scored):
    curve = roc(scored.t == 2, scored.prediction[:, 2].round(1))
    shares = np.linspace(0, 1, 17)

    above = curve.hits_at(shares)

    assert np.allclose(above, np.interp(shares, *_without_jumps(curve)), atol=1e-9)
    assert above[-1] == 1


def _without_jumps(curve):
    """Return the last point of each vertical piece, a little to the right of the others."""
    last = np.append(np.diff(curve.alarms) > 0, True)
    return curve.alarms[last], curve.hits[last]


def test_calibration(scored):
    curve = require_package("sklearn.calibration").calibration_curve
    truth, probability = scored.t == 1, scored.prediction[:, 1]
    share, predicted = curve(truth, probability, n_bins=10)

    found = calibration_of(truth, probability, 1)

    assert [(p, t) for p, t, _ in found] == [pytest.approx(pair) for pair in zip(predicted, share, strict=True)]
    assert sum(rows for *_, rows in found) == 300


def test_a_probability_of_one_counts_in_the_last_tenth():
    assert calibration_of(np.array([True, False]), np.array([1.0, 0.96]), 1) == [(0.98, 0.5, 2)]


def test_the_calibration_error():
    truth = np.array([True, True, False, False])
    probability = np.array([0.95, 0.95, 0.95, 0.05])

    assert calibration_error(truth, probability) == pytest.approx(0.75 * (0.95 - 2 / 3) + 0.25 * 0.05)


def test_probabilities_in_numbers(scored):
    rows = cells(probabilities_section(scored), "calibration error")

    areas = [metrics.roc_auc_score(scored.t == i, scored.prediction[:, i]) for i in range(4)]
    assert [row[1] for row in rows] == [f"{area:.4f}" for area in areas]


def test_names_are_texts_and_figures_are_numbers(scored):
    table = probabilities_section(scored).partition("calibration error")[2]
    rows = re.findall(r"<tr>(.*?)</tr>", table)[1:]
    assert len(rows) == 4
    for row in rows:
        assert [' class="text"' in cell for cell in re.findall(r"<td[^>]*>", row)] == [True] + 4 * [False]


def test_of_two_classes_the_second_is_drawn():
    prediction = np.array([[0.8, 0.2], [0.3, 0.7], [0.6, 0.4]])
    scored = ScoredPredictions("test", 3, Classes(2), prediction, np.array([0, 1, 1]), ("no", "yes"))

    assert [row[:2] for row in cells(probabilities_section(scored), "calibration error")] == [["yes", "1.0000"]]


def test_labels_are_judged_each_by_itself():
    t, prediction = np.array([[1, 0], [1, 1], [0, 0]]), np.array([[0.9, 0.2], [0.4, 0.8], [0.1, 0.3]])
    scored = ScoredPredictions("test", 3, Labels(2), prediction, t, ("red", "round"))

    assert cells(confusion_section(scored), "By label") == [
        ["red", "1.000", "0.500", "0.667", "2"],
        ["round", "1.000", "1.000", "1.000", "1"],
    ]
    assert [row[:2] for row in cells(probabilities_section(scored), "calibration error")] == [
        ["red", "1.0000"],
        ["round", "1.0000"],
    ]


def test_too_few_rows_for_a_calibration_curve_draw_none():
    scored = ScoredPredictions(
        "test", 2, Classes(2), np.array([[0.8, 0.2], [0.3, 0.7]]), np.array([0, 1]), ("no", "yes")
    )

    shown = probabilities_section(scored)

    assert shown.count("<figure") == 1
    assert "No calibration curve: no tenth of the probabilities has 5 rows." in shown


def test_one_class_alone_has_no_curves():
    scored = ScoredPredictions("test", 2, Classes(2), np.array([[0.8, 0.2]] * 2), np.array([0, 0]), ("no", "yes"))

    assert probabilities_section(scored) == ""
