"""Intervals and tests of a difference, beside SciPy's and on simulated metrics."""

import itertools
import math
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from requirements import Optional

from mlpkit.statistics import chi_square_tail, difference, fisher_exact, holm, interval, t_quantile, two_tails, wilson

stats = Optional("scipy.stats")

DEGREES_OF_FREEDOM = (1, 1.5, 2, 4, 9.3, 30, 250, 5000)
SIMULATED = 1200


@pytest.mark.parametrize("df", DEGREES_OF_FREEDOM)
def test_the_distribution_is_scipys(df):
    for t in (0.0, 1e-3, 0.4, 1.0, 2.7, 3.2, 40.0, 60.0, 1e6):
        assert two_tails(t, df) == pytest.approx(2 * stats.t.sf(t, df), rel=1e-10)


def test_nothing_is_as_far_out_as_infinity():
    assert [two_tails(t, 2.5) for t in (math.inf, -math.inf)] == [0, 0]


def test_one_degree_of_freedom_is_the_cauchy_distribution():
    for t in (1e-9, 0.3, 1.0, 5.0, 1e9):
        assert two_tails(t, 1) == pytest.approx(2 * math.atan(1 / t) / math.pi, rel=1e-14)


@pytest.mark.parametrize("df", DEGREES_OF_FREEDOM)
def test_quantiles_are_scipys(df):
    for probability in (1e-6, 0.025, 0.3, 0.5, 0.8, 0.975, 0.9995):
        expected = stats.t.ppf(probability, df)
        assert t_quantile(probability, df) == pytest.approx(expected, rel=1e-8, abs=1e-12)


@given(st.floats(0.5, 1e4), st.floats(0, 1e8))
def test_any_distribution_is_scipys(df, t):
    assert two_tails(t, df) == pytest.approx(2 * stats.t.sf(t, df), rel=1e-8, abs=1e-300)


def test_the_tabulated_quantile():
    assert t_quantile(0.975, 4) == pytest.approx(2.7764451051977987, rel=1e-12)


def test_an_interval_is_scipys():
    values = [0.9712, 0.9698, 0.9731, 0.9705, 0.9722]
    found = interval(values)
    low, high = stats.t.interval(0.95, 4, np.mean(values), stats.sem(values))
    assert (found.low, found.high) == pytest.approx((low, high), rel=1e-12)
    assert (found.n, found.mean, found.std) == (
        5,
        pytest.approx(np.mean(values)),
        pytest.approx(np.std(values, ddof=1)),
    )
    assert (found.half_width, found.level) == (pytest.approx((high - low) / 2), 0.95)


def test_a_difference_is_scipys():
    a, b = [0.91, 0.94, 0.92, 0.95], [0.90, 0.89, 0.93, 0.91, 0.905]
    expected = stats.ttest_ind(a, b, equal_var=False)
    found = difference(a, b, paired=False)
    assert found.p_value == pytest.approx(expected.pvalue, rel=1e-10)
    assert (found.low, found.high) == pytest.approx(tuple(expected.confidence_interval()), rel=1e-9)
    assert found.mean == pytest.approx(np.mean(a) - np.mean(b))


def test_a_paired_difference_is_scipys():
    a, b = [0.91, 0.94, 0.92, 0.95], [0.90, 0.935, 0.91, 0.947]
    expected = stats.ttest_rel(a, b)
    found = difference(a, b, paired=True)
    assert found.p_value == pytest.approx(expected.pvalue, rel=1e-10)
    assert (found.low, found.high) == pytest.approx(tuple(expected.confidence_interval()), rel=1e-9)
    assert found.beyond_chance
    assert not difference(a, b, paired=False).beyond_chance


@pytest.mark.parametrize("paired", [True, False])
def test_a_level_widens_the_interval_and_decides_what_is_beyond_chance(paired):
    a, b = [0.91, 0.94, 0.92, 0.95], [0.9, 0.921, 0.91, 0.9175]
    expected = (stats.ttest_rel if paired else lambda a, b: stats.ttest_ind(a, b, equal_var=False))(a, b)
    for level in (0.8, 0.99):
        found = difference(a, b, paired=paired, level=level)
        assert (found.low, found.high) == pytest.approx(tuple(expected.confidence_interval(level)), rel=1e-9)
        assert found.beyond_chance == (expected.pvalue < 1 - level) == (level == 0.8)


