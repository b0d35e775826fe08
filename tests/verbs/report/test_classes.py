"""Predicted classes and labels, compared with scikit-learn."""

import json
import re
from dataclasses import replace

import numpy as np
import pytest
from peak_memory import with_peak
from requirements import Optional

from mlpkit.components.target import Classes, Labels
from mlpkit.verbs.report.classes import (
    calibration_of,
    confusion_matrix,
    confusion_section,
    probabilities_section,
    roc,
)
from mlpkit.verbs.report.predictions import ScoredPredictions

metrics = Optional("sklearn.metrics")
calibration_curve = Optional("sklearn.calibration", "calibration_curve")


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


SMALL = ScoredPredictions(
    "test",
    6,
    Classes(3),
    np.array([[0.8, 0.1, 0.1], [0.1, 0.7, 0.2], [0.2, 0.2, 0.6], [0.5, 0.3, 0.2], [0.1, 0.1, 0.8], [0.4, 0.5, 0.1]]),
    np.array([0, 1, 2, 1, 2, 2]),
    ("ash", "birch", "a cedar of Lebanon"),
)
"""Right but for a birch that is taken for an ash, and a cedar that is taken for a birch."""


def charts_of(part):
    return [json.loads(text) for text in re.findall(r'<script type="application/json">(.*?)</script>', part)]


def test_the_confusion_matrix_is_drawn_with_the_true_classes_down_and_as_wide_as_its_names():
    part = confusion_section(SMALL)
    (chart,) = charts_of(part)
    assert {(cell["true"], cell["predicted"]): cell["rows"] for cell in chart["data"]["values"] if cell["rows"]} == {
        ("ash", "ash"): 1,
        ("birch", "ash"): 1,
        ("birch", "birch"): 1,
        ("a cedar of Lebanon", "birch"): 1,
        ("a cedar of Lebanon", "a cedar of Lebanon"): 2,
    }
    place = chart["layer"][0]["encoding"]
    assert (place["y"]["field"], place["x"]["field"]) == ("true", "predicted")
    assert "Of 6 rows of test, 4 are predicted correctly." in part
    widths = [float(width) for width in re.findall(r"(?:max-width|--least): ([\d.]+)rem", part)]
    assert widths == pytest.approx([4 * 9.1] * 2)  # of 18 letters of 0.45 each, and 1 between cells
    narrow = confusion_section(replace(SMALL, names=("a", "b", "c")))
    assert re.findall(r"(max-width|--least): ([\d.]+)rem", narrow) == [("--least", "22"), ("max-width", "16")]


@pytest.mark.parametrize(("classes", "drawn"), [(20, 1), (21, 0)])
def test_up_to_twenty_classes_have_a_matrix(classes, drawn):
    prediction, t = np.eye(classes), np.arange(classes)
    part = confusion_section(
        ScoredPredictions("test", classes, Classes(classes), prediction, t, [str(i) for i in range(classes)])
    )
    assert len(charts_of(part)) == drawn


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


