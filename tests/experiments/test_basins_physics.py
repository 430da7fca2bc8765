"""Basins of attraction against the reference figures, and the first parallel step against its exact mean."""

import numpy as np
import pytest
from false_alarms import assert_plausible, normal_p
from scipy.stats import binom

from hopsim.experiments.hopfield_basins import HopfieldBasins, run
from hopsim.experiments.observer import Observer

# start overlap at which half of the recalls succeed at N = 2,000, 24 networks a point (reference figures)
REFERENCE = {0.05: 0.17, 0.08: 0.28, 0.10: 0.36, 0.12: 0.48, 0.13: 0.53}


def one_step_overlap(n_neurons, n_patterns, n_flipped):
    """Mean overlap after one parallel step, exact: N xi_i h_i is N m0, less the unit's own share xi_i s_i, plus
    (N - 1)(P - 1) independent ±1; where that is 0 the unit stays.
    """
    n_terms = (n_neurons - 1) * (n_patterns - 1)
    after = 0.0
    for own, share in ((1, 1 - n_flipped / n_neurons), (-1, n_flipped / n_neurons)):
        signal = n_neurons - 2 * n_flipped - own
        n_plus = (n_terms - signal) / 2  # of the ±1 that make the field vanish
        against, tie = binom.cdf(np.ceil(n_plus) - 1, n_terms, 0.5), binom.pmf(n_plus, n_terms, 0.5)
        after += share * (1 - tie - 2 * against + own * tie)
    return after


@pytest.mark.parametrize(
    ("n_neurons", "n_networks"), [(200, 200), pytest.param(2000, 200, marks=pytest.mark.slow)]
)
def test_the_first_parallel_step_follows_the_error_function(n_neurons, n_networks):
    """A single synchronous sweep. The mean is known at any N; erf is its limit: with P - 1 patterns of crosstalk in
    place of P it is off by x erf'(x)/(2P), which is 0.24/P at most, and by smaller terms of order 1/N.
    """
    loads, starts = (0.05, 0.1, 0.5), (0.1, 0.2, 0.4, 0.7, 1.0)
    records = run(
        HopfieldBasins(
            n_neurons=(n_neurons,),
            loads=loads,
            start_overlaps=starts,
            n_networks=n_networks,
            n_trials=1,
            order="synchronous",
            max_sweeps=1,
            seed=4,
        ),
        Observer(),
    )
    for k, n_patterns in enumerate(records["n_patterns"][0]):
        for s, n_flipped in enumerate(records["n_flipped"][0]):
            exact = one_step_overlap(n_neurons, n_patterns, n_flipped)
            what = f"load {loads[k]}, m0 = {starts[s]}"
            assert abs(exact - records["first_step_theory"][k, s]) < 0.3 / n_patterns + 1 / n_neurons, what
            error = records["overlap_se"][0, k, s]
            if error > 0.0:
                deviation = records["overlap_mean"][0, k, s] - exact
                assert_plausible(normal_p(deviation / error), what)


@pytest.mark.slow
def test_basins_shrink_with_the_load_as_the_reference_says():
    """N = 2,000: within 0.04 of the reference figures, half of that being their own error and that of 48 networks."""
    loads = (0.02, *REFERENCE)
    records = run(
        HopfieldBasins(
            n_neurons=(2000,),
            loads=loads,
            start_overlaps=tuple(np.arange(0.02, 0.701, 0.02).round(2).tolist()),
            n_networks=48,
            n_trials=1,
            seed=5,
        ),
        Observer(),
    )
    half = records["overlap_half"][0]
    assert half[0] < 0.1
    assert np.abs(half[1:] - list(REFERENCE.values())).max() < 0.04
    assert (np.diff(half) > 0).all()
    assert (half < records["overlap_theory"] - 0.4).all()
    low, high = records["overlap_half_low"][0], records["overlap_half_high"][0]
    assert ((low < half) & (half < high)).all()
    assert (high - low < 0.08).all()
