"""Proportions: the exact interval against binomial tails and by enumeration, means over networks by hand."""

import numpy as np
import pytest
from scipy.special import bdtr, bdtrc, xlog1py, xlogy
from scipy.special import gammaln as log_gamma

from hopsim.errors import InputError
from hopsim.evaluation.proportions import binomial_interval, mean_over_networks


def probability_of(k, n, p):
    """Binomial probability of `k` successes."""
    return np.exp(
        log_gamma(n + 1) - log_gamma(k + 1) - log_gamma(n - k + 1) + xlogy(k, p) + xlog1py(n - k, -p)
    )


@pytest.mark.parametrize("n", [1, 2, 7, 30, 200])
def test_each_end_leaves_a_tail_of_exactly_one_fortieth(n):
    k = np.arange(n + 1)
    low, high = binomial_interval(k, n)
    assert low[0] == 0.0
    assert high[n] == 1.0
    assert bdtrc(k[1:] - 1, n, low[1:]) == pytest.approx(0.025, rel=1e-9)  # P(as many or more)
    assert bdtr(k[:-1], n, high[:-1]) == pytest.approx(0.025, rel=1e-9)  # P(as many or fewer)


@pytest.mark.parametrize("n", [1, 5, 20, 100])
@pytest.mark.parametrize("confidence", [0.8, 0.95])
def test_coverage_is_never_below_the_confidence(n, confidence):
    """Enumerated; coverage is lowest just outside the intervals' ends, so these are among the points."""
    k = np.arange(n + 1)
    low, high = binomial_interval(k, n, confidence)
    ends = np.concatenate([low, high])
    probabilities = np.concatenate([np.linspace(0, 1, 501), ends - 1e-9, ends + 1e-9]).clip(0, 1)[:, None]
    covered = (low <= probabilities) & (probabilities <= high)
    coverage = (probability_of(k, n, probabilities) * covered).sum(axis=1)
    assert coverage.min() >= confidence - 1e-6  # 1e-9 of an end changes it by far less


def test_it_broadcasts_and_knows_nothing_without_trials():
    low, high = binomial_interval([[0], [1]], [1, 2, 4])
    assert low.shape == high.shape == (2, 3)
    low, high = binomial_interval([0, 0], [0, 1])
    assert np.isnan([low[0], high[0]]).all()
    assert (low[1], high[1]) == (0.0, pytest.approx(0.975))


@pytest.mark.parametrize(("k", "n"), [(3, 2), (-1, 2), (0.5, 2), (np.nan, 2), (1, np.inf)])
def test_counts_that_are_none_are_refused(k, n):
    with pytest.raises(InputError, match=r"^n_successes: "):
        binomial_interval(k, n)


def test_a_confidence_beyond_0_to_1_is_refused():
    with pytest.raises(InputError, match=r"^confidence: "):
        binomial_interval(1, 2, 95)


def test_networks_are_averaged_over_trials_first():
    """Trials that agree within each network add nothing to the error's degrees of freedom."""
    values = np.repeat([[0.8], [0.9], [1.0]], 5, axis=1)
    mean, standard_error = mean_over_networks(values)
    assert mean == pytest.approx(0.9)
    assert standard_error == pytest.approx(0.1 / np.sqrt(3))


def test_unfinished_networks_are_left_out():
    nan = np.nan
    values = np.array(
        [[[1.0, 0.0], [1.0, 1.0], [0.5, nan]], [[1.0, 0.5], [nan, nan], [nan, 1.0]], [[nan, nan]] * 3]
    )
    mean, standard_error = mean_over_networks(values)
    assert np.allclose(mean, [0.75, 0.75, nan], equal_nan=True)
    assert np.allclose(standard_error, [0.25, nan, nan], equal_nan=True)