@pytest.mark.parametrize(("right", "rows"), [(0, 7), (3, 7), (7, 7), (1, 1), (950, 1000)])
def test_the_interval_of_a_share_is_scipys(right, rows):
    expected = stats.binomtest(right, rows).proportion_ci(method="wilson")
    assert wilson(right / rows, rows) == pytest.approx(tuple(expected), abs=1e-12)
    low, high = wilson(right / rows, rows)
    assert 0 <= low < high <= 1


def test_folds_spread_more_as_nadeau_and_bengio_say():
    a, b = [0.93, 0.95, 0.9, 0.97, 0.92], [0.9, 0.94, 0.91, 0.93, 0.9]
    found, differences = difference(a, b, paired=True, folds=True), np.subtract(a, b)
    error = np.sqrt((1 / 5 + 1 / 4) * differences.var(ddof=1))  # a fold has a quarter of the rows of the others
    assert found.p_value == pytest.approx(2 * stats.t.sf(differences.mean() / error, 4))
    assert found.high - found.mean == pytest.approx(stats.t.ppf(0.975, 4) * error)


@pytest.mark.parametrize("n", [2, 5, 20])
def test_95_of_100_intervals_hold_the_mean(n):
    rng = np.random.default_rng(n)
    intervals = [interval(rng.normal(0.97, 0.003, n).tolist()) for _ in range(SIMULATED)]
    assert 0.93 <= np.mean([each.low <= 0.97 <= each.high for each in intervals]) <= 0.97


@pytest.mark.parametrize("paired", [True, False])
def test_chance_is_called_more_than_chance_5_times_in_100(paired):
    rng = np.random.default_rng(18)
    spreads = (0.003, 0.003) if paired else (0.003, 0.009)
    tests = [
        difference(*(rng.normal(0.97, spread, 5).tolist() for spread in spreads), paired=paired)
        for _ in range(SIMULATED)
    ]
    assert 0.035 <= np.mean([each.beyond_chance for each in tests]) <= 0.065


def test_a_large_difference_is_seen():
    rng = np.random.default_rng(3)
    tests = [difference(rng.normal(0, 1, 5).tolist(), rng.normal(4, 1, 5).tolist(), paired=False) for _ in range(200)]
    assert np.mean([each.beyond_chance for each in tests]) > 0.95


def test_the_interval_leaves_0_out_if_the_p_value_is_below_5_percent():
    rng = np.random.default_rng(4)
    for paired in (True, False):
        for _ in range(200):
            found = difference(rng.normal(0, 1, 4).tolist(), rng.normal(1, 2, 4).tolist(), paired=paired)
            assert found.beyond_chance == (not found.low <= 0 <= found.high)


def test_one_value_has_no_interval():
    found = interval([0.5])
    assert (found.n, found.mean) == (1, 0.5)
    assert (found.std, found.low, found.high, found.half_width) == (None, None, None, None)


def test_welchs_test_of_few_values_mistakes_chance_for_more_in_few_cases():
    """With two values on a side it would in up to 12 of 100 cases; with three and many more, in up to 8."""
    rng = np.random.default_rng(5)
    for others, spread in ((3, 1), (10, 1), (10, 10), (20, 0.3)):
        draws = [(rng.normal(0, spread, 3).tolist(), rng.normal(0, 1, others).tolist()) for _ in range(SIMULATED)]
        assert np.mean([difference(a, b, paired=False).beyond_chance for a, b in draws]) <= 0.09
    assert difference([0.5, 0.6], [0.4, 0.3, 0.5], paired=False).p_value is None
    assert difference([0.5, 0.6], [0.4, 0.3], paired=True).p_value is not None


@pytest.mark.parametrize(("a", "b"), [([0.5], [0.4, 0.3]), ([0.5, 0.6], [0.4])])
def test_one_value_beside_others_has_a_difference_without_a_test(a, b):
    found = difference(a, b, paired=False)
    assert found.mean == pytest.approx(sum(a) / len(a) - sum(b) / len(b))
    assert (found.low, found.high, found.p_value, found.beyond_chance) == (None, None, None, None)


