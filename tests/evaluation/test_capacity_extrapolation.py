"""alpha_c for N -> infinity: exact laws, errors and p of the fits, the union of what cannot be told apart."""

import numpy as np
import pytest
from scipy.special import bdtr

from hopsim.errors import InputError
from hopsim.evaluation.capacity_extrapolation import (
    EXPONENTS,
    extrapolate,
    extrapolate_largest,
    largest_sizes,
)

SIZES = np.array([1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 64_000])
MEASURED = np.array(
    [0.1642, 0.1568, 0.1519, 0.1491, 0.1463, 0.1447, 0.1436]
)  # ± .0002 to .0004, REFERENCE.md


@pytest.mark.parametrize("exponent", EXPONENTS)
def test_an_exact_law_is_found(exponent):
    limit = extrapolate(SIZES, 0.14 + 0.3 * SIZES**-exponent, np.full(7, 1e-4))
    fit = limit.fits[EXPONENTS.index(exponent)]
    assert (fit.value, fit.amplitude, fit.p) == (pytest.approx(0.14), pytest.approx(0.3), pytest.approx(1.0))
    assert limit.low < 0.14 < limit.high
    assert limit.value == (limit.low + limit.high) / 2


def test_the_standard_error_is_that_of_the_fit():
    """The fitted limit is linear in the values: its error is propagated value by value."""
    errors = np.array([4, 4, 3, 3, 2, 2, 2]) * 1e-4
    fit = extrapolate(SIZES, MEASURED, errors).fits[1]
    shifts = [
        extrapolate(SIZES, MEASURED + errors * (np.arange(7) == k), errors).fits[1].value - fit.value
        for k in range(7)
    ]
    assert fit.standard_error == pytest.approx(np.linalg.norm(shifts), rel=1e-9)


def test_p_is_uniform_where_the_law_holds():
    random = np.random.default_rng(23)
    errors = np.full(7, 3e-4)
    p = [
        extrapolate(SIZES, 0.14 + 0.5 * SIZES**-0.5 + errors * random.standard_normal(7), errors).fits[1].p
        for _ in range(500)
    ]
    distance = np.abs(np.sort(p) - (np.arange(500) + 0.5) / 500).max()
    assert distance < 2.7 / np.sqrt(500)  # Kolmogorov: 2 exp(-2 * 2.7^2) = 1e-6


def test_reference_half_heights():
    """For N >= 8,000 the fits are .1375, .1403, .1431 for x = 1/3, 1/2, 1, all acceptable.

    The errors of the single sizes are not published, nor the digits after the fourth, so the fits need only
    agree within their own standard errors.
    """
    limit = extrapolate(SIZES[3:], MEASURED[3:], np.full(4, 3e-4))
    published = {1 / 3: 0.1375, 1 / 2: 0.1403, 1.0: 0.1431}
    for fit in limit.fits:
        assert fit.accepted
        if fit.exponent in published:
            assert abs(fit.value - published[fit.exponent]) < fit.standard_error
    assert 0.134 <= limit.low < 0.1379
    assert 0.143 < limit.high <= 0.147


def test_a_law_that_does_not_fit_is_reported_but_not_used():
    limit = extrapolate(SIZES, 0.14 + 0.5 * SIZES**-0.5, np.full(7, 1e-4))
    one_over_n = limit.fits[-1]
    assert not one_over_n.accepted
    assert limit.high < one_over_n.value


def test_too_little_gives_nan():
    nothing = extrapolate(SIZES[:2], MEASURED[:2], [3e-4] * 2)
    assert nothing.fits == ()
    assert np.isnan([nothing.value, nothing.low, nothing.high]).all()
    for values, errors in (([0.15, np.nan, 0.14], [1e-4] * 3), ([0.15, 0.145, 0.14], [1e-4, 0, np.nan])):
        assert extrapolate(SIZES[:3], values, errors).fits == ()
    assert extrapolate([1000, 1000, 2000], [0.15, 0.15, 0.14], [1e-4] * 3).fits == ()
    rejected = extrapolate(SIZES, 0.14 + 0.01 * (np.arange(7) % 2), np.full(7, 1e-4))
    assert len(rejected.fits) == len(EXPONENTS)
    assert np.isnan([rejected.value, rejected.low, rejected.high]).all()


def test_extrapolate_refuses_unequal_lengths():
    with pytest.raises(InputError, match=r"^values: "):
        extrapolate(SIZES, MEASURED[:3], np.full(7, 1e-4))


def test_all_exponents_can_be_kept():
    """Small sizes follow no single power: kept all the same, every exponent widens the union, however bad its fit."""
    sizes, values = np.array([1000, 4000, 16000]), np.array([0.1653, 0.1500, 0.1466])
    errors = np.full(3, 5e-4)
    some, everything = extrapolate(sizes, values, errors), extrapolate(sizes, values, errors, keep_all=True)
    assert not all(fit.accepted for fit in some.fits)
    centres = [fit.value for fit in everything.fits]
    assert everything.low < min(centres) < max(centres) < everything.high
    assert everything.high - everything.low > some.high - some.low


@pytest.mark.parametrize("exponent", EXPONENTS)
def test_the_union_covers_the_limit_whichever_law_holds(exponent):
    """Its 95 % interval is among those united, unless p < 0.01: 94 % at least, and once in a million seeds fewer."""
    random = np.random.default_rng([24, int(12 * exponent)])
    errors = np.array([20, 15, 11, 8]) * 1e-5
    n_data = 500
    limits = [
        extrapolate(
            SIZES[3:], 0.14 + 0.5 * SIZES[3:] ** -exponent + errors * random.standard_normal(4), errors
        )
        for _ in range(n_data)
    ]
    covered = sum(limit.low <= 0.14 <= limit.high for limit in limits)
    assert bdtr(covered, n_data, 0.94) > 1e-6


def test_the_largest_sizes_are_those_from_8000_or_three():
    assert largest_sizes(SIZES).tolist() == [False] * 3 + [True] * 4
    assert largest_sizes([16_000, 8_000, 1_000, 7_999]).tolist() == [True, True, False, True]
    assert largest_sizes([100, 200]).tolist() == [True, True]
    assert largest_sizes([100]).tolist() == [True]


def test_small_sizes_keep_all_fits_and_large_ones_do_not():
    """1,000 to 4,000 lie off any single power; from 8,000 on a law that does not fit is left out."""
    errors, bumpy = np.full(7, 1e-4), MEASURED[:3] + np.array([0.0, 0.002, 0.0])
    small = extrapolate_largest(SIZES[:3], bumpy, errors[:3])
    assert small == extrapolate(SIZES[:3], bumpy, errors[:3], keep_all=True)
    assert all(fit.accepted for fit in small.fits)
    assert not all(fit.p > 0.01 for fit in small.fits)
    law = 0.14 + 0.5 * SIZES**-0.5
    assert extrapolate_largest(SIZES, law, errors / 4) == extrapolate(SIZES[3:], law[3:], errors[3:] / 4)
    assert not all(fit.accepted for fit in extrapolate_largest(SIZES, law, errors / 4).fits)
