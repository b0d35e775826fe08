"""Whether columns are distributed as in training."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from requirements import Optional

import mlpkit
from mlpkit import RawColumn
from mlpkit.jobs.drift import count_alike, count_column, counts_from_plain, drift, drift_of
from mlpkit.jobs.load_model import load_run

stats = Optional("scipy.stats")


def column(values, name="x", *, holds=""):
    """Return a column of values; None is a missing one."""
    texts = list(dict.fromkeys(str(value) for value in values if value is not None))
    numbered = not any(isinstance(value, str) for value in values)
    codes = [-1 if value is None else texts.index(str(value)) for value in values]
    numbers = np.array(list(map(float, texts))) if numbered else None
    return RawColumn(name, "input", texts, numbers, {"new": np.array(codes, np.int32)}, holds=holds)


def compare(then, now, level=0.01, **options):
    return drift_of([count_column(column(then, **options))], [column(now, **options)], level)[0]


RNG = np.random.default_rng(0)
NUMBERS = RNG.integers(0, 1000, 2000).tolist()
COLOURS = [("red", "green", "blue")[i % 3] for i in range(2000)]


@given(st.lists(st.one_of(st.none(), st.integers(-3, 3), st.floats(-1e6, 1e6)), min_size=20, max_size=80))
def test_rows_of_training_have_not_drifted_from_themselves(values):
    found = compare(values, values[::-1])
    assert (found.moved, found.p_value, found.drifted) == (0.0, 1.0, False)


@given(st.lists(st.sampled_from("abcde"), min_size=30, max_size=60), st.permutations("abcde"))
def test_what_categories_are_called_makes_no_difference(values, names):
    renamed = [names["abcde".index(value)] for value in values]
    half = len(values) // 2
    one, other = compare(values[:half], values[half:]), compare(renamed[:half], renamed[half:])
    assert one.p_value == pytest.approx(other.p_value)
    assert one.moved == pytest.approx(other.moved)


SAMPLES = {
    "alike": NUMBERS[:300],
    "shifted": [number + 60 for number in NUMBERS[:300]],
    "every other bin fuller": [number for i, number in enumerate(NUMBERS[:600]) if i % 2 or number // 100 % 2],
}


@pytest.mark.parametrize("now", SAMPLES.values(), ids=SAMPLES)
def test_the_p_value_is_that_of_scipy(now):
    found, m = compare(NUMBERS, now), len(now)
    counts = np.array([found.then.counts, found.now.counts])
    together = stats.chi2_contingency(counts, correction=False)
    worst = int(np.argmax((counts[1] - counts.sum(axis=0) * m / (2000 + m)) ** 2 / counts.sum(axis=0)))
    of_bin = stats.hypergeom(2000 + m, int(counts[:, worst].sum()), m)
    alone = 2 * min(of_bin.cdf(counts[1, worst]), of_bin.sf(counts[1, worst] - 1))
    expected = min(1, 2 * min(together.pvalue, counts.shape[1] * min(1, alone)))
    assert found.p_value == pytest.approx(expected, rel=1e-9)
    assert found.moved == pytest.approx(np.abs(counts[0] / 2000 - counts[1] / m).sum() / 2)


@pytest.mark.parametrize("draw", ["numbers", "few numbers", "many categories", "ids"])
def test_chance_alone_rarely_looks_like_drift(draw):
    rng, alarms = np.random.default_rng(1), 0
    for _ in range(150):
        ids = rng.permutation(600)
        rows = {
            "numbers": ids.tolist(),
            "few numbers": rng.poisson(0.3, 600).tolist(),
            "many categories": [f"c{value}" for value in rng.zipf(1.5, 600)],
            "ids": [f"id {value}" for value in ids],
        }[draw]
        alarms += compare(rows[:500], rows[500:], level=0.05).drifted
    assert alarms <= 13  # 150 x 0.05 = 7.5; more than 13 in 2 of 100 cases


def test_a_new_category_is_found_and_named():
    found = compare(COLOURS, ["mauve"] * 4 + COLOURS[:196])
    assert found.drifted
    assert found.now.unseen == {"mauve": 4}
    assert found.moved == pytest.approx(0.02)


def test_more_missing_values_are_found():
    assert compare(NUMBERS, [None] * 6 + NUMBERS[:194]).drifted
    assert not compare([*NUMBERS, *[None] * 60], [None] * 6 + NUMBERS[:194]).drifted


def test_numbers_that_many_rows_have_are_counted_apart():
    then = [1] * 970 + [0] * 15 + [5] * 15
    assert count_column(column(then)).edges == (0.0, 1.0)
    assert compare(then, [1] * 80 + [0] * 20).drifted


def test_the_least_number_has_a_bin_if_many_rows_have_it():
    counts = count_column(column([0] * 50 + list(range(1, 51))))
    assert (counts.edges, counts.counts) == ((0.0, 1.0, 11.0, 21.0, 31.0, 41.0), (50, 1, 10, 10, 10, 10, 9))


RARE = (7, 3, 7, 3)


def test_bins_in_which_just_five_rows_are_expected_are_not_joined():
    then, now = ([v for v in range(1, 11) for _ in range(6 if v % 2 == odd else 4)] for odd in (1, 0))
    assert compare(then, now).moved == pytest.approx(0.2)
    then, now = (
        "a" * 40 + "b" * 40 + "".join(c * n for c, n in zip("cdef", rare, strict=True)) for rare in (RARE, RARE[::-1])
    )
    assert compare(then, now).moved == pytest.approx(0.08)


def test_columns_are_corrected_together_and_the_most_drifted_is_first():
    names = [f"c{i}" for i in range(8)]
    shifted = {"c3": 400, "c5": 90}
    new = [column([value + shifted.get(name, 0) for value in NUMBERS[:250]], name) for name in names]
    found = drift_of([count_column(column(NUMBERS, name)) for name in names], new, 0.01)
    assert [each.then.name for each in found][:2] == ["c3", "c5"]
    alone = drift_of([count_column(column(NUMBERS, "c5"))], new, 0.01)[0]
    assert found[1].p_value == pytest.approx(7 * alone.p_value)
    for level, least, drifted in (
        (0.01, 0.2, False),
        (0.01, alone.moved, True),
        (alone.p_value, 0.0, False),
        (1.01 * alone.p_value, 0.0, True),
    ):
        (again,) = drift_of([count_column(column(NUMBERS, "c5"))], new, level, least)
        assert again.drifted is drifted


def test_a_column_as_plain_data():
    numbers = compare([1, 2, 2, 3, 3, 3, 4, 5, 6, 7] * 6 + [None] * 3, [2, 3, 9, 9, None] * 5).to_plain()
    assert numbers == {
        "name": "x",
        "role": "input",
        "drifted": True,
        "p_value": pytest.approx(2.60708948947e-05),
        "moved": pytest.approx(10 / 25 + 5 / 25 - 3 / 63 - 6 / 63),
        "bins": ("up to 1", "to 2", "to 3", "to 4", "to 5", "to 6", "to 7", "above 7"),
        "then": {"counts": (6, 12, 18, 6, 6, 6, 6, 0), "others": 0, "missing": 3},
        "now": {"counts": (0, 5, 5, 0, 0, 0, 0, 10), "others": 0, "missing": 5, "unseen": {}},
    }
    then, now = "a" * 30 + "b" * 20 + "cc" + "ddd", "aaa" + "b" * 18 + "c" + "eef"
    texts = compare([*then, None], [*now]).to_plain()
    assert (texts["bins"], texts["drifted"]) == (("a", "b", "d", "c"), True)
    assert texts["then"] == {"counts": (30, 20, 3, 2), "others": 0, "missing": 1}
    assert texts["now"] == {"counts": (3, 18, 0, 1), "others": 0, "missing": 0, "unseen": {"e": 2, "f": 1}}


def test_rare_categories_are_joined_until_five_rows_are_expected_in_a_bin():
    then, now = [*"aaaaaaaaaabbbbbbbbbbccddd"] * 4, [*"aaaaaaaaaabbbbbbbbccccdee"] * 4
    found = compare(then, now)
    a, b, c, d, e = (np.array([then.count(name), now.count(name)]) for name in "abcde")
    together = stats.chi2_contingency(np.array([a, b, c, d, e]).T, correction=False)  # 8 rows are 4 of each sample
    joined = stats.chi2_contingency(np.array([a, b, c, d + e]).T, correction=False)
    assert together.pvalue < joined.pvalue
    alone = 5 * stats.fisher_exact([[0, 8], [100, 92]]).pvalue
    assert found.p_value == pytest.approx(min(1, 2 * min(joined.pvalue, alone)))


@pytest.mark.parametrize(("differing", "again", "named"), [(20, 0, 20), (21, 0, 0), (30, 30, 30), (31, 29, 0)])
def test_texts_are_counted_by_name_if_few_of_them_differ(differing, again, named):
    counts = count_column(column([*(f"id {i}" for i in range(differing)), *["id 0"] * again]))
    assert (len(counts.names), counts.others) == (named, 0 if named else differing + again)


def test_beyond_a_thousand_categories_the_rarest_are_counted_together():
    values = [f"c{i:04}" for i in range(1002)]
    counts = count_column(column([*values * 2, *values[:1001]]))
    assert (len(counts.names), counts.counts[-1], counts.others, counts.rows) == (1000, 3, 5, 3005)
    found = count_alike(counts, column(["c0007", "c1001", "new", None]))
    assert (sum(found.counts), found.others, found.missing, dict(found.unseen)) == (1, 2, 1, {})


def test_few_rows_are_not_tested():
    found = compare(NUMBERS, [5000] * 19)
    assert (found.p_value, found.moved, found.drifted) == (None, 0.0, False)
    assert compare(NUMBERS, [5000] * 20).drifted


@pytest.mark.parametrize("holds", ["", "dates"])
def test_of_dates_and_of_texts_that_differ_only_missing_ones_count(holds):
    then = [f"2024-{1 + i % 12:02}-{1 + i // 12:02}" for i in range(300)]
    now = [f"2025-01-{1 + i % 28:02}" for i in range(100)]
    then = [*then, *then, *then] if holds else [*then, *then[:20]]
    counts = count_column(column(then, holds=holds))
    assert counts.names == ()
    assert counts.others == counts.rows
    assert not compare(then, now, holds=holds).drifted
    assert compare(then, [*now[:80], *[None] * 20], holds=holds).drifted


def test_numbers_can_be_categories():
    then = [str(i % 4) for i in range(400)]
    numbers = RawColumn(
        *("code", "input", list("0123"), np.arange(4.0)), {"new": np.array(list(map(int, then)))}, holds="categories"
    )
    assert count_column(numbers).names == ("0", "1", "2", "3")


def test_texts_in_place_of_numbers_are_not_counted():
    assert count_alike(count_column(column([1.5, 2.5, 3.5])), column(["a", "b"])) is None


WRITTEN = count_column(column(NUMBERS))._asdict()


@pytest.mark.parametrize("values", [NUMBERS, COLOURS, [None] * 5, [f"id {i}" for i in range(99)]])
def test_counts_come_back_from_json(values):
    counts = count_column(column(values))
    assert counts_from_plain(json.loads(json.dumps(counts._replace(unseen={})._asdict()))) == counts


@pytest.mark.parametrize(
    "change",
    [
        {"counts": [1, 2]},
        {"counts": [-1] * 10},
        {"counts": [True] * 10},
        {"edges": ["a"] * 9},
        {"missing": 1.5},
        {"unseen": {"a": 1}},
        {"more": 1},
        {"name": None},
    ],
)
def test_counts_that_mlpkit_does_not_write_are_refused(change):
    plain = json.loads(json.dumps(WRITTEN | {"unseen": {}}))
    with pytest.raises(ValueError, match="column"):
        counts_from_plain(plain | change)


@pytest.fixture
def of_arrays(tmp_path):
    """Return a function that trains on arrays, and compares the inputs with some that are ten times as far from 0."""

    def compared(x, t, layers, **options):
        np.savez(tmp_path / "data.npz", x=x, t=t)
        np.save(tmp_path / "new.npy", 10 * x[:40])
        data = {"npz": {"file": str(tmp_path / "data.npz"), "validation": 0, "test": 0.25, **options}}
        training = {"optimizer": "sgd", "batch_size": 30, "epochs": 1}
        spec = mlpkit.load_spec({"mlpkit": 1, "data": data, "layers": layers, "training": training})
        run = mlpkit.run(spec, tmp_path / "run")
        report = drift(load_run(run.folder), run.folder, tmp_path / "new.npy", "new.npy", 0.01, 0.0)
        predicted = [run.network.predict(each) for each in (mlpkit.load_data(spec, "test")[0], 10 * x[:40])]
        return report, mlpkit.load_data(spec)[0], predicted

    return compared


X = RNG.normal(size=(160, 101)).astype(np.float32)


def expect_counts(found, then, now):
    """Check the counts of a column of numbers against those of its values."""
    expected = count_column(column(then.astype(float).tolist()))
    assert (found.then.edges, found.then.counts) == (expected.edges, expected.counts)
    assert found.now.counts == count_alike(expected, column(now.astype(float).tolist())).counts


def test_of_labels_the_least_sure_probability_is_compared(of_arrays):
    t = (X[:, :3] > 0.5).astype(int)
    report, _, predicted = of_arrays(X[:, :4], t, [{"Affine": {"units": 3}}, "SigmoidWithLoss"], predict="labels")
    (found,) = (each for each in report.columns if each.then.role == "model")
    assert found.then.name == "least sure probability"
    expect_counts(found, *(np.maximum(p, 1 - p).min(axis=1) for p in predicted))
    assert (report.rows, report.training_rows, report.notes) == (40, 120, ())


@pytest.mark.parametrize("width", [100, 101])
def test_up_to_a_hundred_inputs_and_ten_values_are_compared_one_by_one(width, of_arrays):
    x = X[:, :width]
    layers = [{"Affine": {"units": 12}}, "MeanSquaredError"]
    report, trained, (predicted, now) = of_arrays(x, X[:, :12], layers, predict="values")
    found = {(each.then.role, each.then.name): each for each in report.columns}
    new = 10 * x[:40]
    expected = {("model", f"{i} predicted"): (predicted[:, i], now[:, i]) for i in range(10)}
    if width == 100:
        expected |= {("input", f"input {i}"): (trained[:, i], new[:, i]) for i in range(100)}
    else:
        expected[("input", "mean of a row")] = trained.mean(axis=1), new.mean(axis=1)
        expected[("input", "standard deviation of a row")] = trained.std(axis=1), new.std(axis=1)
    assert found.keys() == expected.keys()
    for key, values in expected.items():
        expect_counts(found[key], *values)