def test_precision_and_recall_by_hand():
    assert cells(confusion_section(SMALL), "By class") == [
        ["ash", "0.500", "1.000", "0.667", "1"],
        ["birch", "0.500", "0.500", "0.500", "2"],
        ["a cedar of Lebanon", "1.000", "0.667", "0.800", "3"],
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
    assert len(cells(part, "By class")) == 200


@pytest.mark.parametrize("decimals", [16, 1])
def test_roc_curves(scored, decimals):
    truth, score = scored.t == 2, scored.prediction[:, 2].round(decimals)
    alarms, hits, _ = metrics.roc_curve(truth, score, drop_intermediate=False)

    curve = roc(truth, score)

    assert np.allclose(curve.alarms, alarms)
    assert np.allclose(curve.hits, hits)
    assert curve.area == pytest.approx(metrics.roc_auc_score(truth, score))


@pytest.mark.parametrize("decimals", [16, 1])
def test_the_area_below_a_roc_curve_is_how_often_a_row_of_the_class_has_the_higher_score(scored, decimals):
    truth, score = scored.t == 2, scored.prediction[:, 2].round(decimals)
    higher = score[truth][:, None] - score[~truth]
    assert roc(truth, score).area == pytest.approx(((higher > 0) + 0.5 * (higher == 0)).mean())


@pytest.mark.parametrize(("classes", "kind"), [(2, "curve"), (3, "curves"), (4, "curve"), (11, "curve")])
def test_up_to_ten_classes_have_a_roc_curve_and_up_to_three_a_calibration_curve_each(classes, kind):
    t = np.tile(np.arange(classes), 30)
    prediction = np.full((len(t), classes), 0.05)
    prediction[np.arange(len(t)), t] = 1.05 - 0.05 * classes
    part = probabilities_section(
        ScoredPredictions("test", len(t), Classes(classes), prediction, t, [f"class {i}" for i in range(classes)])
    )
    drawn = {point["series"] for point in charts_of(part)[1]["data"]["values"] if "series" in point}
    assert f"<figcaption>Calibration {kind}</figcaption>" in part
    expected = {2: {"class 1"}, 3: {"class 0", "class 1", "class 2"}}
    assert drawn == expected.get(classes, {"all together"})
    curves = {2: "class 1", 11: "each of 10 against the rest"}.get(classes, f"each of {classes} against the rest")
    assert f"From {len(t)} rows of test: {curves}." in part


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
    truth, probability = scored.t == 1, scored.prediction[:, 1]
    share, predicted = calibration_curve(truth, probability, n_bins=10)

    found = calibration_of(truth, probability, 1)

    assert [(p, t) for p, t, _ in found] == [pytest.approx(pair) for pair in zip(predicted, share, strict=True)]
    assert sum(rows for *_, rows in found) == 300


@pytest.mark.parametrize("target", [Classes(4), Labels(4)], ids=str)
def test_reliability_is_drawn_before_and_after_calibration_with_its_error(scored, target):
    t = scored.t if isinstance(target, Classes) else np.eye(4)[scored.t]
    surer = np.square(scored.prediction) / np.square(scored.prediction).sum(axis=1, keepdims=True)
    part = probabilities_section(replace(scored, target=target, t=t, uncalibrated=surer))
    names = list(dict.fromkeys(point["series"] for point in charts_of(part)[1]["data"]["values"]))
    assert [name.split(", error ")[0] for name in names] == ["before", "after"]
    for name, p in zip(names, (surer, scored.prediction), strict=True):
        top, right = (p.max(axis=1), p.argmax(axis=1) == scored.t) if isinstance(target, Classes) else (p, t == 1)
        bins = np.minimum(top * 15, 14).astype(int)
        gaps = [abs((top - right)[bins == number].sum()) for number in range(15)]
        assert float(name.split()[-1]) == pytest.approx(sum(gaps) / top.size, abs=6e-5)
    assert "before and after" not in probabilities_section(scored)


def test_a_probability_of_one_counts_in_the_last_tenth():
    assert calibration_of(np.array([True, False]), np.array([1.0, 0.96]), 1) == [(0.98, 0.5, 2)]


def test_a_tenth_of_the_probabilities_needs_five_rows_for_a_point_of_the_curve():
    truth, probability = np.array([True, False] * 6), np.array([0.1] * 5 + [0.2, 0.29, 0.21, 0.25] + [0.999] * 3)
    assert calibration_of(truth, probability) == [(pytest.approx(0.1), 0.6, 5)]
    assert [rows for *_, rows in calibration_of(truth, probability, 1)] == [5, 4, 3]


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


@pytest.mark.parametrize(
    ("labels", "against", "captions"),
    [
        (1, "red", ["ROC curves", "Calibration curve"]),
        (2, "each of 2 against the rest", ["ROC curves", "Calibration curves"]),
    ],
)
def test_one_label_is_named_and_of_two_each_has_its_curves(labels, against, captions):
    t, p = np.repeat([[1, 0], [0, 1]], 6, axis=0)[:, :labels], np.repeat([[0.75, 0.25], [0.4, 0.6]], 6, axis=0)
    part = probabilities_section(
        ScoredPredictions("test", 12, Labels(labels), p[:, :labels], t, ("red", "round")[:labels])
    )
    assert f"<p>From 12 rows of test: {against}.</p>" in part
    assert re.findall("<figcaption>(.*?)</figcaption>", part) == captions


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


def test_points_of_both_curves_have_four_digits():
    truth, p = np.array([True] * 6 + [False] * 12), np.repeat([0.9, 0.75, 0.71234567], 6)
    p[5] = 0.1
    scored = ScoredPredictions("test", 18, Labels(1), p[:, None], truth[:, None].astype(float), ("red",))
    part = probabilities_section(scored)
    above, calibration = charts_of(part)
    points = {point["others"]: point["found"] for point in above["data"]["values"] if "series" in point}
    assert [*points] == [round((i / 40) ** 2, 4) for i in range(41)]
    assert (points[0.0], points[0.0625], points[1.0]) == (0.8333, 0.8333, 1.0)
    assert [above["layer"][1]["encoding"][axis]["title"] for axis in "xy"] == [
        "false positive rate",
        "true positive rate",
    ]
    curve = [(point["predicted"], point["true"]) for point in calibration["data"]["values"] if "series" in point]
    assert curve == [(0.7312, 0.0), (0.9, 1.0)]
    titles = [calibration["layer"][1]["encoding"][axis]["title"] for axis in "xy"]
    assert titles == ["predicted probability", "observed frequency"]
    error = (abs(p[6:].sum()) + 0.5 + abs(0.1 - 1)) / 18
    ((name, area, share, mean, shown),) = cells(part, "calibration error")
    assert (name, area, share, mean) == ("red", "0.8333", f"{6 / 18:.4f}", f"{p.mean():.4f}")
    assert float(shown) == pytest.approx(error, abs=6e-5)
    assert "<p>From 18 rows of test: red.</p>" in part
    assert "<p>ROC curves: the nearer to the upper left corner, the better the order of the probabilities." in part


def test_labels_are_predicted_from_a_half_on_and_what_all_rows_have_has_no_curve():
    t, p = np.array([[1, 1, 0], [1, 0, 0]]), np.array([[0.5, 0.49, 0.5], [0.49, 0.5, 0.2]])
    scored = ScoredPredictions("test", 9, Labels(3), p, t, ("a", "b", "c"))
    part = confusion_section(scored)
    assert "<p>Of 2 of 9 rows of test.</p>" in part
    assert cells(part, "By label") == [
        ["a", "1.000", "0.500", "0.667", "2"],
        ["b", "0.000", "0.000", "0.000", "1"],
        ["c", "0.000", "", "0.000", "0"],
    ]
    assert [row[0] for row in cells(probabilities_section(scored), "calibration error")] == ["b"]


@pytest.mark.parametrize(("classes", "caption"), [(200, "By class"), (201, "By class, the first 200")])
def test_up_to_two_hundred_classes_have_their_scores(classes, caption):
    scored = ScoredPredictions(
        "test", classes, Classes(classes), np.eye(classes), np.arange(classes), [*map(str, range(classes))]
    )
    part = confusion_section(scored)
    assert f"<caption>{caption}</caption>" in part
    assert len(cells(part, caption)) == 200
    assert 'data-value="199"' in part
