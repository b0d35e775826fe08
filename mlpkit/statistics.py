"""What a few runs show about all such runs: intervals of a mean and tests of a difference, by Student's t."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

PRECISION: Final = 1e-15
"""Relative error at which the continued fraction and the bisection stop."""
FEWEST_UNPAIRED: Final = 3
"""Values on each side for Welch's test: with two, chance alone seems to be more in up to 12 of 100 cases, not in 5."""


@dataclass(frozen=True)
class Interval:
    """The mean of a sample and the confidence interval of the mean behind it.

    Args:
        n: how many values there are.
        mean: their arithmetic mean.
        std: their standard deviation, with n - 1; None if it is unknown: of one value, or with one that is not finite.
        low: lower end of the interval; None if ``std`` is.
        high: upper end of the interval; None if ``std`` is.
        level: how often such an interval holds the mean behind the sample, 0.95 for 95 %.
    """

    n: int
    mean: float
    std: float | None
    low: float | None
    high: float | None
    level: float = 0.95

    @property
    def half_width(self) -> float | None:
        """Half the length of the interval, the number after ±; None if the interval is unknown."""
        return None if self.low is None or self.high is None else (self.high - self.low) / 2


@dataclass(frozen=True)
class Difference:
    """The difference of two means, its confidence interval, and how likely chance alone makes one as large.

    Args:
        mean: mean of the first sample minus mean of the second.
        low: lower end of the interval; None if it is unknown: too few values, or one that is not finite.
        high: upper end of the interval; None if ``low`` is.
        p_value: how likely a difference at least as large is if the means behind them are the same; None if ``low`` is.
        level: how often such an interval holds the difference behind the samples.
    """

    mean: float
    low: float | None
    high: float | None
    p_value: float | None
    level: float = 0.95

    @property
    def beyond_chance(self) -> bool | None:
        """Whether the interval leaves 0 out; None if it is unknown."""
        return None if self.p_value is None else self.p_value < 1 - self.level


def interval(values: Sequence[float]) -> Interval:
    """Return the mean of values, at least one, and its 95 % confidence interval, mean ± t · std / √n.

    The values are taken as independent and roughly normal, as a metric over seeds is.
    """
    values = [float(value) for value in values]
    mean = _mean(values)
    if len(values) == 1 or not math.isfinite(mean):
        return Interval(len(values), mean, None, None, None)
    std = statistics.stdev(values)
    half = _half_width(std / math.sqrt(len(values)), len(values) - 1, 0.95)
    return Interval(len(values), mean, std, mean - half, mean + half)


def difference(
    a: Sequence[float], b: Sequence[float], *, paired: bool, folds: bool = False, level: float = 0.95
) -> Difference:
    """Return the difference of two means, and whether it is more than chance.

    Args:
        a: the first sample.
        b: the second.
        paired: whether a[i] and b[i] belong together, as runs with the same seed do: the test is then the t-test of
            their differences; otherwise it is Welch's, which lets the two samples spread differently and needs three
            values of each.
        folds: whether the pairs are the n folds of a cross-validation. Their trainings share rows, so that the results
            are not independent: the variance of the mean difference is (1/n + 1/(n - 1)) · std² in place of std² / n.
        level: how often such an interval is to hold the difference behind the samples.

    Source: Nadeau and Bengio, Inference for the Generalization Error, Machine Learning 52 (2003), for folds.
    """
    a, b = [float(value) for value in a], [float(value) for value in b]
    mean = _mean([x - y for x, y in zip(a, b, strict=True)]) if paired else _mean(a) - _mean(b)
    if min(len(a), len(b)) < (2 if paired else FEWEST_UNPAIRED) or not math.isfinite(mean):
        return Difference(mean, None, None, None, level)
    error, df = _paired_error(a, b, folds) if paired else _welch_error(a, b)
    half = _half_width(error, df, level)
    # Samples without any spread differ for certain or not at all.
    p_value = two_tails(abs(mean) / error, df) if error else float(mean == 0)
    return Difference(mean, mean - half, mean + half, p_value, level)


def holm(p_values: Sequence[float]) -> list[float]:
    """Return the p-values of several tests, corrected so that chance makes any of them small as rarely as a single one.

    In ascending order, from p[0] on, p[i] of m tests becomes the largest of (m - j) · p[j] for j ≤ i, and at most 1.

    Source: Holm, A simple sequentially rejective multiple test procedure, Scandinavian Journal of Statistics 6 (1979).
    """
    corrected, largest = [0.0] * len(p_values), 0.0
    for rank, i in enumerate(sorted(range(len(p_values)), key=lambda i: p_values[i])):
        largest = max(largest, min(1.0, (len(p_values) - rank) * p_values[i]))
        corrected[i] = largest
    return corrected


