"""alpha_c at one size: crossings by hand, synthetic networks of known half-height."""

import numpy as np
import pytest
from scipy.special import bdtr

from hopsim.errors import InputError
from hopsim.evaluation.capacity_threshold import critical_load, half_height

LOADS = np.arange(0.10, 0.1901, 0.005)
TRUE_LOAD = 0.1437  # on no grid


def histograms_of(retrieved):
    """Networks in which 0, 1, ... n_trials trials were retrieved, from trials (n_loads, n_networks, n_trials)."""
    n_trials = retrieved.shape[2]
    per_network = np.asarray(retrieved).sum(axis=2, dtype=int)
    return np.array([np.bincount(of_load, minlength=n_trials + 1) for of_load in per_network])


def simulated_retrieval(random, loads, width, n_networks=20, n_trials=5):
    """Logistic retrieval curve; half of the spread is the network's, shared by its trials."""
    network = random.logistic(0.0, width / 2, (len(loads), n_networks, 1))
    trial = random.logistic(0.0, width / 2, (len(loads), n_networks, n_trials))
    # symmetric about TRUE_LOAD, so half are retrieved there
    return histograms_of(TRUE_LOAD + network + trial > np.asarray(loads)[:, None, None])


# -- half-height ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fractions", "expected"),
    [
        ([1.0, 0.75, 0.25, 0.0], 2.5),  # straight line
        ([1.0, 1.0, 0.0, 0.0], 2.5),
        ([1.0, 1.0, 0.5, 0.0], 3.0),  # on a load
        ([1.0, 0.5, 0.5, 0.0], 2.5),  # on a plateau: its centre
        ([1.0, 0.4, 0.8, 0.0], 2.5 + 0.1 / 0.6 * 1.5),  # two and three pooled: 0.6 at load 2.5
        ([0.9, 1.0, 0.2, 0.3], 1.5 + 0.45 / 0.7 * 2),  # (1.5, .95) to (3.5, .25)
        ([1.0, np.nan, 0.0, 0.0], 2.0),
    ],
)
def test_crossings_by_hand(fractions, expected):
    assert half_height([1.0, 2.0, 3.0, 4.0], fractions) == pytest.approx(expected, rel=1e-14)
    assert half_height([4.0, 3.0, 2.0, 1.0], fractions[::-1]) == pytest.approx(expected, rel=1e-14)


@pytest.mark.parametrize(
    "fractions", [[1, 1, 0.6], [0.4, 0.3, 0], [0.5, 0.2, 0], [1, 0.8, 0.5], [0, 0.5, 1], [np.nan] * 3]
)
def test_no_crossing_no_value(fractions):
    assert np.isnan(half_height([0.1, 0.2, 0.3], fractions))
    assert np.isnan(half_height([], []))


def test_an_outlier_far_from_the_fall_changes_nothing():
    fractions = [1, 1, 1, 1, 0.7, 0.2, 0, 0, 0]
    loads = np.arange(9.0)
    outlier = [1, 0.9, 1, 1, 0.7, 0.2, 0, 0.1, 0]
    assert half_height(loads, outlier) == half_height(loads, fractions) == pytest.approx(4.4)


def test_half_height_refuses_what_is_no_curve():
    with pytest.raises(InputError, match=r"^fractions: "):
        half_height([0.1, 0.2], [1.0])
    with pytest.raises(InputError, match=r"^fractions: "):
        half_height([0.1, 0.2], [20.0, 0.0])


# -- one size ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "width", [0.0002, 0.001, 0.0025, 0.005, 0.01], ids="a {} wide fall on a grid of 0.005".format
)
def test_the_interval_covers_the_truth(width):
    """From falls far narrower than a step of the loads; a 95 % interval fails once in a million seeds."""
    n_data, covered = 200, 0
    for k in range(n_data):
        random = np.random.default_rng([17, k])
        loads = LOADS + random.uniform(0, 0.005)
        estimate = critical_load(loads, simulated_retrieval(random, loads, width), seed=k, n_bootstrap=200)
        covered += estimate.low <= TRUE_LOAD <= estimate.high
    assert bdtr(covered, n_data, 0.95) > 1e-6


