"""False-alarm rates of the statistical tests, in one place.

Seeds are fixed, so a test passes always or never; the rate says how often a right program meets an unlucky
seed. (Not called `statistics`, which would hide the standard library's module.)
"""

import math

import numpy as np
from scipy.special import gammaincc, ndtr

FALSE_ALARM = 1e-6
MIN_EXPECTED = 10.0  # rarer cells are merged, so that chi-square's tail holds


def chi_square_tail(statistic, degrees):
    """Probability of a chi-square of `degrees` degrees of freedom above `statistic`."""
    return float(gammaincc(degrees / 2, statistic / 2))


def chi_square_p(counts, expected):
    """p of Pearson's test that `counts` are multinomial with means `expected` (scaled to the same total)."""
    counts = np.asarray(counts, float).ravel()
    expected = np.asarray(expected, float).ravel()
    expected = expected * (counts.sum() / expected.sum())
    rare = expected < MIN_EXPECTED
    if rare.all():
        raise ValueError(f"no cell expects {MIN_EXPECTED} counts: take more samples or fewer cells")
    if rare.any():
        counts = np.append(counts[~rare], counts[rare].sum())
        expected = np.append(expected[~rare], expected[rare].sum())
    return chi_square_tail(((counts - expected) ** 2 / expected).sum(), len(counts) - 1)


def normal_p(z):
    """Two-sided p of a standard normal deviate."""
    return float(2 * ndtr(-abs(z)))


def correlation_p(a, b):
    """p of no correlation between any bit of the words `a` (uint64) and any bit of `b`: 4,096 pairs."""
    plus_minus = [
        2 * np.unpackbits(words.view(np.uint8)).reshape(-1, 64).astype(np.float32) - 1 for words in (a, b)
    ]
    sums = plus_minus[0].T @ plus_minus[1]  # exact: integers below 2^24
    return chi_square_tail((sums.astype(float) ** 2).sum() / len(a), 64 * 64)


def serial_p(a, b):
    """p of independent, uniform upper six bits of the words `a` and `b` (uint64): 4,096 cells."""
    cells = (a >> np.uint64(58)) * np.uint64(64) + (b >> np.uint64(58))
    return chi_square_p(np.bincount(cells.astype(np.int64), minlength=4096), np.ones(4096))


def avalanche_p(a, b):
    """p of the words `a` and `b` (uint64) differing in a binomial number of bits."""
    counts = np.bincount(np.bitwise_count(a ^ b), minlength=65)
    return chi_square_p(counts, [math.comb(64, k) / 2.0**64 for k in range(65)])


def assert_plausible(p, what=""):
    """A right program gets here with a p below `FALSE_ALARM` about once in a million seeds."""
    assert np.isfinite(p), what
    assert p >= FALSE_ALARM, f"{what}: p = {p:.3g}"


def assert_detected(p, what=""):
    """A planted fault must be seen at the rate at which a right program would be accused."""
    assert np.isfinite(p), what
    assert p < FALSE_ALARM, f"{what} went unseen: p = {p:.3g}"