def chi_square_tail(x: float, df: int) -> float:
    """Return how likely a chi-square variable with ν degrees of freedom is at least x: Q(ν / 2, x / 2).

    Q is the incomplete gamma function: Q(1/2, y) = erfc(√y), Q(1, y) = exp(-y), and Q(a + 1, y) = Q(a, y) + exp(-y) yᵃ
    / Γ(a + 1).
    """
    y = x / 2
    if y <= 0:
        return 1.0
    first = math.erfc(math.sqrt(y)) if df % 2 else math.exp(-y)
    terms = (a * math.log(y) - y - math.lgamma(a + 1) for a in (df % 2 / 2 + i for i in range(1 - df % 2, df // 2)))
    return min(1.0, first + sum(map(math.exp, terms)))


def fisher_exact(a: int, b: int, n: int, m: int) -> float:
    """Return the two-sided p-value of Fisher's exact test: twice the smaller tail, and at most 1.

    Of the first sample, which has the size n, a have a property; of the second, of size m, b have it.
    """
    total = a + b

    def log_choose(n: int, k: int) -> float:
        return math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)

    if b * (n + m) < total * m:  # the smaller tail is where b is larger than expected, seen from one of the samples
        a, b, n, m = b, a, m, n
    term = math.exp(log_choose(m, b) + log_choose(n, a) - log_choose(n + m, total))
    tail, k = term, b
    while term > PRECISION * tail and k < min(total, m):
        term *= (total - k) * (m - k) / ((k + 1) * (n - total + k + 1))
        tail, k = tail + term, k + 1
    return min(1.0, 2 * tail)


def wilson(share: float, n: float) -> tuple[float, float]:
    """Return the 95 % confidence interval of a share of n independent rows: where |share - p| ≤ z · √(p (1 - p) / n).

    Source: Wilson, Probable Inference, the Law of Succession, and Statistical Inference (1927).
    """
    z = statistics.NormalDist().inv_cdf(0.975)
    middle, half = share + z * z / (2 * n), z * math.sqrt(share * (1 - share) / n + (z / (2 * n)) ** 2)
    return max(0.0, (middle - half) / (1 + z * z / n)), min(1.0, (middle + half) / (1 + z * z / n))


def t_quantile(probability: float, df: float) -> float:
    """Return the t that a Student's t with ``df`` degrees of freedom stays below with a probability, by bisection."""
    tails = 2 * min(probability, 1 - probability)
    low, high = 0.0, 1.0
    while two_tails(high, df) > tails:
        low, high = high, 2 * high
    while high - low > PRECISION * high:
        middle = (low + high) / 2
        if middle in (low, high):
            break
        low, high = (middle, high) if two_tails(middle, df) > tails else (low, middle)
    return math.copysign((low + high) / 2, probability - 0.5)


def two_tails(t: float, df: float) -> float:
    """Return how likely a Student's t with ν degrees of freedom is at least t in size: I(ν / (ν + t²); ν/2, 1/2).

    I is the regularized incomplete beta function.
    """
    if math.isinf(t):
        return 0.0
    inside, outside = df / (df + t * t), t * t / (df + t * t)
    return _regularized_beta(inside, outside, df / 2, 0.5)


def _mean(values: Sequence[float]) -> float:
    """Return the mean, correctly rounded; the sum if a value is not finite."""
    return statistics.mean(values) if all(map(math.isfinite, values)) else sum(values)


def _half_width(error: float, df: float, level: float) -> float:
    return error * t_quantile((1 + level) / 2, df) if error else 0.0


def _paired_error(a: Sequence[float], b: Sequence[float], folds: bool) -> tuple[float, float]:
    """Return the standard error of the mean difference, and its degrees of freedom."""
    std, df = statistics.stdev([x - y for x, y in zip(a, b, strict=True)]), len(a) - 1
    return std * math.sqrt(1 / len(a) + (1 / df if folds else 0)), df


def _welch_error(a: Sequence[float], b: Sequence[float]) -> tuple[float, float]:
    """Return the standard error of the difference of the means, and its degrees of freedom by Welch-Satterthwaite."""
    first, second = statistics.stdev(a) / math.sqrt(len(a)), statistics.stdev(b) / math.sqrt(len(b))
    error = math.hypot(first, second)
    if not error:
        return 0.0, len(a) + len(b) - 2
    shares = (first / error) ** 4 / (len(a) - 1) + (second / error) ** 4 / (len(b) - 1)
    return error, 1 / shares


def _regularized_beta(x: float, complement: float, a: float, b: float) -> float:
    """Return I(x; a, b); ``complement`` is 1 - x, which may be too small to be a difference."""
    if x == 0 or complement == 0:
        return float(complement == 0)
    if x > (a + 1) / (a + b + 2):
        return 1 - _regularized_beta(complement, x, b, a)
    logarithm = a * math.log(x) + b * math.log(complement)
    logarithm += math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b)
    return math.exp(logarithm) / (a * _beta_fraction(x, a, b))


def _beta_fraction(x: float, a: float, b: float) -> float:
    """Return the continued fraction 1 + d₁/(1 + d₂/(1 + ...)) of the incomplete beta, by Lentz's method.

    Source: Press et al., Numerical Recipes, 3rd edition, section 6.4.
    """
    value, numerators, denominators = 1.0, 1.0, 0.0
    step, factor = 0, 0.0
    while abs(factor - 1) > PRECISION:
        step += 1
        m = step // 2
        if step % 2:
            d = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        else:
            d = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        denominators = 1 / (1 + d * denominators)
        numerators = 1 + d / numerators
        factor = numerators * denominators
        value *= factor
    return value