def test_the_standard_error_is_the_scatter_of_the_values():
    estimates = [
        critical_load(LOADS, simulated_retrieval(np.random.default_rng([18, k]), LOADS, 0.006), seed=k)
        for k in range(200)
    ]
    scatter = np.std([estimate.value for estimate in estimates], ddof=1)
    # 5 % from 200 values (1/sqrt(2 n)), and they are read off a curve that is not quite straight
    assert np.mean([estimate.standard_error for estimate in estimates]) == pytest.approx(scatter, rel=0.2)


def test_trials_of_one_network_are_not_independent():
    """Every trial ten times over tells nothing new."""
    histograms = simulated_retrieval(np.random.default_rng(19), LOADS, 0.006)
    tenfold = np.zeros((len(LOADS), 51), int)
    tenfold[:, ::10] = histograms
    assert critical_load(LOADS, tenfold, seed=1) == critical_load(LOADS, histograms, seed=1)


def test_a_fall_between_two_loads_leaves_the_gap_open():
    histograms = [[0, 20], [0, 20], [20, 0], [20, 0]]
    estimate = critical_load([0.13, 0.14, 0.15, 0.16], histograms, seed=2)
    assert estimate.value == pytest.approx(0.145)
    assert 0.140 <= estimate.low < 0.141  # uniform over the gap
    assert 0.149 < estimate.high <= 0.150


def test_the_seed_decides_and_the_order_of_loads_does_not():
    histograms = simulated_retrieval(np.random.default_rng(20), LOADS, 0.006)
    estimate = critical_load(LOADS, histograms, seed=2**64 - 1)
    assert critical_load(LOADS[::-1], histograms[::-1], seed=2**64 - 1) == estimate
    other = critical_load(LOADS, histograms, seed=4)
    assert other.value == estimate.value
    assert other.low != estimate.low


def test_loads_with_one_network_are_left_out_if_others_have_more():
    histograms = simulated_retrieval(np.random.default_rng(22), LOADS, 0.006)
    partial = histograms.copy()
    partial[4] = np.eye(6, dtype=int)[5]
    partial[7] = 0
    others = np.delete(np.arange(len(LOADS)), [4, 7])
    assert critical_load(LOADS, partial, seed=1) == critical_load(LOADS[others], histograms[others], seed=1)


def test_a_million_networks_are_as_many_more_digits():
    """Single trials, fractions .51 and .49 at loads .1 and .2: the error of their line's crossing, propagated.

    It crosses at u/(u - l) gaps, u and l being the distances from 1/2: both derivatives are 25 there, and both
    variances 1/4 / n.
    """
    n = 1_000_000
    estimate = critical_load([0.1, 0.2], [[490_000, 510_000], [510_000, 490_000]], seed=5)
    assert estimate.value == pytest.approx(0.15)
    # half an interval from 1,000 replicates: known to 3.5 % or so
    assert estimate.standard_error == pytest.approx(0.1 * 25 * np.sqrt(2 / 4 / n), rel=0.15)


def test_what_the_data_do_not_tell_is_nan():
    loads = [0.13, 0.14, 0.15]
    one_network = critical_load(loads, [[0, 1], [0, 1], [1, 0]], seed=1)
    assert one_network.value == pytest.approx(0.145)
    assert np.isnan([one_network.low, one_network.high, one_network.standard_error]).all()
    for histogram in ([20, 0], [0, 20], [0, 0]):
        nothing = critical_load(loads, [histogram] * 3, seed=1)
        assert np.isnan([nothing.value, nothing.low, nothing.high, nothing.standard_error]).all()


def test_an_end_beyond_the_loads_is_nan():
    """At the last load 4 of 10 networks retrieve: in about a quarter of the replicates half or more do."""
    estimate = critical_load([0.13, 0.14, 0.15], [[0, 10], [0, 10], [6, 4]], seed=3)
    assert 0.14 < estimate.low < estimate.value < 0.15
    assert np.isnan(estimate.high)
    assert np.isnan(estimate.standard_error)


def test_critical_load_refuses_what_are_no_histograms():
    for histograms in ([1, 2], [[1, 2]] * 3, [[1], [2]], [[0.5, 1.0]] * 2, [[-1, 2]] * 2):
        with pytest.raises(InputError, match=r"^histograms: "):
            critical_load([0.1, 0.2], histograms, seed=1)
    with pytest.raises(InputError, match=r"^n_bootstrap: "):
        critical_load([0.1, 0.2], [[1, 2], [2, 1]], seed=1, n_bootstrap=0)