def test_equal_values_are_their_mean_to_the_bit():
    for value in (0.1, 1 / 3, 0.9137, 1e-30, 7e300):
        for n in range(2, 12):
            found = interval([value] * n)
            assert (found.mean, found.std, found.low, found.high) == (value, 0.0, value, value)


def test_equal_samples_do_not_differ_and_samples_without_spread_do():
    for paired in (True, False):
        same = difference([0.1] * 3, [0.1] * 3, paired=paired)
        assert (same.mean, same.low, same.high, same.p_value) == (0, 0, 0, 1)
        other = difference([0.5] * 3, [0.25] * 3, paired=paired)
        assert (other.mean, other.low, other.high, other.p_value) == (0.25, 0.25, 0.25, 0)


def test_one_sample_without_spread_counts_the_spread_of_the_other():
    expected = stats.ttest_1samp([0.4, 0.6, 0.3], 0.5)
    assert difference([0.5] * 3, [0.4, 0.6, 0.3], paired=False).p_value == pytest.approx(expected.pvalue)


@pytest.mark.parametrize("value", [math.inf, -math.inf, math.nan])
def test_a_value_that_is_not_finite_makes_the_mean_so_and_the_interval_unknown(value):
    found = interval([0.5, value, 0.7])
    assert found.mean == pytest.approx(value, nan_ok=True)
    assert (found.std, found.low, found.high) == (None, None, None)
    other = difference([0.5, value], [0.5, 0.6], paired=False)
    assert other.mean == pytest.approx(value, nan_ok=True)
    assert (other.low, other.high, other.p_value) == (None, None, None)


def test_order_of_the_sides_turns_the_sign():
    a, b = [0.91, 0.94, 0.92], [0.90, 0.89, 0.93]
    first, second = difference(a, b, paired=False), difference(b, a, paired=False)
    assert (first.mean, first.low, first.high) == (-second.mean, -second.high, -second.low)
    assert first.p_value == second.p_value


def test_statistics_need_no_numpy():
    code = "import sys, mlpkit.statistics; print({'numpy', 'scipy'} & set(sys.modules))"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert answer.stdout == "set()\n"


def test_p_values_are_corrected_as_holm_says():
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.6, 0.7]) == [1.0, 1.0]
    assert holm([0.03]) == [0.03]
    assert holm([]) == []


@given(st.lists(st.floats(0, 1), min_size=1, max_size=6))
def test_a_corrected_p_value_is_the_largest_of_all_sets_of_tests_with_it(p_values):
    """Holm's method is the closed test with Bonferroni's: a hypothesis falls if all sets that hold it do."""
    tests = range(len(p_values))
    sets = [chosen for size in tests for chosen in itertools.combinations(tests, size + 1)]
    for i, corrected in enumerate(holm(p_values)):
        expected = max(min(1.0, len(chosen) * min(p_values[j] for j in chosen)) for chosen in sets if i in chosen)
        assert corrected == pytest.approx(expected)


@example(0.0, 3)
@example(0.0, 4)
@given(st.floats(0, 3000), st.integers(1, 1200))
def test_the_tail_of_chi_square_is_scipy_s(x, df):
    assert chi_square_tail(x, df) == pytest.approx(stats.chi2.sf(x, df), rel=1e-9, abs=1e-300)


@given(st.integers(1, 4000), st.integers(1, 4000), st.data())
def test_fisher_s_exact_test_doubles_the_smaller_tail(n, m, data):
    a, b = data.draw(st.integers(0, n)), data.draw(st.integers(0, m))
    drawn = stats.hypergeom(n + m, a + b, m)
    expected = min(1.0, 2 * min(drawn.cdf(b), drawn.sf(b - 1)))
    assert fisher_exact(a, b, n, m) == pytest.approx(expected, rel=1e-7, abs=1e-250)
    assert fisher_exact(b, a, m, n) == pytest.approx(fisher_exact(a, b, n, m))
