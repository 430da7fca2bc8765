"""The bootstrap over networks against the networks themselves, drawn one by one."""

from math import comb

import numpy as np
import pytest
from false_alarms import assert_plausible, chi_square_p

from hopsim.errors import InputError
from hopsim.evaluation.network_bootstrap import (
    NORMAL_975,
    Estimate,
    estimate_between,
    resampled_fractions,
    retrieved_fractions,
    usable_loads,
)


def test_fractions_are_those_of_the_trials():
    histograms = np.array([[3, 0, 1], [0, 0, 5], [7, 0, 0]])
    assert retrieved_fractions(histograms).tolist() == [2 / 8, 1.0, 0.0]


def test_loads_in_order_and_those_with_too_few_networks_left_out():
    loads, histograms = usable_loads([0.3, 0.1, 0.2, 0.4], [[1, 1], [2, 0], [1, 0], [0, 0]])
    assert loads.tolist() == [0.1, 0.3]
    assert histograms.tolist() == [[2, 0], [1, 1]]
    loads, _ = usable_loads([0.3, 0.1, 0.2], [[1, 0], [0, 0], [0, 1]])  # one network is the most there is
    assert loads.tolist() == [0.2, 0.3]
    loads, histograms = usable_loads([0.3, 0.1], np.zeros((2, 3), int))
    assert loads.shape == (0,)
    assert histograms.shape == (0, 3)


@pytest.mark.parametrize("histograms", [[1, 2], [[1, 2]] * 3, [[1], [2]], [[0.5, 1.0]] * 2, [[-1, 2]] * 2])
def test_what_are_no_histograms_is_refused(histograms):
    with pytest.raises(InputError, match=r"^histograms: "):
        usable_loads([0.1, 0.2], histograms)


def test_replicates_have_the_distribution_of_networks_drawn_with_replacement():
    """Of 4 networks with 0, 0, 1 and 2 of 2 trials retrieved, 3 are drawn: their sum over all 4^3 ways."""
    random = np.random.default_rng(31)
    fractions = resampled_fractions(np.array([[2, 1, 1], [4, 0, 0]]), 20_000, random)
    ways = np.zeros(7)
    for i in (0, 0, 1, 2):
        for j in (0, 0, 1, 2):
            for k in (0, 0, 1, 2):
                ways[i + j + k] += 1
    counts = np.bincount(np.rint(fractions[:, 0] * 6).astype(int), minlength=7)
    assert_plausible(chi_square_p(counts, ways))
    assert (fractions[:, 1] == 0.0).all()


def test_a_million_networks_are_drawn_as_ten_are():
    """Single trials: the sum is binomial, here split at its median and quartiles."""
    n = 1_000_000
    fractions = resampled_fractions(np.array([[n // 2, n // 2]]), 4000, np.random.default_rng(32))[:, 0]
    deviation = (fractions - 0.5) / (0.5 / np.sqrt(n - 1))
    counts = np.histogram(deviation, [-9, -0.674489750196, 0, 0.674489750196, 9])[0]
    assert_plausible(chi_square_p(counts, np.ones(4)))
    few = resampled_fractions(np.array([[1, 1, 0], [0, 1, 1]]), 1000, np.random.default_rng(33))
    assert set(few[:, 0]) == {0.0, 0.5}  # one network of two
    assert abs((few[:, 0] == 0).sum() - 500) < 5 * np.sqrt(250)  # p = 6e-7
    assert comb(2, 1) == len(set(few[:, 1]))


def test_a_single_network_gives_no_replicates():
    random = np.random.default_rng(34)
    assert resampled_fractions(np.array([[0, 5], [1, 0]]), 100, random).shape == (0, 2)
    with pytest.raises(InputError, match=r"^n_bootstrap: "):
        resampled_fractions(np.array([[0, 5]]), 0, random)


def test_the_interval_goes_from_quantile_to_quantile():
    lows, highs = np.arange(1000.0), np.arange(1000.0) + 0.5
    estimate = estimate_between(500.0, lows, highs)
    assert (estimate.low, estimate.high) == (24.0, 974.5)  # order statistics 25 and 975
    assert estimate.standard_error == pytest.approx(950.5 / 2 / NORMAL_975)


def test_what_is_not_known_is_nan():
    def as_text(estimate: Estimate) -> str:
        return str([estimate.value, estimate.low, estimate.high, estimate.standard_error])

    values = np.arange(1000.0)
    assert as_text(estimate_between(np.inf, values, values)) == "[nan, nan, nan, nan]"
    assert as_text(estimate_between(np.nan, values, values)) == "[nan, nan, nan, nan]"
    assert as_text(estimate_between(1.0, [], [])) == "[1.0, nan, nan, nan]"
    open_end = estimate_between(500.0, values, np.where(values > 900, np.inf, values))
    assert as_text(open_end) == "[500.0, 24.0, nan, nan]"
